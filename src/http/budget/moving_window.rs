//! A number of requests in any interval of a given length, wherever it begins.

use std::collections::VecDeque;
use std::time::Duration;

use super::seconds::seconds;

/// Grants that a limit remembers one by one. With more, it merges those close together.
const GRAIN: u32 = 1024;

/// A limit on the requests of any interval of the given length; or several such limits, all of which hold.
///
/// The strictest reading of "N requests a second", and the right one if the API's way of counting is unknown.
///
/// ```
/// use std::time::Duration;
/// use source_http::http::budget::{BudgetPolicy, MovingWindow};
///
/// let window = MovingWindow::new(10, Duration::from_secs(1)).and(100, Duration::from_secs(60));
/// let policy = BudgetPolicy::new(window);
/// # drop(policy);
/// ```
#[derive(Debug, Clone)]
pub struct MovingWindow {
    rates: Vec<Rate>,
}

/// One limit, and the grants that count against it.
#[derive(Debug, Clone)]
struct Rate {
    limit: u32,
    interval: Duration,
    grants: VecDeque<Grants>,
    used: u32,
}

/// Grants close together, all counted as late as the last of them.
#[derive(Debug, Clone, Copy)]
struct Grants {
    first: Duration,
    last: Duration,
    weight: u32,
}

impl MovingWindow {
    /// A limit of `limit` requests of weight 1, at least 1, in any `interval`, at least a millisecond.
    #[must_use]
    pub fn new(limit: u32, interval: Duration) -> Self {
        Self { rates: vec![Rate::new(limit, interval)] }
    }

    /// One more limit that holds at the same time.
    #[must_use]
    pub fn and(mut self, limit: u32, interval: Duration) -> Self {
        self.rates.push(Rate::new(limit, interval));
        self
    }

    /// The first moment, from `at` on, when a request of that weight fits. Later calls never ask about an earlier
    /// moment.
    pub(super) fn earliest(&mut self, at: Duration, weight: u32) -> Duration {
        let mut earliest = at;
        loop {
            let before = earliest;
            for rate in &mut self.rates {
                earliest = rate.earliest(earliest, weight);
            }
            if earliest == before {
                return earliest;
            }
        }
    }

    /// Records a request at a moment from [`MovingWindow::earliest`].
    pub(super) fn take(&mut self, at: Duration, weight: u32) {
        for rate in &mut self.rates {
            rate.take(at, weight);
        }
    }

    /// Takes back a request recorded for a moment.
    pub(super) fn give_back(&mut self, at: Duration, weight: u32) {
        for rate in &mut self.rates {
            rate.give_back(at, weight);
        }
    }

    /// When a window that the server calls empty counts as full again, if no header says.
    pub(super) fn reset(&self, now: Duration) -> Duration {
        now.saturating_add(self.rates.iter().map(|rate| rate.interval).min().unwrap_or_default())
    }

    pub(super) fn describe(&self) -> String {
        let rates = self.rates.iter().map(|rate| format!("{} in any {}", rate.limit, seconds(rate.interval)));
        rates.collect::<Vec<_>>().join(" and ")
    }
}

impl Rate {
    fn new(limit: u32, interval: Duration) -> Self {
        let interval = interval.max(Duration::from_millis(1));
        Self { limit: limit.max(1), interval, grants: VecDeque::new(), used: 0 }
    }

    /// Forgets grants that are too old to count, and then, oldest first, those that must expire for the weight to fit.
    fn earliest(&mut self, at: Duration, weight: u32) -> Duration {
        let weight = weight.min(self.limit);
        let mut earliest = at;
        while let Some(oldest) = self.grants.front() {
            let free = oldest.last.saturating_add(self.interval);
            if free > earliest && self.used + weight <= self.limit {
                break;
            }
            earliest = earliest.max(free);
            self.used -= oldest.weight;
            self.grants.pop_front();
        }
        earliest
    }

    fn take(&mut self, at: Duration, weight: u32) {
        let weight = weight.min(self.limit);
        self.used += weight;
        let grain = if self.limit > GRAIN { self.interval / GRAIN } else { Duration::ZERO };
        match self.grants.back_mut() {
            Some(newest) if at.saturating_sub(newest.first) <= grain => {
                newest.last = at;
                newest.weight += weight;
            }
            _ => self.grants.push_back(Grants { first: at, last: at, weight }),
        }
    }

