//! Time that passes only when somebody sleeps, and fixed randomness: tests run waits of hours at once, exact to the
//! millisecond.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use super::{Clock, Random};
use crate::locks;
use crate::stop::Stop;

/// A clock that stands still until [`Clock::sleep`] advances it. It records every sleep.
///
/// Threads share it, and none ever blocks: a sleep advances the time for all, so those of several threads add up as if
/// they came one after another. Nobody wakes too early by it, only others later. Tests of exact times use one worker.
#[derive(Debug)]
pub struct VirtualClock {
    time: Mutex<Time>,
}

#[derive(Debug)]
struct Time {
    now: Timestamp,
    elapsed: Duration,
    sleeps: Vec<Duration>,
}

impl VirtualClock {
    /// A clock that begins at this many seconds since the epoch, limited to the supported range.
    pub fn at(seconds: i64) -> Self {
        let bound = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let now = Timestamp::from_second(seconds).unwrap_or(bound);
        Self { time: Mutex::new(Time { now, elapsed: Duration::ZERO, sleeps: Vec::new() }) }
    }

    /// Every sleep so far, in order.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.lock().sleeps.clone()
    }

    /// Advances the time without recording a sleep.
    pub fn advance(&self, duration: Duration) {
        self.lock().advance(duration);
    }

    /// Moves the wall clock by this many seconds in either direction, within the supported range. The elapsed time does
    /// not change.
    pub fn set(&self, seconds: i64) {
        let mut time = self.lock();
        let bound = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        time.now = time.now.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(bound);
    }

    fn lock(&self) -> MutexGuard<'_, Time> {
        locks::lock(&self.time)
    }
}

impl Time {
    fn advance(&mut self, duration: Duration) {
        self.now = self.now.saturating_add(duration).unwrap_or(Timestamp::MAX);
        self.elapsed += duration;
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    fn sleep(&self, duration: Duration, stop: &Stop) {
        if stop.is_requested() {
            return;
        }
        let mut time = self.lock();
        time.advance(duration);
        time.sleeps.push(duration);
    }
}

/// The same fraction at every draw.
#[derive(Debug, Clone, Copy)]
pub struct FixedRandom(pub f64);

impl Random for FixedRandom {
    fn fraction(&self) -> f64 {
        self.0
    }
}
