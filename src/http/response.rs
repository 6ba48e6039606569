//! A response, body included.

use std::fmt;
use std::io::Read;

use serde::de::DeserializeOwned;
use ureq::http::{HeaderMap, StatusCode};
use url::Url;

use super::url::without_values;
use super::{Body, HttpRequest};
use crate::protocol::ANSWERED;

/// Longest body, in bytes, that is searched for an error message.
const MAX_ERROR_BODY: u64 = 1024 * 1024;
/// Characters of a body that an error shows.
const SNIPPET: usize = 200;

/// The whole response to a request.
pub struct Response {
    /// The request it answers, as it may be shown: method and URL, after redirects.
    pub request: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Body,
}

impl Response {
    pub(super) fn new(request: &HttpRequest, status: StatusCode, headers: HeaderMap, body: Body) -> Self {
        Self { request: request.describe(), status, headers, body }
    }

    /// The URL it answers, after redirects, as it may be shown: the base of relative references in it.
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        Url::parse(self.request.split_once(' ')?.1).ok()
    }

    /// A header's value, if it exists and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The whole body as a value, for small documents: take a page's records one by one.
    ///
    /// # Errors
    /// If the body is not JSON, or not of that form.
    pub fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        match &self.body {
            Body::Memory(bytes) => Ok(serde_json::from_slice(bytes)?),
            Body::Spooled { .. } => Ok(serde_json::from_reader(self.body.reader()?)?),
        }
    }

    /// The API's own message in an error response, if the body is JSON and has it under one of the usual names: the
    /// first 1,000 characters. A body longer than 1 MiB is not searched.
    #[must_use]
    pub fn error_message(&self) -> Option<String> {
        if self.body.len() > MAX_ERROR_BODY {
            return None;
        }
        super::api_message::find(&self.json().ok()?)
    }

    /// The first 200 characters of the body on one line, for errors.
    #[must_use]
    pub fn snippet(&self) -> String {
        let mut start = Vec::new();
        if let Ok(reader) = self.body.reader() {
            // Any character fits in four bytes; white space is folded, so read some more.
            let _ = reader.take(8 * SNIPPET as u64).read_to_end(&mut start);
        }
        let text = String::from_utf8_lossy(&start);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut shown: String = line.chars().filter(|c| !c.is_control()).take(SNIPPET).collect();
        if shown.len() < line.len() {
            shown.push('…');
        }
        shown
    }

    /// Request, status, content type and the start of the body: the facts for an error about a response.
    #[must_use]
    pub fn describe(&self) -> String {
        let content_type = self.header("content-type").unwrap_or("no content type");
        let request_id = ["request-id", "x-request-id"].iter().find_map(|name| self.header(name));
        let id = request_id.map(|id| format!(", request id {id}")).unwrap_or_default();
        let body = if self.body.is_empty() {
            "an empty body".to_owned()
        } else {
            match self.snippet() {
                blank if blank.is_empty() => "a body of white space".to_owned(),
                start => format!("body starting with: {start}"),
            }
        };
        format!("{}{ANSWERED}{} ({content_type}{id}) with {body}", self.request, self.status)
    }
}

/// Shows no value that may be secret: token endpoints answer with tokens, logins with cookies.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("url", &self.url().as_ref().map(without_values))
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::http) fn response(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let request = HttpRequest::get("http://a.com/x".parse().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        Response::new(&request, status, map, Body::Memory(body.as_bytes().to_vec().into()))
    }

    #[test]
    fn the_description_has_request_status_type_id_and_the_bodys_start() {
        let headers = [("content-type", "text/html"), ("request-id", "req_1")];
        let long = format!("<html>\n\t<b>{}", "é".repeat(500));
        let text = response(502, &headers, &long).describe();
        assert_eq!(
            text,
            format!(
                "GET http://a.com/x answered 502 Bad Gateway (text/html, request id req_1) with body starting with: \
                 <html> <b>{}…",
                "é".repeat(190)
            )
        );
    }

    #[test]
    fn the_url_is_that_of_the_request() {
        assert_eq!(response(200, &[], "").url().unwrap().as_str(), "http://a.com/x");
    }

    #[test]
    fn debug_output_shows_no_value() {
        let mut response = response(200, &[("set-cookie", "s=x7")], r#"{"access_token":"x7"}"#);
        response.request = "GET http://a.com/x?key=x7".to_owned();
        let shown = format!("{response:?}");
        assert!(!shown.contains("x7") && shown.contains("21 bytes") && shown.contains("a.com/x?key"), "{shown}");
    }

    #[test]
    fn the_apis_message_is_truncated_and_not_searched_in_a_huge_body() {
        let body = |length: usize| format!(r#"{{"error":"{}"}}"#, "é".repeat(length));
        assert_eq!(response(400, &[], &body(1_000)).error_message(), Some("é".repeat(1_000)));
        assert_eq!(response(400, &[], &body(1_001)).error_message(), Some("é".repeat(1_000) + "…"));
        assert_eq!(response(400, &[], &body(600_000)).error_message(), None);
    }

    #[test]
    fn a_blank_body_is_described_as_such() {
        let text = response(200, &[], " \r\n").describe();
        assert_eq!(text, "GET http://a.com/x answered 200 OK (no content type) with a body of white space");
    }

    #[test]
    fn an_empty_body_is_described_as_such() {
        let text = response(204, &[], "").describe();
        assert_eq!(text, "GET http://a.com/x answered 204 No Content (no content type) with an empty body");
    }
}
