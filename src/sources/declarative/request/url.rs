//! The URL of a request, made from the texts of a manifest as `requests` does: joined, and percent-encoded once.

use std::fmt::Write as _;

use ::url::Url;

use crate::protocol::Failure;

/// Joins a base and the requester's own path, which has no leading slashes. It keeps all segments of the base, and its
/// query if the path has none.
///
/// # Errors
/// A config failure if the result is not an `http` or `https` URL.
pub(super) fn join_own(base: &str, path: &str) -> Result<Url, Failure> {
    if path.is_empty() {
        // If nothing is joined, Python's URLs keep tabs and line breaks.
        let breaks = [('\t', "%09"), ('\n', "%0A"), ('\r', "%0D")];
        return parse(&breaks.into_iter().fold(base.trim_start().to_owned(), |url, (c, code)| url.replace(c, code)));
    }
    if is_absolute(path) {
        return parse(path);
    }
    let (before, query) = before_query(base);
    let mut joined = join(before, path)?;
    if joined.query().is_none() && !query.is_empty() {
        joined.set_query(Some(&requoted(query, true)));
    }
    Ok(joined)
}

/// Joins a base and a path from an API, by RFC 3986: the part after the last slash of the base, its query included, is
/// lost if the base has a query.
///
/// # Errors
/// See [`join_own`].
pub(super) fn join_token(base: &str, path: &str) -> Result<Url, Failure> {
    if is_absolute(path) {
        return parse(path);
    }
    match before_query(base) {
        (before, "") => join(before, path),
        // The slash between base and path then belongs to the query.
        (before, _) => parse(before)?.join(&reference(path)).map_err(cannot_join).map(bare),
    }
}

/// Joins a base without a query, to which a slash is added, and a path.
fn join(base: &str, path: &str) -> Result<Url, Failure> {
    let base = if base.ends_with('/') { base.to_owned() } else { format!("{base}/") };
    let mut joined = parse(&base)?.join(&reference(path)).map_err(cannot_join)?;
    if !path.starts_with(['/', '?']) {
        // Python removes empty segments when it joins two paths.
        let segments: Vec<&str> = joined.path().split('/').collect();
        let last = segments.len() - 1;
        let kept = segments.iter().enumerate().filter(|(at, segment)| *at == 0 || *at == last || !segment.is_empty());
        let path = kept.map(|(_, segment)| *segment).collect::<Vec<_>>().join("/");
        joined.set_path(&path);
    }
    Ok(bare(joined))
}

fn cannot_join(error: ::url::ParseError) -> Failure {
    Failure::config(format!(
        "the path and its base do not make a URL: {error}. Correct `path`, or the setting that it uses."
    ))
}

fn bare(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

/// A path as a reference: `./` keeps a segment such as `items:search` from being read as a URL of its own.
fn reference(path: &str) -> String {
    let quoted = quoted_reference(path);
    let first = quoted.split(['/', '?']).next().unwrap_or_default();
    if first.contains(':') { format!("./{quoted}") } else { quoted }
}

/// Path and query, percent-encoded; the fragment, which is not sent, is left out.
fn quoted_reference(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    match text.split_once('?') {
        Some((path, query)) => format!("{}?{}", requoted(path, false), requoted(query, true)),
        None => requoted(text, false),
    }
}

fn before_query(base: &str) -> (&str, &str) {
    let base = base.split('#').next().unwrap_or_default();
    base.split_once('?').unwrap_or((base, ""))
}

fn is_absolute(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}

/// The fix. Parts of the URL may be settings that must not be shown.
const CORRECT: &str =
    "It has to begin with http:// or https:// and a host. Correct `url_base` or `url`, or the setting that it uses.";

/// A whole URL.
fn parse(text: &str) -> Result<Url, Failure> {
    let text = text.trim_start();
    let after_scheme = text.find("://").map_or(0, |at| at + 3);
    let path = text[after_scheme..].find(['/', '?', '#']).map_or(text.len(), |at| after_scheme + at);
    let quoted = format!("{}{}", &text[..path], quoted_reference(&text[path..]));
    let url = Url::parse(&quoted).map_err(|error| {
        Failure::config(format!("the manifest and the config do not make a URL here: {error}. {CORRECT}"))
    })?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(Failure::config(format!("the manifest and the config make no http or https URL here. {CORRECT}")));
    }
    Ok(bare(url))
}

