//! The state of a stream with partitions, such as a sub-stream: how far each one was read. The form is that of
//! Airbyte's Python framework, `{"states": [{"partition": {...}, "cursor": {...}}]}`, where a partition is only that
//! part of the slice: for a sub-stream, the fields that identify the parent.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::{COMPLETE, Cursor, CursorRead, CursorState, completed, says_complete};
use crate::protocol::{Failure, StreamState};
use crate::streams::{HttpStream, Slice, sorted_for};

const STATES: &str = "states";
/// Approximate bytes of an entry around the partition's own text.
const ENTRY_BYTES: usize = 80;

/// A state for each partition. Slices count in any order, except that spans of one partition count in their order.
pub(crate) struct PerPartitionState<'a, C: ?Sized> {
    cursor: &'a C,
    cursor_field: Vec<String>,
    partitions: Partitions,
    /// The slices and partitions that occurred in this read.
    seen: HashSet<String>,
    has_markers: bool,
}

impl<'a, C: Cursor + ?Sized> PerPartitionState<'a, C> {
    /// # Errors
    /// A config failure if the given state does not have this form.
    pub(crate) fn new(cursor: &'a C, read: CursorRead<'_>) -> Result<Self, Failure> {
        let partitions = Partitions::parse(read.stream, read.state)?;
        Ok(Self { cursor, cursor_field: read.cursor_field, partitions, seen: HashSet::new(), has_markers: false })
    }
}

impl<C: Cursor + ?Sized> CursorState for PerPartitionState<'_, C> {
    fn is_in_order(&self) -> bool {
        false
    }

    fn open(&mut self, slice: &Slice, _made_from: &StreamState) -> Option<StreamState> {
        let partition = key(slice.partition());
        let of_span = (!slice.span().is_empty()).then(|| format!("{partition}{}", key(slice.span())));
        let mut is_new = self.seen.insert(partition);
        if let Some(of_span) = of_span {
            is_new = self.seen.insert(of_span);
        }
        let is_complete = || self.cursor_field.is_empty() && self.partitions.is_complete(slice.partition());
        if !is_new || is_complete() {
            return None;
        }
        Some(self.partitions.cursor(slice.partition()))
    }

    fn reopen(&mut self, slice: &Slice, _made_from: &StreamState) -> StreamState {
        self.seen.insert(key(slice.partition()));
        self.partitions.cursor(slice.partition())
    }

    fn close(&mut self, slice: &Slice, newest: Option<&Value>) -> bool {
        if slice.span().is_empty() {
            self.advance(slice, newest);
        }
        true
    }

    fn count(&mut self, slice: &Slice, newest: Option<&Value>) -> bool {
        if slice.is_marker() {
            self.has_markers = true;
            self.cursor.get_updated_state(&mut self.partitions.others, slice, newest, &self.cursor_field);
        } else if slice.span().is_empty() {
            // It counted when it was closed.
            return false;
        } else {
            self.advance(slice, newest);
        }
        true
    }

    /// Drops the partitions that the stream no longer has. If markers say how far the slices go, missing ones are
    /// unchanged, not gone.
    fn end(&mut self) -> bool {
        if !self.has_markers {
            let seen = &self.seen;
            self.partitions.retain(|partition| seen.contains(&key(partition)));
        }
        !self.has_markers
    }

    fn state(&self) -> StreamState {
        self.partitions.state()
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.partitions.bytes)
    }
}

impl<C: Cursor + ?Sized> PerPartitionState<'_, C> {
    /// A slice was read to its end, and so were all earlier ones of its partition.
    fn advance(&mut self, slice: &Slice, newest: Option<&Value>) {
        let mut state = StreamState::new();
        if !self.cursor_field.is_empty() {
            state = self.partitions.cursor(slice.partition());
            self.cursor.get_updated_state(&mut state, slice, newest, &self.cursor_field);
        } else if slice.span().is_empty() {
            state = completed(state);
        }
        *self.partitions.entry(slice.partition()) = state;
    }
}

