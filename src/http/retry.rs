//! The terms of the retry decision: the outcome of an attempt, the stream's verdict, and a wait as it is reported.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use ureq::http::StatusCode;

use super::budget::BudgetWait;
use super::{Activity, Response, TransportError};
use crate::protocol::{FailureKind, Otherwise};

/// The action for a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseAction {
    /// It is good: its records are read.
    Success,
    /// A retry may help.
    Retry,
    /// The server asks to slow down. Retried, and reported to the platform.
    RateLimited,
    /// The credentials are refused: the authenticator gets new ones and the request is sent once more. If it has none,
    /// or they are refused too, the stream ends here with a config failure.
    RefreshToken,
    /// The stream ends here, with a failure of this kind.
    Fail(FailureKind),
    /// It is no fault, and has no records.
    Ignore,
    /// The stream cannot be read with these credentials or on this account; it is skipped and the others continue. It
    /// ends as COMPLETE without a state, so nothing is lost if it can be read later. If parts of the stream were
    /// already read, it fails with a config failure instead: a half must not look whole.
    SkipStream,
    /// The API refuses only this slice, such as the children of one parent. The slice is skipped with a line in the
    /// log, and the others are read. The state records it, and the next read requests it again. If every slice of a
    /// first read is refused, the stream is skipped as by [`ResponseAction::SkipStream`].
    SkipSlice,
    /// A retry will get the same answer, but another request may succeed: a smaller page, or from the first page on. It
    /// fails, with [`crate::protocol::Failure::otherwise`] set, and [`crate::streams::HttpStream::fetch_page`] may send
    /// another request.
    AskOtherwise(Otherwise),
}

impl ResponseAction {
    /// The default for a status: 2xx is good; 408, 425, and 5xx except 501 and 505 are retried; 429 is a rate limit;
    /// 401 asks for new credentials; 403 and 407 are for the user to fix; the rest is a system failure.
    #[must_use]
    pub fn for_status(status: StatusCode) -> Self {
        match status.as_u16() {
            200..=299 => Self::Success,
            429 => Self::RateLimited,
            401 => Self::RefreshToken,
            403 | 407 => Self::Fail(FailureKind::Config),
            408 | 425 | 500 | 502..=504 | 506..=599 => Self::Retry,
            _ => Self::Fail(FailureKind::System),
        }
    }

    /// Whether the request is sent again after a wait.
    #[must_use]
    pub fn is_retry(self) -> bool {
        matches!(self, Self::Retry | Self::RateLimited)
    }
}

/// The outcome of an unsuccessful attempt.
///
/// A stream whose API states the wait in its own header reads it in [`super::RetryRules::backoff_time`]:
///
/// ```
/// use std::time::Duration;
///
/// use source_http::http::{Outcome, RetryRules};
/// use source_http::protocol::Failure;
///
/// struct Orders;
///
/// impl RetryRules for Orders {
///     fn backoff_time(&self, outcome: Outcome<'_>, _failed: u32) -> Result<Option<Duration>, Failure> {
///         let wait = outcome.response().and_then(|response| response.header("x-retry-in-ms"));
///         Ok(wait.and_then(|wait| wait.parse().ok()).map(Duration::from_millis))
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// A response, but not a good one.
    Response(&'a Response),
    /// A good response that could not be read.
    Undecodable(&'a Response),
    /// No response.
    NoResponse(&'a TransportError),
}

impl Outcome<'_> {
    /// The response, if one came.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Response(response) | Self::Undecodable(response) => Some(response),
            Self::NoResponse(_) => None,
        }
    }
}

/// The decision about a response, made once.
///
/// ```
/// use source_http::http::{ResponseAction, Verdict};
///
/// let verdict = Verdict::from(ResponseAction::SkipSlice).hint("Share the calendar with the account of the token.");
/// assert_eq!(verdict.action, ResponseAction::SkipSlice);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The action.
    pub action: ResponseAction,
    /// The user's message if the stream or slice fails or is skipped because of it, without a full stop. `None` is the
    /// API's own message ([`Response::error_message`]), or the start of the body.
    pub message: Option<String>,
    /// The fix for the user, as a sentence.
    pub hint: Option<String>,
}

impl Verdict {
    /// The default for a status: [`ResponseAction::for_status`], with the usual fix for 401, 403, 404, 407 and 410.
    #[must_use]
    pub fn for_status(status: StatusCode) -> Self {
        let hint = match status.as_u16() {
            401 => "Check the credentials in the config.",
            403 => "Give the credentials in the config permission for this.",
            404 | 410 => "Check the URL and the ids in the config.",
            407 => "Check the proxy's credentials.",
            _ => return ResponseAction::for_status(status).into(),
        };
        Self::from(ResponseAction::for_status(status)).hint(hint)
    }

