//! How long to wait before a retry if the server does not say: exponential, with full jitter, so that clients that
//! failed together do not return together.

use std::time::Duration;

use crate::clock::Random;

/// Exponential backoff with full jitter: before retry `n`, a wait drawn uniformly between zero and
/// `min(base * 2^(n-1), cap)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first wait. Default: half a second.
    pub base: Duration,
    /// Upper bound of every wait. Default: 30 seconds.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(500), cap: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The longest wait before the given retry, the first being 1.
    #[must_use]
    pub fn bound(&self, retry: u32) -> Duration {
        let factor = 2u32.saturating_pow(retry.saturating_sub(1));
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// A wait before the given retry.
    pub fn draw(&self, retry: u32, random: &dyn Random) -> Duration {
        self.bound(retry).mul_f64(random.fraction())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn the_bound_doubles_up_to_the_cap_and_never_overflows() {
        let backoff = Backoff::default();
        let bounds: Vec<u64> = (1..=8).map(|retry| u64::try_from(backoff.bound(retry).as_millis()).unwrap()).collect();
        assert_eq!(bounds, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(backoff.bound(u32::MAX), backoff.cap);
    }

    #[test]
    fn ten_thousand_draws_are_spread_evenly_below_the_bound() {
        let backoff = Backoff::default();
        let bound = backoff.bound(4).as_secs_f64();
        let draws: Vec<f64> = (0..10_000).map(|_| backoff.draw(4, &SystemRandom).as_secs_f64()).collect();
        let mean = draws.iter().sum::<f64>() / 10_000.0;
        assert!(draws.iter().all(|draw| (0.0..=bound).contains(draw)));
        assert!((mean - bound / 2.0).abs() < bound / 2.0 * 0.05, "the mean of the draws is {mean}");
    }
}
