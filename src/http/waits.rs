//! How a request waits: on the run's clock, until a stop is requested, and never silent for so long that a platform
//! would assume a hang.

use std::time::Duration;

use super::{Activity, RetryObserver};
use crate::clock::Clock;
use crate::stop::Stop;

/// Longest silent part of a wait.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(600);

/// The context of waits.
#[derive(Clone, Copy)]
pub struct Waits<'a> {
    /// The time.
    pub clock: &'a dyn Clock,
    /// Ends all waits.
    pub stop: &'a Stop,
    /// Notified of waits, also while they last.
    pub observer: &'a dyn RetryObserver,
}

impl Waits<'_> {
    /// Waits for this time. The observer is notified at least every ten minutes.
    ///
    /// # Errors
    /// If the run is stopping; then the wait ends at once. An error of the observer.
    pub fn wait(&self, duration: Duration) -> anyhow::Result<()> {
        let begun = self.clock.elapsed();
        let waited = self.wait_in_parts(duration);
        // In virtual time the waits of others move the clock, too.
        let took = self.clock.elapsed().saturating_sub(begun).min(duration);
        self.observer.active(Activity::Waited(took));
        waited
    }

    fn wait_in_parts(&self, duration: Duration) -> anyhow::Result<()> {
        let mut left = duration;
        loop {
            let part = left.min(LONGEST_SILENCE);
            self.stop.check()?;
            self.clock.sleep(part, self.stop);
            self.stop.check()?;
            self.observer.alive()?;
            left = left.saturating_sub(part);
            if left.is_zero() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::clock::VirtualClock;
    use crate::http::Wait;
    use crate::http::budget::BudgetWait;
    use crate::stop::StopReason;

    /// Records each notification during a wait, and requests a stop the nth time.
    struct StopAfter<'a> {
        clock: &'a VirtualClock,
        stop: &'a Stop,
        stops_at: usize,
        at: Mutex<Vec<u64>>,
    }

    impl RetryObserver for StopAfter<'_> {
        fn waiting(&self, _: &Wait) -> anyhow::Result<()> {
            Ok(())
        }
        fn throttled(&self, _: &BudgetWait) -> anyhow::Result<()> {
            Ok(())
        }
        fn alive(&self) -> anyhow::Result<()> {
            let mut at = self.at.lock().unwrap();
            at.push(self.clock.elapsed().as_secs());
            if at.len() == self.stops_at {
                self.stop.request(StopReason::Terminated);
            }
            Ok(())
        }
    }

    /// The outcome of a wait, and the times of its notifications.
    fn wait(seconds: u64, stops_at: usize) -> (bool, Vec<u64>) {
        let (clock, stop) = (VirtualClock::at(0), Stop::default());
        let heard = StopAfter { clock: &clock, stop: &stop, stops_at, at: Mutex::default() };
        let done = Waits { clock: &clock, stop: &stop, observer: &heard }.wait(Duration::from_secs(seconds));
        (done.is_ok(), heard.at.into_inner().unwrap())
    }

    #[test]
    fn a_long_wait_is_reported_every_ten_minutes_and_at_its_end() {
        assert_eq!(wait(7, 0), (true, vec![7]));
        assert_eq!(wait(1_500, 0), (true, vec![600, 1_200, 1_500]));
    }

    #[test]
    fn a_wait_is_over_when_a_stop_is_requested() {
        assert_eq!(wait(3_600, 2), (false, vec![600, 1_200]));
    }

    #[test]
    fn no_wait_begins_after_a_stop() {
        let (clock, stop) = (VirtualClock::at(0), Stop::default());
        let heard = StopAfter { clock: &clock, stop: &stop, stops_at: 0, at: Mutex::default() };
        stop.request(StopReason::Terminated);
        assert!(Waits { clock: &clock, stop: &stop, observer: &heard }.wait(Duration::from_secs(9)).is_err());
        assert_eq!((clock.sleeps(), heard.at.into_inner().unwrap()), (vec![], vec![]));
    }
}
