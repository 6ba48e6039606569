//! The progress of a read of a stream with partitions.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::PartitionedCursor;
use super::known::{FLAG, GLOBAL, Known, LOOKBACK, PARENT_STATE, STATES, key, partition_of};
use super::parent_states::ParentStates;
use crate::protocol::StreamState;
use crate::streams::Slice;
use crate::streams::cursor::CursorState;
use crate::streams::cursor::datetime::intervals::Intervals;
use crate::streams::cursor::datetime::state::DatetimeState;
use crate::streams::cursor::datetime::{DatetimeCursor, Moment, TimeSpan};

/// With more partitions, a state has one value for all of them.
const MOST_PARTITIONS: usize = 10_000;
/// The least time between two states before the last one.
const STATE_INTERVAL: TimeSpan = TimeSpan::seconds(600);

/// What is known of a partition.
pub(super) struct Entry<'a> {
    pub(super) state: DatetimeState<'a>,
    /// Whether it occurs in this read.
    pub(super) is_generated: bool,
    /// Its remaining slices, once the first was begun.
    left: Option<usize>,
}

impl<'a> Entry<'a> {
    /// A partition with this read part.
    pub(super) fn new(cursor: &'a DatetimeCursor, intervals: Intervals, field: &Arc<str>) -> Self {
        let state = DatetimeState::new(cursor, intervals, Arc::clone(field));
        Self { state, is_generated: false, left: None }
    }
}

/// The state of all partitions.
pub(super) struct PartitionedState<'a> {
    pub(super) cursor: &'a PartitionedCursor,
    pub(super) field: Arc<str>,
    /// What the state said of all partitions. The entries of each have moved to `entries`.
    pub(super) known: Known,
    /// By the keys of the partitions.
    pub(super) entries: IndexMap<String, Entry<'a>>,
    /// The value at which partitions without an entry begin.
    pub(super) others: Moment,
    /// The first partition of this read, until it was read.
    pub(super) first: Option<String>,
    /// The states of the parents that have their own.
    pub(super) parents: Option<ParentStates>,
    /// The newest value seen in this read.
    pub(super) newest: Option<Moment>,
    pub(super) begun_at: Option<Moment>,
    pub(super) last_state: Option<Moment>,
}

impl PartitionedState<'_> {
    fn now(&self) -> Option<Moment> {
        self.cursor.cursor.now.as_ref().map(|now| now())
    }

    /// Whether a state is due: the first slice was read, or the last state is old.
    fn is_due(&mut self) -> bool {
        let now = self.now().unwrap_or(self.others);
        let due_at = self.last_state.and_then(|last| last.plus(STATE_INTERVAL));
        if due_at.is_some_and(|due_at| now <= due_at) {
            return false;
        }
        self.last_state = Some(now);
        !self.known.is_global || self.known.parent_state.as_ref().is_some_and(|state| !state.is_empty())
    }
}

impl CursorState for PartitionedState<'_> {
    fn is_in_order(&self) -> bool {
        false
    }

    fn paces_itself(&self) -> bool {
        true
    }

    fn open(&mut self, slice: &Slice, made_from: &StreamState) -> Option<StreamState> {
        let entry = self.entries.get_mut(&key(slice.partition()))?;
        if entry.left.is_none() && self.parents.is_some() {
            let end = self.cursor.cursor.end().unwrap_or(self.others);
            entry.left = Some(entry.state.windows(end));
        }
        entry.state.open(slice, made_from)
    }

    fn reopen(&mut self, slice: &Slice, made_from: &StreamState) -> StreamState {
        self.open(slice, made_from).unwrap_or_default()
    }

    fn close(&mut self, slice: &Slice, newest: Option<&Value>) -> bool {
        let key = key(slice.partition());
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.state.close(slice, newest);
            entry.left = entry.left.map(|left| left.saturating_sub(1));
            if let Some(parents) = &mut self.parents {
                let is_finished = entry.left == Some(0) && !entry.state.is_open();
                if let Some(state) = is_finished.then(|| parents.finish(&key)).flatten() {
                    self.known.parent_state = Some(state.clone());
                }
            } else if self.first.as_ref() == Some(&key) && self.cursor.has_parents && !entry.state.is_open() {
                (self.first, self.known.parent_state) = (None, Some(StreamState::new().into()));
            }
        }
        let newest = newest.and_then(|newest| self.cursor.cursor.format.read(newest).ok().flatten());
        self.newest = self.newest.max(newest);
        self.is_due()
    }

    fn count(&mut self, _slice: &Slice, _newest: Option<&Value>) -> bool {
        false
    }

    /// Everything was read. Only now does the global value move: partitions that did not exist yet would begin there.
    fn end(&mut self) -> bool {
        for entry in self.entries.values_mut().filter(|entry| entry.is_generated) {
            entry.state.end();
        }
        if let Some(newest) = self.newest {
            let read = self.entries.values().filter(|entry| entry.is_generated && entry.state.was_read());
            let end = self.cursor.cursor.end().unwrap_or(newest);
            let latest = self.now().map_or(end, |now| now.max(end));
            // As in the state of each partition: a value after now is no reason to pass the end.
            let newest = if newest <= latest { newest } else { end };
            let known = read.map(|entry| entry.state.value()).chain(self.known.global);
            self.known.global = Some(known.fold(newest, Moment::max));
            let took = self.begun_at.zip(self.now()).map_or(0, |(begun, now)| now.micros - begun.micros);
            self.known.lookback = took.max(1).saturating_add(999_999) / 1_000_000;
        }
        self.known.parent_state = match &self.parents {
            Some(parents) => Some(parents.last()),
            None => self.cursor.has_parents.then(|| StreamState::new().into()),
        };
        if !self.known.is_global && self.entries.len() > MOST_PARTITIONS {
            // Partitions missing this time would begin at that value, too, if they return.
            let gone = self.entries.values().filter(|entry| !entry.is_generated).map(|entry| entry.state.value()).min();
            self.known.global = self.known.global.map(|global| gone.map_or(global, |gone| gone.min(global)));
            self.known.is_global = self.known.global.is_some();
        }
        false
    }

    fn state(&self) -> StreamState {
        let mut state = Map::new();
        state.insert(FLAG.to_owned(), Value::Bool(self.known.is_global));
        if !self.known.is_global {
            let entry = |(key, entry): (&String, &Entry<'_>)| json!({"partition": partition_of(key), "cursor": entry.state.state()});
            state.insert(STATES.to_owned(), self.entries.iter().map(entry).collect());
        }
        if let Some(global) = self.known.global {
            state.insert(GLOBAL.to_owned(), json!({&*self.field: self.cursor.cursor.format.write(global)}));
        }
        state.insert(LOOKBACK.to_owned(), self.known.lookback.into());
        if let Some(parent_state) = &self.known.parent_state {
            state.insert(PARENT_STATE.to_owned(), Value::Object(parent_state.state()));
        }
        state
    }
}
