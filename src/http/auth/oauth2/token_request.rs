//! The request for an access token.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use url::form_urlencoded;

use crate::http::auth::basic;
use crate::http::auth::jwt::JwtSigner;
use crate::http::auth::secret::Secret;
use crate::http::{HttpRequest, Method, RequestBody, add_params, join_url, sendable};
use crate::protocol::{Failure, Redactor};

/// A request to a token endpoint (RFC 6749, sections 4.4.2 and 6): a POST of a form. Every name in it can be changed.
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
    /// The first refresh token. `None` for a grant that needs none.
    refresh_token: Option<Secret>,
    scope: String,
    sending: Sending,
    needs_refresh_token: bool,
    /// Signs the token that replaces the client's id and secret.
    assertion: Option<JwtSigner>,
    fields: Vec<(String, Vec<String>)>,
    headers: Vec<(String, String)>,
    pub(super) redactor: Redactor,
}

/// How the fields are sent.
#[derive(Debug, Clone, Copy, Default)]
struct Sending {
    client_in_header: bool,
    empty: bool,
    in_query: bool,
}

#[derive(Debug, Clone)]
struct Names {
    grant_type: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
    scope: String,
}

impl TokenRequest {
    /// The grant `refresh_token`, which renews the access that a user has granted. Secret and token are registered as
    /// secrets.
    #[must_use]
    pub fn refresh_token(
        url: &str,
        client_id: &str,
        client_secret: &str,
        refresh_token: &str,
        redactor: &Redactor,
    ) -> Self {
        let refresh_token = Some(Secret::new(refresh_token, redactor));
        let new = Self::new(url, "refresh_token", client_id, client_secret, redactor);
        Self { refresh_token, needs_refresh_token: true, ..new }
    }

    /// The grant `client_credentials`, which gives a program its own access. The secret is registered as one.
    #[must_use]
    pub fn client_credentials(url: &str, client_id: &str, client_secret: &str, redactor: &Redactor) -> Self {
        Self::new(url, "client_credentials", client_id, client_secret, redactor)
    }

    /// The grant `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523, section 2.1): exchanges a token that the
    /// client signs for an access token. It sends the grant type, `assertion` and further fields.
    #[must_use]
    pub fn jwt_bearer(url: &str, signer: JwtSigner, redactor: &Redactor) -> Self {
        let new = Self::new(url, "urn:ietf:params:oauth:grant-type:jwt-bearer", "", "", redactor);
        Self { assertion: Some(signer), ..new }
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
            sending: Sending::default(),
            needs_refresh_token: false,
            assertion: None,
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

    /// The requested access, sent as one text with spaces between (RFC 6749, section 3.3). Default: none, which leaves
    /// it to the endpoint.
    #[must_use]
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scope = scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect::<Vec<_>>().join(" ");
        self
    }

    /// Sends the client's id and secret as `Authorization: Basic` (RFC 6749, section 2.3.1). Default: in the body.
    #[must_use]
    pub fn client_in_header(mut self) -> Self {
        self.sending.client_in_header = true;
        self
    }

    /// Adds a field to the body. An existing name keeps its value.
    #[must_use]
    pub fn field(self, name: &str, value: &str) -> Self {
        self.fields(name, [value])
    }

    /// Adds a field to the body several times, each with another value. An existing name keeps its value.
    #[must_use]
    pub fn fields<T: AsRef<str>>(mut self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values = values.into_iter().map(|value| value.as_ref().to_owned()).collect();
        self.fields.push((name.to_owned(), values));
        self
    }

