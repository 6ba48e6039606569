//! Builds URLs from a stream's parts: a base, a path, query parameters.

use url::Url;

use super::sendable;
use crate::protocol::Failure;

/// Joins a base URL and a path without losing a segment: the last segment of the base stays, with or without a slash at
/// its end, and so does the base's query. A path that starts with `/` replaces the base's path; one that starts with
/// `http://` or `https://` is a complete URL; an empty one is the base itself.
///
/// # Errors
/// A config failure if the base is not an `http` or `https` URL, or the path cannot be joined to it; if the base has a
/// blank or an invisible character; if a segment of the path is an encoded `.` or `..`, which no URL can have
/// (<https://url.spec.whatwg.org/#double-dot-path-segment>).
pub fn join_url(base: &str, path: &str) -> Result<Url, Failure> {
    let segments = path.split(['?', '#']).next().unwrap_or_default().split('/');
    if let Some(dots) =
        segments.into_iter().find(|segment| ["%2E", "%2E%2E"].iter().any(|dots| segment.eq_ignore_ascii_case(dots)))
    {
        let dots = dots.to_ascii_uppercase().replace("%2E", ".");
        return Err(Failure::config(format!(
            "The path {path:?} has the segment {dots:?}, which a URL cannot have: it leads to the folder above or to the \
             same one. Correct the value it comes from."
        )));
    }
    if is_http(path) {
        return parse(path);
    }
    // A URL from the API itself is read as browsers read it.
    if let Some(problem) = sendable::in_url(base) {
        return Err(sendable::failure(&format!("The URL {base:?}"), problem));
    }
    let base = parse(base)?;
    if path.is_empty() {
        return Ok(base);
    }
    let mut folder = base.clone();
    if !folder.path().ends_with('/') {
        folder.set_path(&format!("{}/", base.path()));
    }
    // `./` keeps a segment such as `users:search` from being taken for a URL with the scheme `users`.
    let relative = if path.starts_with('/') { path.to_owned() } else { format!("./{path}") };
    let mut joined = folder
        .join(&relative)
        .map_err(|error| Failure::config(format!("The path {path:?} does not make a URL with {base}: {error}.")))?;
    if joined.query().is_none() {
        joined.set_query(base.query());
    }
    Ok(joined)
}

