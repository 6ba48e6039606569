//! OAuth 2.0 (RFC 6749): access tokens are requested, renewed before they expire, and replaced when the API refuses
//! them. `token_request` and `token_response` are the exchange with the endpoint, `token_rules` says which failures are
//! retried, `expiry` how long a token lives; `stored_tokens` keeps tokens that the platform has to store.

mod config_paths;
mod credentials;
mod expiry;
mod stored_tokens;
mod token_request;
mod token_response;
mod token_rules;

use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use jiff::Timestamp;
use serde_json::{Map, Value};

use self::credentials::{AccessToken, Credentials};
use self::stored_tokens::StoredTokens;
use self::token_response::{ResponseNames, TokenResponse};
use self::token_rules::{RefusedBy, TokenRules};
use super::header::AuthHeader;
use super::secret::Secret;
use super::{AuthContext, Authenticator};
use crate::http::HttpRequest;
use crate::locks;
use crate::protocol::{Failure, FailureKind, LogLevel};

pub use config_paths::ConfigPaths;
pub(in crate::http) use expiry::date;
pub use stored_tokens::TokenConfig;
pub use token_request::TokenRequest;

/// Sends `Authorization: Bearer`, with an access token from a token endpoint.
///
/// A token is renewed after three quarters of its life, at the latest 30 seconds before it expires; one that lives less
/// than a minute, after half of its life. If the API refuses a token anyway (401), it is replaced and the request is
/// sent once more. One thread asks the endpoint, and all others wait for its token. The endpoint's 429, 5xx and network
/// faults are retried; any other refusal is a config failure.
///
/// ```
/// use source_http::http::auth::{OAuth2Authenticator, TokenRequest};
/// # let redactor = source_http::protocol::Redactor::default();
/// let url = "https://auth.example.com/oauth/token";
/// let auth = OAuth2Authenticator::new(
///     TokenRequest::refresh_token(url, "client id", "client secret", "refresh token", &redactor),
/// );
/// let machine = OAuth2Authenticator::new(
///     TokenRequest::client_credentials(url, "client id", "client secret", &redactor)
///         .scopes(["orders.read", "items.read"])
///         .client_in_header(),
/// );
/// ```
///
/// Some APIs return a new refresh token with each access token and invalidate the old one. Then the platform has to
/// store the new one, which [`OAuth2Authenticator::stored_in`] asks it to do.
pub struct OAuth2Authenticator {
    /// The owner of the tokens, which stays the same as they change.
    identity: String,
    request: TokenRequest,
    names: ResponseNames,
    header: AuthHeader,
    rules: TokenRules,
    stores_each: bool,
    credentials: Mutex<Credentials>,
}

impl OAuth2Authenticator {
    /// Requests its tokens so, the first one when the first request of a stream is signed.
    #[must_use]
    pub fn new(request: TokenRequest) -> Self {
        let credentials = Credentials { refresh_token: request.initial_refresh_token(), ..Credentials::default() };
        Self {
            identity: request.identity(None),
            request,
            names: ResponseNames::default(),
            header: AuthHeader::default(),
            rules: TokenRules::default(),
            stores_each: false,
            credentials: Mutex::new(credentials),
        }
    }

    /// Keeps the tokens in the connector's config: `config` is the run's whole config. The refresh token in it is used,
    /// and so is the access token until its expiry date; an empty or unreadable date counts as past. When the endpoint
    /// returns a new refresh token, the new tokens are put into the config and the platform is asked to store it,
    /// before any request uses them.
    ///
    /// ```
    /// use source_http::http::auth::{ConfigPaths, OAuth2Authenticator, TokenRequest};
    /// # let redactor = source_http::protocol::Redactor::default();
    /// # let config = serde_json::Map::new();
    /// let url = "https://auth.example.com/oauth/token";
    /// let auth = OAuth2Authenticator::new(TokenRequest::refresh_token(url, "id", "secret", "", &redactor))
    ///     .stored_in(config, ConfigPaths::default());
    /// ```
    #[must_use]
    pub fn stored_in(self, config: Map<String, Value>, paths: ConfigPaths) -> Self {
        self.stored_with_others(&TokenConfig::new(config), paths)
    }

    /// As [`OAuth2Authenticator::stored_in`], in a config that also holds the tokens of other authenticators.
    #[must_use]
    pub fn stored_with_others(mut self, config: &TokenConfig, paths: ConfigPaths) -> Self {
        let stored = StoredTokens::new(config.clone(), paths);
        let redactor = &self.request.redactor;
        let credentials = self.credentials.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(refresh_token) = stored.refresh_token() {
            // The stored one replaces the request's own.
            self.identity = self.request.identity(Some(&refresh_token));
            credentials.refresh_token = Some(Secret::new(refresh_token, redactor));
        }
        if let Some((access_token, expires_at)) = stored.access_token() {
            credentials.access_token = Some(AccessToken::stored(Secret::new(access_token, redactor), expires_at));
        }
        credentials.stored = Some(stored);
        self
    }

