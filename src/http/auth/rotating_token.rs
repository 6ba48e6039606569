//! Several tokens for one API, because it limits each of them.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::header::AuthHeader;
use super::secret::Secret;
use super::{AuthContext, Authenticator};
use crate::http::HttpRequest;
use crate::locks;
use crate::protocol::{Failure, Redactor};

/// How long a limited token rests if the API does not say.
const UNKNOWN_LIMIT: Duration = Duration::from_secs(60);

/// Sends one token until the API limits it, then without a wait the next one that is not limited. When all are limited,
/// it waits for the first one to be free.
///
/// ```
/// use source_http::http::auth::RotatingTokenAuthenticator;
/// # let redactor = source_http::protocol::Redactor::default();
/// let tokens = "first,second".split(',');
/// let auth = RotatingTokenAuthenticator::new(tokens, &redactor).method("token");
/// ```
#[derive(Debug)]
pub struct RotatingTokenAuthenticator {
    header: AuthHeader,
    tokens: Vec<Secret>,
    limits: Mutex<Limits>,
}

/// The limits of the tokens.
#[derive(Debug)]
struct Limits {
    /// The token in use.
    current: usize,
    /// When each token is free, on the monotonic clock.
    free_at: Vec<Duration>,
}

impl RotatingTokenAuthenticator {
    /// Bearer tokens, the first one first. Empty ones and repeated ones are left out; the others are registered as
    /// secrets.
    #[must_use]
    pub fn new<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>, redactor: &Redactor) -> Self {
        let mut kept = Vec::new();
        for token in tokens {
            let token = Secret::new(token.as_ref().trim(), redactor);
            // A repeated token would count as free after it was limited.
            if !token.expose().is_empty() && !kept.contains(&token) {
                kept.push(token);
            }
        }
        let limits = Mutex::new(Limits { current: 0, free_at: vec![Duration::ZERO; kept.len()] });
        Self { header: AuthHeader::default(), tokens: kept, limits }
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

    fn limits(&self) -> MutexGuard<'_, Limits> {
        locks::lock(&self.limits)
    }
}

impl Limits {
    /// Records that a token is limited, for how long if known, and moves on to a free one, or to the one that is free
    /// first. Returns the wait until then; `None` if it is unknown.
    fn limited(&mut self, token: usize, wait: Option<Duration>, now: Duration) -> Option<Duration> {
        self.free_at[token] = now.saturating_add(wait.unwrap_or(UNKNOWN_LIMIT));
        // The current one comes first, if it is another: some thread has already moved on.
        let first = if self.current == token { token + 1 } else { self.current };
        let in_turn = (0..self.free_at.len()).map(|step| (first + step) % self.free_at.len());
        self.current = in_turn.min_by_key(|token| self.free_at[*token].max(now))?;
        match self.free_at[self.current].saturating_sub(now) {
            Duration::ZERO => Some(Duration::ZERO),
            free_in => wait.and(Some(free_in)),
        }
    }
}

impl Authenticator for RotatingTokenAuthenticator {
    /// All tokens belong to one user, so the answer does not depend on the token.
    fn identity(&self) -> Option<String> {
        Some(super::joined(self.tokens.iter().map(Secret::expose)))
    }

    fn authenticate(&self, request: &mut HttpRequest, _: &AuthContext<'_>) -> anyhow::Result<()> {
        let current = self.limits().current;
        let token = self.tokens.get(current).ok_or_else(|| Failure::config("The config has no token."))?;
        Ok(self.header.put(request, token.expose())?)
    }

    fn rate_limited(&self, limited: &HttpRequest, wait: Option<Duration>, cx: &AuthContext<'_>) -> Option<Duration> {
        let token = self.tokens.iter().position(|token| self.header.is_on(limited, token.expose()))?;
        self.limits().limited(token, wait, cx.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn limits(tokens: usize) -> Limits {
        Limits { current: 0, free_at: vec![Duration::ZERO; tokens] }
    }

    #[test]
    fn a_free_token_is_next_and_when_none_is_left_the_one_that_is_free_first() {
        let mut limits = limits(3);
        assert_eq!((limits.limited(0, Some(s(100)), s(1)), limits.current), (Some(s(0)), 1));
        assert_eq!((limits.limited(1, Some(s(20)), s(2)), limits.current), (Some(s(0)), 2));
        assert_eq!((limits.limited(2, Some(s(3600)), s(3)), limits.current), (Some(s(19)), 1));
        // A limit that has ended is forgotten.
        assert_eq!((limits.limited(1, Some(s(20)), s(500)), limits.current), (Some(s(0)), 0));
    }

    #[test]
    fn a_late_answer_to_an_abandoned_token_does_not_skip_the_one_in_use() {
        let mut limits = limits(3);
        limits.limited(0, None, s(1));
        assert_eq!((limits.limited(0, None, s(1)), limits.current), (Some(s(0)), 1));
    }

    #[test]
    fn without_a_known_wait_all_limited_tokens_leave_the_wait_to_others_and_take_turns() {
        let mut limits = limits(2);
        assert_eq!(limits.limited(0, None, s(1)), Some(s(0)));
        assert_eq!((limits.limited(1, None, s(2)), limits.current), (None, 0));
        assert_eq!((limits.limited(0, None, s(3)), limits.current), (None, 1));
        assert_eq!((limits.limited(1, None, s(70)), limits.current), (Some(s(0)), 0));
    }

    #[test]
    fn empty_and_repeated_tokens_are_left_out() {
        let auth = RotatingTokenAuthenticator::new(["a", "", " b ", "a"], &Redactor::default());
        assert_eq!(auth.tokens.iter().map(Secret::expose).collect::<Vec<_>>(), ["a", "b"]);
    }
}
