//! A datetime cursor for each partition of a stream, in the states of Airbyte's low-code runtime: an entry for each
//! partition, and the newest value of all of them (the global value), from which later partitions begin. A stream may
//! also have the global value alone.

mod known;
mod made;
mod parent_states;
mod state;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use indexmap::{IndexMap, IndexSet};
use serde_json::Value;

use self::known::{Known, key, packed};
use self::made::Made;
use self::parent_states::ParentStates;
use self::state::{Entry, PartitionedState};
use super::intervals::Intervals;
use super::{DatetimeCursor, windows};
use crate::locks;
use crate::protocol::{Failure, KeptState, StreamState};
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
    /// The keys of the partitions.
    keys: IndexSet<String>,
    /// The states of parents that have their own: each holds once this many partitions were read. `None` if no parent
    /// has one.
    parent_states: Option<Vec<(usize, KeptState)>>,
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
        let mut made: Option<std::vec::IntoIter<anyhow::Result<Made>>> = None;
        let slices = std::iter::from_fn(move || {
            let made = made.get_or_insert_with(|| self.make(partitions.take(), parents).into_iter());
            Some(made.next()?.map(Made::slice))
        });
        Ok(Box::new(slices.flat_map(move |partition| match partition {
            Ok(partition) => self.windows_of(&known, partition, field),
            Err(error) => Box::new(std::iter::once(Err(error))),
        })))
    }

    /// All partitions, each once.
    fn make(&self, partitions: Option<Slices<'_>>, parents: &[ParentStream]) -> Vec<anyhow::Result<Made>> {
        let (mut made, mut keys) = (Vec::new(), IndexSet::new());
        let mut parent_states: Vec<(usize, KeptState)> = Vec::new();
        let mut changes = None;
        let mut note = |count: usize| {
            // States may be long: they are compared only when they have changed.
            let now = Some(parents.iter().map(ParentStream::state_changes).sum::<u64>());
            if std::mem::replace(&mut changes, now) == now {
                return;
            }
            let state: StreamState = parents.iter().filter_map(ParentStream::own_state).collect();
            let state = KeptState::from(state);
            match parent_states.last_mut().filter(|(_, known)| *known == state) {
                Some(_) => {}
                None => parent_states.push((count, state)),
            }
        };
        let (has_own_state, mut has_failed) = (parents.iter().any(ParentStream::has_own_state), false);
        for partition in partitions.into_iter().flatten() {
            let is_end = partition.is_err();
            if partition.as_ref().map_or(true, |partition| keys.insert(key(partition.partition()))) {
                made.push(partition.map(Made::new));
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
        let parent_states = has_own_state.then_some(parent_states);
        *locks::lock(&self.generated) = Generated { keys, parent_states };
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
            let own = known.intervals(&key(partition.partition()));
            let intervals = match own {
                Some(own) => own,
                None => &known.of_others(&self.cursor, field)?,
            };
            if own.is_none() && known.has_each() && intervals.base > self.cursor.start {
                locks::lock(&self.warning).get_or_insert_with(|| {
                    format!(
                        "a partition that the state does not have is read from {} on, the value of all partitions: its older \
                         records do not come. `__new_partitions_from_start: true` in the config has new partitions read from \
                         the start.",
                        self.cursor.format.write(intervals.base)
                    )
                });
            }
            Ok(windows::windows(&self.cursor, intervals, self.cursor.end()?))
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

    fn migrate_state(&self, state: StreamState) -> Result<StreamState, Failure> {
        Ok(packed(state))
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
        let field: Arc<str> = field_in_force(&self.cursor.field, &read.cursor_field)?.into();
        let mut known = Known::of(self, &read.state, &field)?;
        drop(read);
        let of_others = known.of_others(&self.cursor, &field)?;
        let Generated { keys, parent_states } = std::mem::take(&mut *locks::lock(&self.generated));
        let first = keys.first().cloned();
        let parents = parent_states.map(|states| ParentStates::new(keys.iter().cloned().collect(), states));
        let read_of = |own: &String| known.intervals(own).unwrap_or(&of_others).clone();
        let read_before: Vec<Intervals> = keys.iter().map(read_of).collect();
        // An older entry becomes that of its partition. All at once: each would move those behind it.
        let older = |own: &String| known.key_of(own).filter(|older| older != own).map(Cow::into_owned);
        let older: HashSet<String> = keys.iter().filter_map(older).collect();
        let entry = |intervals| Entry::new(&self.cursor, intervals, &field);
        let given = std::mem::take(&mut known.entries).into_iter().filter(|(key, _)| !older.contains(key));
        let mut entries: IndexMap<String, Entry<'_>> = given.map(|(key, intervals)| (key, entry(intervals))).collect();
        for (own, intervals) in keys.into_iter().zip(read_before) {
            entries.entry(own).or_insert_with(|| entry(intervals)).is_generated = true;
        }
        let others = of_others.base;
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
