//! Decides which waits are reported. Without a network, every slice of every stream waits for the same reason: one
//! request's lines represent all of them, and count them.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use super::{Telling, Wait};

use crate::locks;

/// A wait that rounds to 0.0 s is not noticeable.
const SHORTEST: Duration = Duration::from_millis(50);
/// How long a line represents other waits that are no longer than this, or than its own.
const WINDOW: Duration = Duration::from_secs(10);

/// The last lines, by reason.
#[derive(Debug, Default)]
pub(super) struct ToldWaits(Mutex<HashMap<String, Line>>);

#[derive(Debug)]
struct Line {
    /// The request of the line.
    request: String,
    /// Until when it represents others, as a reading of the clock.
    until: Duration,
    /// The longest wait that it represents.
    longest: Duration,
    /// The requests that it represented.
    others: HashSet<String>,
}

impl ToldWaits {
    /// How to report a wait that begins now.
    pub(super) fn telling(&self, wait: &Wait, now: Duration) -> Telling {
        if wait.delay < SHORTEST {
            return Telling::Silent;
        }
        let mut lines = locks::lock(&self.0);
        let line = lines.get_mut(&wait.reason);
        if let Some(line) = line
            && line.request != wait.request
            && now < line.until
            && wait.delay <= line.longest
        {
            line.others.insert(wait.request.clone());
            return Telling::Silent;
        }
        let longest = wait.delay.max(WINDOW);
        let line =
            Line { request: wait.request.clone(), until: now.saturating_add(longest), longest, others: HashSet::new() };
        let before = lines.insert(wait.reason.clone(), line);
        Telling::Aloud { others: before.map_or(0, |line| line.others.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(request: &str, reason: &str, millis: u64) -> Wait {
        Wait {
            request: request.to_owned(),
            reason: reason.to_owned(),
            delay: Duration::from_millis(millis),
            rule: "backoff".to_owned(),
            retry: 1,
            max_retries: 5,
            quota_reset: None,
            too_long: false,
            telling: Telling::Silent,
        }
    }

    #[test]
    fn one_request_represents_all_that_wait_for_the_same_reason_and_counts_them() {
        let told = ToldWaits::default();
        let at = |seconds, request, reason| told.telling(&wait(request, reason, 500), Duration::from_secs(seconds));
        assert_eq!(at(0, "a", "no network"), Telling::Aloud { others: 0 });
        for request in ["b", "c", "b"] {
            assert_eq!(at(0, request, "no network"), Telling::Silent);
        }
        assert_eq!(at(1, "b", "HTTP 503"), Telling::Aloud { others: 0 }, "another reason");
        assert_eq!(at(2, "a", "no network"), Telling::Aloud { others: 2 });
        assert_eq!(at(2, "c", "no network"), Telling::Silent);
        assert_eq!(at(13, "d", "no network"), Telling::Aloud { others: 1 }, "the line is an old one");
        assert!(
            format!("{}", Wait { telling: Telling::Aloud { others: 2 }, ..wait("a", "r", 500) })
                .ends_with("(backoff). 2 more requests wait for the same reason.")
        );
    }

    #[test]
    fn a_wait_that_is_much_longer_than_the_reported_one_is_reported_too() {
        let told = ToldWaits::default();
        assert_eq!(told.telling(&wait("a", "HTTP 429", 500), Duration::ZERO), Telling::Aloud { others: 0 });
        assert_eq!(told.telling(&wait("b", "HTTP 429", 60_000), Duration::ZERO), Telling::Aloud { others: 0 });
        assert_eq!(told.telling(&wait("c", "HTTP 429", 50_000), Duration::from_secs(30)), Telling::Silent);
    }

    #[test]
    fn an_unnoticeable_wait_is_not_reported() {
        let told = ToldWaits::default();
        assert_eq!(told.telling(&wait("a", "HTTP 503", 49), Duration::ZERO), Telling::Silent);
        assert_eq!(told.telling(&wait("a", "HTTP 503", 50), Duration::ZERO), Telling::Aloud { others: 0 });
    }
}