    /// Asks the platform to store each new access token, too, not only a new refresh token, so the next run begins with
    /// it. It requires [`OAuth2Authenticator::stored_in`]. Default: only with a new refresh token.
    #[must_use]
    pub fn storing_each_token(mut self) -> Self {
        self.stores_each = true;
        self
    }

    /// The first access token, registered as a secret, and its expiry date, as in the config. An empty or unreadable
    /// date counts as past.
    #[must_use]
    pub fn first_token(mut self, access_token: &str, expiry_date: &str) -> Self {
        let token = Secret::new(access_token, &self.request.redactor);
        let expires_at = expiry::date(&Value::from(expiry_date)).filter(|_| !access_token.is_empty());
        let credentials = self.credentials.get_mut().unwrap_or_else(PoisonError::into_inner);
        credentials.access_token = expires_at.map(|expires_at| AccessToken::stored(token, expires_at));
        self
    }

    /// How the endpoint reports that the refresh token itself is invalid: by one of these statuses and one of these
    /// values of a member of its response. Then the user is asked to authenticate again; after any other refusal, to
    /// check the client's settings. Default: any refusal asks to authenticate again.
    #[must_use]
    pub fn refresh_token_refused_by<T: AsRef<str>>(
        mut self,
        statuses: impl IntoIterator<Item = u16>,
        member: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.as_ref().to_owned()).collect();
        let statuses = statuses.into_iter().collect();
        self.rules = TokenRules { refused_by: Some(RefusedBy { statuses, member: member.to_owned(), values }) };
        self
    }

    /// The name of the access token in the endpoint's response, at its root or nested. Default: `access_token`.
    #[must_use]
    pub fn access_token_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.names.access_token);
        self
    }

    /// The name of the token's lifetime in the endpoint's response, at its root or nested: seconds as a number or a
    /// text, or the time it expires as RFC 3339 or seconds since the epoch. Without a valid one, a token is assumed to
    /// live an hour. Default: `expires_in`.
    #[must_use]
    pub fn expires_in_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.names.expires_in);
        self
    }

    /// The word before the token in the API's requests. Empty sends the token alone. Default: `Bearer`.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.header.method);
        self
    }

    /// The header of the API's requests. Default: `Authorization`.
    #[must_use]
    pub fn header(mut self, name: &str) -> Self {
        name.clone_into(&mut self.header.name);
        self
    }

    /// All its settings as one text, with secrets in it: instances with equal ones can be shared.
    pub(crate) fn definition(&self) -> String {
        let Self { request, names, header, rules, .. } = self;
        let credentials = self.credentials();
        let first = credentials.access_token.as_ref().map(|token| (token.value.expose(), token.expires_at));
        let paths = credentials.stored.as_ref().map(StoredTokens::paths);
        let form = request.names();
        format!("{} {form:?} {names:?} {header:?} {rules:?} {first:?} {paths:?} {}", self.identity, self.stores_each)
    }

    /// As [`Self::credentials`]; while another thread requests a token, the output's buffer is flushed.
    fn wait_for_credentials(&self, cx: &AuthContext<'_>) -> io::Result<MutexGuard<'_, Credentials>> {
        if let Err(TryLockError::WouldBlock) = self.credentials.try_lock() {
            cx.output().flush()?;
        }
        Ok(self.credentials())
    }

    /// Held while a token is requested: other threads wait for it instead of requesting one, too.
    fn credentials(&self) -> MutexGuard<'_, Credentials> {
        locks::lock(&self.credentials)
    }

    /// Gets a new access token. Before it returns, every secret in the response is registered, and changes to the
    /// config are written.
    fn renew(&self, credentials: &mut Credentials, cx: &AuthContext<'_>) -> anyhow::Result<()> {
        if let Some(refused) = &credentials.refused {
            return Err(refused.clone().into());
        }
        let stored = credentials.stored.clone();
        // Another authenticator may use the same refresh token.
        let _turn = stored.as_ref().map(StoredTokens::turn);
        if let Some(stored) = &stored {
            if let Some(token) = self.of_another(stored, credentials, cx.now()) {
                credentials.access_token = Some(token);
                return Ok(());
            }
            let newest = stored.refresh_token().map(|token| Secret::new(token, &self.request.redactor));
            credentials.refresh_token = newest.or(credentials.refresh_token.take());
        }
        self.ask(credentials, cx).inspect_err(|error| {
            let failure = error.downcast_ref::<Failure>().filter(|failure| failure.kind == FailureKind::Config);
            credentials.refused = failure.cloned();
        })
    }

    /// The access token that another authenticator has stored meanwhile.
    fn of_another(&self, stored: &StoredTokens, credentials: &Credentials, now: Timestamp) -> Option<AccessToken> {
        let (token, expires_at) = stored.access_token()?;
        let token = AccessToken::stored(Secret::new(token, &self.request.redactor), expires_at);
        let known = [credentials.access_token.as_ref().map(|known| &known.value), credentials.rejected.as_ref()];
        (now < token.renew_at && !known.into_iter().flatten().any(|known| *known == token.value)).then_some(token)
    }

    /// Requests a token from the endpoint.
    fn ask(&self, credentials: &mut Credentials, cx: &AuthContext<'_>) -> anyhow::Result<()> {
        let request = self.request.build(credentials.refresh_token.as_ref(), cx.now())?;
        if credentials.stored.is_some() && (credentials.refresh_token.is_some() || self.stores_each) {
            cx.output().config_may_change()?;
        }
        let response = cx.send_for_json(&request, &self.rules)?;
        let now = cx.now();
        let response = TokenResponse::parse(&response, &self.names, self.request.name_of_refresh_token(), now)?;
        let redactor = &self.request.redactor;
        let access_token = AccessToken::new(Secret::new(response.access_token, redactor), now, response.expires_at);
        let refresh_token = response.refresh_token.map(|token| Secret::new(token, redactor));
        let refresh_token = refresh_token.filter(|token| {
            credentials
                .refresh_token
                .as_ref()
                .map_or(credentials.stored.is_some() && self.stores_each, |known| known != token)
        });
        match &credentials.stored {
            Some(stored) if refresh_token.is_some() || self.stores_each => {
                let refresh_token = refresh_token.as_ref().map(Secret::expose);
                stored.update(access_token.value.expose(), refresh_token, access_token.expires_at)?;
                cx.output().control(redactor.config_references().restore(stored.config()))?;
            }
            None if refresh_token.is_some() => {
                let text = "The token endpoint returned a new refresh token, and this source does not ask for it to be \
                            stored. If the old one is void now, the next sync will fail.";
                cx.output().log(LogLevel::Warn, text)?;
            }
            _ => {}
        }
        credentials.refresh_token = refresh_token.or(credentials.refresh_token.take());
        credentials.access_token = Some(access_token);
        Ok(())
    }

    /// Renews a token that is still valid. If the endpoint fails, the token is used for its remaining time, and the
    /// next attempt comes after half of it.
    fn renew_early(&self, credentials: &mut Credentials, cx: &AuthContext<'_>) -> anyhow::Result<()> {
        let Err(error) = self.renew(credentials, cx) else { return Ok(()) };
        let is_transient =
            error.downcast_ref::<Failure>().is_some_and(|failure| failure.kind == FailureKind::Transient);
        match &mut credentials.access_token {
            Some(token) if is_transient && cx.now() < token.expires_at => {
                token.postpone(cx.now());
                let text = format!("The access token is used until it expires, because it cannot be renewed: {error}");
                Ok(cx.output().log(LogLevel::Warn, &text)?)
            }
            _ => Err(error),
        }
    }
}

