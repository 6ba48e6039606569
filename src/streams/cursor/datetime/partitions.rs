//! A datetime cursor for each partition of a stream, in the states of Airbyte's low-code runtime: an entry for each
//! partition, and the newest value of all of them (the global value), from which later partitions begin. A stream may
//! also have the global value alone.

mod known;
mod parent_states;
mod state;

use std::collections::HashSet;
use std::sync::Mutex;

use indexmap::IndexMap;
use serde_json::Value;

use self::known::{Known, Partition, key};
use self::parent_states::ParentStates;
use self::state::{Entry, PartitionedState};
use super::intervals::Intervals;
use super::{DatetimeCursor, windows};
use crate::locks;
use crate::protocol::{Failure, StreamState};
use crate::streams::cursor::{Cursor, CursorRead, CursorState, Scope, field_in_force};
use crate::streams::{ParentStream, Record, RequestContext, Slice, SliceContext, Slices};

/// A datetime cursor of a stream with partitions.
#[allow(clippy::struct_excessive_bools, reason = "each is about another thing")]
pub struct PartitionedCursor {
    cursor: DatetimeCursor,
    is_global: bool,
    has_parents: bool,
    legacy: Option<String>,
    are_made_at_once: bool,
    is_whole_when_new: bool,
    warning: Mutex<Option<String>>,
    /// The partitions of the coming read.
    generated: Mutex<Generated>,
}

/// The partitions of a read, in order.
#[derive(Debug, Default)]
struct Generated {
    partitions: Vec<Partition>,
    /// The states of parents that have their own: each holds once this many partitions were read. `None` if no parent
    /// has one.
    parent_states: Option<Vec<(usize, Value)>>,
}

impl PartitionedCursor {
    /// A cursor for each partition.
    #[must_use]
    pub fn new(cursor: DatetimeCursor) -> Self {
        Self {
            cursor,
            is_global: false,
            has_parents: false,
            legacy: None,
            are_made_at_once: false,
            is_whole_when_new: false,
            warning: Mutex::default(),
            generated: Mutex::default(),
        }
    }

    /// Keeps one value for all partitions, unless the given state has one for each. Default: one for each.
    #[must_use]
    pub fn global(mut self) -> Self {
        self.is_global = true;
        self
    }

    /// The partitions are the records of parent streams, and states have a member for these parents' states. There are
    /// none, so it is empty. Default: they are not.
    #[must_use]
    pub fn of_parents(mut self) -> Self {
        self.has_parents = true;
        self
    }

    /// Accepts older states: an object with a state for each value of this member of partitions: `{"7": {"updated":
    /// "..."}}`. Default: there are none.
    #[must_use]
    pub fn with_legacy_states_of(mut self, member: impl Into<String>) -> Self {
        self.legacy = Some(member.into());
        self
    }

    /// The parents are read to their ends before the first partition is made, so no state of theirs holds before all
    /// partitions are read. Default: a parent is read as its partitions are made.
    #[must_use]
    pub fn made_at_once(mut self) -> Self {
        self.are_made_at_once = true;
        self
    }

    /// A partition without an entry is read from the cursor's start. Default: from the global value, so its older
    /// records are never read.
    #[must_use]
    pub fn whole_when_new(mut self) -> Self {
        self.is_whole_when_new = true;
        self
    }

    /// The warnings since the last call: whether a partition begins at the global value.
    pub fn take_warning(&self) -> Option<String> {
        locks::lock(&self.warning).take()
    }

    /// The cursor of each partition.
    #[must_use]
    pub fn each(&self) -> &DatetimeCursor {
        &self.cursor
    }

