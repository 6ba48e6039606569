//! What the state of a stream with partitions says. There may be a hundred thousand of them, so each is kept as the text
//! of its partition and the time that was read, and not as the tree of its entry, which takes several times the memory.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::PartitionedCursor;
use crate::protocol::{Failure, KeptState, StreamState, is_long};
use crate::streams::cursor::datetime::intervals::{Intervals, unusable};
use crate::streams::cursor::datetime::{DatetimeCursor, Moment, TimeSpan};

pub(super) const FLAG: &str = "use_global_cursor";
pub(super) const STATES: &str = "states";
pub(super) const GLOBAL: &str = "state";
pub(super) const LOOKBACK: &str = "lookback_window";
pub(super) const PARENT_STATE: &str = "parent_state";

/// The members that identify a partition.
pub(super) type Partition = Map<String, Value>;

/// The content of a state.
pub(super) struct Known {
    pub(super) is_global: bool,
    /// What was read of each partition, by its key.
    pub(super) entries: IndexMap<String, Intervals>,
    pub(super) global: Option<Moment>,
    /// Seconds before the global value, at which a partition without an entry begins.
    pub(super) lookback: i64,
    pub(super) parent_state: Option<KeptState>,
    /// The member whose text identifies a partition in older states.
    legacy: Option<String>,
    /// Whether a partition without an entry begins at the start anyway.
    is_whole_when_new: bool,
}

impl Known {
    pub(super) fn of(cursor: &PartitionedCursor, state: &StreamState, field: &str) -> Result<Self, Failure> {
        let parent_state = state.get(PARENT_STATE).and_then(Value::as_object).filter(|state| !state.is_empty());
        let mut known = Self {
            is_global: cursor.is_global,
            entries: IndexMap::new(),
            global: None,
            lookback: 0,
            parent_state: parent_state.map(KeptState::of),
            legacy: cursor.legacy.clone(),
            is_whole_when_new: cursor.is_whole_when_new,
        };
        if let Some(entries) = known.legacy_entries(state, field) {
            for (partition, state) in entries {
                let intervals = Intervals::of(&cursor.cursor, &state, field)?;
                known.entries.insert(key(&partition), intervals);
            }
            known.is_global = false;
            return Ok(known);
        }
        let read = |value: &Value| {
            let moment = cursor.cursor.format.read(value).ok().flatten();
            moment.ok_or_else(|| unusable(&format!("its `{field}` is in none of the formats of the cursor")))
        };
        if !state.contains_key(STATES) && !state.contains_key(GLOBAL) {
            known.global = state.get(field).map(read).transpose()?;
            return Ok(known);
        }
        known.is_global = state.get(FLAG) == Some(&Value::Bool(true));
        known.lookback = match state.get(LOOKBACK) {
            None => 0,
            Some(value) => {
                // A negative one would leave out what is between.
                seconds(value)
                    .map(|seconds| seconds.max(0))
                    .ok_or_else(|| unusable("its `lookback_window` is not a number of seconds"))?
            }
        };
        if let Some(global) = state.get(GLOBAL) {
            let global = global.as_object().ok_or_else(|| unusable("its `state` is not an object"))?;
            known.global = global.get(field).map(read).transpose()?;
        }
        let mut add = |partition: Option<&Partition>, state: Option<&StreamState>| {
            let (Some(partition), Some(state)) = (partition, state) else {
                return Err(unusable("an entry of `states` has no `partition` or no `cursor`"));
            };
            known.entries.insert(key(partition), Intervals::of(&cursor.cursor, state, field)?);
            Ok(())
        };
        let no_list = || unusable("its `states` is not a list");
        match state.get(STATES) {
            None => {}
            Some(Value::Array(entries)) => {
                for entry in entries {
                    let member = |name: &str| entry.get(name).and_then(Value::as_object);
                    add(member("partition"), member("cursor"))?;
                }
            }
            Some(Value::String(packed)) => {
                let entries: Vec<PackedEntry<'_>> = serde_json::from_str(packed).map_err(|_| no_list())?;
                for entry in entries {
                    add(members(entry.partition).as_ref(), members(entry.cursor).as_ref())?;
                }
            }
            Some(_) => return Err(no_list()),
        }
        Ok(known)
    }

