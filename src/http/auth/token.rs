//! A fixed token in a header.

use super::Authenticator;
use crate::http::HttpRequest;
use crate::protocol::Redactor;

/// Sends `Authorization: Bearer TOKEN`, or another method and header.
#[derive(Clone)]
pub struct TokenAuthenticator {
    header: String,
    value: String,
}

impl TokenAuthenticator {
    /// A bearer token (RFC 6750). The token is registered as a secret.
    #[must_use]
    pub fn bearer(token: &str, redactor: &Redactor) -> Self {
        redactor.add(token);
        Self { header: "Authorization".to_owned(), value: format!("Bearer {token}") }
    }
}

impl Authenticator for TokenAuthenticator {
    fn authenticate(&self, request: &mut HttpRequest) -> anyhow::Result<()> {
        Ok(request.set_header(&self.header, &self.value)?)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("{}: {}", self.header, self.value))
    }
}

impl std::fmt::Debug for TokenAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAuthenticator").field("header", &self.header).finish_non_exhaustive()
    }
}
