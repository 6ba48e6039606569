//! A common interface of the kinds of limits. All moments are readings of [`crate::clock::Clock::elapsed`].

use std::time::Duration;

use super::{FixedWindow, MovingWindow};

/// How a limit is counted.
#[derive(Debug, Clone)]
pub enum Window {
    /// Not at all: requests pass, unless the server's headers say otherwise.
    Unlimited,
    /// In periods that follow one another.
    Fixed(FixedWindow),
    /// In any interval of a length.
    Moving(MovingWindow),
}

/// How long an unlimited window counts as empty when the server says so without a time.
const UNKNOWN_RESET: Duration = Duration::from_secs(1);

impl From<FixedWindow> for Window {
    fn from(window: FixedWindow) -> Self {
        Self::Fixed(window)
    }
}

impl From<MovingWindow> for Window {
    fn from(window: MovingWindow) -> Self {
        Self::Moving(window)
    }
}

impl Window {
    /// The first moment, from `at` on, when a request of that weight fits. Later calls never ask about an earlier
    /// moment.
    pub(super) fn earliest(&mut self, at: Duration, weight: u32) -> Duration {
        match self {
            Self::Unlimited => at,
            Self::Fixed(window) => window.earliest(at, weight),
            Self::Moving(window) => window.earliest(at, weight),
        }
    }

    /// Records a request at a moment from [`Window::earliest`].
    pub(super) fn take(&mut self, at: Duration, weight: u32) {
        match self {
            Self::Unlimited => {}
            Self::Fixed(window) => window.take(weight),
            Self::Moving(window) => window.take(at, weight),
        }
    }

    /// Takes back a request that was not sent at its recorded moment.
    pub(super) fn give_back(&mut self, at: Duration, weight: u32) {
        match self {
            Self::Unlimited => {}
            Self::Fixed(window) => window.give_back(at, weight),
            Self::Moving(window) => window.give_back(at, weight),
        }
    }

    /// Aligns the window's periods with a reset that the server reported.
    pub(super) fn ends_no_sooner_than(&mut self, reset: Duration, now: Duration) {
        if let Self::Fixed(window) = self {
            window.ends_no_sooner_than(reset, now);
        }
    }

    /// When the window has room again if the server says that it has none, without a time.
    pub(super) fn reset(&self, now: Duration) -> Duration {
        match self {
            Self::Unlimited => now + UNKNOWN_RESET,
            Self::Fixed(window) => window.reset(now),
            Self::Moving(window) => window.reset(now),
        }
    }

    /// The limit for messages: "2 in any 1 s".
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Unlimited => "any number".to_owned(),
            Self::Fixed(window) => window.describe(),
            Self::Moving(window) => window.describe(),
        }
    }
}
