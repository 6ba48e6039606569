//! A datetime cursor for each partition of a stream, in the states of Airbyte's low-code runtime: an entry for each
//! partition, and the newest value of all of them, from which partitions begin that come later. A stream may also have that
//! one value alone.

use std::collections::HashSet;
use std::sync::Mutex;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::intervals::{Intervals, unusable};
use super::state::DatetimeState;
use super::{DatetimeCursor, Moment, TimeSpan, windows};
use crate::locks;
use crate::protocol::{Failure, StreamState};
use crate::streams::cursor::{Cursor, CursorRead, CursorState, Scope};
use crate::streams::{ParentStream, Record, RequestContext, Slice, SliceContext, Slices};

/// The partitions beyond which a state is one value for all of them.
const MOST_PARTITIONS: usize = 10_000;
/// The least time between two states before the last one.
const STATE_INTERVAL: TimeSpan = TimeSpan::seconds(600);

const FLAG: &str = "use_global_cursor";
const STATES: &str = "states";
const GLOBAL: &str = "state";
const LOOKBACK: &str = "lookback_window";
const PARENT_STATE: &str = "parent_state";

type Partition = Map<String, Value>;

/// A datetime cursor of a stream that has partitions.
pub struct PartitionedCursor {
    cursor: DatetimeCursor,
    is_global: bool,
    has_parents: bool,
    /// The partitions of the read that is about to begin.
    generated: Mutex<Vec<Partition>>,
}

impl PartitionedCursor {
    /// A cursor for each partition.
    #[must_use]
    pub fn new(cursor: DatetimeCursor) -> Self {
        Self { cursor, is_global: false, has_parents: false, generated: Mutex::default() }
    }

    /// One value for all partitions, unless the state that is given has one for each. Default: one for each.
    #[must_use]
    pub fn global(mut self) -> Self {
        self.is_global = true;
        self
    }

    /// The partitions are the records of parent streams, and states have a place for what is known of these. Nothing is, so
    /// it is empty. Default: they are not.
    #[must_use]
    pub fn of_parents(mut self) -> Self {
        self.has_parents = true;
        self
    }

    /// The cursor of each partition.
    #[must_use]
    pub fn each(&self) -> &DatetimeCursor {
        &self.cursor
    }

