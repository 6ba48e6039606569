//! Decides which requests are equal: those with the same method, URL, body and headers, made for the same credentials.

use sha2::{Digest, Sha256};

use super::Credential;
use crate::http::{HttpRequest, Pem, ProxySetting, RequestOptions};

/// Headers that differ from request to request without changing the answer.
const PER_REQUEST: [&str; 5] = ["idempotency-key", "traceparent", "tracestate", "x-correlation-id", "x-request-id"];

/// A request's key in the cache: a hash, because URLs, headers and credentials may be secret and the file is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CacheKey([u8; 32]);

impl CacheKey {
    /// The key of a request before it is signed. `salt` keeps a thief of the file from trying out weak passwords
    /// against it.
    pub(super) fn new(salt: &[u8], request: &HttpRequest, options: &RequestOptions, credential: &Credential) -> Self {
        let mut parts = Parts(Sha256::new());
        parts.add(salt);
        parts.request(request);
        parts.options(options);
        match credential {
            Credential::Unsigned => parts.add(b"unsigned"),
            Credential::Identity(identity) => {
                parts.add(b"identity");
                parts.add(identity.as_bytes());
            }
            Credential::Signed(signed) => {
                parts.add(b"signed");
                parts.request(signed);
            }
        }
        Self(parts.0.finalize().into())
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A hash of parts, each with its length, so that moving bytes from one to the next changes it.
struct Parts(Sha256);

impl Parts {
    fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    fn request(&mut self, request: &HttpRequest) {
        self.add(request.method.as_str().as_bytes());
        let mut url = request.url.clone();
        url.set_fragment(None);
        url.set_query(None);
        self.add(url.as_str().as_bytes());
        // Values of the same name keep their order: it may be that of a list.
        let mut query: Vec<&str> = request.url.query().unwrap_or_default().split('&').collect();
        query.sort_by_key(|pair| pair.split('=').next());
        self.list(query.into_iter().map(str::as_bytes));
        let mut headers: Vec<_> =
            request.headers.iter().filter(|(name, _)| !PER_REQUEST.contains(&name.as_str())).collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        self.list(headers.into_iter().flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]));
        if let Some((bytes, content_type)) = request.body.encode() {
            self.list([content_type.unwrap_or_default().as_bytes(), &bytes]);
        }
    }

    /// Options that change the caller, the answering server, or whether a redirect is the answer.
    fn options(&mut self, options: &RequestOptions) {
        self.add(options.user_agent.as_bytes());
        self.add(&[u8::from(options.verify_certificates), u8::from(options.max_redirects > 0)]);
        match &options.proxy {
            ProxySetting::Environment => self.add(b"environment"),
            ProxySetting::Off => self.add(b"off"),
            ProxySetting::Url(proxy) => self.list([b"url".as_slice(), proxy.whole().as_bytes()]),
        }
        self.list(options.extra_ca.iter().flat_map(pem));
        let identity = options.client_identity.iter().flat_map(|identity| [&identity.certificates, &identity.key]);
        self.list(identity.flat_map(pem));
    }

    fn list<'p>(&mut self, parts: impl IntoIterator<Item = &'p [u8]>) {
        let mut list = Self(Sha256::new());
        parts.into_iter().for_each(|part| list.add(part));
        self.add(&list.0.finalize());
    }
}