/// The states of all partitions.
#[derive(Debug, Default)]
struct Partitions {
    /// By the partition, as text.
    places: HashMap<String, usize>,
    entries: Vec<(Map<String, Value>, StreamState)>,
    /// Members of the state that others wrote.
    others: StreamState,
    /// The approximate bytes of the state.
    bytes: usize,
}

impl Partitions {
    /// Reads a state. Version 0.1.0 also stored the extra fields of slices in its partitions.
    ///
    /// # Errors
    /// A config failure if it does not have this form.
    fn parse(stream: &dyn HttpStream, mut state: StreamState) -> Result<Self, Failure> {
        let refused = |what: &str| {
            Failure::config(format!(
                "The state of {:?} cannot be used: {what}. It should be {{\"states\": [{{\"partition\": ..., \
                 \"cursor\": ...}}]}}. Correct it, or remove it to read the stream from the beginning.",
                stream.name()
            ))
        };
        let mut parsed = Self::default();
        if state.is_empty() {
            return Ok(parsed);
        }
        let Some(Value::Array(states)) = state.remove(STATES) else {
            return Err(refused("it has no list `states`"));
        };
        for mut entry in states {
            let mut take = |name: &str| entry.get_mut(name).map(Value::take);
            match (take("partition"), take("cursor")) {
                (Some(Value::Object(partition)), Some(Value::Object(cursor))) => {
                    *parsed.entry(sorted_for(stream, partition.into()).partition()) = cursor;
                }
                _ => return Err(refused("an entry of `states` has no `partition` or no `cursor`")),
            }
        }
        parsed.others = state;
        Ok(parsed)
    }

    /// The state of one partition; empty if it was never read to its end.
    fn cursor(&self, partition: &Map<String, Value>) -> StreamState {
        let mut cursor = self.get(partition).cloned().unwrap_or_default();
        // Finished when the stream had no cursor: of no use to a stream with one.
        cursor.remove(COMPLETE);
        cursor
    }

    /// Whether a partition of a stream without cursor was read to its end.
    fn is_complete(&self, partition: &Map<String, Value>) -> bool {
        self.get(partition).is_some_and(says_complete)
    }

    fn get(&self, partition: &Map<String, Value>) -> Option<&StreamState> {
        self.places.get(&key(partition)).and_then(|at| self.entries.get(*at)).map(|(_, cursor)| cursor)
    }

    /// Drops the partitions that are not kept.
    fn retain(&mut self, keep: impl Fn(&Map<String, Value>) -> bool) {
        self.entries.retain(|(partition, _)| keep(partition));
        self.bytes = self.entries.iter().map(|(partition, _)| key(partition).len() + ENTRY_BYTES).sum();
        self.places = self.entries.iter().enumerate().map(|(at, (partition, _))| (key(partition), at)).collect();
    }

    /// The state to be written.
    fn state(&self) -> StreamState {
        let entry =
            |(partition, cursor): &(Map<String, Value>, StreamState)| json!({"partition": partition, "cursor": cursor});
        let mut state = Map::new();
        state.insert(STATES.to_owned(), self.entries.iter().map(entry).collect());
        state.extend(self.others.clone());
        state
    }

    fn entry(&mut self, partition: &Map<String, Value>) -> &mut StreamState {
        let key = key(partition);
        let bytes = key.len() + ENTRY_BYTES;
        let at = *self.places.entry(key).or_insert_with(|| {
            self.bytes += bytes;
            self.entries.push((partition.clone(), StreamState::new()));
            self.entries.len() - 1
        });
        &mut self.entries[at].1
    }
}

