//! The request for an access token.

use url::form_urlencoded;

use crate::http::auth::basic;
use crate::http::auth::secret::Secret;
use crate::http::{HttpRequest, Method, RequestBody, join_url, sendable};
use crate::protocol::{Failure, Redactor};

/// What a token endpoint is asked (RFC 6749, sections 4.4.2 and 6): a POST of a form. Every name in it can be changed.
///
/// ```
/// use source_http::http::auth::TokenRequest;
/// # let redactor = source_http::protocol::Redactor::default();
/// let request = TokenRequest::client_credentials("https://auth.example.com/token", "id", "secret", &redactor)
///     .client_id_name("app_id")
///     .scopes(["read"])
///     .field("audience", "https://api.example.com");
/// ```
#[derive(Clone)]
pub struct TokenRequest {
    url: String,
    names: Names,
    grant_type: String,
    client_id: String,
    client_secret: Secret,
    /// The one to begin with. `None` for a grant that needs none.
    refresh_token: Option<Secret>,
    scope: String,
    client_in_header: bool,
    fields: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    pub(super) redactor: Redactor,
}

#[derive(Clone)]
struct Names {
    grant_type: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
    scope: String,
}

impl TokenRequest {
    /// The grant `refresh_token`, which renews the access a user has given. Secret and token are registered as secrets.
    #[must_use]
    pub fn refresh_token(
        url: &str,
        client_id: &str,
        client_secret: &str,
        refresh_token: &str,
        redactor: &Redactor,
    ) -> Self {
        let refresh_token = Some(Secret::new(refresh_token, redactor));
        Self { refresh_token, ..Self::new(url, "refresh_token", client_id, client_secret, redactor) }
    }

    /// The grant `client_credentials`, by which a program has access of its own. The secret is registered as one.
    #[must_use]
    pub fn client_credentials(url: &str, client_id: &str, client_secret: &str, redactor: &Redactor) -> Self {
        Self::new(url, "client_credentials", client_id, client_secret, redactor)
    }

    fn new(url: &str, grant_type: &str, client_id: &str, client_secret: &str, redactor: &Redactor) -> Self {
        let names = Names {
            grant_type: "grant_type".to_owned(),
            client_id: "client_id".to_owned(),
            client_secret: "client_secret".to_owned(),
            refresh_token: "refresh_token".to_owned(),
            scope: "scope".to_owned(),
        };
        Self {
            url: url.to_owned(),
            names,
            grant_type: grant_type.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: Secret::new(client_secret, redactor),
            refresh_token: None,
            scope: String::new(),
            client_in_header: false,
            fields: Vec::new(),
            headers: Vec::new(),
            redactor: redactor.clone(),
        }
    }

    /// The value of the grant type. Default: the grant's name in the standard.
    #[must_use]
    pub fn grant_type(mut self, value: &str) -> Self {
        value.clone_into(&mut self.grant_type);
        self
    }

