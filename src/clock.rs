//! Time and randomness as values. Nothing else in the crate asks the operating system for the time, sleeps, or draws a
//! random number, so tests can run every wait in virtual time and fix every draw.

mod virtual_clock;

use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::stop::Stop;

pub use virtual_clock::{FixedRandom, VirtualClock};

/// A source of time, and the only way to wait.
pub trait Clock: Send + Sync {
    /// The wall clock. It may jump; use [`Clock::elapsed`] for durations.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary but fixed start. Never goes backwards.
    fn elapsed(&self) -> Duration;

    /// Blocks the calling thread for `duration`, or until the run is stopping.
    fn sleep(&self, duration: Duration, stop: &Stop);
}

/// The operating system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration, stop: &Stop) {
        stop.wait(duration);
    }
}

/// A source of randomness for jitter.
pub trait Random: Send + Sync {
    /// A number drawn uniformly from `0.0 <= n < 1.0`.
    fn fraction(&self) -> f64;
}

/// The thread's random number generator, seeded by the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fraction(&self) -> f64 {
        rand::random::<f64>()
    }
}

impl fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl fmt::Debug for dyn Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
