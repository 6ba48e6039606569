//! The content of a state of a stream with partitions.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::PartitionedCursor;
use crate::protocol::{Failure, StreamState};
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
    pub(super) entries: IndexMap<String, (Partition, StreamState)>,
    pub(super) global: Option<Moment>,
    /// Seconds before the global value, at which a partition without an entry begins.
    pub(super) lookback: i64,
    pub(super) parent_state: Option<Value>,
    /// The member whose text identifies a partition in older states.
    legacy: Option<String>,
    /// Whether a partition without an entry begins at the start anyway.
    is_whole_when_new: bool,
}

impl Known {
    pub(super) fn of(cursor: &PartitionedCursor, state: &StreamState, field: &str) -> Result<Self, Failure> {
        let parent_state =
            state.get(PARENT_STATE).filter(|state| state.as_object().is_some_and(|state| !state.is_empty()));
        let mut known = Self {
            is_global: cursor.is_global,
            entries: IndexMap::new(),
            global: None,
            lookback: 0,
            parent_state: parent_state.cloned(),
            legacy: cursor.legacy.clone(),
            is_whole_when_new: cursor.is_whole_when_new,
        };
        if let Some(entries) = known.legacy_entries(state, field) {
            for (partition, state) in entries {
                Intervals::of(&cursor.cursor, &state, field)?;
                known.entries.insert(key(&partition), (partition, state));
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
                seconds(value).ok_or_else(|| unusable("its `lookback_window` is not a number of seconds"))?
            }
        };
        if let Some(global) = state.get(GLOBAL) {
            let global = global.as_object().ok_or_else(|| unusable("its `state` is not an object"))?;
            known.global = global.get(field).map(read).transpose()?;
        }
        let Some(entries) = state.get(STATES) else { return Ok(known) };
        for entry in entries.as_array().ok_or_else(|| unusable("its `states` is not a list"))? {
            let member = |name: &str| entry.get(name).and_then(Value::as_object).cloned();
            let (Some(partition), Some(state)) = (member("partition"), member("cursor")) else {
                return Err(unusable("an entry of `states` has no `partition` or no `cursor`"));
            };
            Intervals::of(&cursor.cursor, &state, field)?;
            known.entries.insert(key(&partition), (partition, state));
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

    /// The key of a partition's entry.
    pub(super) fn key_of(&self, partition: &Partition) -> Option<String> {
        let own = key(partition);
        if self.entries.contains_key(&own) {
            return Some(own);
        }
        let member = self.legacy.as_ref()?;
        let text = match partition.get(member)? {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let older = key(&Map::from_iter([(member.clone(), Value::String(text))]));
        self.entries.contains_key(&older).then_some(older)
    }

    /// The read part of a partition.
    pub(super) fn intervals(
        &self,
        cursor: &DatetimeCursor,
        partition: &Partition,
        field: &str,
    ) -> Result<Intervals, Failure> {
        match self.key_of(partition).and_then(|key| self.entries.get(&key)) {
            Some((_, state)) => Intervals::of(cursor, state, field),
            None => self.of_others(cursor, field),
        }
    }

    /// Whether earlier reads had other partitions, and not this one.
    pub(super) fn is_new(&self, partition: &Partition) -> bool {
        self.has_each() && self.key_of(partition).is_none()
    }

    fn has_each(&self) -> bool {
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