/// A part of a slice as text, independent of the order of its members.
fn key(part: &Map<String, Value>) -> String {
    let mut members: Vec<(&String, &Value)> = part.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    Value::from(members.into_iter().map(|(name, value)| json!([name, value])).collect::<Vec<_>>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::cursor::READ_WHOLE;
    use crate::streams::{CursorField, RequestContext};

    struct Items;

    impl HttpStream for Items {
        fn name(&self) -> &'static str {
            "s"
        }
        fn url_base(&self) -> &'static str {
            "http://a.com"
        }
        fn path(&self, _: &RequestContext<'_>) -> String {
            "s".into()
        }
    }

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    fn parse(state: &Value) -> Result<Partitions, Failure> {
        Partitions::parse(&Items, object(state.clone()))
    }

    fn read<'a, C: Cursor>(cursor: &'a C, cursor_field: &[&str], state: Value) -> PerPartitionState<'a, C> {
        let cursor_field = cursor_field.iter().map(|&name| name.to_owned()).collect();
        PerPartitionState::new(cursor, CursorRead { stream: &Items, cursor_field, state: object(state), first: None })
            .unwrap()
    }

    #[test]
    fn a_state_comes_back_as_it_was_written_with_what_others_put_there() {
        let state = json!({
            "states": [
                {"partition": {"id": 1}, "cursor": {"updated": "5"}},
                {"partition": {"id": 2}, "cursor": {"updated": "7"}},
            ],
            "use_global_cursor": false,
        });
        let mut parsed = parse(&state).unwrap();
        assert_eq!(Value::Object(parsed.state()), state);
        assert_eq!(parsed.cursor(&object(json!({"id": 2}))), object(json!({"updated": "7"})));
        assert!(parsed.cursor(&object(json!({"id": 3}))).is_empty());
        parsed.retain(|partition| partition["id"] == 2);
        *parsed.entry(&object(json!({"id": 2}))) = object(json!({"updated": "9"}));
        assert_eq!(parsed.state()["states"], json!([{"partition": {"id": 2}, "cursor": {"updated": "9"}}]));
    }

    #[test]
    fn the_order_of_a_partitions_members_makes_no_difference() {
        let mut state = read(&READ_WHOLE, &[], json!({}));
        state.close(&Slice::of_partition([("a", 1), ("b", 2)]), None);
        assert!(state.partitions.is_complete(&object(json!({"b": 2, "a": 1}))));
        assert!(!state.partitions.is_complete(&object(json!({"a": 1}))));
    }

    #[test]
    fn an_invalid_state_of_a_sub_stream_is_refused() {
        for state in [
            json!({"updated": "1"}),
            json!({"states": 7}),
            json!({"states": [{"partition": {}}]}),
            json!({"states": [7]}),
        ] {
            assert!(parse(&state).is_err(), "{state}");
        }
    }

    #[test]
    fn a_partition_is_identified_by_nothing_else_and_its_spans_count_in_their_order() {
        static CURSOR: CursorField = CursorField::new("n");
        let mut state = read(&CURSOR, &["n"], json!({"states": [{"partition": {"id": 1}, "cursor": {"n": 3}}]}));
        let nothing = StreamState::new();
        let shop = |id: i64| Slice::of_partition([("id", id)]).with_extra([("city", "Rome")]);
        assert_eq!(state.open(&shop(1), &nothing), Some(object(json!({"n": 3}))), "whatever its extra fields");
        assert_eq!(state.open(&shop(1).with_extra([("city", "Oslo")]), &nothing), None, "it has come");
        let spans = [1, 2].map(|from| shop(2).with_span([("from", from)]));
        assert!(spans.iter().all(|span| state.open(span, &nothing).is_some()));
        state.close(&spans[1], Some(&json!(9)));
        assert_eq!(state.state()["states"].as_array().map(Vec::len), Some(1), "the first span is not read");
        state.close(&spans[0], Some(&json!(8)));
        state.count(&spans[0], Some(&json!(8)));
        state.count(&spans[1], Some(&json!(9)));
        assert_eq!(state.state()["states"][1], json!({"partition": {"id": 2}, "cursor": {"n": 9}}));
    }
}
