//! States of sub-streams in the form of the Python framework's global cursor, one for all parents:
//! `{"use_global_cursor": true, "state": {CURSOR: ...}, "lookback_window": 1, "parent_state": {PARENT: {...}}}`. The
//! parent's state decides the requests of an incremental read; the cursor only tells people how new the records are.
//! Our own members are beside these; the framework keeps them unchanged.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Cursor, ParentStream, Slice, SliceContext, Slices, epoch_cursor};
use crate::protocol::{Failure, NO_CURSOR_STATE, StreamState};

const USE_GLOBAL_CURSOR: &str = "use_global_cursor";
const STATE: &str = "state";
const LOOKBACK_WINDOW: &str = "lookback_window";
const PARENT_STATE: &str = "parent_state";
/// The cursors of the parents, if each has one.
const STATES: &str = "states";
/// The parent's state beside its cursor.
const PARENT_PROGRESS: &str = "parent_progress";
/// In a partition: the slice of the parent, which is empty, since its records have no partitions.
const PARENT_SLICE: &str = "parent_slice";

/// The cursor of a sub-stream with an incremental parent: its slices are those of [`ParentStream::slices_from`].
#[derive(Debug, Clone)]
pub struct GlobalCursor {
    /// The stream's name, for messages.
    pub stream: String,
    /// The stream's cursor field, in seconds since the epoch.
    pub cursor_field: String,
    /// The parent's name.
    pub parent: String,
    /// The parent's cursor field, in seconds since the epoch.
    pub parent_cursor_field: String,
    /// Whether each parent has a cursor of its own, too, under `states`.
    pub per_partition: bool,
    /// How long before the end of the last read each read begins, in seconds: see [`Cursor::overlap`].
    pub lookback: i64,
}

impl Cursor for GlobalCursor {
    fn cursor_field(&self) -> Vec<String> {
        vec![self.cursor_field.clone()]
    }

    fn stream_slices<'a>(&'a self, parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let Some(parent) = parents.first() else { return Ok(Box::new(std::iter::once(Ok(Slice::whole())))) };
        let slices = parent.slices_from(cx, self.parent_progress(cx.state))?;
        if !self.per_partition {
            return Ok(slices);
        }
        Ok(Box::new(slices.map(|slice| {
            slice.map(|slice| match slice.is_marker() {
                true => slice,
                false => slice.with_partition([(PARENT_SLICE, Map::new())]),
            })
        })))
    }

    /// There are markers between the slices; the state of a parent's own cursor does not depend on their order.
    fn slices_in_order(&self) -> bool {
        !self.per_partition
    }

    fn migrate_state(&self, mut state: StreamState) -> Result<StreamState, Failure> {
        // It has no content.
        state.remove(NO_CURSOR_STATE);
        self.migrate(state)
    }

    fn get_updated_state(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>, _: &[String]) {
        match self.per_partition && !slice.is_marker() {
            true => epoch_cursor::advance(state, &self.cursor_field, &self.stream, 0, newest),
            false => self.update(state, slice, newest),
        }
    }

    fn overlap(&self) -> Duration {
        Duration::from_secs(self.lookback.unsigned_abs())
    }
}

impl GlobalCursor {
    /// Converts a given state. A lone cursor, as older connectors wrote it, counts as the parent's: up to then, the
    /// children of changed parents had been read.
    ///
    /// # Errors
    /// A config failure if the state has no known form.
    fn migrate(&self, mut state: StreamState) -> Result<StreamState, Failure> {
        let members = [USE_GLOBAL_CURSOR, PARENT_STATE, PARENT_PROGRESS, STATES];
        let is_ours = members.iter().any(|name| state.contains_key(*name));
        if !is_ours && let Some(seconds) = epoch_cursor::cursor(&state, &self.cursor_field, &self.stream)? {
            state = StreamState::new();
            state.insert(STATE.to_owned(), json!({&self.cursor_field: seconds.to_string()}));
            state.insert(PARENT_STATE.to_owned(), json!({&self.parent: {&self.parent_cursor_field: seconds}}));
        }
        if self.per_partition {
            state.entry(STATES).or_insert_with(|| json!([]));
            self.complete(&mut state);
        }
        Ok(state)
    }

    /// How far the parent was read, for [`ParentStream::slices_from`].
    fn parent_progress(&self, state: &StreamState) -> StreamState {
        let cursor = state.get(PARENT_STATE).and_then(|states| states.get(&self.parent)).and_then(Value::as_object);
        let progress = state.get(PARENT_PROGRESS).and_then(Value::as_object);
        cursor.into_iter().chain(progress).flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Advances the state past a slice that was read to its end, or a marker.
    fn update(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>) {
        self.complete(state);
        if let Some(progress) = slice.progress() {
            let mut progress = progress.clone();
            let cursor = progress.remove(&self.parent_cursor_field).as_ref().and_then(epoch_cursor::seconds);
            let cursor = cursor.map_or_else(|| json!({}), |seconds| json!({&self.parent_cursor_field: seconds}));
            state.insert(PARENT_STATE.to_owned(), json!({&self.parent: cursor}));
            state.insert(PARENT_PROGRESS.to_owned(), progress.into());
        }
        if let Some(newest) = newest.and_then(epoch_cursor::seconds) {
            let known = state.get(STATE).and_then(|known| known.get(&self.cursor_field));
            let newest = known.and_then(epoch_cursor::seconds).map_or(newest, |known| known.max(newest));
            state.insert(STATE.to_owned(), json!({&self.cursor_field: newest.to_string()}));
        }
    }

    /// Adds the members that the framework always writes.
    fn complete(&self, state: &mut StreamState) {
        state.insert(USE_GLOBAL_CURSOR.to_owned(), json!(!self.per_partition));
        state.entry(LOOKBACK_WINDOW).or_insert_with(|| json!(1));
        state.entry(PARENT_STATE).or_insert_with(|| json!({&self.parent: {}}));
    }

    /// Moves the cursor out of a global cursor's state, to where [`super::ListThenEvents`] has it. For streams that
    /// first list the children of parents, and then read events.
    pub(super) fn unfold(mut state: StreamState, cursor_field: &str) -> StreamState {
        if !state.contains_key(cursor_field)
            && let Some(cursor) = state.get(STATE).and_then(|state| state.get(cursor_field)).cloned()
        {
            state.insert(cursor_field.to_owned(), cursor);
        }
        for name in [USE_GLOBAL_CURSOR, STATE, LOOKBACK_WINDOW, PARENT_STATE] {
            state.remove(name);
        }
        state
    }

    /// Wraps a cursor into a global cursor's state: the opposite of [`GlobalCursor::unfold`].
    pub(super) fn fold(state: &mut StreamState, cursor_field: &str) {
        let cursor = state.get(cursor_field).cloned().unwrap_or_default();
        state.insert(USE_GLOBAL_CURSOR.to_owned(), json!(true));
        state.insert(STATE.to_owned(), json!({cursor_field: cursor}));
        state.insert(LOOKBACK_WINDOW.to_owned(), json!(1));
        state.insert(PARENT_STATE.to_owned(), json!({}));
    }
}
