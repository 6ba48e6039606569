//! The server's quota on top of a window: at most this many until then. It can only tighten the window.

use std::time::Duration;

/// The server's last report that still holds.
#[derive(Debug, Clone, Default)]
pub(super) struct ServerQuota(Option<Said>);

/// A report from the server.
#[derive(Debug, Clone)]
pub(super) struct Said {
    left: u32,
    pub(super) until: Duration,
    /// Whether the server stated the end; otherwise it is the window's own.
    pub(super) told: bool,
    pub(super) words: String,
}

impl ServerQuota {
    /// Applies a response. A count above the current one is old, or of a quota that recovers bit by bit; it is ignored,
    /// so that an overtaken answer cannot loosen anything. True if it was applied.
    pub(super) fn tighten(&mut self, left: u32, (until, told): (Duration, bool), words: String, now: Duration) -> bool {
        let (until, told) = match &self.0 {
            Some(said) if said.until > now && left > said.left => return false,
            Some(said) if said.until > until => (said.until, said.told),
            _ => (until, told),
        };
        self.0 = Some(Said { left, until, told, words });
        true
    }

    /// Forgets the report.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    /// The report that delays a request of that weight at `at`.
    pub(super) fn blocks(&self, at: Duration, weight: u32) -> Option<&Said> {
        self.0.as_ref().filter(|said| said.until > at && said.left < weight)
    }

    /// Records a request at a moment that is not blocked.
    pub(super) fn take(&mut self, at: Duration, weight: u32) {
        match &mut self.0 {
            Some(said) if said.until > at => said.left = said.left.saturating_sub(weight),
            over => *over = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn blocked(quota: &ServerQuota, at: u64, weight: u32) -> Option<u64> {
        quota.blocks(s(at), weight).map(|said| said.until.as_secs())
    }

    #[test]
    fn the_rest_is_spent_and_then_all_requests_wait_for_the_reset() {
        let mut quota = ServerQuota::default();
        assert_eq!(blocked(&quota, 0, 1), None);
        quota.tighten(3, (s(10), true), String::new(), s(0));
        quota.take(s(1), 2);
        assert_eq!((blocked(&quota, 1, 1), blocked(&quota, 1, 2)), (None, Some(10)));
        quota.take(s(1), 1);
        assert_eq!((blocked(&quota, 9, 1), blocked(&quota, 10, 1)), (Some(10), None));
    }

    #[test]
    fn a_later_report_can_only_tighten_until_the_reset_has_passed() {
        let mut quota = ServerQuota::default();
        quota.tighten(0, (s(10), true), String::new(), s(0));
        quota.tighten(50, (s(5), true), String::new(), s(1));
        assert_eq!(blocked(&quota, 1, 1), Some(10));
        quota.tighten(0, (s(12), true), String::new(), s(2));
        quota.tighten(0, (s(3), true), String::new(), s(2));
        assert_eq!(blocked(&quota, 2, 1), Some(12));
        quota.tighten(50, (s(30), true), String::new(), s(12));
        assert_eq!(blocked(&quota, 12, 50), None);
        assert_eq!(blocked(&quota, 12, 51), Some(30));
    }
}
