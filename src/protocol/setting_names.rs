//! URLs in messages, with the config's values replaced by the names of their settings: that helps the reader more, and
//! reveals nothing.

use percent_encoding::percent_decode_str;

/// Shorter values are found only as a whole segment or value: inside others they occur by chance.
const SHORT: usize = 6;
/// Values with fewer characters are too common to identify: a page number is not a setting of 1.
const TOO_SHORT: usize = 3;

/// The text with names of settings in its URLs. `settings` are the names and values.
pub(super) fn named(text: &str, settings: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["http://", "https://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, found) = rest.split_at(at);
        let ends = |char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '<' | '>' | '`');
        let (url, after) = found.split_at(found.find(ends).unwrap_or(found.len()));
        out.push_str(before);
        out.push_str(&url_named(url, settings));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn url_named(url: &str, settings: &[(String, String)]) -> String {
    let known = || settings.iter().filter(|(_, value)| value.chars().count() >= TOO_SHORT);
    // A setting may be the whole address, or its start.
    let base = known().filter(|(_, value)| value.contains("://"));
    let base = base.filter_map(|(name, value)| Some((name, url.strip_prefix(value.trim_end_matches('/'))?)));
    if let Some((name, rest)) = base.min_by_key(|(_, rest)| rest.len()) {
        return format!("{{{name}}}{}", parts_named(rest, settings));
    }
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + 3));
    format!("{scheme}{}", parts_named(rest, settings))
}

/// Names the parts between the delimiters of a URL.
fn parts_named(text: &str, settings: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_host = true;
    let mut rest = text;
    loop {
        let marks = |char: char| matches!(char, '/' | '?' | '&' | '=' | '#' | ';' | ',') || is_host && char == '.';
        let end = rest.find(marks).unwrap_or(rest.len());
        out.push_str(&part_named(&rest[..end], settings));
        let Some(mark) = rest[end..].chars().next() else { return out };
        is_host &= mark == '.';
        out.push(mark);
        rest = &rest[end + mark.len_utf8()..];
    }
}

fn part_named(part: &str, settings: &[(String, String)]) -> String {
    let plain = part.replace('+', " ");
    let spellings = [part, &plain].map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    let known = || settings.iter().filter(|(_, value)| value.chars().count() >= TOO_SHORT);
    if let Some((name, _)) = known().find(|(_, value)| spellings.iter().any(|spelled| spelled == value)) {
        return format!("{{{name}}}");
    }
    let mut within: Vec<_> = known().filter(|(_, value)| value.len() >= SHORT).collect();
    within.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    for spelled in spellings {
        let mut shown = spelled.clone();
        for (name, value) in &within {
            shown = shown.replace(value.as_str(), &format!("{{{name}}}"));
        }
        if shown != spelled {
            return shown.replace(' ', "%20");
        }
    }
    part.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_replace_values_of_settings_in_urls_and_nowhere_else() {
        let settings: Vec<(String, String)> = [
            ("account", "acme"),
            ("start_date", "2024-01-01"),
            ("page", "1"),
            ("base_url", "https://own.example/v2/"),
            ("filter.text", "a b&c"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (text, shown) in [
            (
                "GET https://acme.a.example/acme/items?since=2024-01-01&page=1 answered 500 acme.",
                "GET https://{account}.a.example/{account}/items?since={start_date}&page=1 answered 500 acme.",
            ),
            (
                "\"https://a.example/x?q=updated%3E2024-01-01\" and",
                "\"https://a.example/x?q=updated>{start_date}\" and",
            ),
            ("GET https://own.example/v2/items?t=a+b%26c", "GET {base_url}/items?t={filter.text}"),
            ("https://a.example/acmes/2024", "https://a.example/acmes/2024"),
            ("no acme here", "no acme here"),
        ] {
            assert_eq!(named(text, &settings), shown);
        }
    }
}