    /// The entries of an older state, if it is one.
    fn legacy_entries(&self, state: &StreamState, field: &str) -> Option<Vec<(Partition, StreamState)>> {
        let member = self.legacy.as_ref().filter(|_| !state.is_empty())?;
        if state.contains_key(STATES) || state.contains_key(GLOBAL) || state.contains_key(FLAG) {
            return None;
        }
        let entry = |(value, state): (&String, &Value)| {
            let state = state.as_object().filter(|state| state.len() == 1 && state.contains_key(field))?;
            Some((Map::from_iter([(member.clone(), Value::from(value.as_str()))]), state.clone()))
        };
        state.iter().map(entry).collect()
    }

    /// The key of the entry that is a partition's, by the partition's own key.
    pub(super) fn key_of<'k>(&self, own: &'k str) -> Option<Cow<'k, str>> {
        if self.entries.contains_key(own) {
            return Some(Cow::Borrowed(own));
        }
        let member = self.legacy.as_ref()?;
        let partition = partition_of(own);
        let text = match partition.get(member)? {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let older = key(&Map::from_iter([(member.clone(), Value::String(text))]));
        self.entries.contains_key(&older).then_some(Cow::Owned(older))
    }

    /// What was read of the partition with this key. None if it has no entry.
    pub(super) fn intervals(&self, own: &str) -> Option<&Intervals> {
        self.entries.get(&*self.key_of(own)?)
    }

    /// Whether there is an entry for each partition of earlier reads.
    pub(super) fn has_each(&self) -> bool {
        !self.is_global && !self.entries.is_empty()
    }

    /// The part that counts as read of a partition without an entry.
    pub(super) fn of_others(&self, cursor: &DatetimeCursor, field: &str) -> Result<Intervals, Failure> {
        if self.is_whole_when_new && self.has_each() {
            return Intervals::of(cursor, &StreamState::new(), field);
        }
        let before = |global: Moment| global.minus(TimeSpan::seconds(self.lookback)).unwrap_or(cursor.start);
        let value = self.global.map(|global| (field.to_owned(), Value::String(cursor.format.write(before(global)))));
        Intervals::of(cursor, &value.into_iter().collect(), field)
    }
}

/// A number of seconds, as Python's `int` reads it.
#[allow(clippy::cast_possible_truncation, reason = "int() cuts, too; no window is that long")]
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number.trunc() as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// An entry of packed `states`.
#[derive(Deserialize)]
struct PackedEntry<'t> {
    #[serde(borrow)]
    partition: Option<&'t RawValue>,
    #[serde(borrow)]
    cursor: Option<&'t RawValue>,
}

fn members(text: Option<&RawValue>) -> Option<Map<String, Value>> {
    serde_json::from_str(text?.get()).ok()
}

/// A state whose `states`, if there are many, are a text: it is kept as long as the stream is read.
pub(super) fn packed(mut state: StreamState) -> StreamState {
    if let Some(states) = state.get_mut(STATES).filter(|states| is_long(states)) {
        *states = Value::String(states.to_string());
    }
    state
}

/// The partition of a key, with its members in order.
pub(super) fn partition_of(key: &str) -> Partition {
    // `key` has written it.
    serde_json::from_str(key).unwrap_or_default()
}

/// A partition as a text, independent of the order of its members: 1 is not "1".
pub(super) fn key(partition: &Partition) -> String {
    sorted(partition).to_string()
}

/// An object with its members in order, recursively.
pub(super) fn sorted(object: &Partition) -> Value {
    let mut members: Vec<(&String, Value)> = object.iter().map(|(name, value)| (name, sorted_value(value))).collect();
    members.sort_unstable_by(|one, other| one.0.cmp(other.0));
    Value::Object(members.into_iter().map(|(name, value)| (name.clone(), value)).collect())
}

fn sorted_value(value: &Value) -> Value {
    match value {
        Value::Object(members) => sorted(members),
        Value::Array(items) => items.iter().map(sorted_value).collect(),
        other => other.clone(),
    }
}
