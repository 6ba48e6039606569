//! The requests that the server received.

use std::fmt;
use std::time::Instant;

use url::form_urlencoded;

/// One request, read to its end.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method as sent, for example `GET`.
    pub method: String,
    /// The request target as sent, not decoded: `/v1/charges?created%5Bgte%5D=1`, or the absolute
    /// form `http://host/path` that clients send to a proxy.
    pub target: String,
    /// The path of the target, not decoded, without scheme and host.
    pub path: String,
    /// The query as decoded name and value pairs, in order, repeated names included.
    pub query: Vec<(String, String)>,
    /// The headers in order, names as sent. See [`Request::header`].
    pub headers: Vec<(String, String)>,
    /// The body, with its chunked framing removed.
    pub body: Vec<u8>,
    /// Which connection it came over, counted from 1 in the order they were accepted.
    pub connection: u64,
    /// When the request had been read to its end.
    pub arrived: Instant,
}

impl Request {
    /// A request from its parts; `path` and `query` are taken from the target.
    pub(super) fn new(method: &str, target: &str, headers: Vec<(String, String)>, connection: u64) -> Self {
        let (path, query) = split_target(target);
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers,
            body: Vec::new(),
            connection,
            arrived: Instant::now(),
        }
    }

    /// The value of the first header of that name, ignoring case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The decoded value of the first query parameter of that name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; invalid UTF-8 is replaced.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Method, path and decoded query, for assertions: `GET /v1/charges?limit=100&types[]=a`.
impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)?;
        for (place, (name, value)) in self.query.iter().enumerate() {
            let separator = if place == 0 { '?' } else { '&' };
            write!(formatter, "{separator}{name}={value}")?;
        }
        Ok(())
    }
}

/// The first header of that name, ignoring case.
pub(super) fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Path and query of a target in origin form or absolute form (RFC 9112, section 3.2).
fn split_target(target: &str) -> (&str, &str) {
    let local = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.find('/').map_or("/", |slash| &rest[slash..]),
        _ => target,
    };
    local.split_once('?').unwrap_or((local, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str) -> Request {
        Request::new("GET", target, vec![("Accept".into(), "x".into())], 1)
    }

    #[test]
    fn query_is_decoded_in_order_and_shown_decoded() {
        let request = request("/v1/events?types%5B%5D=a.b&types%5B%5D=c+d&limit=100");
        assert_eq!(request.path, "/v1/events");
        assert_eq!(request.param("limit"), Some("100"));
        assert_eq!(request.to_string(), "GET /v1/events?types[]=a.b&types[]=c d&limit=100");
    }

    #[test]
    fn absolute_form_keeps_its_path_and_query() {
        let request = request("http://api.test:80/a/b?u=http://x/");
        assert_eq!(request.path, "/a/b");
        assert_eq!(request.param("u"), Some("http://x/"));
        assert_eq!(request.target, "http://api.test:80/a/b?u=http://x/", "the raw target stays");
    }

    #[test]
    fn header_names_ignore_case() {
        assert_eq!(request("/").header("ACCEPT"), Some("x"));
        assert_eq!(request("/").header("cookie"), None);
    }
}
