//! A request, before and after signing.

use std::fmt;

use serde_json::Value;
use ureq::http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::url::without_values;
use super::{StreamedBody, sendable};
use crate::protocol::Failure;

/// The body of a request. A stream returns it from [`crate::streams::HttpStream::request_body`]; a pager may add its
/// token there, too.
///
/// ```
/// use serde_json::json;
/// use source_http::http::{Method, RequestBody};
/// # use source_http::streams::{HttpStream, RequestContext};
/// # struct Orders;
/// impl HttpStream for Orders {
/// #   fn name(&self) -> &str { "orders" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
/// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders".into() }
///     fn http_method(&self) -> Method {
///         Method::POST
///     }
///     fn request_body(&self, cx: &RequestContext<'_>) -> RequestBody {
///         RequestBody::Json(json!({"since": cx.state.get("updated_at"), "limit": 100}))
///     }
/// }
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum RequestBody {
    /// No body.
    #[default]
    Empty,
    /// A JSON document, sent as `application/json`.
    Json(Value),
    /// Pairs, sent as `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// Text, sent unchanged. The stream sets its `Content-Type`.
    Text(String),
    /// Bytes that are read while they are sent. The stream sets their `Content-Type`.
    Streamed(StreamedBody),
}

impl RequestBody {
    /// The bytes on the wire and their content type. `None` is an empty body, or a streamed one, whose bytes are not
    /// known beforehand.
    #[must_use]
    pub fn encode(&self) -> Option<(Vec<u8>, Option<&'static str>)> {
        match self {
            Self::Empty | Self::Streamed(_) => None,
            Self::Json(value) => Some((value.to_string().into_bytes(), Some("application/json"))),
            Self::Form(pairs) => {
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                Some((form.into_bytes(), Some("application/x-www-form-urlencoded")))
            }
            Self::Text(text) => Some((text.clone().into_bytes(), None)),
        }
    }
}

/// One HTTP request.
#[derive(Clone, PartialEq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The whole URL, query included.
    pub url: Url,
    /// The headers. The transport sets `Host`, `Content-Length` and `Accept-Encoding`.
    pub headers: HeaderMap,
    /// The body.
    pub body: RequestBody,
}

impl HttpRequest {
    /// A GET without headers or body.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: RequestBody::Empty }
    }

    /// Sets a header, replacing one of the same name.
    ///
    /// # Errors
    /// A config failure if name or value is not valid in a header: the value must be visible ASCII with inner blanks
    /// only. The value is not shown: it may be a secret.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        self.put_header(name, value, false)
    }

    /// As [`HttpRequest::set_header`], for a value that no debug output shows.
    ///
    /// # Errors
    /// As [`HttpRequest::set_header`].
    pub fn set_secret_header(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        self.put_header(name, value, true)
    }

    fn put_header(&mut self, name: &str, value: &str, secret: bool) -> Result<(), Failure> {
        let header = HeaderName::try_from(name)
            .map_err(|_| Failure::config(format!("{name:?} is not a valid name for an HTTP header.")))?;
        let what = format!("The value for the HTTP header {name}");
        if let Some(problem) = sendable::in_header(value) {
            return Err(sendable::failure(&what, problem));
        }
        let mut value = HeaderValue::try_from(value).map_err(|_| Failure::config(format!("{what} cannot be sent.")))?;
        value.set_sensitive(secret);
        self.headers.insert(header, value);
        Ok(())
    }

    /// Removes the credentials that the stream itself added, before the request goes to another host than they were
    /// meant for: `Authorization`, `Cookie`, `Proxy-Authorization`, and headers set as secret. True if there were any.
    pub fn strip_credentials(&mut self) -> bool {
        let known = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
        let secret = self.headers.iter().filter(|(name, value)| known.contains(name) || value.is_sensitive());
        let secret: Vec<HeaderName> = secret.map(|(name, _)| name.clone()).collect();
        for name in &secret {
            self.headers.remove(name);
        }
        !secret.is_empty()
    }

    /// Method and URL as they may be shown: without user name, password and fragment. Secrets in the query are masked
    /// on output.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut url = self.url.clone();
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        format!("{} {url}", self.method)
    }
}

/// Shows kind and length: a form may contain passwords.
impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Empty => return f.write_str("Empty"),
            Self::Streamed(body) => return body.fmt(f),
            Self::Json(_) => "Json",
            Self::Form(_) => "Form",
            Self::Text(_) => "Text",
        };
        let length = self.encode().map_or(0, |(bytes, _)| bytes.len());
        write!(f, "{kind}({length} bytes)")
    }
}

/// Shows no value that may be secret: of the URL no user, password and query values, of the headers only names.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &without_values(&self.url))
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body", &self.body)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_cannot_be_sent_is_refused_without_showing_its_value() {
        let mut request = HttpRequest::get(Url::parse("http://a.com").unwrap());
        let failure = request.set_header("Authorization", "Bearer x\ny").unwrap_err();
        assert_eq!(
            failure.message,
            "The value for the HTTP header Authorization has U+000A (a line break) at position 9, which cannot be sent as \
             it is. Type it again at its source."
        );
        for value in ["\u{e9}", " x", "x ", "x\ty", "x\0"] {
            assert!(request.set_header("X-A", value).is_err(), "{value:?}");
        }
        assert!(request.set_header("X-A", "").is_ok() && request.set_header("X-A", "a b").is_ok());
    }

    #[test]
    fn debug_output_shows_what_a_request_is_and_none_of_its_values() {
        let mut request = HttpRequest::get(Url::parse("http://ux7:px7@a.com/x?key=x7&lone#x7").unwrap());
        request.set_header("X-Open", "x7").unwrap();
        request.set_secret_header("Authorization", "Bearer x7").unwrap();
        for (body, told) in [
            (RequestBody::Empty, "Empty"),
            (RequestBody::Json(serde_json::json!({"x7": "x7"})), "Json(11 bytes)"),
            (RequestBody::Form(vec![("password".to_owned(), "x7".to_owned())]), "Form(11 bytes)"),
            (RequestBody::Text("x7".to_owned()), "Text(2 bytes)"),
        ] {
            let shown = format!("{:?}", HttpRequest { body, ..request.clone() });
            let headers = r#"headers: ["x-open", "authorization"]"#;
            assert!(shown.contains(headers) && shown.contains(told) && shown.contains("a.com/x?key&lone"), "{shown}");
            assert!(!shown.contains("x7"), "{shown}");
        }
    }

    #[test]
    fn the_description_has_no_credentials_of_the_url() {
        let request = HttpRequest::get(Url::parse("http://user:pass@a.com/x?y=1#z").unwrap());
        assert_eq!(request.describe(), "GET http://a.com/x?y=1");
    }

    #[test]
    fn each_kind_of_body_has_its_bytes_and_type() {
        assert_eq!(RequestBody::Empty.encode(), None);
        let json = RequestBody::Json(serde_json::json!({"k": 1}));
        assert_eq!(json.encode(), Some((br#"{"k":1}"#.to_vec(), Some("application/json"))));
        let form = RequestBody::Form(vec![("a".into(), "1 2".into()), ("a".into(), "ü".into())]);
        assert_eq!(form.encode(), Some((b"a=1+2&a=%C3%BC".to_vec(), Some("application/x-www-form-urlencoded"))));
        assert_eq!(RequestBody::Text("x".into()).encode(), Some((b"x".to_vec(), None)));
    }
}