/// Omits the identity, which contains secrets.
impl fmt::Debug for OAuth2Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, header, credentials, .. } = self;
        f.debug_struct("OAuth2Authenticator")
            .field("request", request)
            .field("header", header)
            .field("credentials", credentials)
            .finish_non_exhaustive()
    }
}

impl Authenticator for OAuth2Authenticator {
    /// The client and the endpoint stay the same as tokens change.
    fn identity(&self) -> Option<String> {
        Some(self.identity.clone())
    }

    fn authenticate(&self, request: &mut HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<()> {
        let mut credentials = self.wait_for_credentials(cx)?;
        let now = cx.now();
        match &credentials.access_token {
            Some(token) if now < token.renew_at => {}
            Some(token) if now < token.expires_at => self.renew_early(&mut credentials, cx)?,
            _ => self.renew(&mut credentials, cx)?,
        }
        let token = credentials.access_token.as_ref().map_or("", |token| token.value.expose());
        Ok(self.header.put(request, token)?)
    }

    fn refresh(&self, rejected: &HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<bool> {
        let mut credentials = self.wait_for_credentials(cx)?;
        let is_current = |token: &AccessToken| self.header.is_on(rejected, token.value.expose());
        if credentials.access_token.as_ref().is_some_and(is_current) {
            let rejected = credentials.access_token.take();
            credentials.rejected = rejected.map(|token| token.value);
            self.renew(&mut credentials, cx)?;
        }
        Ok(true)
    }
}
