//! A guard against endless paging: an API that repeats a page token would be asked for the same pages forever.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::PageToken;

/// Remembered tokens, so that short cycles are found at their first step.
const RECENT: usize = 8;

/// Finds cycles of any length in constant memory: short ones by remembering the last tokens, long ones by Brent's
/// method: keep one token and replace it after 1, 2, 4, 8... steps.
#[derive(Debug, Default)]
pub(super) struct LoopGuard {
    recent: VecDeque<u64>,
    anchor: u64,
    steps: u64,
    until_next_anchor: u64,
}

impl LoopGuard {
    /// Records a token. True if the paging is in a cycle.
    pub(super) fn repeats(&mut self, token: &PageToken) -> bool {
        let mut hasher = DefaultHasher::new();
        token.to_string().hash(&mut hasher);
        let token = hasher.finish();
        if self.recent.contains(&token) || (self.until_next_anchor > 0 && self.anchor == token) {
            return true;
        }
        self.recent.push_back(token);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.steps += 1;
        if self.steps > self.until_next_anchor {
            (self.anchor, self.steps) = (token, 0);
            self.until_next_anchor = (2 * self.until_next_anchor).max(1);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// How many tokens pass before the cycle is found, with `lead` tokens before a cycle of `length`.
    fn found_after(lead: u64, length: u64) -> u64 {
        let mut guard = LoopGuard::default();
        let mut n = 0;
        while n < 100_000 {
            let token = if n < lead { n } else { lead + (n - lead) % length };
            if guard.repeats(&json!({ "after": token })) {
                return n;
            }
            n += 1;
        }
        panic!("a circle of {length} after {lead} was not found");
    }

    #[test]
    fn a_short_cycle_is_found_at_its_first_repeated_token() {
        assert_eq!(found_after(0, 1), 1);
        assert_eq!(found_after(0, 2), 2);
        assert_eq!(found_after(5, 1), 6);
        assert_eq!(found_after(100, 8), 108);
    }

    #[test]
    fn a_long_cycle_is_found_too() {
        for (lead, length) in [(0, 9), (3, 100), (1000, 50), (7, 5000)] {
            assert!(found_after(lead, length) <= 4 * (lead + length) + 4, "{lead} {length}");
        }
    }

    #[test]
    fn tokens_that_never_repeat_are_not_a_cycle() {
        let mut guard = LoopGuard::default();
        assert!((0..20_000).all(|n| !guard.repeats(&json!(n))));
    }
}
