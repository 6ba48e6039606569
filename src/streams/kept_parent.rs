//! A parent that is read from a state of its own, which the child's state holds under the parent's name (an incremental
//! dependency in Airbyte's low-code runtime). The child's slices then come from changed parents. How far the parent was
//! read is known at each of its records, so the child's state can match its slices.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value};

use super::parent_stream::{Kept, ParentSlices};
use super::{CursorRead, CursorState, HttpStream, ParentStream, Slice, SliceContext, Slices};
use crate::locks;
use crate::protocol::{NO_CURSOR_STATE, StreamState, SyncMode};

/// In the state of a child: the states of its parents, by name.
const PARENT_STATE: &str = "parent_state";
/// In the state of a child: the value of all of its partitions.
const GLOBAL: &str = "state";
/// In the state of a parent that has partitions itself: the state of each.
const STATES: &str = "states";
/// The most partitions of a parent whose state is rebuilt after each of them. A longer one is rebuilt once as many of
/// the parent's records were handed out as it has entries, so that the total cost stays below that of the records.
const FEW_STATES: usize = 100;

impl ParentStream {
    /// Reads the parent from a state of its own, stored in the child's under `parent_state` and the parent's name: see
    /// [`super::cursor::PartitionedCursor`]. With `takes_child_value`, a parent without a state begins at the child's
    /// value for all partitions; otherwise at its beginning. Default: a parent is read whole each time.
    #[must_use]
    pub fn with_own_state(mut self, takes_child_value: bool) -> Self {
        self.kept = Some(Kept { takes_child_value, ..Kept::default() });
        self
    }

    /// Whether the parent is read from a state of its own.
    pub(super) fn has_own_state(&self) -> bool {
        self.kept.is_some()
    }

    /// How often its own state has changed.
    pub(super) fn state_changes(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.changes.load(Ordering::Relaxed))
    }

    /// The parent's name and its current state, past the records whose slices were handed out. `None` if it has none of
    /// its own.
    pub(super) fn own_state(&self) -> Option<(String, Value)> {
        let state = locks::lock(&self.kept.as_ref()?.state).state();
        Some((self.stream().name().to_owned(), Value::Object(state)))
    }

    /// A read of the child begins from this state.
    pub(super) fn begin_from(&self, child: &StreamState) {
        if let Some(kept) = &self.kept {
            kept.set(self.start(kept, child).0);
        }
    }

    /// The state from which the parent begins, and whether it is its own.
    fn start(&self, kept: &Kept, child: &StreamState) -> (StreamState, bool) {
        let own =
            child.get(PARENT_STATE).and_then(|states| states.get(self.stream().name())).and_then(Value::as_object);
        if let Some(own) = own {
            return (own.clone(), true);
        }
        if !kept.takes_child_value {
            return (StreamState::new(), false);
        }
        let state = match child.get(GLOBAL) {
            Some(global) => global.as_object().cloned(),
            None => self.of_single(child),
        };
        (state.unwrap_or_default(), false)
    }

    /// The one value of a child, under the name of the parent's cursor.
    fn of_single(&self, child: &StreamState) -> Option<StreamState> {
        let mut members = child.values();
        let (Some(value), None) = (members.next(), members.next()) else { return None };
        let field = self.stream().cursor().cursor_field().pop()?;
        (value.is_string() || value.is_number()).then(|| Map::from_iter([(field, value.clone())]))
    }

    /// The slices of the parent's records, from the state in the child's.
    pub(super) fn kept_slices<'a>(&'a self, kept: &'a Kept, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let (state, is_own) = self.start(kept, cx.state);
        let mut read = match KeptRead::new(self, kept, state, cx) {
            // The parent may not be able to begin at the child's value.
            Err(_) if !is_own => KeptRead::new(self, kept, StreamState::new(), cx)?,
            read => read?,
        };
        read.publish(false);
        Ok(Box::new(read))
    }
}

impl Kept {
    fn set(&self, state: StreamState) {
        *locks::lock(&self.state) = state.into();
        self.changes.fetch_add(1, Ordering::Relaxed);
    }
}

/// The read of a parent from a state.
struct KeptRead<'a> {
    parent: &'a ParentStream,
    kept: &'a Kept,
    /// The stream to read: the parent, or one that replaces it.
    stream: &'a dyn HttpStream,
    is_all_or_nothing: bool,
    cx: SliceContext<'a>,
    known: Box<dyn CursorState + 'a>,
    /// The state that the parent's slices were made from.
    made_from: StreamState,
    slices: VecDeque<anyhow::Result<Slice>>,
    current: Option<(Slice, ParentSlices<'a>)>,
    /// The next slice of the child.
    next: Option<Slice>,
    /// The one after it.
    error: Option<anyhow::Error>,
    refused: u64,
    /// Whether it knows more than it has reported.
    has_news: bool,
    /// The partitions in the last reported state, and the records handed out since then.
    noted: usize,
    since_noted: usize,
    is_done: bool,
}