fn pem(pem: &Pem) -> [&[u8]; 2] {
    match pem {
        Pem::File(path) => [b"file", path.as_os_str().as_encoded_bytes()],
        Pem::Text(text) => [b"text", text.as_bytes()],
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::http::{ClientIdentity, Method, ProxyUrl, RequestBody};
    use crate::protocol::Redactor;

    fn request(url: &str, headers: &[(&str, &str)]) -> HttpRequest {
        let mut request = HttpRequest::get(url.parse().unwrap());
        for (name, value) in headers {
            request.set_header(name, value).unwrap();
        }
        request
    }

    fn key(request: &HttpRequest) -> CacheKey {
        CacheKey::new(b"salt", request, &RequestOptions::default(), &Credential::Unsigned)
    }

    #[test]
    fn the_order_of_parameters_and_headers_and_the_fragment_make_no_difference() {
        let one = request("http://a.com/x?b=2&a=1#top", &[("X-A", "1"), ("X-B", "2"), ("X-Request-Id", "1")]);
        let other = request("http://a.com/x?a=1&b=2", &[("X-B", "2"), ("X-A", "1"), ("Traceparent", "7")]);
        assert_eq!(key(&one), key(&other));
    }

    #[test]
    fn every_other_difference_makes_another_key() {
        let mut requests: Vec<HttpRequest> = [
            "http://a.com/x",
            "https://a.com/x",
            "http://b.com/x",
            "http://u:p@a.com/x",
            "http://a.com/y",
            "http://a.com/x?a=1",
            "http://a.com/x?a=1&a=2",
            "http://a.com/x?a=2&a=1",
            "http://a.com/x?a=1%26a=2",
        ]
        .map(|url| request(url, &[]))
        .into();
        requests.push(request("http://a.com/x", &[("X-A", "b")]));
        requests.push(request("http://a.com/x", &[("X-Ab", "")]));
        requests.push(HttpRequest { method: Method::POST, ..request("http://a.com/x", &[]) });
        for body in [
            RequestBody::Json(json!({"q": 1})),
            RequestBody::Json(json!({"q": 2})),
            RequestBody::Text(r#"{"q":1}"#.to_owned()),
            RequestBody::Form(vec![("q".to_owned(), "1".to_owned())]),
        ] {
            requests.push(HttpRequest { method: Method::POST, body, ..request("http://a.com/x", &[]) });
        }
        let mut keys: Vec<_> = requests.iter().map(|request| key(request).0).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), requests.len());
    }

    #[test]
    fn other_credentials_salts_and_no_credentials_make_other_keys() {
        let request = request("http://a.com/x", &[]);
        let key = |salt: &str, credential: Credential| {
            CacheKey::new(salt.as_bytes(), &request, &RequestOptions::default(), &credential)
        };
        let identity = |text: &str| Credential::Identity(text.to_owned());
        let signed = |key: &str| {
            let mut signed = request.clone();
            signed.url.query_pairs_mut().append_pair("api_key", key);
            Credential::Signed(Box::new(signed))
        };
        assert_eq!(key("s", identity("a")), key("s", identity("a")));
        assert_eq!(key("s", signed("a")), key("s", signed("a")));
        let mut keys = [
            key("s", identity("a")),
            key("s", identity("b")),
            key("t", identity("a")),
            key("s", signed("a")),
            key("s", signed("b")),
            key("s", identity("")),
            key("s", Credential::Unsigned),
        ]
        .map(|key| key.0)
        .to_vec();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 7);
    }

    #[test]
    fn options_that_change_the_caller_or_trust_make_other_keys_and_timeouts_do_not() {
        let request = request("http://a.com/x", &[]);
        let key = |change: &dyn Fn(&mut RequestOptions)| {
            let mut options = RequestOptions::default();
            change(&mut options);
            CacheKey::new(b"", &request, &options, &Credential::Unsigned).0
        };
        let redactor = Redactor::default();
        let proxy = |url: &str| ProxySetting::Url(ProxyUrl::parse(url, &redactor).unwrap());
        let identity = |key: &str| Some(ClientIdentity::new(Pem::new("c.pem"), Pem::new(key), &redactor));
        let mut keys = vec![
            key(&|_| {}),
            key(&|options| options.user_agent = "other".to_owned()),
            key(&|options| options.verify_certificates = false),
            key(&|options| options.max_redirects = 0),
            key(&|options| options.proxy = ProxySetting::Off),
            key(&|options| options.proxy = proxy("http://ann:1@proxy")),
            key(&|options| options.proxy = proxy("http://ann:2@proxy")),
            key(&|options| options.extra_ca = vec![Pem::new("a.pem")]),
            key(&|options| options.extra_ca = vec![Pem::Text("a.pem".to_owned())]),
            key(&|options| options.client_identity = identity("a.key")),
            key(&|options| options.client_identity = identity("b.key")),
        ];
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 11);
        assert_eq!(key(&|options| options.total_timeout = Some(Duration::from_secs(1))), key(&|_| {}));
    }
}
