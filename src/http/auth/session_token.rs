//! Sessions: an API that needs a login first, and its token with each request.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use serde_json::Value;

use super::secret::Secret;
use super::token_place::TokenPlace;
use super::{AuthContext, Authenticator, joined};
use crate::http::{HttpRequest, RetryRules, UsualRules};
use crate::locks;
use crate::protocol::{Failure, FailureKind, Redactor};

/// A session is renewed this long before its end, if it lasts long enough: a request must not outlive its session.
const MARGIN: Duration = Duration::from_secs(30);

/// How a session begins.
pub trait SessionLogin: Send + Sync {
    /// Logs in, and returns the token of the session.
    ///
    /// # Errors
    /// A [`Failure`] inside: a config failure if the login is refused. It is not repeated in this run.
    fn log_in(&self, cx: &AuthContext<'_>) -> anyhow::Result<String>;

    /// The user, for [`Authenticator::identity`]. It may be a secret.
    fn identity(&self) -> String;
}

/// A login by one request, whose response is JSON with the token in it.
#[derive(Clone)]
pub struct LoginRequest {
    request: HttpRequest,
    path: Vec<String>,
    rules: Arc<dyn RetryRules>,
}

impl LoginRequest {
    /// Sends this request. The response has the token at this path. The caller has to register the request's secrets.
    #[must_use]
    pub fn new<T: AsRef<str>>(request: HttpRequest, path: impl IntoIterator<Item = T>) -> Self {
        let path = path.into_iter().map(|name| name.as_ref().to_owned()).collect();
        Self { request, path, rules: Arc::new(UsualRules) }
    }

    /// The rules for failures. Default: [`UsualRules`].
    #[must_use]
    pub fn rules(mut self, rules: impl RetryRules + 'static) -> Self {
        self.rules = Arc::new(rules);
        self
    }
}

impl SessionLogin for LoginRequest {
    fn log_in(&self, cx: &AuthContext<'_>) -> anyhow::Result<String> {
        let response = cx.send(&self.request, &*self.rules)?;
        let answered = format!("{} answered {}", response.request, response.status);
        let document = response.json::<Value>();
        let document = document.map_err(|_| Failure::system(format!("{answered} with something other than JSON.")))?;
        let found = self.path.iter().try_fold(&document, |value, name| value.get(name));
        match found {
            Some(Value::String(token)) if !token.is_empty() => Ok(token.clone()),
            Some(Value::Number(token)) => Ok(token.to_string()),
            _ => {
                let path = self.path.join(".");
                Err(Failure::system(format!("{answered} without a session token at `{path}`.")).into())
            }
        }
    }

    fn identity(&self) -> String {
        let body = self.request.body.encode().map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned());
        let headers = self.request.headers.iter().map(|(name, value)| format!("{name}: {value:?}"));
        joined([self.request.method.as_str(), self.request.url.as_str(), &body.unwrap_or_default()])
            + &joined(headers.collect::<Vec<_>>().iter().map(String::as_str))
    }
}

/// How long a session is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasts {
    /// Until the API refuses it.
    Run,
    For(Duration),
    /// Not even for the next attempt.
    Attempt,
}

/// Converts a token before it is sent.
type Written = Arc<dyn Fn(&str) -> Result<String, Failure> + Send + Sync>;

/// Logs in, and sends the token of the session.
///
/// One thread logs in, and all others wait for its session. If the API refuses the token (401), there is one more
/// login, and the request is sent once more. A refused login is not repeated in this run: many APIs lock accounts for
/// that.
///
/// ```
/// use std::time::Duration;
///
/// use serde_json::json;
/// use source_http::http::auth::{LoginRequest, SessionTokenAuthenticator, TokenPlace};
/// use source_http::http::{HttpRequest, Method, RequestBody};
/// # let redactor = source_http::protocol::Redactor::default();
///
/// let login = HttpRequest {
///     method: Method::POST,
///     body: RequestBody::Json(json!({"user": "ann", "password": "s3cret"})),
///     ..HttpRequest::get("https://api.example.com/login".parse()?)
/// };
/// let auth = SessionTokenAuthenticator::new(LoginRequest::new(login, ["data", "token"]), &redactor)
///     .place(TokenPlace::header("X-Session"))
///     .lasting(Duration::from_secs(3600));
/// # Ok::<(), url::ParseError>(())
/// ```
pub struct SessionTokenAuthenticator {
    login: Arc<dyn SessionLogin>,
    place: TokenPlace,
    lasts: Lasts,
    written: Option<Written>,
    redactor: Redactor,
    session: Mutex<Session>,
}