    /// Sends a refresh token with a grant that needs none, as some endpoints expect. It is registered as a secret.
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: &str) -> Self {
        self.refresh_token = Some(Secret::new(refresh_token, &self.redactor));
        self
    }

    /// Sends the client's secret and the refresh token even if they are empty. Default: they are left out, and a grant that
    /// needs a refresh token fails without one.
    #[must_use]
    pub fn with_empty_fields(mut self) -> Self {
        self.sending.empty = true;
        self
    }

    /// Sends all fields in the query of the URL, and no body. Default: in the body, which proxies do not log.
    #[must_use]
    pub fn in_query(mut self) -> Self {
        self.sending.in_query = true;
        self
    }

    /// Adds a header. An `Authorization` header replaces the client's id and secret in the body; the caller has to
    /// register its secrets.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn initial_refresh_token(&self) -> Option<Secret> {
        self.refresh_token.clone()
    }

    /// The constant parts, each with its length: the endpoint, the client, the user and the requested access. `stored`
    /// is the user's refresh token if it is not the request's own.
    pub(super) fn identity(&self, stored: Option<&str>) -> String {
        let own = self.refresh_token.as_ref().map_or("", Secret::expose);
        let client: [&str; 5] =
            [&self.url, &self.grant_type, &self.client_id, self.client_secret.expose(), &self.scope];
        let mut parts: Vec<&str> = client.into_iter().chain([stored.unwrap_or(own)]).collect();
        // Ends the previous list.
        parts.push("");
        for (name, values) in &self.fields {
            parts.push(name);
            parts.extend(values.iter().map(String::as_str));
            parts.push("");
        }
        parts.push("");
        parts.extend(self.headers.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        let assertion = self.assertion.as_ref().map(JwtSigner::identity).unwrap_or_default();
        parts.extend(["", assertion.as_str()]);
        super::super::joined(parts)
    }

    /// The names of the form's fields, and their settings.
    pub(super) fn names(&self) -> impl std::fmt::Debug {
        (&self.names, self.sending)
    }

    pub(super) fn name_of_refresh_token(&self) -> &str {
        &self.names.refresh_token
    }

    /// The request with the current refresh token.
    ///
    /// # Errors
    /// A config failure if there is no refresh token and the grant needs one, or the URL or a header cannot be sent.
    pub(super) fn build(&self, refresh_token: Option<&Secret>, now: Timestamp) -> Result<HttpRequest, Failure> {
        let is_missing = refresh_token.is_none_or(|token| token.expose().is_empty());
        if self.needs_refresh_token && is_missing && !self.sending.empty {
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
        if self.sending.client_in_header {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let (id, secret) = (encoded(&self.client_id), encoded(self.client_secret.expose()));
            let credentials = basic::encode(&id, &secret, &self.redactor);
            request.set_secret_header("Authorization", &format!("Basic {}", credentials.expose()))?;
        }
        for (name, value) in &self.headers {
            request.set_secret_header(name, value)?;
        }
        let form = if let Some(signer) = &self.assertion {
            let assertion = signer.sign(now)?;
            let grant_type = (&*self.names.grant_type, Some(&*self.grant_type));
            self.with_fields([grant_type, ("assertion", Some(assertion.expose()))])
        } else {
            let in_body = !request.headers.contains_key("Authorization");
            let sent = |text| Some(text).filter(|text: &&str| !text.is_empty() || self.sending.empty);
            let client = |text| sent(text).filter(|_| in_body);
            self.with_fields([
                (&*self.names.grant_type, Some(&*self.grant_type)),
                (&*self.names.client_id, client(&*self.client_id)),
                (&*self.names.client_secret, client(self.client_secret.expose())),
                (&*self.names.refresh_token, refresh_token.and_then(|token| sent(token.expose()))),
                (&*self.names.scope, Some(&*self.scope).filter(|scope| !scope.is_empty())),
            ])
        };
        match self.sending.in_query {
            true => add_params(&mut request.url, form),
            false => request.body = RequestBody::Form(form),
        }
        Ok(request)
    }

    /// The form: its own fields, and added ones with other names.
    fn with_fields<'f>(&self, own: impl IntoIterator<Item = (&'f str, Option<&'f str>)>) -> Vec<(String, String)> {
        let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let mut form: Vec<(String, String)> = own.collect();
        for (name, values) in &self.fields {
            if !form.iter().any(|(known, _)| known == name) {
                form.extend(values.iter().map(|value| (name.clone(), value.clone())));
            }
        }
        form
    }
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url, grant_type, .. } = self;
        f.debug_struct("TokenRequest").field("url", url).field("grant_type", grant_type).finish_non_exhaustive()
    }
}