/// Adds query parameters in order. A pair that the URL already has is not repeated; the same name with another value is
/// added.
pub fn add_params<N: AsRef<str>, V: AsRef<str>>(url: &mut Url, params: impl IntoIterator<Item = (N, V)>) {
    for (name, value) in params {
        let (name, value) = (name.as_ref(), value.as_ref());
        if !url.query_pairs().any(|(n, v)| n == name && v == value) {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
}

/// Sets a query parameter: removes pairs of that name, and appends one with the value.
pub fn set_param(url: &mut Url, name: &str, value: &str) {
    if url.query_pairs().any(|(n, _)| n == name) {
        let others: Vec<_> =
            url.query_pairs().filter(|(n, _)| n != name).map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
        url.query_pairs_mut().clear().extend_pairs(others);
    }
    url.query_pairs_mut().append_pair(name, value);
}

/// Host and port: the identity of a server.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A URL for debug output: without user, password and fragment, and only the names in its query.
pub(super) fn without_values(url: &Url) -> String {
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    let names = url.query().map(|query| {
        let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
        names.collect::<Vec<_>>().join("&")
    });
    shown.set_query(names.as_deref());
    shown.into()
}

/// Whether credentials meant for one URL may go to another: same host and port, and not from `https` to `http`. From
/// `http` to `https`, both at their default ports, is an upgrade of the same host.
#[must_use]
pub fn same_host(meant: &Url, other: &Url) -> bool {
    let upgraded =
        meant.scheme() == "http" && other.scheme() == "https" && meant.port().is_none() && other.port().is_none();
    meant.host_str() == other.host_str()
        && (upgraded
            || meant.scheme() == other.scheme() && meant.port_or_known_default() == other.port_or_known_default())
}

fn is_http(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn parse(text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text).map_err(|error| Failure::config(format!("{text:?} is not a URL: {error}.")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(Failure::config(format!("{text:?} is not an http or https URL.")));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_segment_is_lost_however_base_and_path_are_written() {
        for (base, path, joined) in [
            ("https://a.com/v1/", "x", "https://a.com/v1/x"),
            ("https://a.com/v1", "x", "https://a.com/v1/x"),
            ("https://a.com", "x/y", "https://a.com/x/y"),
            ("https://a.com/v1", "", "https://a.com/v1"),
            ("https://a.com/v1/", "/x", "https://a.com/x"),
            ("https://a.com/v1/", "../x", "https://a.com/x"),
            ("https://a.com/v1", "users:search", "https://a.com/v1/users:search"),
            ("https://a.com/v1", "http://b.com/y?z=1", "http://b.com/y?z=1"),
            ("https://a.com/v1?k=1", "x", "https://a.com/v1/x?k=1"),
            ("https://a.com/v1", "x?q=2", "https://a.com/v1/x?q=2"),
        ] {
            assert_eq!(join_url(base, path).unwrap().as_str(), joined, "{base} + {path}");
        }
    }

    #[test]
    fn a_value_that_would_lead_to_another_path_is_refused() {
        for path in ["accounts/%2E%2E/persons", "a/%2e", "%2E%2e?x=1"] {
            assert!(join_url("https://a.com/v1", path).is_err(), "{path}");
        }
        assert_eq!(join_url("https://a.com", "a/x%2E?y=%2E").unwrap().as_str(), "https://a.com/a/x%2E?y=%2E");
    }

    #[test]
    fn a_url_other_than_http_is_a_config_failure() {
        for base in [
            "",
            "a.com/v1",
            "ftp://a.com",
            "file:///etc",
            "http://",
            " http://a.com",
            "http://a.com\n",
            "http://a.\tcom",
            "http://a\u{200b}.com",
            "http://a.com/\u{a0}",
            "http://a.com/v 1",
            "\u{201c}http://a.com\u{201d}",
        ] {
            let failure = join_url(base, "x").expect_err(base);
            assert_eq!(failure.kind, crate::protocol::FailureKind::Config, "{base}");
        }
    }

    #[test]
    fn a_pair_is_added_once_and_a_list_repeats_its_name() {
        let mut url = Url::parse("https://a.com/x?a=1").unwrap();
        add_params(&mut url, [("a", "1"), ("a", "2"), ("b[]", "x y"), ("b[]", "ü&=")]);
        assert_eq!(url.as_str(), "https://a.com/x?a=1&a=2&b%5B%5D=x+y&b%5B%5D=%C3%BC%26%3D");
    }

    #[test]
    fn a_parameter_that_is_set_replaces_those_of_its_name_and_leaves_the_others() {
        for (before, after) in [
            ("https://a.com/x", "https://a.com/x?p=2"),
            ("https://a.com/x?p=1", "https://a.com/x?p=2"),
            ("https://a.com/x?p=1&q=%20&p=3", "https://a.com/x?q=+&p=2"),
            ("https://a.com/x?q=%20", "https://a.com/x?q=%20&p=2"),
        ] {
            let mut url = Url::parse(before).unwrap();
            set_param(&mut url, "p", "2");
            assert_eq!(url.as_str(), after);
        }
    }

    #[test]
    fn credentials_stay_with_their_host_and_never_lose_encryption() {
        let url = |text: &str| Url::parse(text).unwrap();
        for (meant, other, same) in [
            ("https://a.com/x", "https://a.com/y", true),
            ("https://a.com", "https://a.com:443/y", true),
            ("http://a.com", "https://a.com", true),
            ("https://a.com", "http://a.com", false),
            ("https://a.com", "https://b.com", false),
            ("https://a.com", "https://sub.a.com", false),
            ("http://127.0.0.1:1", "http://127.0.0.1:2", false),
        ] {
            assert_eq!(same_host(&url(meant), &url(other)), same, "{meant} -> {other}");
        }
    }
}
