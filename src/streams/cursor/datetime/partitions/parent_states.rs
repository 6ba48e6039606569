//! How far the parents of partitions were read, as far as the partitions were.

use std::collections::HashSet;

use crate::protocol::{KeptState, StreamState};

/// The states of the parents: each holds once all partitions made up to it are read to their ends.
pub(super) struct ParentStates {
    /// The keys of the partitions, in the order of their creation.
    order: Vec<String>,
    /// How many of them, from the first on, were read to their ends.
    finished: usize,
    /// Finished partitions behind an unfinished one.
    ahead: HashSet<String>,
    /// The states, each with the number of partitions that it needs.
    states: Vec<(usize, KeptState)>,
    /// The number of states that held at the last report.
    told: usize,
}

impl ParentStates {
    pub(super) fn new(order: Vec<String>, states: Vec<(usize, KeptState)>) -> Self {
        Self { order, finished: 0, ahead: HashSet::new(), states, told: 0 }
    }

    /// A partition was read to its end. Returns the state that holds now, if it was not reported before.
    pub(super) fn finish(&mut self, key: &str) -> Option<&KeptState> {
        self.ahead.insert(key.to_owned());
        while self.order.get(self.finished).is_some_and(|next| self.ahead.remove(next)) {
            self.finished += 1;
        }
        // Later ones need more partitions.
        let known = self.states.partition_point(|(needed, _)| *needed <= self.finished);
        if known == self.told || self.finished == 0 {
            return None;
        }
        self.told = known;
        self.states[..known].last().map(|(_, state)| state)
    }

    /// The state that holds once all partitions were read.
    pub(super) fn last(&self) -> KeptState {
        self.states.last().map_or_else(|| StreamState::new().into(), |(_, state)| state.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(text: &str) -> KeptState {
        StreamState::from_iter([("parents".to_owned(), json!(text))]).into()
    }

    #[test]
    fn a_state_holds_once_all_partitions_up_to_it_were_read() {
        let order = ["a", "b", "c"].map(str::to_owned).to_vec();
        let mut states = ParentStates::new(order, vec![(1, kept("one")), (3, kept("three"))]);
        assert_eq!(states.finish("c"), None, "others are before it");
        assert_eq!(states.finish("a"), Some(&kept("one")));
        assert_eq!(states.finish("b"), Some(&kept("three")));
        assert_eq!(states.finish("d"), None, "it was reported");
        assert_eq!(states.last(), kept("three"));
    }

    #[test]
    fn without_a_partition_there_is_no_state_before_the_last() {
        let mut states = ParentStates::new(Vec::new(), vec![(0, kept("all"))]);
        assert_eq!(states.finish("gone"), None);
        assert_eq!(states.last(), kept("all"));
    }
}
