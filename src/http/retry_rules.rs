//! A stream's rules for failed requests: one object, with one verdict for a response.

use std::time::Duration;

use super::{Outcome, Response, ResponseAction, ResponseRule, Verdict};
use crate::protocol::{Failure, FailureKind};

/// The rules for failed requests: which are retried, after what wait, how often, and the user's message.
///
/// Every method has a default, and a table of [`ResponseRule`]s already implements the trait:
///
/// ```
/// use std::time::Duration;
///
/// use source_http::http::{ResponseAction, ResponseRule, RetryRules};
/// use source_http::streams::{HttpStream, RequestContext};
///
/// struct Avatars {
///     rules: [ResponseRule; 1],
/// }
///
/// impl HttpStream for Avatars {
/// #   fn name(&self) -> &str { "avatars" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
/// #   fn path(&self, _: &RequestContext<'_>) -> String { "avatars".into() }
///     // ...
///     fn retry_rules(&self) -> &dyn RetryRules {
///         &self.rules
///     }
/// }
///
/// // Who has no avatar is no fault.
/// let avatars = Avatars { rules: [ResponseRule::new(ResponseAction::Ignore).status(404)] };
/// # drop(avatars);
///
/// /// An API that is down for an hour at times.
/// struct Patient;
///
/// impl RetryRules for Patient {
///     fn max_retries(&self) -> u32 {
///         40
///     }
///     fn max_time(&self) -> Duration {
///         Duration::from_secs(2 * 3600)
///     }
/// }
/// ```
pub trait RetryRules: Send + Sync {
    /// The API's differences from the defaults, as a table. The first matching rule decides. Default: none.
    fn response_rules(&self) -> &[ResponseRule] {
        &[]
    }

    /// Whether to retry a response that no rule matches. Default: 408, 425, 429, and 5xx except 501 and 505.
    fn should_retry(&self, response: &Response) -> bool {
        ResponseAction::for_status(response.status).is_retry()
    }

    /// The verdict on a response, requested once for each. Default: the first match of [`RetryRules::response_rules`];
    /// otherwise [`Verdict::for_status`], where [`RetryRules::should_retry`] has the last word on retries.
    ///
    /// # Errors
    /// If it cannot be determined. The request fails with it, and is not retried.
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        let mut verdict = Verdict::for_status(response.status);
        if let Some(rule) = ResponseRule::find(self.response_rules(), response) {
            verdict.action = rule.action();
            verdict.message = rule.user_message().map(str::to_owned);
            verdict.hint = rule.user_hint().map(str::to_owned).or(verdict.hint);
            return Ok(verdict);
        }
        match (self.should_retry(response), verdict.action.is_retry()) {
            (true, false) => verdict.action = ResponseAction::Retry,
            (false, true) => verdict.action = ResponseAction::Fail(FailureKind::Transient),
            _ => {}
        }
        Ok(verdict)
    }

    /// Called with a redirect before it is followed: it may set a cookie. It gets no verdict. Default: nothing.
    fn redirected(&self, _response: &Response) {}

    /// How long to wait before the next attempt, given the number of failed ones, from 1: see [`Outcome`]. A wait
    /// returned here is used unchanged. Default: `None`, which waits as long as the server asks for, or with
    /// exponential backoff and full jitter.
    ///
    /// # Errors
    /// If waiting is useless, such as when the server asks for a longer wait than allowed. The request fails with it,
    /// and is not retried.
    fn backoff_time(&self, _outcome: Outcome<'_>, _failed: u32) -> Result<Option<Duration>, Failure> {
        Ok(None)
    }

    /// Attempts after the first. Default: 5.
    fn max_retries(&self) -> u32 {
        5
    }

    /// Time limit for retries: no wait is begun that would end later, counted from the first attempt, without the waits
    /// for its own request budget. It does not interrupt an attempt; see [`super::RequestOptions::total_timeout`] for
    /// that. Default: 10 minutes.
    fn max_time(&self) -> Duration {
        Duration::from_secs(600)
    }
}

/// The defaults of [`RetryRules`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsualRules;

impl RetryRules for UsualRules {}

impl<const N: usize> RetryRules for [ResponseRule; N] {
    fn response_rules(&self) -> &[ResponseRule] {
        self
    }
}

impl RetryRules for Vec<ResponseRule> {
    fn response_rules(&self) -> &[ResponseRule] {
        self
    }
}
