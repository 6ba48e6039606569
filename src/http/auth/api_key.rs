//! A fixed key in the place that an API expects.

use serde_json::Value;

use super::secret::Secret;
use super::{AuthContext, Authenticator, joined};
use crate::http::{HttpRequest, RequestBody, sendable, set_param};
use crate::protocol::{Failure, Redactor};

/// Sends a key in a header, a query parameter, or a field of the body.
///
/// ```
/// use source_http::http::auth::ApiKeyAuthenticator;
/// # let redactor = source_http::protocol::Redactor::default();
/// let header = ApiKeyAuthenticator::header("X-API-Key", "s3cret", &redactor);
/// let query = ApiKeyAuthenticator::query("api_key", "s3cret", &redactor);
/// let body = ApiKeyAuthenticator::body("key", "s3cret", &redactor);
/// ```
#[derive(Debug, Clone)]
pub struct ApiKeyAuthenticator {
    place: Place,
    name: String,
    key: Secret,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Header,
    Query,
    Body,
}

impl ApiKeyAuthenticator {
    /// A key in a header, with nothing before it. The key is registered as a secret.
    #[must_use]
    pub fn header(name: &str, key: &str, redactor: &Redactor) -> Self {
        Self::new(Place::Header, name, key, redactor)
    }

    /// A key in a query parameter. It replaces parameters of that name. The key is registered as a secret.
    #[must_use]
    pub fn query(name: &str, key: &str, redactor: &Redactor) -> Self {
        Self::new(Place::Query, name, key, redactor)
    }

    /// A key in a field of the body: a member of a JSON object, or a pair of a form, which an empty body becomes. It
    /// replaces fields of that name. The key is registered as a secret.
    #[must_use]
    pub fn body(name: &str, key: &str, redactor: &Redactor) -> Self {
        Self::new(Place::Body, name, key, redactor)
    }

    fn new(place: Place, name: &str, key: &str, redactor: &Redactor) -> Self {
        Self { place, name: name.to_owned(), key: Secret::new(key, redactor) }
    }

    fn put(&self, request: &mut HttpRequest) -> Result<(), Failure> {
        let (name, key) = (self.name.as_str(), self.key.expose());
        if let Some(problem) = sendable::in_credential(key) {
            return Err(sendable::failure(&format!("The API key that is sent as {name:?}"), problem));
        }
        match self.place {
            Place::Header => return request.set_secret_header(name, key),
            Place::Query => set_param(&mut request.url, name, key),
            Place::Body => match &mut request.body {
                RequestBody::Json(Value::Object(members)) => {
                    members.insert(name.to_owned(), key.into());
                }
                RequestBody::Form(pairs) => {
                    pairs.retain(|(known, _)| known != name);
                    pairs.push((name.to_owned(), key.to_owned()));
                }
                body @ RequestBody::Empty => *body = RequestBody::Form(vec![(name.to_owned(), key.to_owned())]),
                RequestBody::Json(_) | RequestBody::Text(_) | RequestBody::Streamed(_) => {
                    return Err(Failure::system(format!(
                        "The API key cannot be put in the field {name:?} of a body other than a form or a JSON object."
                    )));
                }
            },
        }
        Ok(())
    }
}

impl Authenticator for ApiKeyAuthenticator {
    fn authenticate(&self, request: &mut HttpRequest, _: &AuthContext<'_>) -> anyhow::Result<()> {
        Ok(self.put(request)?)
    }

    fn identity(&self) -> Option<String> {
        Some(joined([self.name.as_str(), self.key.expose()]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signed(auth: &ApiKeyAuthenticator, url: &str, body: RequestBody) -> Result<HttpRequest, Failure> {
        let mut request = HttpRequest { body, ..HttpRequest::get(url.parse().unwrap()) };
        auth.put(&mut request)?;
        auth.put(&mut request).map(|()| request)
    }

    #[test]
    fn each_place_holds_the_key_once_however_often_it_is_added() {
        let redactor = Redactor::default();
        let query = ApiKeyAuthenticator::query("k", "s 1", &redactor);
        let request = signed(&query, "http://a.com/x?k=old&a=1%2F2", RequestBody::Empty).unwrap();
        assert_eq!(request.url.as_str(), "http://a.com/x?a=1%2F2&k=s+1");
        let header = ApiKeyAuthenticator::header("X-Key", "s", &redactor);
        let request = signed(&header, "http://a.com/", RequestBody::Empty).unwrap();
        assert_eq!((request.url.as_str(), request.headers.len()), ("http://a.com/", 1));
        assert_eq!(request.headers["x-key"], "s");
        let body = ApiKeyAuthenticator::body("k", "s", &redactor);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (before, after) in [
            (RequestBody::Json(json!({"a": 1, "k": "old"})), RequestBody::Json(json!({"a": 1, "k": "s"}))),
            (
                RequestBody::Form(vec![pair("k", "old"), pair("a", "1")]),
                RequestBody::Form(vec![pair("a", "1"), pair("k", "s")]),
            ),
            (RequestBody::Empty, RequestBody::Form(vec![pair("k", "s")])),
        ] {
            assert_eq!(signed(&body, "http://a.com/", before).unwrap().body, after);
        }
    }

    #[test]
    fn an_implausible_key_is_refused_in_every_place() {
        let redactor = Redactor::default();
        for key in ["k\u{a0}", "\u{200b}k", "k\n", " k", "k\0"] {
            let places = [
                ApiKeyAuthenticator::header("X-Key", key, &redactor),
                ApiKeyAuthenticator::query("key", key, &redactor),
                ApiKeyAuthenticator::body("key", key, &redactor),
            ];
            for auth in places {
                let failure = signed(&auth, "http://a.com/", RequestBody::Empty).unwrap_err();
                assert!(failure.message.starts_with("The API key that is sent as"), "{key:?} {failure}");
            }
        }
        // A query can contain any letter; a header cannot.
        let query = ApiKeyAuthenticator::query("key", "\u{e9}", &redactor);
        assert!(signed(&query, "http://a.com/", RequestBody::Empty).is_ok());
        let header = ApiKeyAuthenticator::header("X-Key", "\u{e9}", &redactor);
        assert!(signed(&header, "http://a.com/", RequestBody::Empty).is_err());
    }

    #[test]
    fn a_body_without_fields_is_refused_without_showing_the_key() {
        let body = ApiKeyAuthenticator::body("k", "s3cret", &Redactor::default());
        for other in [RequestBody::Text("t".to_owned()), RequestBody::Json(json!([1]))] {
            let failure = signed(&body, "http://a.com/", other).unwrap_err();
            assert!(!failure.message.contains("s3cret") && !format!("{body:?}").contains("s3cret"), "{failure}");
        }
    }
}
