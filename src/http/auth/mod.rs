//! Credentials. An authenticator is handed to a stream when it is made, and asked to sign every attempt of every
//! request, so a token that changed in the meantime is the one that is sent. One file a method; `context` is what
//! those that have to ask for their credentials are given.

mod api_key;
mod basic;
mod context;
mod header;
mod jwt;
mod oauth2;
mod quota_tokens;
mod rotating_token;
mod secret;
mod session_token;
mod token;
mod token_place;

/// The hint for a login that is answered with a redirect.
pub(crate) const NO_REDIRECT: &str = "Credentials are not sent after a redirect: use the URL it leads to.";

pub use api_key::ApiKeyAuthenticator;
pub use basic::BasicAuthenticator;
pub use context::AuthContext;
#[cfg(test)]
pub(crate) use context::signed;
pub use jwt::{JwtAlgorithm, JwtAuthenticator, JwtSigner};
pub use oauth2::{ConfigPaths, OAuth2Authenticator, TokenConfig, TokenRequest};
pub use quota_tokens::{QuotaTokenAuthenticator, TokenQuota};
pub use rotating_token::RotatingTokenAuthenticator;
pub use session_token::{LoginRequest, SessionLogin, SessionTokenAuthenticator};
pub use token::TokenAuthenticator;
pub use token_place::TokenPlace;

use std::time::Duration;

use super::{HttpRequest, Response};

/// Puts credentials on requests, and gets others when they are refused.
///
/// Any method can be added: a signature needs [`Authenticator::authenticate`] and nothing else.
///
/// ```
/// use source_http::http::HttpRequest;
/// use source_http::http::auth::{AuthContext, Authenticator};
///
/// struct Tenant(String);
///
/// impl Authenticator for Tenant {
///     fn authenticate(&self, request: &mut HttpRequest, _: &AuthContext<'_>) -> anyhow::Result<()> {
///         let signature = format!("{}:{}", self.0, request.url.path().len());
///         Ok(request.set_secret_header("X-Signature", &signature)?)
///     }
/// }
/// ```
pub trait Authenticator: Send + Sync {
    /// Signs a request. Called before each attempt, retries included, and never for a host the stream did not name.
    /// The same request may come twice, after a redirect: it must not be signed twice over.
    ///
    /// # Errors
    /// A [`crate::protocol::Failure`] inside: a config failure if the credentials cannot be used.
    fn authenticate(&self, request: &mut HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<()>;

    /// Gets new credentials after the API refused those on `rejected`, and tells whether there are any: if so, the
    /// request is sent again. Called once a request at most. Other threads may have been refused, too: if the
    /// credentials are no longer those on `rejected`, they are new already. Default: there are none.
    ///
    /// # Errors
    /// Whatever keeps the new credentials from being had. The request fails with it.
    fn refresh(&self, _rejected: &HttpRequest, _cx: &AuthContext<'_>) -> anyhow::Result<bool> {
        Ok(false)
    }

    /// Shown each response to a request that it signed, before anything is decided about it, such as for what its headers
    /// say of a quota. Default: nothing.
    fn answered(&self, _signed: &HttpRequest, _response: &Response, _cx: &AuthContext<'_>) {}

    /// Told that the API limits the credentials on `limited`, and for how long if it said so. Returns the wait until
    /// others are free: zero sends the request again at once. `None` leaves the wait as it would be. Default: `None`.
    fn rate_limited(&self, _limited: &HttpRequest, _wait: Option<Duration>, _cx: &AuthContext<'_>) -> Option<Duration> {
        None
    }

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
    fn authenticate(&self, _: &mut HttpRequest, _: &AuthContext<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    fn identity(&self) -> Option<String> {
        Some(String::new())
    }
}

/// Texts as one, each with its length, so that no two lists make the same.
fn joined<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().fold(String::new(), |mut all, text| {
        all.extend([text.len().to_string().as_str(), ":", text]);
        all
    })
}

impl std::fmt::Debug for dyn Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::protocol::Redactor;

    #[test]
    fn no_authenticator_shows_a_secret_in_its_debug_output() {
        let redactor = Redactor::default();
        let url = "http://a.com/token";
        let request = || TokenRequest::refresh_token(url, "id", "x7", "x7", &redactor).header("X-Key", "x7");
        let config: Map<_, _> = [(
            "credentials".to_owned(),
            json!({"refresh_token": "x7", "access_token": "x7", "token_expiry_date": "2030-01-01T00:00:00Z"}),
        )]
        .into_iter()
        .collect();
        let stored = OAuth2Authenticator::new(request()).stored_in(config, ConfigPaths::default());
        assert!(stored.identity().is_some_and(|identity| identity.contains("x7")));
        let shown = [
            format!("{:?}", ApiKeyAuthenticator::header("X-Key", "x7", &redactor)),
            format!("{:?}", BasicAuthenticator::new("ann", "x7", &redactor).unwrap()),
            format!("{:?}", TokenAuthenticator::bearer("x7", &redactor)),
            format!("{:?}", RotatingTokenAuthenticator::new(["x7", "x7b"], &redactor)),
            format!("{:?}", OAuth2Authenticator::new(request())),
            format!("{stored:?}"),
            format!("{NoAuth:?}"),
        ];
        for shown in shown {
            assert!(!shown.contains("x7") && !shown.contains("YW5uOng3"), "{shown}");
        }
    }
}
