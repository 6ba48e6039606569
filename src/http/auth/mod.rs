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

    /// Whose credentials these are, for the response cache: two authenticators with the same identity may be given each
    /// other's responses. It is hashed and never stored, so a secret will do. An authenticator whose signature changes
    /// during a run (a token that is renewed, a time stamp) should give what stays the same: the client id, the user.
    /// Default: `None`, which tells requests apart by what the authenticator puts on them.
    fn identity(&self) -> Option<String> {
        None
    }
}

/// No credentials: the API is open.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAuth;

impl Authenticator for NoAuth {
    fn authenticate(&self, _: &mut HttpRequest) -> anyhow::Result<()> {
        Ok(())
    }

    fn identity(&self) -> Option<String> {
        Some(String::new())
    }
}

impl std::fmt::Debug for dyn Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator")
    }
}
