//! The time of a run, and of its API: a cursor that states up to when everything is known must not trust this machine's
//! clock if the API's differs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::fmt::rfc2822::DateTimeParser;

use crate::clock::Clock;
use crate::http::Response;

/// The clock of an API, shared by its streams. Moments are seconds since the epoch.
pub struct ApiClock {
    clock: Arc<dyn Clock>,
    began: i64,
    ahead: AtomicI64,
}

impl ApiClock {
    /// Uses this machine's clock, until answers show the API's time.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let began = clock.now().as_second();
        Self { clock, began, ahead: AtomicI64::new(0) }
    }

    /// The moment up to which to read: the same for all streams of a run, so that those that share a list send the same
    /// requests.
    pub fn began(&self) -> i64 {
        self.began
    }

    /// The current moment.
    pub fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// Learns the API's time from the `Date` of an answer.
    pub fn note(&self, response: &Response) {
        let date = response.header("date").and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
        if let Some(date) = date {
            self.ahead.fetch_max(self.now().saturating_sub(date.as_second()), Ordering::Relaxed);
        }
    }

    /// How many seconds this machine's clock is ahead of the API's, as far as known. Knowledge up to a moment of this
    /// clock reaches only up to that much earlier by the API's.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for ApiClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiClock").field("began", &self.began).finish_non_exhaustive()
    }
}
