//! Several tokens whose quotas the API reports: a request uses a token with quota left, before the API has to refuse
//! one. `quota` is one quota of a token, `pools` the remaining quota of all tokens;
//! [`super::RotatingTokenAuthenticator`] is for APIs that report nothing.

mod pools;
mod quota;

use std::fmt;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use serde_json::Value;

use self::pools::{Pools, Reserve, Turn};
use self::quota::Left;
use super::header::AuthHeader;
use super::secret::Secret;
use super::{AuthContext, Authenticator};
use crate::http::{HttpRequest, Response, ResponseAction, RetryRules, Verdict};
use crate::locks;
use crate::protocol::{Failure, LogLevel, Redactor};

pub use quota::TokenQuota;

/// Shorter waits between two requests are not worth it.
const MIN_PACE: Duration = Duration::from_millis(100);
/// The shortest wait for new quota: the reported moment may already be past.
const MIN_WAIT: Duration = Duration::from_secs(5);

/// Sends a token that has quota left, and changes to the next one when it has none.
///
/// The remaining quota is requested once for each token, and counted from there on, corrected by responses if the quota
/// names their headers. When no token has any left, the request waits for the first renewal, at most
/// [`QuotaTokenAuthenticator::max_wait`]. When all of them run low, requests are spread over the remaining time.
///
/// ```
/// use source_http::http::HttpRequest;
/// use source_http::http::auth::{QuotaTokenAuthenticator, TokenQuota};
/// # let redactor = source_http::protocol::Redactor::default();
///
/// let status = HttpRequest::get("https://api.example.com/rate_limit".parse()?);
/// let core = TokenQuota::new("core", ["core", "remaining"], ["core", "reset"]);
/// let auth = QuotaTokenAuthenticator::new(["first", "second"], status, [core], &redactor);
/// # Ok::<(), url::ParseError>(())
/// ```
pub struct QuotaTokenAuthenticator {
    header: AuthHeader,
    tokens: Vec<Secret>,
    status: HttpRequest,
    unavailable: Vec<u16>,
    quotas: Vec<TokenQuota>,
    max_wait: Duration,
    reserve: Reserve,
    pools: Mutex<Pools>,
    /// Held while the status of the tokens is requested.
    asking: Mutex<()>,
}

impl QuotaTokenAuthenticator {
    /// Bearer tokens, the first one first. Requests to `status`, signed with each token, return its quotas. Empty
    /// tokens and repeated ones are left out; the others are registered as secrets.
    #[must_use]
    pub fn new<T: AsRef<str>>(
        tokens: impl IntoIterator<Item = T>,
        status: HttpRequest,
        quotas: impl IntoIterator<Item = TokenQuota>,
        redactor: &Redactor,
    ) -> Self {
        let mut kept = Vec::new();
        for token in tokens {
            let token = Secret::new(token.as_ref().trim(), redactor);
            if !token.expose().is_empty() && !kept.contains(&token) {
                kept.push(token);
            }
        }
        Self {
            header: AuthHeader::default(),
            tokens: kept,
            status,
            unavailable: Vec::new(),
            quotas: quotas.into_iter().collect(),
            max_wait: Duration::from_secs(7200),
            reserve: Reserve { fraction: 0.1, least: 50 },
            pools: Mutex::default(),
            asking: Mutex::default(),
        }
    }

    /// The word before the token, such as `token`. Empty sends the token alone. Default: `Bearer`.
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

    /// Statuses by which the API reports that it does not count. The tokens then take turns. Default: none.
    #[must_use]
    pub fn uncounted_at(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.unavailable = statuses.into_iter().collect();
        self
    }

    /// The longest time that a request waits for new quota. Default: 2 hours.
    #[must_use]
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    /// Spreads requests while each token has less left than this part of its limit, or than `least` requests, whichever
    /// is more. Default: a tenth, and 50.
    #[must_use]
    pub fn reserve(mut self, fraction: f64, least: u32) -> Self {
        self.reserve = Reserve { fraction, least: i64::from(least) };
        self
    }

