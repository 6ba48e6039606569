//! The remaining quota of each token, and the token to use for a request.

use std::time::Duration;

use jiff::Timestamp;

use super::quota::Left;

/// The longest wait that spreads two requests.
const MAX_PACE: Duration = Duration::from_secs(10);
/// The reserve: below it, requests are spread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reserve {
    pub(super) fraction: f64,
    pub(super) least: i64,
}

/// The remaining quota of each token.
#[derive(Debug, Default)]
pub(super) struct Pools {
    /// The token in use.
    pub(super) active: usize,
    /// By token and quota. Empty before the first request.
    pub(super) left: Vec<Vec<Left>>,
}

/// The next step of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Send it with this token, after a wait.
    Go { token: usize, pace: Duration },
    /// Wait until some token has new quota.
    Wait(Duration),
}

impl Pools {
    pub(super) fn is_used_up(&self, quota: usize) -> bool {
        self.left.iter().all(|left| left[quota].tracked && left[quota].remaining <= 0)
    }

    pub(super) fn turn(&mut self, quota: usize, reserve: Reserve, now: Timestamp) -> Turn {
        if self.is_used_up(quota) {
            let wait = self.left.iter().map(|left| until(left[quota].reset, now)).min();
            return Turn::Wait(wait.unwrap_or_default());
        }
        let count = self.left.len();
        let in_turn = (0..count).map(|step| (self.active + step) % count);
        let token = in_turn.into_iter().find(|token| {
            let left = &self.left[*token][quota];
            !left.tracked || left.remaining > 0
        });
        let token = token.unwrap_or(self.active);
        let left = &mut self.left[token][quota];
        if !left.tracked {
            // Nothing distinguishes them, so they share the load.
            self.active = (token + 1) % count;
            return Turn::Go { token, pace: Duration::ZERO };
        }
        self.active = token;
        left.remaining -= 1;
        Turn::Go { token, pace: self.pace(quota, reserve, now) }
    }

    /// The wait that spreads the remaining requests over the time until the renewal.
    fn pace(&self, quota: usize, reserve: Reserve, now: Timestamp) -> Duration {
        #[allow(clippy::cast_precision_loss, reason = "a part of a limit need not be exact")]
        let is_low = |left: &Left| {
            left.tracked && left.remaining as f64 <= (reserve.least as f64).max(left.limit as f64 * reserve.fraction)
        };
        let total: i64 = self.left.iter().map(|left| left[quota].remaining.max(0)).sum();
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        if total == 0 || !self.left.iter().all(|left| is_low(&left[quota])) {
            return Duration::ZERO;
        }
        (until(self.left[self.active][quota].reset, now) / total).min(MAX_PACE)
    }
}

/// The time until a moment; zero if it is past.
fn until(moment: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(moment.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pools(left: &[(i64, i64, bool)]) -> Pools {
        let left = left.iter().map(|(remaining, reset, tracked)| {
            vec![Left { remaining: *remaining, reset: at(*reset), limit: 100, tracked: *tracked }]
        });
        Pools { active: 0, left: left.collect() }
    }

    const NONE: Reserve = Reserve { fraction: 0.0, least: 0 };

    fn go(token: usize) -> Turn {
        Turn::Go { token, pace: Duration::ZERO }
    }

    #[test]
    fn a_token_is_used_until_it_has_no_quota_left_then_the_next_then_all_wait_for_the_first_reset() {
        let mut pools = pools(&[(2, 500, true), (1, 300, true)]);
        let turns: Vec<Turn> = (0..4).map(|_| pools.turn(0, NONE, at(100))).collect();
        assert_eq!(turns, [go(0), go(0), go(1), Turn::Wait(Duration::from_secs(200))]);
        assert_eq!(pools.turn(0, NONE, at(900)), Turn::Wait(Duration::ZERO));
    }

    #[test]
    fn tokens_that_are_not_counted_take_turns_and_are_used_before_any_wait() {
        let mut both = pools(&[(0, 0, false), (0, 0, false)]);
        assert_eq!([0, 1, 0].map(go), [(); 3].map(|()| both.turn(0, NONE, at(0))));
        let mut mixed = pools(&[(1, 500, true), (0, 0, false)]);
        assert_eq!([go(0), go(1), go(1)], [(); 3].map(|()| mixed.turn(0, NONE, at(0))));
    }

    #[test]
    fn the_remaining_requests_are_spread_when_all_tokens_run_low() {
        let low = Reserve { fraction: 0.1, least: 0 };
        let pace = |mut pools: Pools, reserve| match pools.turn(0, reserve, at(0)) {
            Turn::Go { pace, .. } => pace.as_secs_f64(),
            Turn::Wait(_) => panic!("a wait"),
        };
        let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-6, "{one} {other}");
        near(pace(pools(&[(5, 40, true), (6, 90, true)]), low), 4.0);
        near(pace(pools(&[(5, 40, true), (60, 90, true)]), low), 0.0);
        near(pace(pools(&[(2, 3_000, true)]), low), 10.0);
        near(pace(pools(&[(40, 39, true)]), Reserve { fraction: 0.0, least: 50 }), 1.0);
        near(pace(pools(&[(5, 40, true)]), NONE), 0.0);
        near(pace(pools(&[(1, 40, true)]), low), 0.0);
    }
}