    /// A forgotten grant no longer counts, so there is nothing to return.
    fn give_back(&mut self, at: Duration, weight: u32) {
        let weight = weight.min(self.limit);
        let holds = |grants: &Grants| (grants.first..=grants.last).contains(&at) && grants.weight >= weight;
        if let Some(index) = self.grants.iter().rposition(holds) {
            self.used -= weight;
            self.grants[index].weight -= weight;
            if self.grants[index].weight == 0 {
                self.grants.remove(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn grants(window: &mut MovingWindow, asked: impl IntoIterator<Item = (u64, u32)>) -> Vec<u64> {
        let mut last = Duration::ZERO;
        asked
            .into_iter()
            .map(|(at, weight)| {
                last = window.earliest(last.max(ms(at)), weight);
                window.take(last, weight);
                u64::try_from(last.as_millis()).unwrap()
            })
            .collect()
    }

    /// The most weight in any interval that begins with a grant.
    fn densest(grants: &[(u64, u32)], interval: u64) -> u32 {
        let within = |from: u64| grants.iter().filter(move |(at, _)| (from..from + interval).contains(at));
        grants.iter().map(|(from, _)| within(*from).map(|(_, weight)| weight).sum()).max().unwrap_or(0)
    }

    #[test]
    fn a_grant_is_free_again_one_interval_after_it_was_given() {
        let mut window = MovingWindow::new(2, ms(1000));
        assert_eq!(grants(&mut window, [(0, 1), (600, 1), (600, 1), (600, 1), (600, 1)]), [0, 600, 1000, 1600, 2000]);
    }

    #[test]
    fn a_rest_saves_up_no_more_than_one_full_window() {
        let mut window = MovingWindow::new(2, ms(1000));
        assert_eq!(grants(&mut window, [(0, 1); 3]), [0, 0, 1000]);
        assert_eq!(grants(&mut window, [(60_000, 1); 5]), [60_000, 60_000, 61_000, 61_000, 62_000]);
    }

    #[test]
    fn a_heavy_request_waits_for_enough_room_and_one_past_the_limit_for_an_empty_window() {
        let mut window = MovingWindow::new(4, ms(1000));
        let asked = [(0, 1), (100, 3), (200, 2), (200, 9), (200, 1)];
        assert_eq!(grants(&mut window, asked), [0, 100, 1100, 2100, 3100]);
    }

    #[test]
    fn returned_grants_are_free_for_the_next_request() {
        let mut window = MovingWindow::new(2, ms(1000)).and(3, ms(10_000));
        assert_eq!(grants(&mut window, [(0, 1), (100, 1), (200, 1)]), [0, 100, 1000]);
        window.give_back(ms(1000), 1);
        assert_eq!(grants(&mut window, [(1010, 1)]), [1010]);
        // Never recorded, or already forgotten.
        window.give_back(ms(5), 1);
        assert_eq!(grants(&mut window, [(1010, 1)]), [10_000]);
    }

    #[test]
    fn of_several_limits_the_strictest_holds_at_each_moment() {
        let mut window = MovingWindow::new(2, ms(1000)).and(5, ms(10_000));
        assert_eq!(
            grants(&mut window, [(0, 1); 8]),
            [0, 0, 1000, 1000, 2000, 10_000, 10_000, 11_000],
            "two a second, and five in ten seconds"
        );
    }

    #[test]
    fn over_a_hundred_thousand_grants_no_interval_holds_more_than_the_limit_and_memory_stays_small() {
        for limit in [3, 5_000] {
            let mut window = MovingWindow::new(limit, ms(1000));
            let mut at = 0;
            let asked = (0..100_000u64).map(|n| {
                // Faster than either limit.
                at += n * 7_919 % 5 / 4;
                (at, 1 + u32::try_from(n * 31 % 3).unwrap())
            });
            let asked: Vec<_> = asked.collect();
            let weights = asked.iter().map(|(_, weight)| *weight);
            let granted: Vec<_> = grants(&mut window, asked.iter().copied()).into_iter().zip(weights).collect();
            assert!(window.rates[0].grants.len() <= 1_100, "{}", window.rates[0].grants.len());
            let sample: Vec<_> = granted.iter().copied().skip(50_000).take(6_000).collect();
            let densest = densest(&sample, 1000);
            assert!((limit - limit / 50..=limit).contains(&densest), "{densest} of {limit}");
        }
    }

    #[test]
    fn merged_grants_cost_hardly_any_throughput() {
        let mut window = MovingWindow::new(10_000, ms(1000));
        let granted = grants(&mut window, (0..50_000).map(|_| (0, 1)));
        assert!((4_000..=4_100).contains(granted.last().unwrap()), "{:?}", granted.last());
    }
}
