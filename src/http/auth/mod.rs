//! Credentials. An authenticator is handed to a stream when it is made, and asked to sign every attempt of every
//! request, so a token that changed in the meantime is the one that is sent.

mod token;

pub use token::TokenAuthenticator;

use super::HttpRequest;

/// Puts credentials on a request.
pub trait Authenticator: Send + Sync {
    /// Signs a request. Called before each attempt, retries included, and never for a host the stream did not name.
    ///
    /// # Errors
    /// A [`crate::protocol::Failure`] inside: a config failure if the credentials cannot be used.
    fn authenticate(&self, request: &mut HttpRequest) -> anyhow::Result<()>;
}

/// No credentials: the API is open.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAuth;

impl Authenticator for NoAuth {
    fn authenticate(&self, _: &mut HttpRequest) -> anyhow::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for dyn Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator")
    }
}