    /// Sets the user's message: see [`Verdict::message`].
    #[must_use]
    pub fn message(self, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..self }
    }

    /// Sets the user's fix: see [`Verdict::hint`].
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<ResponseAction> for Verdict {
    fn from(action: ResponseAction) -> Self {
        Self { action, message: None, hint: None }
    }
}

/// A wait before a retry, for its observer.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// The request, as it may be shown.
    pub request: String,
    /// The reason: the outcome of the last attempt.
    pub reason: String,
    /// How long.
    pub delay: Duration,
    /// The rule that set the delay.
    pub rule: String,
    /// The number of this retry, from 1; 0 for an attempt that a budget delays.
    pub retry: u32,
    /// The most retries.
    pub max_retries: u32,
    /// When the rate limit ends, if the reason is a rate limit.
    pub quota_reset: Option<Timestamp>,
    /// The wait is longer than allowed: the request fails instead.
    pub too_long: bool,
    /// How it is reported.
    pub telling: Telling,
}

/// How people learn of a wait. A reason that many requests share is reported once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// By its own line, which also counts this many other requests that wait for the same reason.
    Aloud {
        /// Requests that have begun to wait since the last line and have none.
        others: usize,
    },
    /// Not at all: the wait is too short to notice, or another request's line covers it.
    Silent,
}

impl Wait {
    /// The reason, and the number of the retry.
    #[must_use]
    pub fn why(&self) -> String {
        format!("{} (retry {} of {})", self.reason, self.retry, self.max_retries)
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = match self.telling {
            Telling::Aloud { others: 1 } => " One more request waits for the same reason.".to_owned(),
            Telling::Aloud { others } if others > 1 => format!(" {others} more requests wait for the same reason."),
            _ => String::new(),
        };
        write!(
            f,
            "waiting {:.1} s before retry {} of {} of {}: {} ({}).{others}",
            self.delay.as_secs_f64(),
            self.retry,
            self.max_retries,
            self.request,
            self.reason,
            self.rule
        )
    }
}

/// Is notified of waits. A reader of records flushes its buffer, and reports on stdout why nothing moves.
pub trait RetryObserver: Sync {
    /// Called before each wait, and once when a wait would be too long.
    ///
    /// # Errors
    /// Ends the request with that error, for instance because stdout is closed.
    fn waiting(&self, wait: &Wait) -> anyhow::Result<()>;

    /// Called during a request: before each attempt, during waits at least every [`super::LONGEST_SILENCE`], and as the
    /// bytes of a body arrive. A platform may take silence for a hang, so its reader should write something now and
    /// then. Default: nothing.
    ///
    /// # Errors
    /// Ends the request with that error.
    fn alive(&self) -> anyhow::Result<()> {
        Ok(())
    }

    /// Called before each wait that this program's own request budget imposes. Flushes like [`RetryObserver::waiting`],
    /// and tells people if the wait [is worth telling](BudgetWait::is_worth_telling); it is not a rate limit for the
    /// platform.
    ///
    /// # Errors
    /// Ends the request with that error.
    fn throttled(&self, wait: &BudgetWait) -> anyhow::Result<()>;

    /// Called with the host before an attempt is sent there and whenever it sends something, and with `None` when the
    /// attempt is over, by the thread that waits for the answer. Default: nothing.
    fn asking(&self, _host: Option<&str>) {}

    /// Called for each countable event, by the thread that causes it. Not called for single records. Default: nothing.
    fn active(&self, _activity: Activity) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_default_action() {
        use FailureKind::{Config, System};
        for (status, action) in [
            (200, ResponseAction::Success),
            (204, ResponseAction::Success),
            (304, ResponseAction::Fail(System)),
            (400, ResponseAction::Fail(System)),
            (401, ResponseAction::RefreshToken),
            (403, ResponseAction::Fail(Config)),
            (404, ResponseAction::Fail(System)),
            (408, ResponseAction::Retry),
            (409, ResponseAction::Fail(System)),
            (429, ResponseAction::RateLimited),
            (500, ResponseAction::Retry),
            (501, ResponseAction::Fail(System)),
            (503, ResponseAction::Retry),
            (522, ResponseAction::Retry),
        ] {
            assert_eq!(ResponseAction::for_status(StatusCode::from_u16(status).unwrap()), action, "{status}");
        }
    }
}
