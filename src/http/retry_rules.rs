//! How a stream wants failed requests handled: one object, with one verdict for a response.

use std::time::Duration;

use super::{Outcome, Response, ResponseAction, ResponseRule, Verdict};
use crate::protocol::{Failure, FailureKind};

/// How failed requests are handled: which are sent again, after what wait, how often, and what the user sees.
///
/// Every method has a default, and a table of [`ResponseRule`]s is such rules already:
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
    /// Where the API differs from the defaults, as a table. The first rule that fits a response decides. Default: none.
    fn response_rules(&self) -> &[ResponseRule] {
        &[]
    }

    /// Whether a response that no rule fits is worth another attempt. Default: 408, 425, 429, and 5xx but 501 and 505.
    fn should_retry(&self, response: &Response) -> bool {
        ResponseAction::for_status(response.status).is_retry()
    }

    /// What is made of a response. It is asked once for each response. Default: what the first of
    /// [`RetryRules::response_rules`] says that fits; or else [`Verdict::for_status`], where [`RetryRules::should_retry`]
    /// has the last word on retries.
    ///
    /// # Errors
    /// If it cannot be determined. The request fails with it, and is not sent again.
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

    /// Called with a redirect to another place, before it is followed: it may set a cookie. It gets no verdict.
    /// Default: nothing is done.
    fn redirected(&self, _response: &Response) {}

    /// How long to wait before the next attempt, the number of failed ones being given, from 1: see [`Outcome`]. A wait
    /// given here is kept as it is. Default: `None`, which waits as long as the server asks for, or with exponential
    /// backoff and full jitter.
    ///
    /// # Errors
    /// If there is no use in waiting, such as when the server asks for a longer wait than is allowed. The request fails
    /// with it, and is not sent again.
    fn backoff_time(&self, _outcome: Outcome<'_>, _failed: u32) -> Result<Option<Duration>, Failure> {
        Ok(None)
    }

    /// Attempts after the first. Default: 5.
    fn max_retries(&self) -> u32 {
        5
    }

    /// Time after which a request is not tried again: no wait is begun that would end later, counted from the first
    /// attempt, without the waits for its own request budget. An attempt that is under way is not cut short by it; see
    /// [`super::RequestOptions::total_timeout`] for that. Default: 10 minutes.
    fn max_time(&self) -> Duration {
        Duration::from_secs(600)
    }
}

/// The defaults of [`RetryRules`], and nothing else.
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
