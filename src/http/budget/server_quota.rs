//! The server's word on top of a window: no more than so much until then. It only ever makes the window tighter.

use std::time::Duration;

/// What the server said last that still holds.
#[derive(Debug, Clone, Default)]
pub(super) struct ServerQuota(Option<Said>);

#[derive(Debug, Clone)]
struct Said {
    left: u32,
    until: Duration,
    words: String,
}

impl ServerQuota {
    /// Takes note of a response. A count above what is left by the last one is old news, or of a quota that recovers
    /// bit by bit; it is passed over, so that an answer that was overtaken on its way cannot loosen anything. True if
    /// it was not.
    pub(super) fn tighten(&mut self, left: u32, until: Duration, words: String, now: Duration) -> bool {
        let until = match &self.0 {
            Some(said) if said.until > now && left > said.left => return false,
            Some(said) => until.max(said.until),
            None => until,
        };
        self.0 = Some(Said { left, until, words });
        true
    }

    /// How long a request of that weight has to stay away at `at`: until a moment, and in whose words.
    pub(super) fn blocks(&self, at: Duration, weight: u32) -> Option<(Duration, &str)> {
        let said = self.0.as_ref().filter(|said| said.until > at && said.left < weight)?;
        Some((said.until, &said.words))
    }

    /// Notes a request at a moment that is not blocked.
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
        quota.blocks(s(at), weight).map(|(until, _)| until.as_secs())
    }

    #[test]
    fn what_is_left_is_spent_and_then_everybody_stays_away_until_the_reset() {
        let mut quota = ServerQuota::default();
        assert_eq!(blocked(&quota, 0, 1), None);
        quota.tighten(3, s(10), String::new(), s(0));
        quota.take(s(1), 2);
        assert_eq!((blocked(&quota, 1, 1), blocked(&quota, 1, 2)), (None, Some(10)));
        quota.take(s(1), 1);
        assert_eq!((blocked(&quota, 9, 1), blocked(&quota, 10, 1)), (Some(10), None));
    }

    #[test]
    fn a_later_word_can_only_tighten_until_the_reset_has_passed() {
        let mut quota = ServerQuota::default();
        quota.tighten(0, s(10), String::new(), s(0));
        quota.tighten(50, s(5), String::new(), s(1));
        assert_eq!(blocked(&quota, 1, 1), Some(10));
        quota.tighten(0, s(12), String::new(), s(2));
        quota.tighten(0, s(3), String::new(), s(2));
        assert_eq!(blocked(&quota, 2, 1), Some(12));
        quota.tighten(50, s(30), String::new(), s(12));
        assert_eq!(blocked(&quota, 12, 50), None);
        assert_eq!(blocked(&quota, 12, 51), Some(30));
    }
}
