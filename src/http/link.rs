//! The `Link` header: how an API names its next page outside the body. RFC 8288, section 3.

use super::HeaderMap;

/// The target of the first link with that relation type, as in the header: an absolute URL or a reference relative to
/// the URL of the response. All `Link` headers are read. A link with an `anchor` is about something other than the
/// response, and does not count.
///
/// Malformed parts are ignored up to the next comma.
///
/// ```
/// use source_http::http::{HeaderMap, link_target};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("link", r#"</items?page=3>; rel="next", </items?page=9>; rel="last""#.parse()?);
/// assert_eq!(link_target(&headers, "next").as_deref(), Some("/items?page=3"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn link_target(headers: &HeaderMap, rel: &str) -> Option<String> {
    headers.get_all("link").iter().find_map(|value| {
        // A stray byte in a title must not hide the link.
        let text = String::from_utf8_lossy(value.as_bytes());
        links(&text).into_iter().find(|link| link.has(rel)).map(|link| link.target.to_owned())
    })
}

/// All links of the `Link` headers, each target with its parameters; their names are in lower case.
pub(crate) fn all_links(headers: &HeaderMap) -> Vec<(String, Vec<(String, String)>)> {
    let mut all = Vec::new();
    for value in headers.get_all("link") {
        let text = String::from_utf8_lossy(value.as_bytes());
        all.extend(links(&text).into_iter().map(|link| (link.target.to_owned(), link.params)));
    }
    all
}

/// One link of a header.
#[derive(Debug, PartialEq, Eq)]
struct Link<'t> {
    target: &'t str,
    /// Names in lower case, values without quotes.
    params: Vec<(String, String)>,
}

impl Link<'_> {
    /// Relation types are case-insensitive and separated by blanks; only the first of several `rel` parameters counts
    /// (RFC 8288, sections 2.1 and 3.3).
    fn has(&self, rel: &str) -> bool {
        let param = |name: &str| self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value);
        param("anchor").is_none()
            && param("rel").is_some_and(|types| types.split_whitespace().any(|one| one.eq_ignore_ascii_case(rel)))
    }
}

fn links(header: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return links;
        }
        if let Some((target, after)) = rest.strip_prefix('<').and_then(|inside| inside.split_once('>')) {
            let (params, after) = params(after);
            links.push(Link { target: target.trim(), params });
            rest = after;
        }
        rest = after_comma(rest);
    }
}

/// The parameters after a target, and the rest.
fn params(text: &str) -> (Vec<(String, String)>, &str) {
    let mut params = Vec::new();
    let mut rest = text;
    while let Some(param) = trim(rest).strip_prefix(';') {
        let param = trim(param);
        let end = param.find(['=', ';', ',', ' ', '\t']).unwrap_or(param.len());
        let name = param[..end].to_ascii_lowercase();
        let (value, after) = match trim(&param[end..]).strip_prefix('=') {
            Some(value) => self::value(trim(value)),
            None => (String::new(), &param[end..]),
        };
        if !name.is_empty() {
            params.push((name, value));
        }
        rest = after;
    }
    (params, rest)
}

/// A parameter's value, quoted or not, and the rest.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, &quoted[at + 1..]),
            _ => value.push(c),
        }
    }
    (value, "")
}

/// The text after the next comma outside quotes.
fn after_comma(text: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}

fn trim(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::HeaderValue;
    use super::*;

    fn next(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("link", HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        link_target(&headers, "next")
    }

    #[test]
    fn the_next_link_is_found_however_it_is_written() {
        for header in [
            "</n>; rel=\"next\"",
            "</n>;rel=next",
            "<  /n >  ;  rel = \"next\"",
            "</n>; REL=\"Next\"",
            "</n>; rel=\"prefetch next\"",
            "</p>; rel=\"prev\", </n>; rel=\"next\", </l>; rel=\"last\"",
            "</p>; rel=\"prev\",</n>; rel=\"next\"",
            "</p>; rel=prev; title=\"a, <b>; rel=\\\"next\\\"\", </n>; title=\"x\"; rel=\"next\"",
            ", ,</n>; rel=next,",
            "</n>; crossorigin; rel=next",
            "</n>; title=\"\u{fc}\"; rel=next",
        ] {
            assert_eq!(next(&[header]).as_deref(), Some("/n"), "{header}");
        }
    }

    #[test]
    fn commas_and_semicolons_in_a_target_belong_to_it() {
        assert_eq!(next(&["<https://a.com/x?ids=1,2;3>; rel=next"]).as_deref(), Some("https://a.com/x?ids=1,2;3"));
    }

    #[test]
    fn all_link_headers_are_read() {
        assert_eq!(next(&["</p>; rel=prev", "</n>; rel=next"]).as_deref(), Some("/n"));
    }

    #[test]
    fn anything_but_a_next_link_is_none() {
        for header in [
            "",
            "</n>",
            "</n>; rel=prev",
            "</n>; rel=nextcloud",
            "</n>; title=next",
            "</n>; rel=prev; rel=next",
            "</n>; rel=next; anchor=\"/other\"",
            "/n; rel=next",
            "</n; rel=next",
        ] {
            assert_eq!(next(&[header]), None, "{header}");
        }
    }

    #[test]
    fn malformed_parts_do_not_hide_the_links_after_them() {
        assert_eq!(next(&["nonsense \"a, b\", </n>; rel=next"]).as_deref(), Some("/n"));
        assert_eq!(next(&["</p>; rel=prev nonsense; rel=next, </n>; rel=next"]).as_deref(), Some("/n"));
    }

    fn quoted(text: &str) -> String {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }

    proptest! {
        #[test]
        fn links_come_back_as_they_were_written(
            links in prop::collection::vec(
                ("[a-z/:?=,;&\"]{0,12}", prop::collection::vec(("[a-z*]{1,6}", "[ a-z,;<>=\"\\\\]{0,10}"), 0..4)),
                0..5,
            ),
            comma in prop::sample::select(vec![",", ", ", " ,\t,"]),
        ) {
            let written: Vec<String> = links
                .iter()
                .map(|(target, params)| {
                    let params = params.iter().map(|(name, value)| format!("; {name}={}", quoted(value)));
                    format!("<{target}>{}", params.collect::<String>())
                })
                .collect();
            let header = written.join(comma);
            let read: Vec<_> =
                super::links(&header).into_iter().map(|link| (link.target.to_owned(), link.params)).collect();
            prop_assert_eq!(read, links);
        }

        #[test]
        fn any_text_is_read_to_its_end(header in "[<>;,=\" \\\\a-z\u{e9}]{0,40}") {
            super::links(&header);
        }
    }
}