/// Percent-encodes characters that a URL cannot have; encoded ones stay so, unless the encoding is unnecessary. In a
/// text with an invalid escape, all `%` are encoded.
fn requoted(text: &str, is_query: bool) -> String {
    let bytes = text.as_bytes();
    let escape = |at: usize| {
        let digits = bytes.get(at + 1..at + 3)?;
        u8::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_hexdigit))?, 16)
            .ok()
    };
    let escaped = (0..bytes.len()).all(|at| bytes[at] != b'%' || escape(at).is_some());
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'%' if escaped => {
                let encoded = escape(at - 1).unwrap_or_default();
                at += 2;
                match is_unreserved(encoded) {
                    true => out.push(char::from(encoded)),
                    false => encode(encoded, &mut out),
                }
            }
            // Python's URLs lose them.
            b'\t' | b'\n' | b'\r' => {}
            byte if is_unreserved(*byte) || b"!$&'()*+,;=:@/".contains(byte) => out.push(char::from(*byte)),
            b'?' if is_query => out.push('?'),
            byte => encode(*byte, &mut out),
        }
    }
    out
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn encode(byte: u8, out: &mut String) {
    let _ = write!(out, "%{byte:02X}");
}

/// Pairs as Python's `urlencode` writes them.
pub(super) fn urlencoded(pairs: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        quote_plus(name, &mut out);
        out.push('=');
        quote_plus(value, &mut out);
    }
    out
}

fn quote_plus(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            byte if is_unreserved(byte) => out.push(char::from(byte)),
            byte => encode(byte, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_and_path_are_joined_as_requests_does() {
        for (base, path, sent) in [
            ("http://a.com/v1", "items", "/v1/items"),
            ("http://a.com/v1/", "items/", "/v1/items/"),
            ("http://a.com", "items", "/items"),
            ("http://a.com/v1/", "", "/v1/"),
            ("http://a.com/v1?x=1", "", "/v1?x=1"),
            ("http://a.com/v1/a\nb/x", "", "/v1/a%0Ab/x"),
            ("http://a.com/v1", "a b/\u{e9}/c%20d#frag?q=1", "/v1/a%20b/%C3%A9/c%20d"),
            ("http://a.com/v1", "a/items:search", "/v1/a/items:search"),
            ("http://a.com/v1/v2", "../x/./y", "/v1/x/y"),
            ("http://a.com/v1", "x?a=1&b=%7E'%2f", "/v1/x?a=1&b=~%27%2F"),
            ("http://a.com/v1", "100%/%41", "/v1/100%25/%2541"),
            ("http://a.com/v1", "a|b^c", "/v1/a%7Cb%5Ec"),
            ("http://a.com/v1", "a\r\nb\tc?d=\n", "/v1/abc?d="),
            ("http://a.com//v1/", "a//b//", "/v1/a/b/"),
            // Unlike the reference, which loses parts of these.
            ("http://a.com/v1?x=1", "items", "/v1/items?x=1"),
            ("http://a.com/v1?x=1", "items?y=2", "/v1/items?y=2"),
            ("http://a.com/v1", "items:search", "/v1/items:search"),
        ] {
            let url = join_own(base, path).unwrap();
            assert_eq!(&url[::url::Position::BeforePath..], sent, "{base} {path}");
        }
        assert_eq!(join_own("http://a.com/v1", "HTTPS://b.com/x?z=1").unwrap().as_str(), "https://b.com/x?z=1");
    }

    #[test]
    fn a_path_from_the_api_may_begin_at_the_root_or_be_a_whole_url() {
        for (base, path, sent) in [
            ("http://a.com/v1", "/v1/items?l=3", "http://a.com/v1/items?l=3"),
            ("http://a.com/v1", "p3", "http://a.com/v1/p3"),
            ("http://a.com/v2/items?x=1", "p3", "http://a.com/v2/p3"),
            ("http://a.com/v2/items", "?page=2", "http://a.com/v2/items/?page=2"),
            ("http://a.com/v1", "http://b.com/y?z=a b", "http://b.com/y?z=a%20b"),
            ("http://a.com/v1", "//b.com/y", "http://b.com/y"),
        ] {
            assert_eq!(join_token(base, path).unwrap().as_str(), sent, "{base} {path}");
        }
    }

    #[test]
    fn a_url_other_than_http_is_a_config_failure() {
        for base in ["a.com/v1", "ftp://a.com", "", "http://"] {
            let failure = join_own(base, "items").unwrap_err();
            assert_eq!(failure.kind, crate::protocol::FailureKind::Config, "{base}");
        }
    }

    #[test]
    fn pairs_are_encoded_as_python_does() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let pairs = [pair("a b", "b&c=d/\u{e9}"), pair("d", "{'a': 1}"), pair("t", "~*-._+")];
        assert_eq!(urlencoded(&pairs), "a+b=b%26c%3Dd%2F%C3%A9&d=%7B%27a%27%3A+1%7D&t=~%2A-._%2B");
    }
}
