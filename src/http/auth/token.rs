//! A fixed token in a header.

use super::header::AuthHeader;
use super::secret::Secret;
use super::{AuthContext, Authenticator};
use crate::http::HttpRequest;
use crate::protocol::Redactor;

/// Sends `Authorization: Bearer TOKEN` (RFC 6750), or another method and header.
///
/// ```
/// use source_http::http::auth::TokenAuthenticator;
/// # let redactor = source_http::protocol::Redactor::default();
/// // Authorization: Bearer s3cret
/// let bearer = TokenAuthenticator::bearer("s3cret", &redactor);
/// // X-Auth-Token: s3cret
/// let other = TokenAuthenticator::bearer("s3cret", &redactor).method("").header("X-Auth-Token");
/// ```
#[derive(Debug, Clone)]
pub struct TokenAuthenticator {
    header: AuthHeader,
    token: Secret,
}

impl TokenAuthenticator {
    /// A bearer token. It is registered as a secret.
    #[must_use]
    pub fn bearer(token: &str, redactor: &Redactor) -> Self {
        Self { header: AuthHeader::default(), token: Secret::new(token, redactor) }
    }

    /// The word before the token, such as `Token`. Empty sends the token alone. Default: `Bearer`.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.header.method);
        self
    }

    /// The header. Default: `Authorization`.
    #[must_use]
    pub fn header(mut self, name: &str) -> Self {
        name.clone_into(&mut self.header.name);
        self
    }
}

impl Authenticator for TokenAuthenticator {
    fn authenticate(&self, request: &mut HttpRequest, _: &AuthContext<'_>) -> anyhow::Result<()> {
        Ok(self.header.put(request, self.token.expose())?)
    }

    fn identity(&self) -> Option<String> {
        Some(self.token.expose().to_owned())
    }
}