    /// The name of the grant type. Default: `grant_type`.
    #[must_use]
    pub fn grant_type_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.names.grant_type);
        self
    }

    /// The name of the client's id. Default: `client_id`.
    #[must_use]
    pub fn client_id_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.names.client_id);
        self
    }

    /// The name of the client's secret. Default: `client_secret`.
    #[must_use]
    pub fn client_secret_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.names.client_secret);
        self
    }

    /// The name of the refresh token, in the request and in the response. Default: `refresh_token`.
    #[must_use]
    pub fn refresh_token_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.names.refresh_token);
        self
    }

    /// The name of the scope. Default: `scope`.
    #[must_use]
    pub fn scope_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.names.scope);
        self
    }

    /// What access is asked for, sent as one text with spaces between (RFC 6749, section 3.3). Default: nothing, which
    /// leaves it to the endpoint.
    #[must_use]
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scope = scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect::<Vec<_>>().join(" ");
        self
    }

    /// Sends the client's id and secret as `Authorization: Basic` (RFC 6749, section 2.3.1). Default: in the body.
    #[must_use]
    pub fn client_in_header(mut self) -> Self {
        self.client_in_header = true;
        self
    }

    /// One more field of the body. A name that is there already keeps its value.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// One more header. An `Authorization` given here takes the place of the client's id and secret in the body; what
    /// is secret in it is the caller's to register.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn initial_refresh_token(&self) -> Option<Secret> {
        self.refresh_token.clone()
    }

    /// What stays the same while tokens come and go: the endpoint, the client, the user and what is asked for, each
    /// part with its length. `stored` is the user's refresh token if it is not the request's own.
    pub(super) fn identity(&self, stored: Option<&str>) -> String {
        let own = self.refresh_token.as_ref().map_or("", Secret::expose);
        let client: [&str; 5] =
            [&self.url, &self.grant_type, &self.client_id, self.client_secret.expose(), &self.scope];
        let mut parts: Vec<&str> = client.into_iter().chain([stored.unwrap_or(own)]).collect();
        for pairs in [&self.fields, &self.headers] {
            // Ends the list before.
            parts.push("");
            parts.extend(pairs.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        }
        super::super::joined(parts)
    }

    pub(super) fn name_of_refresh_token(&self) -> &str {
        &self.names.refresh_token
    }

    /// The request with the refresh token in force.
    ///
    /// # Errors
    /// A config failure if there is no refresh token and the grant needs one, or the URL or a header cannot be sent.
    pub(super) fn build(&self, refresh_token: Option<&Secret>) -> Result<HttpRequest, Failure> {
        if refresh_token.is_some_and(|token| token.expose().is_empty()) {
            return Err(Failure::config("The config has no refresh token. Authenticate to get one."));
        }
        let texts = [
            ("The client id", self.client_id.as_str()),
            ("The client secret", self.client_secret.expose()),
            ("The refresh token", refresh_token.map_or("", Secret::expose)),
        ];
        for (what, text) in texts {
            if let Some(problem) = sendable::in_credential(text) {
                return Err(sendable::failure(what, problem));
            }
        }
        let mut request = HttpRequest { method: Method::POST, ..HttpRequest::get(join_url(&self.url, "")?) };
        request.set_header("Accept", "application/json")?;
        if self.client_in_header {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let (id, secret) = (encoded(&self.client_id), encoded(self.client_secret.expose()));
            let credentials = basic::encode(&id, &secret, &self.redactor);
            request.set_secret_header("Authorization", &format!("Basic {}", credentials.expose()))?;
        }
        for (name, value) in &self.headers {
            request.set_secret_header(name, value)?;
        }
        let in_body = !request.headers.contains_key("Authorization");
        let own = [
            (&self.names.grant_type, self.grant_type.as_str()),
            (&self.names.client_id, if in_body { self.client_id.as_str() } else { "" }),
            (&self.names.client_secret, if in_body { self.client_secret.expose() } else { "" }),
            (&self.names.refresh_token, refresh_token.map_or("", Secret::expose)),
            (&self.names.scope, self.scope.as_str()),
        ];
        let mut form: Vec<(String, String)> = Vec::new();
        let own = own.into_iter().filter(|(_, value)| !value.is_empty());
        form.extend(own.map(|(name, value)| (name.clone(), value.to_owned())));
        for (name, value) in &self.fields {
            if !form.iter().any(|(known, _)| known == name) {
                form.push((name.clone(), value.clone()));
            }
        }
        request.body = RequestBody::Form(form);
        Ok(request)
    }
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url, grant_type, .. } = self;
        f.debug_struct("TokenRequest").field("url", url).field("grant_type", grant_type).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://a.com/token";

    fn body(request: &HttpRequest) -> String {
        String::from_utf8(request.body.encode().unwrap().0).unwrap()
    }

    #[test]
    fn the_form_has_the_standards_names_and_order_and_one_scope() {
        let redactor = Redactor::default();
        let request = TokenRequest::refresh_token(URL, "c", "s&1", "r", &redactor).scopes(["a.read", "b.read"]);
        let built = request.build(request.initial_refresh_token().as_ref()).unwrap();
        assert_eq!(
            body(&built),
            "grant_type=refresh_token&client_id=c&client_secret=s%261&refresh_token=r&scope=a.read+b.read"
        );
        assert_eq!((built.method, built.url.as_str()), (Method::POST, URL));
        let request = TokenRequest::client_credentials(URL, "c", "s", &redactor);
        assert_eq!(body(&request.build(None).unwrap()), "grant_type=client_credentials&client_id=c&client_secret=s");
    }

    #[test]
    fn every_name_can_be_changed_and_further_fields_never_take_the_place_of_another() {
        let request = TokenRequest::refresh_token(URL, "c", "s", "r", &Redactor::default())
            .grant_type("renew")
            .grant_type_name("g")
            .client_id_name("ci")
            .client_secret_name("cs")
            .refresh_token_name("rt")
            .scope_name("sc")
            .scopes(["x"])
            .field("audience", "api")
            .field("ci", "other")
            .header("X-Tenant", "t");
        let built = request.build(request.initial_refresh_token().as_ref()).unwrap();
        assert_eq!(body(&built), "g=renew&ci=c&cs=s&rt=r&sc=x&audience=api");
        assert_eq!(built.headers["x-tenant"], "t");
    }

    #[test]
    fn credentials_in_a_header_are_encoded_registered_and_not_in_the_body() {
        let redactor = Redactor::default();
        let request = TokenRequest::client_credentials(URL, "c:1", "s 2", &redactor).client_in_header();
        let built = request.build(None).unwrap();
        // base64 of c%3A1:s+2
        assert_eq!(built.headers["authorization"], "Basic YyUzQTE6cysy");
        assert_eq!(body(&built), "grant_type=client_credentials");
        assert_eq!(redactor.redact("YyUzQTE6cysy s 2 s+2"), "**** **** ****");
        let own = TokenRequest::client_credentials(URL, "c", "s", &redactor).header("authorization", "Key k");
        assert_eq!(body(&own.build(None).unwrap()), "grant_type=client_credentials");
    }

    #[test]
    fn what_nobody_can_have_typed_is_refused_before_it_is_sent() {
        let redactor = Redactor::default();
        for (id, secret, refresh, told) in [
            ("c\u{a0}", "s", "r", "The client id has U+00A0"),
            ("c", "s\n", "r", "The client secret has U+000A"),
            ("c", "s", " r", "The refresh token has U+0020"),
        ] {
            let request = TokenRequest::refresh_token(URL, id, secret, refresh, &redactor);
            let failure = request.build(request.initial_refresh_token().as_ref()).unwrap_err();
            assert!(failure.message.starts_with(told), "{failure}");
        }
    }

    #[test]
    fn no_debug_output_shows_a_secret() {
        let request = TokenRequest::refresh_token(URL, "c", "s3cret", "r3fresh", &Redactor::default())
            .client_in_header()
            .field("assertion", "s3cret")
            .header("X-Key", "s3cret");
        let shown = format!("{request:?} {:?}", request.build(None).unwrap().headers);
        assert!(!shown.contains("s3cret") && !shown.contains("r3fresh") && !shown.contains("Basic"), "{shown}");
    }

    #[test]
    fn a_missing_refresh_token_asks_to_authenticate() {
        let request = TokenRequest::refresh_token(URL, "c", "s", "", &Redactor::default());
        let failure = request.build(request.initial_refresh_token().as_ref()).unwrap_err();
        assert!(failure.message.contains("no refresh token"), "{failure}");
    }

    #[test]
    fn every_part_of_what_is_asked_makes_another_identity() {
        let redactor = Redactor::default();
        let new = |secret: &str| TokenRequest::refresh_token(URL, "c", secret, "r", &redactor);
        let mut identities = vec![
            new("s").identity(None),
            new("t").identity(None),
            new("s").identity(Some("q")),
            new("s").grant_type("g").identity(None),
            new("s").header("a", "b").identity(None),
            new("s").header("a", "c").identity(None),
            new("s").field("a", "b").identity(None),
            new("s").field("a", "b\nc").identity(None),
            new("s").field("a", "b").field("c", "").identity(None),
            new("s").scopes(["x"]).identity(None),
            TokenRequest::client_credentials(URL, "c", "s", &redactor).identity(None),
        ];
        let count = identities.len();
        identities.sort();
        identities.dedup();
        assert_eq!(identities.len(), count);
        assert_eq!(new("s").identity(None), new("s").identity(Some("r")));
    }
}