impl<'a> KeptRead<'a> {
    fn new(
        parent: &'a ParentStream,
        kept: &'a Kept,
        given: StreamState,
        cx: &SliceContext<'a>,
    ) -> anyhow::Result<Self> {
        let delegate = parent.stream().for_state(&given)?;
        let stream = delegate.as_ref().map_or(parent.stream(), |delegate| delegate.stream);
        let drops_state = delegate.as_ref().is_some_and(|delegate| delegate.drops_state.is_some());
        let mut state = if drops_state { StreamState::new() } else { given };
        state.remove(NO_CURSOR_STATE);
        let cursor = stream.cursor();
        let cursor_field = cursor.cursor_field();
        // Without a cursor it is read whole.
        let state = if cursor_field.is_empty() { StreamState::new() } else { cursor.migrate_state(state)? };
        let slices: VecDeque<_> = {
            let own = SliceContext { sync_mode: SyncMode::Incremental, state: &state, cursor_field: &[], ..*cx };
            let mut has_failed = false;
            let until_failure = |slice: &anyhow::Result<Slice>| !std::mem::replace(&mut has_failed, slice.is_err());
            let slices = stream.stream_slices(&own)?;
            let slices: VecDeque<_> = slices.take_while(until_failure).collect();
            slices
        };
        let first = slices.front().and_then(|first| first.as_ref().ok());
        let known = cursor.begin(CursorRead { stream, cursor_field, state: state.clone(), first })?;
        Ok(Self {
            parent,
            kept,
            stream,
            is_all_or_nothing: delegate.is_some_and(|delegate| delegate.is_all_or_nothing),
            cx: *cx,
            known,
            made_from: state,
            slices,
            current: None,
            next: None,
            error: None,
            refused: 0,
            has_news: true,
            noted: 0,
            since_noted: 0,
            is_done: false,
        })
    }

    /// Reports how far the parent was read. Earlier reports stay true: they cover less.
    fn publish(&mut self, is_end: bool) {
        let is_due = self.noted <= FEW_STATES || self.since_noted >= self.noted;
        if !(is_end || is_due && self.has_news) {
            return;
        }
        (self.has_news, self.since_noted) = (false, 0);
        let is_whole = is_end && self.refused == 0;
        let has_cursor = !self.stream.cursor().cursor_field().is_empty();
        let state = match has_cursor {
            _ if !is_whole && (self.is_all_or_nothing || !has_cursor) => StreamState::new(),
            true => self.known.state(),
            false => self.stream.cursor().complete(StreamState::new()),
        };
        self.noted = state.get(STATES).and_then(Value::as_array).map_or(0, Vec::len);
        self.kept.set(state);
    }

    /// The next slice of the child. A slice of the parent ends with its last record.
    fn advance(&mut self) -> anyhow::Result<Option<Slice>> {
        loop {
            let Some((slice, children)) = &mut self.current else {
                let Some(slice) = self.slices.pop_front().transpose()? else { return Ok(None) };
                if slice.is_marker() {
                    continue;
                }
                self.has_news = true;
                let Some(state) = self.known.open(&slice, &self.made_from) else { continue };
                let once: Slices<'a> = Box::new(std::iter::once(Ok(slice.clone())));
                let mut children = ParentSlices::new(self.parent, self.stream, once, &self.cx);
                (children.state, children.refused) = (state, self.refused);
                self.current = Some((slice, children));
                continue;
            };
            if let Some(child) = children.next().transpose()? {
                return Ok(Some(child));
            }
            let is_refused = children.refused > self.refused;
            self.refused = children.refused;
            self.has_news = true;
            if !is_refused {
                self.known.close(slice, children.newest.as_ref());
                self.known.count(slice, children.newest.as_ref());
            }
            self.current = None;
            // The rest does not belong to it.
            return Ok(None);
        }
    }

    /// Finds the next slice, up to the end of the parent's slice.
    fn look(&mut self) {
        match self.advance() {
            Ok(next) => self.next = next,
            Err(error) => self.error = Some(error),
        }
    }

    fn is_at_end(&self) -> bool {
        self.next.is_none() && self.error.is_none() && self.current.is_none() && self.slices.is_empty()
    }
}

impl Iterator for KeptRead<'_> {
    type Item = anyhow::Result<Slice>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next.is_none() && self.error.is_none() && !self.is_at_end() {
            self.look();
        }
        let Some(next) = self.next.take() else {
            let error = self.error.take();
            if error.is_none() && !self.is_done {
                self.known.end();
                self.publish(true);
            }
            self.is_done = true;
            self.slices.clear();
            self.current = None;
            return error.map(Err);
        };
        self.since_noted += 1;
        self.look();
        if self.is_at_end() && !self.is_done {
            self.known.end();
            self.is_done = true;
        }
        self.publish(self.is_done);
        Some(Ok(next))
    }
}

#[cfg(test)]
mod tests;