    /// The slices of partitions: the windows that are left of each. All partitions are made before the first slice is
    /// read, so that states know them; if making them fails, those that were made are read.
    ///
    /// # Errors
    /// A config failure if the state cannot be used.
    pub fn slices_of<'a>(&'a self, partitions: Slices<'a>, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let field = self.cursor.field_in_force(cx.cursor_field)?;
        let known = Known::of(self, cx.state, &field)?;
        let mut partitions = Some(partitions);
        let mut made: Option<std::vec::IntoIter<anyhow::Result<Slice>>> = None;
        let slices = std::iter::from_fn(move || {
            let made = made.get_or_insert_with(|| self.make(partitions.take()).into_iter());
            made.next()
        });
        Ok(Box::new(slices.flat_map(move |partition| match partition {
            Ok(partition) => self.windows_of(&known, partition, &field),
            Err(error) => Box::new(std::iter::once(Err(error))),
        })))
    }

    /// All partitions, each once.
    fn make(&self, partitions: Option<Slices<'_>>) -> Vec<anyhow::Result<Slice>> {
        let (mut made, mut keys) = (Vec::new(), HashSet::new());
        for partition in partitions.into_iter().flatten() {
            let is_end = partition.is_err();
            if partition.as_ref().map_or(true, |partition| keys.insert(key(partition.partition()))) {
                made.push(partition);
            }
            if is_end {
                break;
            }
        }
        let generated = made.iter().flatten().map(|slice| slice.partition().clone()).collect();
        *locks::lock(&self.generated) = generated;
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

/// What a state says.
struct Known {
    is_global: bool,
    entries: IndexMap<String, (Partition, StreamState)>,
    global: Option<Moment>,
    /// Seconds before the value for all, at which a partition begins that has no entry.
    lookback: i64,
    parent_state: Option<Value>,
}

impl Known {
    fn of(cursor: &PartitionedCursor, state: &StreamState, field: &str) -> Result<Self, Failure> {
        let parent_state =
            state.get(PARENT_STATE).filter(|state| state.as_object().is_some_and(|state| !state.is_empty()));
        let mut known = Self {
            is_global: cursor.is_global,
            entries: IndexMap::new(),
            global: None,
            lookback: 0,
            parent_state: parent_state.cloned(),
        };
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
            Some(value) => seconds(value).ok_or_else(|| unusable("its `lookback_window` is no number of seconds"))?,
        };
        if let Some(global) = state.get(GLOBAL) {
            let global = global.as_object().ok_or_else(|| unusable("its `state` is no object"))?;
            known.global = global.get(field).map(read).transpose()?;
        }
        let Some(entries) = state.get(STATES) else { return Ok(known) };
        for entry in entries.as_array().ok_or_else(|| unusable("its `states` is no list"))? {
            let member = |name: &str| entry.get(name).and_then(Value::as_object).cloned();
            let (Some(partition), Some(state)) = (member("partition"), member("cursor")) else {
                return Err(unusable("an entry of `states` has no `partition` or no `cursor`"));
            };
            Intervals::of(&cursor.cursor, &state, field)?;
            known.entries.insert(key(&partition), (partition, state));
        }
        Ok(known)
    }

    /// What was read of a partition.
    fn intervals(&self, cursor: &DatetimeCursor, partition: &Partition, field: &str) -> Result<Intervals, Failure> {
        match self.entries.get(&key(partition)) {
            Some((_, state)) => Intervals::of(cursor, state, field),
            None => self.of_others(cursor, field),
        }
    }

    /// What counts as read of a partition that has no entry.
    fn of_others(&self, cursor: &DatetimeCursor, field: &str) -> Result<Intervals, Failure> {
        let before = |global: Moment| global.minus(TimeSpan::seconds(self.lookback)).unwrap_or(cursor.start);
        let value = self.global.map(|global| (field.to_owned(), Value::String(cursor.format.write(before(global)))));
        Intervals::of(cursor, &value.into_iter().collect(), field)
    }
}

/// A number of seconds, as Python's `int` takes it.
#[allow(clippy::cast_possible_truncation, reason = "int() cuts, too; no window is that long")]
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number.trunc() as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
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
        self.slices_of(Box::new(partitions), &cx)
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
        let field = self.cursor.field_in_force(&read.cursor_field)?;
        let known = Known::of(self, &read.state, &field)?;
        let mut entries = IndexMap::new();
        for (key, (partition, state)) in &known.entries {
            let intervals = Intervals::of(&self.cursor, state, &field)?;
            let state = DatetimeState::new(&self.cursor, intervals, field.clone());
            entries.insert(key.clone(), Entry { partition: partition.clone(), state, is_generated: false });
        }
        let generated = std::mem::take(&mut *locks::lock(&self.generated));
        let first = generated.first().map(key);
        for partition in generated {
            let intervals = known.intervals(&self.cursor, &partition, &field)?;
            let state = DatetimeState::new(&self.cursor, intervals, field.clone());
            let entry = entries.entry(key(&partition)).or_insert(Entry { partition, state, is_generated: false });
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
            newest,
            begun_at,
            last_state,
        }))
    }
}

/// A partition, and what is known of it.
struct Entry<'a> {
    partition: Partition,
    state: DatetimeState<'a>,
    /// Whether it is one of this read.
    is_generated: bool,
}

/// What is known of all partitions.
struct PartitionedState<'a> {
    cursor: &'a PartitionedCursor,
    field: String,
    known: Known,
    entries: IndexMap<String, Entry<'a>>,
    /// The value at which partitions without an entry begin.
    others: Moment,
    /// The first partition of this read, until it was read.
    first: Option<String>,
    /// The newest value that was seen in this read.
    newest: Option<Moment>,
    begun_at: Option<Moment>,
    last_state: Option<Moment>,
}

