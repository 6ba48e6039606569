//! A request, before and after credentials are put on it.

use serde_json::Value;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::StreamedBody;
use crate::protocol::Failure;

/// What a request carries. A stream gives it in [`crate::streams::HttpStream::request_body`]; a pager may put its token
/// there, too.
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
#[derive(Debug, Clone, Default, PartialEq)]
pub enum RequestBody {
    /// Nothing.
    #[default]
    Empty,
    /// A JSON document, sent as `application/json`.
    Json(Value),
    /// Pairs, sent as `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// Text, sent as it is. Its `Content-Type` is the stream's to set.
    Text(String),
    /// Bytes that are read while they are sent. Their `Content-Type` is the stream's to set.
    Streamed(StreamedBody),
}

impl RequestBody {
    /// The bytes on the wire and their content type. `None` is an empty body, and a streamed one, whose bytes are not
    /// known before they are sent.
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
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The whole URL, query included.
    pub url: Url,
    /// The headers. `Host`, `Content-Length` and `Accept-Encoding` are the transport's to set.
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
    /// A config failure if name or value cannot stand in a header. The value is not shown: it may be a secret.
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
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            Failure::config(format!(
                "The value for the HTTP header {name} has characters that cannot be sent, such as a line break. \
                 Check the config value it comes from."
            ))
        })?;
        value.set_sensitive(secret);
        self.headers.insert(header, value);
        Ok(())
    }

    /// Method and URL as they may be shown: without user name, password and fragment. Secrets in the query are masked
    /// where the text is written out.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut url = self.url.clone();
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        format!("{} {url}", self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_cannot_be_sent_is_refused_without_showing_its_value() {
        let mut request = HttpRequest::get(Url::parse("http://a.com").unwrap());
        let failure = request.set_header("Authorization", "Bearer x\ny").unwrap_err();
        assert!(failure.message.contains("Authorization") && !failure.message.contains("Bearer"), "{failure}");
    }

    #[test]
    fn a_secret_header_is_sent_and_not_shown() {
        let mut request = HttpRequest::get(Url::parse("http://a.com").unwrap());
        request.set_header("X-Open", "seen").unwrap();
        request.set_secret_header("Authorization", "Bearer x7").unwrap();
        assert_eq!(request.headers["authorization"], "Bearer x7");
        let shown = format!("{request:?}");
        assert!(shown.contains("seen") && !shown.contains("x7"), "{shown}");
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
