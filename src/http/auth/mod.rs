//! Credentials. A stream gets its authenticator when it is made. The authenticator signs every attempt of every
//! request, so a token that changed in the meantime is used. Each method has a file; `context` is for those that
//! request their credentials.

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

/// Adds credentials to requests, and gets new ones when they are refused.
///
/// Any method can be added: a signature needs only [`Authenticator::authenticate`].
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
    /// Signs a request. Called before each attempt, retries included, and never for a host that the stream did not
    /// name. The same request may come twice, after a redirect: it must not be signed twice.
    ///
    /// # Errors
    /// A [`crate::protocol::Failure`] inside: a config failure if the credentials cannot be used.
    fn authenticate(&self, request: &mut HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<()>;

    /// Gets new credentials after the API refused those on `rejected`, and returns whether there are any: then the
    /// request is sent again. Called at most once a request. Other threads may have been refused, too: if the
    /// credentials differ from those on `rejected`, they are already new. Default: there are none.
    ///
    /// # Errors
    /// The reason why there are no new credentials. The request fails with it.
    fn refresh(&self, _rejected: &HttpRequest, _cx: &AuthContext<'_>) -> anyhow::Result<bool> {
        Ok(false)
    }

    /// Sees each response to a request that it signed, before any decision about it, for instance to read quota
    /// headers. Default: nothing.
    fn answered(&self, _signed: &HttpRequest, _response: &Response, _cx: &AuthContext<'_>) {}

    /// Called when the API limits the credentials on `limited`, with the time if the API said it. Returns the wait
    /// until others are free: zero sends the request again at once. `None` leaves the wait unchanged. Default: `None`.
    fn rate_limited(&self, _limited: &HttpRequest, _wait: Option<Duration>, _cx: &AuthContext<'_>) -> Option<Duration> {
        None
    }

    /// The owner of these credentials, for the response cache: two authenticators with the same identity may get each
    /// other's responses. It is hashed and never stored, so it may be a secret. An authenticator whose signature
    /// changes during a run (a renewed token, a time stamp) should return a constant: the client id, the user. Default:
    /// `None`, which distinguishes requests by the authenticator's changes to them.
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

/// Joins texts, each with its length, so that different lists give different results.
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