#[derive(Default)]
struct Session {
    /// The token as it is sent, and when it was obtained, on the monotonic clock.
    token: Option<(Secret, Duration)>,
    /// Why there will be none.
    refused: Option<Failure>,
}

impl SessionTokenAuthenticator {
    /// Sends `Authorization: Bearer` with the token of this login, as long as the API accepts it.
    #[must_use]
    pub fn new(login: impl SessionLogin + 'static, redactor: &Redactor) -> Self {
        Self {
            login: Arc::new(login),
            place: TokenPlace::default(),
            lasts: Lasts::Run,
            written: None,
            redactor: redactor.clone(),
            session: Mutex::default(),
        }
    }

    /// Where the token is sent. Default: `Authorization: Bearer TOKEN`.
    #[must_use]
    pub fn place(mut self, place: TokenPlace) -> Self {
        self.place = place;
        self
    }

    /// Logs in again before a session reaches this age. Default: when the API refuses its token.
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.lasts = Lasts::For(duration);
        self
    }

    /// Logs in for each attempt of each request, for APIs with single-use tokens.
    #[must_use]
    pub fn for_each_attempt(mut self) -> Self {
        self.lasts = Lasts::Attempt;
        self
    }

    /// Sends the result of this for the token. Default: the token itself.
    #[must_use]
    pub fn written(mut self, written: impl Fn(&str) -> Result<String, Failure> + Send + Sync + 'static) -> Self {
        self.written = Some(Arc::new(written));
        self
    }

    /// The session; while another thread logs in, the output's buffer is flushed.
    fn session(&self, cx: &AuthContext<'_>) -> anyhow::Result<MutexGuard<'_, Session>> {
        if let Err(TryLockError::WouldBlock) = self.session.try_lock() {
            cx.output().flush()?;
        }
        Ok(locks::lock(&self.session))
    }

    /// A new token, as it is sent.
    fn log_in(&self, session: &mut Session, cx: &AuthContext<'_>) -> anyhow::Result<Secret> {
        if let Some(refused) = &session.refused {
            return Err(refused.clone().into());
        }
        let token = self.login.log_in(cx).inspect_err(|error| {
            let failure = error.downcast_ref::<Failure>().filter(|failure| failure.kind == FailureKind::Config);
            session.refused = failure.cloned();
        })?;
        let secret = |text: String| match self.lasts {
            Lasts::Attempt => Secret::passing(text, &self.redactor),
            Lasts::Run | Lasts::For(_) => Secret::new(text, &self.redactor),
        };
        let token = secret(token);
        if token.expose().trim().is_empty() {
            return Err(Failure::system("The login gave an empty session token.").into());
        }
        Ok(match &self.written {
            Some(written) => secret(written(token.expose())?),
            None => token,
        })
    }

    fn is_good(&self, since: Duration, now: Duration) -> bool {
        match self.lasts {
            Lasts::Run => true,
            Lasts::Attempt => false,
            Lasts::For(duration) => now.saturating_sub(since) < duration.saturating_sub(MARGIN.min(duration / 10)),
        }
    }
}

impl fmt::Debug for SessionTokenAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTokenAuthenticator").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

impl Authenticator for SessionTokenAuthenticator {
    fn authenticate(&self, request: &mut HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<()> {
        let mut session = self.session(cx)?;
        let token = match &session.token {
            Some((token, since)) if self.is_good(*since, cx.elapsed()) => token.clone(),
            _ => {
                let token = self.log_in(&mut session, cx)?;
                session.token = Some((token.clone(), cx.elapsed()));
                token
            }
        };
        drop(session);
        Ok(self.place.put(request, token.expose())?)
    }

    fn refresh(&self, rejected: &HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<bool> {
        if self.lasts == Lasts::Attempt {
            // It was new.
            return Ok(false);
        }
        let mut session = self.session(cx)?;
        if session.token.as_ref().is_none_or(|(token, _)| self.place.is_on(rejected, token.expose())) {
            session.token = None;
            let token = self.log_in(&mut session, cx)?;
            session.token = Some((token, cx.elapsed()));
        }
        Ok(true)
    }

    fn identity(&self) -> Option<String> {
        Some(self.login.identity())
    }
}
