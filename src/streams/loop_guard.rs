//! A guard against paging that never ends: an API that hands out a page token it has handed out before would be
//! asked for the same pages forever.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::PageToken;

/// Tokens remembered, so that short circles are found at their first step.
const RECENT: usize = 8;

/// Finds circles of any length in constant memory: short ones by remembering the last tokens, long ones in the manner
/// of Brent, by keeping one token and moving it on after 1, 2, 4, 8... steps.
#[derive(Debug, Default)]
pub(super) struct LoopGuard {
    recent: VecDeque<u64>,
    anchor: u64,
    steps: u64,
    until_next_anchor: u64,
}

impl LoopGuard {
    /// Notes a token. True if the paging goes in a circle.
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

    /// How many tokens pass before the circle is found, `lead` tokens leading into a circle of `length`.
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
    fn a_circle_is_found_at_its_first_repeated_token_when_short() {
        assert_eq!(found_after(0, 1), 1);
        assert_eq!(found_after(0, 2), 2);
        assert_eq!(found_after(5, 1), 6);
        assert_eq!(found_after(100, 8), 108);
    }

    #[test]
    fn a_long_circle_is_found_too() {
        for (lead, length) in [(0, 9), (3, 100), (1000, 50), (7, 5000)] {
            assert!(found_after(lead, length) <= 4 * (lead + length) + 4, "{lead} {length}");
        }
    }

    #[test]
    fn tokens_that_never_repeat_are_no_circle() {
        let mut guard = LoopGuard::default();
        assert!((0..20_000).all(|n| !guard.repeats(&json!(n))));
    }
}