    fn pools(&self) -> MutexGuard<'_, Pools> {
        locks::lock(&self.pools)
    }

    /// The quota for a request.
    fn quota_of(&self, request: &HttpRequest) -> usize {
        let own = self.quotas.iter().position(|quota| quota.is_for(request));
        own.or_else(|| self.quotas.iter().position(TokenQuota::is_for_all)).unwrap_or(0)
    }

    /// Requests the status of all tokens, unless another thread did so meanwhile: `wanted` says whether it is still
    /// needed.
    fn ask(&self, cx: &AuthContext<'_>, wanted: impl Fn(&Pools) -> bool) -> anyhow::Result<()> {
        if !wanted(&self.pools()) {
            return Ok(());
        }
        if let Err(TryLockError::WouldBlock) = self.asking.try_lock() {
            cx.output().flush()?;
        }
        let _asking = locks::lock(&self.asking);
        if !wanted(&self.pools()) {
            return Ok(());
        }
        let is_first = self.pools().left.is_empty();
        let left = self.tokens.iter().map(|token| self.status_of(token, cx)).collect::<anyhow::Result<Vec<_>>>()?;
        let uncounted = left.iter().filter(|left| left.iter().any(|left| !left.tracked)).count();
        if uncounted > 0 && is_first {
            let text = format!(
                "The API does not count {uncounted} of {} tokens: they take turns, and nothing waits for their quotas.",
                self.tokens.len()
            );
            cx.output().log(LogLevel::Info, &text)?;
        }
        self.pools().left = left;
        Ok(())
    }

    fn status_of(&self, token: &Secret, cx: &AuthContext<'_>) -> anyhow::Result<Vec<Left>> {
        let mut request = self.status.clone();
        self.header.put(&mut request, token.expose())?;
        let response = cx.send(&request, &StatusRules(&self.unavailable))?;
        if self.unavailable.contains(&response.status.as_u16()) {
            let none = Left { remaining: 0, reset: cx.now(), limit: 0, tracked: false };
            return Ok(vec![none; self.quotas.len()]);
        }
        let answered = format!("{} answered {}", response.request, response.status);
        let status = response.json::<Value>();
        let status = status.map_err(|_| Failure::system(format!("{answered} with something other than JSON.")))?;
        Ok(self.quotas.iter().map(|quota| quota.read(&status, &answered)).collect::<Result<_, _>>()?)
    }

    /// Charges a request to a quota, and returns its token. Waits if necessary.
    fn charge(&self, quota: usize, cx: &AuthContext<'_>) -> anyhow::Result<usize> {
        let mut until = None;
        loop {
            self.ask(cx, |pools| pools.left.is_empty())?;
            let turn = self.pools().turn(quota, self.reserve, cx.now());
            let wait = match turn {
                Turn::Go { token, pace } => {
                    if pace >= MIN_PACE {
                        cx.wait(pace)?;
                    }
                    return Ok(token);
                }
                Turn::Wait(wait) => wait,
            };
            let now = cx.elapsed();
            let left = until.get_or_insert(now.saturating_add(self.max_wait)).saturating_sub(now);
            let name = &self.quotas[quota].name;
            if left.is_zero() || wait >= left {
                let text = format!(
                    "All tokens have used up their quota {name:?}, and there will be more in {} s: that is past the {} s \
                     that a request may wait for it. Run the sync later, or add a token.",
                    wait.as_secs(),
                    self.max_wait.as_secs()
                );
                return Err(Failure::transient(text).into());
            }
            let wait = wait.max(MIN_WAIT).min(left);
            let text = format!("All tokens have used up their quota {name:?}. Waiting {} s for more.", wait.as_secs());
            cx.output().log(LogLevel::Info, &text)?;
            cx.wait(wait)?;
            self.ask(cx, |pools| pools.is_used_up(quota))?;
        }
    }
}

/// Statuses that report "not counted" are good.
struct StatusRules<'a>(&'a [u16]);

impl RetryRules for StatusRules<'_> {
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        let mut verdict = Verdict::for_status(response.status);
        if self.0.contains(&response.status.as_u16()) {
            verdict.action = ResponseAction::Success;
        }
        Ok(verdict)
    }
}

impl fmt::Debug for QuotaTokenAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = self.tokens.len();
        f.debug_struct("QuotaTokenAuthenticator")
            .field("tokens", &tokens)
            .field("quotas", &self.quotas)
            .finish_non_exhaustive()
    }
}

impl Authenticator for QuotaTokenAuthenticator {
    fn authenticate(&self, request: &mut HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<()> {
        if self.tokens.is_empty() {
            return Err(Failure::config("The config has no token.").into());
        }
        if self.quotas.is_empty() {
            return Err(Failure::config("The tokens have no quota that requests are charged to. Add one.").into());
        }
        let token = self.charge(self.quota_of(request), cx)?;
        Ok(self.header.put(request, self.tokens[token].expose())?)
    }

    fn answered(&self, signed: &HttpRequest, response: &Response, _: &AuthContext<'_>) {
        let quota = self.quota_of(signed);
        let token = self.tokens.iter().position(|token| self.header.is_on(signed, token.expose()));
        let (Some(token), Some(says)) = (token, self.quotas.get(quota).and_then(|quota| quota.says(response))) else {
            return;
        };
        if let Some(left) = self.pools().left.get_mut(token).and_then(|left| left.get_mut(quota))
            && left.tracked
        {
            left.update(says);
        }
    }

    /// Another token, if the refused one has no quota left and another has. Otherwise the limit is of another kind,
    /// possibly that of all tokens.
    fn rate_limited(&self, limited: &HttpRequest, _: Option<Duration>, _: &AuthContext<'_>) -> Option<Duration> {
        let quota = self.quota_of(limited);
        let token = self.tokens.iter().position(|token| self.header.is_on(limited, token.expose()))?;
        let pools = self.pools();
        let left = pools.left.get(token)?.get(quota)?;
        let is_spent = left.tracked && left.remaining <= 0;
        (is_spent && pools.left.iter().any(|left| left[quota].remaining > 0)).then_some(Duration::ZERO)
    }

    /// All tokens belong to one user, so the answer does not depend on the token.
    fn identity(&self) -> Option<String> {
        Some(super::joined(self.tokens.iter().map(Secret::expose)))
    }
}
