//! A number of requests in each period; the periods follow one another like the hours of a day.

use std::time::Duration;

use super::seconds::seconds;

/// A limit on the requests of each period. The first period begins with the first request.
///
/// Up to twice the limit can pass around the boundary of two periods. For an API that counts differently, use a
/// [`super::MovingWindow`].
///
/// ```
/// use std::time::Duration;
/// use source_http::http::budget::{BudgetPolicy, FixedWindow};
///
/// let policy = BudgetPolicy::new(FixedWindow::new(5_000, Duration::from_secs(3_600)));
/// # drop(policy);
/// ```
#[derive(Debug, Clone)]
pub struct FixedWindow {
    limit: u32,
    period: Duration,
    /// The end of the current period, and its used part.
    ends: Option<Duration>,
    used: u32,
}

impl FixedWindow {
    /// A limit of `limit` requests of weight 1, at least 1, in each `period`, at least a millisecond.
    #[must_use]
    pub fn new(limit: u32, period: Duration) -> Self {
        Self { limit: limit.max(1), period: period.max(Duration::from_millis(1)), ends: None, used: 0 }
    }

    /// The first moment, from `at` on, when a request of that weight fits. Later calls never ask about an earlier
    /// moment.
    pub(super) fn earliest(&mut self, at: Duration, weight: u32) -> Duration {
        let ends = *self.ends.get_or_insert(at.saturating_add(self.period));
        if at >= ends {
            self.advance_past(at, ends);
        } else if self.used + weight.min(self.limit) > self.limit {
            self.advance_past(ends, ends);
            return ends;
        }
        at
    }

    /// Records a request at a moment from [`FixedWindow::earliest`].
    pub(super) fn take(&mut self, weight: u32) {
        self.used += weight.min(self.limit);
    }

    /// Takes back a request recorded in the current period. Earlier periods are gone.
    pub(super) fn give_back(&mut self, at: Duration, weight: u32) {
        if let Some(ends) = self.ends
            && (ends.saturating_sub(self.period)..ends).contains(&at)
        {
            self.used = self.used.saturating_sub(weight.min(self.limit));
        }
    }

    /// Moves the end of the current period to the server's reset, if that is later and at most a period from now.
    pub(super) fn ends_no_sooner_than(&mut self, reset: Duration, now: Duration) {
        if let Some(ends) = &mut self.ends
            && (ends.saturating_sub(self.period)..*ends).contains(&now)
            && reset <= now.saturating_add(self.period)
        {
            *ends = reset.max(*ends);
        }
    }

    /// The end of the period if no header states it.
    pub(super) fn reset(&self, now: Duration) -> Duration {
        self.ends.unwrap_or(now.saturating_add(self.period)).max(now)
    }

    pub(super) fn describe(&self) -> String {
        format!("{} in each period of {}", self.limit, seconds(self.period))
    }

    /// Begins the period that contains `at`; periods keep their rhythm during idle time.
    fn advance_past(&mut self, at: Duration, ends: Duration) {
        let into = at.saturating_sub(ends).as_nanos() % self.period.as_nanos();
        let began = at.saturating_sub(u64::try_from(into).map(Duration::from_nanos).unwrap_or_default());
        self.ends = Some(began.saturating_add(self.period));
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn grants(window: &mut FixedWindow, asked: &[(u64, u32)]) -> Vec<u64> {
        let mut last = Duration::ZERO;
        asked
            .iter()
            .map(|(at, weight)| {
                last = window.earliest(last.max(ms(*at)), *weight);
                window.take(*weight);
                u64::try_from(last.as_millis()).unwrap()
            })
            .collect()
    }

    #[test]
    fn each_period_has_its_limit_and_the_rhythm_survives_a_rest() {
        let mut window = FixedWindow::new(2, ms(1500));
        assert_eq!(grants(&mut window, &[(0, 1); 5]), [0, 0, 1500, 1500, 3000]);
        // At 10000, the current period is the one from 9000 to 10500.
        assert_eq!(grants(&mut window, &[(10_000, 1), (10_000, 1), (10_000, 1)]), [10_000, 10_000, 10_500]);
    }

    #[test]
    fn a_weight_counts_as_that_many_requests_and_one_past_the_limit_takes_a_whole_period() {
        let mut window = FixedWindow::new(3, ms(1000));
        assert_eq!(grants(&mut window, &[(0, 2), (0, 2), (0, 1), (0, 9), (0, 1)]), [0, 1000, 1000, 2000, 3000]);
    }

    #[test]
    fn a_servers_reset_only_postpones_the_end_of_the_period() {
        let mut window = FixedWindow::new(1, ms(1000));
        assert_eq!(grants(&mut window, &[(0, 1)]), [0]);
        window.ends_no_sooner_than(ms(500), ms(100));
        assert_eq!(window.reset(ms(100)), ms(1000));
        window.ends_no_sooner_than(ms(5000), ms(100));
        assert_eq!(window.reset(ms(100)), ms(1000));
        window.ends_no_sooner_than(ms(1050), ms(100));
        assert_eq!(grants(&mut window, &[(100, 1), (100, 1)]), [1050, 2050]);
    }

    #[test]
    fn a_limit_or_period_of_zero_becomes_the_smallest_possible() {
        let mut window = FixedWindow::new(0, Duration::ZERO);
        assert_eq!(grants(&mut window, &[(0, 1), (0, 1)]), [0, 1]);
    }
}
