//! Headers whose value is a list (RFC 9110, section 5.6.1). Several lines with the same name are one list;
//! intermediaries may already have joined them.

use super::HeaderMap;
use super::http_date::is_day;

/// The items of a list, over all lines with that name, without blanks, quotes and parameters (`100;w=60`). Empty items
/// are dropped, and so are those that are not text. The comma within a date does not end an item.
pub(super) fn items<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    lines.into_iter().flat_map(split).filter(|item| !item.is_empty())
}

fn split(line: &str) -> Vec<&str> {
    let (mut items, mut start) = (Vec::new(), 0);
    for (at, _) in line.match_indices(',') {
        if !is_day(bare(&line[start..at])) {
            items.push(bare(&line[start..at]));
            start = at + 1;
        }
    }
    items.push(bare(&line[start..]));
    items
}

fn bare(item: &str) -> &str {
    let value = item.split_once(';').map_or(item, |(value, _)| value);
    value.trim().trim_matches('"').trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x", line.parse().unwrap());
        }
        items(&headers, "x").map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_one_list_of_bare_items_and_dates_stay_whole() {
        for (lines, items) in [
            (&["50, 53"][..], &["50", "53"][..]),
            (&["50", "53"], &["50", "53"]),
            (&[" , 50,, ;w=1", ""], &["50"]),
            (&["100;w=60, \"5\" ; w=1"], &["100", "5"]),
            (
                &["Fri, 15 Jan 2027 08:00:30 GMT,Friday, 15-Jan-27 08:00:31 GMT, 7"],
                &["Fri, 15 Jan 2027 08:00:30 GMT", "Friday, 15-Jan-27 08:00:31 GMT", "7"],
            ),
            (&["Fri Jan 15 08:00:30 2027, 7"], &["Fri Jan 15 08:00:30 2027", "7"]),
            (&["fri,"], &["fri,"]),
            (&[], &[]),
        ] {
            assert_eq!(read(lines), items, "{lines:?}");
        }
    }
}
