//! The state of a stream whose slices come in any order, such as a sub-stream: for each slice that was read, how far.
//! The form is that of Airbyte's Python framework, `{"states": [{"partition": {...}, "cursor": {...}}]}`, where a
//! partition is the slice: for a sub-stream, only the fields that identify the parent.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{CHANGED, Slice};
use crate::protocol::{Failure, StreamState};

/// The cursor of a slice of a stream without cursor that was read to its end.
const COMPLETE: &str = "__ab_full_refresh_sync_complete";
const STATES: &str = "states";
/// What an entry has around the partition's own text, about.
const ENTRY_BYTES: usize = 80;

/// The states of all slices.
#[derive(Debug, Default)]
pub(crate) struct PerPartitionState {
    /// By the slice, as text.
    cursors: HashMap<String, usize>,
    entries: Vec<(Slice, StreamState)>,
    /// Members of the state that are not ours.
    others: StreamState,
    /// About how many bytes the state has.
    bytes: usize,
}

impl PerPartitionState {
    /// Reads a state.
    ///
    /// # Errors
    /// A config failure if it is not a state of this form.
    pub(crate) fn parse(stream: &str, mut state: StreamState) -> Result<Self, Failure> {
        let refused = |what: &str| {
            Failure::config(format!(
                "The state of {stream:?} cannot be used: {what}. It should be {{\"states\": [{{\"partition\": ..., \
                 \"cursor\": ...}}]}}. Correct it, or remove it to read the stream from the beginning."
            ))
        };
        let mut parsed = Self::default();
        if state.is_empty() {
            return Ok(parsed);
        }
        let Some(Value::Array(states)) = state.remove(STATES) else {
            return Err(refused("it has no list `states`"));
        };
        for entry in states {
            match (entry["partition"].clone(), entry["cursor"].clone()) {
                (Value::Object(partition), Value::Object(cursor)) => *parsed.entry(&partition) = cursor,
                _ => return Err(refused("an entry of `states` has no `partition` or no `cursor`")),
            }
        }
        parsed.others = state;
        Ok(parsed)
    }

    /// The state of one slice; empty if it was never read to its end.
    pub(crate) fn cursor(&self, partition: &Slice) -> StreamState {
        let entry = self.cursors.get(&partition_key(partition)).and_then(|at| self.entries.get(*at));
        let mut cursor = entry.map(|(_, cursor)| cursor.clone()).unwrap_or_default();
        // Read to its end when the stream had no cursor: of no use to a stream that has one.
        cursor.remove(COMPLETE);
        cursor
    }

    /// Notes how far one slice was read.
    pub(crate) fn set(&mut self, partition: &Slice, cursor: StreamState) {
        *self.entry(partition) = cursor;
    }

    /// Notes that a slice of a stream without cursor was read to its end.
    pub(crate) fn set_complete(&mut self, partition: &Slice) {
        self.set(partition, std::iter::once((COMPLETE.to_owned(), json!(true))).collect());
    }

    /// Whether a slice of a stream without cursor was read to its end.
    pub(crate) fn is_complete(&self, partition: &Slice) -> bool {
        self.cursors.get(&partition_key(partition)).is_some_and(|at| self.entries[*at].1.contains_key(COMPLETE))
    }

    /// Forgets the slices that `keep` does not know: they are gone.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Slice) -> bool) {
        self.entries.retain(|(partition, _)| keep(partition));
        self.bytes = self.entries.iter().map(|(partition, _)| partition_key(partition).len() + ENTRY_BYTES).sum();
        self.cursors =
            self.entries.iter().enumerate().map(|(at, (partition, _))| (partition_key(partition), at)).collect();
    }

    /// The members of the state beside those of the slices.
    pub(crate) fn others(&mut self) -> &mut StreamState {
        &mut self.others
    }

    /// About how many bytes the state has, without making it.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The state to be written.
    pub(crate) fn state(&self) -> StreamState {
        let entry = |(partition, cursor): &(Slice, StreamState)| json!({"partition": partition, "cursor": cursor});
        let mut state = Map::new();
        state.insert(STATES.to_owned(), self.entries.iter().map(entry).collect());
        state.extend(self.others.clone());
        state
    }

    fn entry(&mut self, partition: &Slice) -> &mut StreamState {
        let key = partition_key(partition);
        let bytes = key.len() + ENTRY_BYTES;
        let at = *self.cursors.entry(key).or_insert_with(|| {
            self.bytes += bytes;
            self.entries.push((
                identifying(partition).map(|(name, value)| (name.clone(), value.clone())).collect(),
                StreamState::new(),
            ));
            self.entries.len() - 1
        });
        &mut self.entries[at].1
    }
}

/// The members that say which slice it is.
fn identifying(slice: &Slice) -> impl Iterator<Item = (&String, &Value)> {
    slice.iter().filter(|(name, _)| *name != CHANGED)
}

/// A slice as text, whatever the order of its members.
pub(crate) fn partition_key(partition: &Slice) -> String {
    let mut members: Vec<(&String, &Value)> = identifying(partition).collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    Value::from(members.into_iter().map(|(name, value)| json!([name, value])).collect::<Vec<_>>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_state_comes_back_as_it_was_written_with_what_others_put_there() {
        let state = object(json!({
            "states": [
                {"partition": {"id": 1}, "cursor": {"updated": "5"}},
                {"partition": {"id": 2}, "cursor": {"updated": "7"}},
            ],
            "use_global_cursor": false,
        }));
        let mut parsed = PerPartitionState::parse("s", state.clone()).unwrap();
        assert_eq!(parsed.state(), state);
        assert_eq!(parsed.cursor(&object(json!({"id": 2}))), object(json!({"updated": "7"})));
        assert!(parsed.cursor(&object(json!({"id": 3}))).is_empty());
        parsed.retain(|partition| partition["id"] == 2);
        parsed.set(&object(json!({"id": 2})), object(json!({"updated": "9"})));
        assert_eq!(parsed.state()["states"], json!([{"partition": {"id": 2}, "cursor": {"updated": "9"}}]));
    }

    #[test]
    fn the_order_of_a_partitions_members_makes_no_difference() {
        let mut state = PerPartitionState::default();
        state.set_complete(&object(json!({"a": 1, "b": 2})));
        assert!(state.is_complete(&object(json!({"b": 2, "a": 1}))));
        assert!(!state.is_complete(&object(json!({"a": 1}))));
    }

    #[test]
    fn what_is_no_state_of_a_sub_stream_is_refused() {
        for state in [json!({"updated": "1"}), json!({"states": 7}), json!({"states": [{"partition": {}}]})] {
            assert!(PerPartitionState::parse("s", object(state.clone())).is_err(), "{state}");
        }
    }
}
