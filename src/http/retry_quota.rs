//! A guard against request storms: retries to a host draw on a quota that only successes refill. When everything fails,
//! a run stops asking long before every request has used all its retries.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::locks;

/// Tokens of a host at the start, and at most.
const CAPACITY: u32 = 500;
/// What a retry costs after an answer.
const ANSWER_COST: u32 = 5;
/// The cost of a retry after no answer: a dead server is worse than an overloaded one.
const NO_ANSWER_COST: u32 = 10;
/// The refill for a success at the first attempt.
const SUCCESS_GAIN: u32 = 1;

/// A token bucket per server, by host and port, like the AWS SDKs' standard retry mode.
#[derive(Debug, Default)]
pub struct RetryQuota {
    tokens: Mutex<HashMap<String, u32>>,
}

impl RetryQuota {
    /// Pays for a retry. Returns the cost, to be refunded if the retry succeeds, or `None` if the quota is used up.
    pub fn acquire(&self, host: &str, answered: bool) -> Option<u32> {
        let cost = if answered { ANSWER_COST } else { NO_ANSWER_COST };
        let mut tokens = self.lock();
        let left = tokens.entry(host.to_owned()).or_insert(CAPACITY);
        *left = left.checked_sub(cost)?;
        Some(cost)
    }

    /// Records a success: refunds the cost of its retry, or adds one token if it needed none.
    pub fn succeeded(&self, host: &str, paid: Option<u32>) {
        let mut tokens = self.lock();
        if let Some(left) = tokens.get_mut(host) {
            *left = left.saturating_add(paid.unwrap_or(SUCCESS_GAIN)).min(CAPACITY);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        locks::lock(&self.tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_stop_when_the_quota_is_used_up_and_hosts_do_not_share_it() {
        let quota = RetryQuota::default();
        let granted = (0..1_000).filter(|_| quota.acquire("a", true).is_some()).count();
        assert_eq!(granted, 100);
        let granted = (0..1_000).filter(|_| quota.acquire("b", false).is_some()).count();
        assert_eq!(granted, 50);
    }

    #[test]
    fn a_retry_that_succeeds_gets_its_cost_back_and_a_first_try_adds_one() {
        let quota = RetryQuota::default();
        for _ in 0..100 {
            quota.acquire("a", true);
        }
        assert_eq!(quota.acquire("a", true), None);
        quota.succeeded("a", Some(5));
        assert_eq!(quota.acquire("a", true), Some(5));
        for _ in 0..5 {
            assert_eq!(quota.acquire("a", true), None);
            quota.succeeded("a", None);
        }
        assert_eq!(quota.acquire("a", true), Some(5));
    }
}