impl PartitionedState<'_> {
    fn now(&self) -> Option<Moment> {
        self.cursor.cursor.now.as_ref().map(|now| now())
    }

    /// Whether a state is due: the first slice was read, or the last state was a while ago.
    fn is_due(&mut self) -> bool {
        let now = self.now().unwrap_or(self.others);
        let due_at = self.last_state.and_then(|last| last.plus(STATE_INTERVAL));
        if due_at.is_some_and(|due_at| now <= due_at) {
            return false;
        }
        self.last_state = Some(now);
        !self.known.is_global || self.known.parent_state.is_some()
    }
}

impl CursorState for PartitionedState<'_> {
    fn is_in_order(&self) -> bool {
        false
    }

    fn open(&mut self, slice: &Slice, made_from: &StreamState) -> Option<StreamState> {
        let is_global = self.known.is_global;
        let entry = self.entries.get_mut(&key(slice.partition()))?;
        let state = entry.state.open(slice, made_from)?;
        Some(if is_global { entry.state.of(self.others) } else { state })
    }

    fn reopen(&mut self, slice: &Slice, made_from: &StreamState) -> StreamState {
        self.open(slice, made_from).unwrap_or_default()
    }

    fn close(&mut self, slice: &Slice, newest: Option<&Value>) -> bool {
        let key = key(slice.partition());
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.state.close(slice, newest);
            if self.first.as_ref() == Some(&key) && self.cursor.has_parents && !entry.state.is_open() {
                (self.first, self.known.parent_state) = (None, Some(json!({})));
            }
        }
        let newest = newest.and_then(|newest| self.cursor.cursor.format.read(newest).ok().flatten());
        self.newest = self.newest.max(newest);
        self.is_due()
    }

    fn count(&mut self, _slice: &Slice, _newest: Option<&Value>) -> bool {
        false
    }

    /// Everything was read. The value for all moves now and not before: partitions that were not made yet would begin there.
    fn end(&mut self) -> bool {
        for entry in self.entries.values_mut().filter(|entry| entry.is_generated) {
            entry.state.end();
        }
        if let Some(newest) = self.newest {
            let read = self.entries.values().filter(|entry| entry.is_generated && entry.state.was_read());
            let newest = read.map(|entry| entry.state.value()).chain(self.known.global).fold(newest, Moment::max);
            let latest = self.cursor.cursor.end().into_iter().chain(self.now()).max().unwrap_or(newest);
            self.known.global = Some(newest.min(latest.max(self.known.global.unwrap_or(latest))));
            let took = self.begun_at.zip(self.now()).map_or(0, |(begun, now)| now.micros - begun.micros);
            self.known.lookback = took.max(1).saturating_add(999_999) / 1_000_000;
        }
        self.known.parent_state = self.cursor.has_parents.then(|| json!({}));
        if !self.known.is_global && self.entries.len() > MOST_PARTITIONS {
            // Those that did not come this time would begin at that value, too, if they come again.
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
            let entry =
                |entry: &Entry<'_>| json!({"partition": sorted(&entry.partition), "cursor": entry.state.state()});
            state.insert(STATES.to_owned(), self.entries.values().map(entry).collect());
        }
        if let Some(global) = self.known.global {
            state.insert(GLOBAL.to_owned(), json!({&*self.field: self.cursor.cursor.format.write(global)}));
        }
        state.insert(LOOKBACK.to_owned(), self.known.lookback.into());
        if let Some(parent_state) = &self.known.parent_state {
            state.insert(PARENT_STATE.to_owned(), parent_state.clone());
        }
        state
    }

    /// States are so rare that their length makes no difference.
    fn bytes(&self) -> Option<usize> {
        Some(0)
    }
}

/// A partition as a text, whatever the order of its members: 1 is not "1".
fn key(partition: &Partition) -> String {
    sorted(partition).to_string()
}

/// An object with its members in order, and so are those within it.
fn sorted(object: &Partition) -> Value {
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

#[cfg(test)]
mod tests;