    /// The slices of partitions: the remaining windows of each. All partitions are made before the first slice is read,
    /// so that states know them; if making them fails, those already made are read. `parents` are those that
    /// `partitions` reads; the states of those with their own ([`ParentStream::with_own_state`]) become part of the
    /// stream's.
    ///
    /// # Errors
    /// A config failure if the state cannot be used, and the errors of `partitions`.
    pub fn slices_of<'a>(
        &'a self,
        parents: &'a [ParentStream],
        partitions: impl FnOnce() -> anyhow::Result<Slices<'a>>,
        cx: &SliceContext<'a>,
    ) -> anyhow::Result<Slices<'a>> {
        let field = field_in_force(&self.cursor.field, cx.cursor_field)?;
        let known = Known::of(self, cx.state, field)?;
        for parent in parents {
            parent.begin_from(cx.state);
        }
        *locks::lock(&self.generated) = Generated::default();
        let mut partitions = Some(partitions()?);
        let mut made: Option<std::vec::IntoIter<anyhow::Result<Slice>>> = None;
        let slices = std::iter::from_fn(move || {
            let made = made.get_or_insert_with(|| self.make(partitions.take(), parents).into_iter());
            made.next()
        });
        Ok(Box::new(slices.flat_map(move |partition| match partition {
            Ok(partition) => self.windows_of(&known, partition, field),
            Err(error) => Box::new(std::iter::once(Err(error))),
        })))
    }

    /// All partitions, each once.
    fn make(&self, partitions: Option<Slices<'_>>, parents: &[ParentStream]) -> Vec<anyhow::Result<Slice>> {
        let (mut made, mut keys) = (Vec::new(), HashSet::new());
        let mut parent_states: Vec<(usize, Value)> = Vec::new();
        let mut changes = None;
        let mut note = |count: usize| {
            // States may be long: they are compared only when they have changed.
            let now = Some(parents.iter().map(ParentStream::state_changes).sum::<u64>());
            if std::mem::replace(&mut changes, now) == now {
                return;
            }
            let state = parents.iter().filter_map(ParentStream::own_state).collect();
            match parent_states.last_mut().filter(|(_, known)| *known == state) {
                Some(_) => {}
                None => parent_states.push((count, state)),
            }
        };
        let (has_own_state, mut has_failed) = (parents.iter().any(ParentStream::has_own_state), false);
        for partition in partitions.into_iter().flatten() {
            let is_end = partition.is_err();
            if partition.as_ref().map_or(true, |partition| keys.insert(key(partition.partition()))) {
                made.push(partition);
            }
            if is_end {
                has_failed = true;
                break;
            }
            if has_own_state && !self.are_made_at_once {
                note(keys.len());
            }
        }
        if has_own_state && !has_failed {
            note(keys.len());
        }
        let partitions = made.iter().flatten().map(|slice| slice.partition().clone()).collect();
        let parent_states = has_own_state.then_some(parent_states);
        *locks::lock(&self.generated) = Generated { partitions, parent_states };
        made
    }

    fn windows_of<'a>(&'a self, known: &Known, partition: Slice, field: &str) -> Slices<'a> {
        let windows = || {
            if let Some(name) = partition.partition().keys().find(|name| self.cursor.is_of_span(name)) {
                return Err(Failure::config(format!(
                    "The partitions of the stream and its cursor both have the member `{name}`. Give the cursor's \
                     `partition_field_start` and `partition_field_end` other names."
                )));
            }
            let intervals = known.intervals(&self.cursor, partition.partition(), field)?;
            if intervals.base > self.cursor.start && known.is_new(partition.partition()) {
                locks::lock(&self.warning).get_or_insert_with(|| {
                    format!(
                        "a partition that the state does not have is read from {} on, the value of all partitions: its older \
                         records do not come. `__new_partitions_from_start: true` in the config has new partitions read from \
                         the start.",
                        self.cursor.format.write(intervals.base)
                    )
                });
            }
            Ok(windows::windows(&self.cursor, &intervals, self.cursor.end()?))
        };
        match windows() {
            Ok(windows) => {
                let slice = move |window| Ok(self.cursor.slice_of(&partition, window)?);
                Box::new(windows.map(slice))
            }
            Err(failure) => Box::new(std::iter::once(Err(failure.into()))),
        }
    }
}

impl Cursor for PartitionedCursor {
    fn cursor_field(&self) -> Vec<String> {
        self.cursor.cursor_field()
    }

    fn source_defined_cursor(&self) -> bool {
        self.cursor.source_defined_cursor()
    }

    fn stream_slices<'a>(&'a self, parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let cx = *cx;
        let partitions = parents.iter().flat_map(move |parent| match parent.slices(&cx) {
            Ok(slices) => slices,
            Err(error) => Box::new(std::iter::once(Err(error))),
        });
        self.slices_of(parents, || Ok(Box::new(partitions)), &cx)
    }

    fn is_of_span(&self, member: &str) -> bool {
        self.cursor.is_of_span(member)
    }

    fn compare(&self, one: &Value, other: &Value) -> Option<std::cmp::Ordering> {
        self.cursor.compare(one, other)
    }

    fn has_scope(&self) -> bool {
        self.cursor.has_scope()
    }

    fn scope(&self, record: &Record<'_>, cx: &RequestContext<'_>, cursor_field: &[String]) -> Scope {
        self.cursor.scope(record, cx, cursor_field)
    }

    fn ends_with_last(&self) -> bool {
        self.cursor.ends_with_last()
    }

    fn is_complete(&self, state: &StreamState) -> bool {
        self.cursor.is_complete(state)
    }

    fn complete(&self, state: StreamState) -> StreamState {
        self.cursor.complete(state)
    }

    fn keeps_places(&self) -> bool {
        false
    }

    fn reads_on_after_failure(&self) -> bool {
        true
    }

    fn note(&self, value: Option<&Value>) -> Result<Option<String>, Failure> {
        self.cursor.note(value)
    }

    fn begin<'a>(&'a self, read: CursorRead<'_>) -> Result<Box<dyn CursorState + 'a>, Failure> {
        let field = field_in_force(&self.cursor.field, &read.cursor_field)?.to_owned();
        let known = Known::of(self, &read.state, &field)?;
        let mut entries = IndexMap::new();
        for (key, (partition, state)) in &known.entries {
            let intervals = Intervals::of(&self.cursor, state, &field)?;
            entries.insert(key.clone(), Entry::new(&self.cursor, partition.clone(), intervals, &field));
        }
        let Generated { partitions, parent_states } = std::mem::take(&mut *locks::lock(&self.generated));
        let first = partitions.first().map(key);
        let parents = parent_states.map(|states| ParentStates::new(partitions.iter().map(key).collect(), states));
        // An older entry becomes that of its partition. All at once: each would move those behind it.
        let older = |partition| known.key_of(partition).filter(|older| *older != key(partition));
        let older: HashSet<String> = partitions.iter().filter_map(older).collect();
        if !older.is_empty() {
            entries.retain(|key, _| !older.contains(key));
        }
        for partition in partitions {
            let intervals = known.intervals(&self.cursor, &partition, &field)?;
            let entry = entries.entry(key(&partition));
            let entry = entry.or_insert_with(|| Entry::new(&self.cursor, partition, intervals, &field));
            entry.is_generated = true;
        }
        let others = known.of_others(&self.cursor, &field)?.base;
        let begun_at = self.cursor.now.as_ref().map(|now| now());
        let (newest, last_state) = (None, None);
        Ok(Box::new(PartitionedState {
            cursor: self,
            field,
            known,
            entries,
            others,
            first,
            parents,
            newest,
            begun_at,
            last_state,
        }))
    }
}

#[cfg(test)]
mod tests;
