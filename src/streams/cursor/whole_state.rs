//! The state of a stream whose slices move one state in their order, or which has only one slice.

use serde_json::Value;

use super::{Cursor, CursorRead, CursorState, advance};
use crate::protocol::{Failure, StreamState};
use crate::streams::Slice;

/// One state for all slices.
#[derive(Debug)]
pub(crate) struct WholeState<'a, C: ?Sized> {
    cursor: &'a C,
    cursor_field: Vec<String>,
    state: StreamState,
}

impl<'a, C: Cursor + ?Sized> WholeState<'a, C> {
    /// # Errors
    /// A config failure if the stream has one slice and no cursor, but a state is given: it has no meaning.
    pub(crate) fn new(cursor: &'a C, read: CursorRead<'_>) -> Result<Self, Failure> {
        let CursorRead { stream, cursor_field, state, first } = read;
        let state_without_use = cursor_field.is_empty() && !cursor.slices_in_order() && first.is_some();
        if state_without_use && !state.is_empty() {
            return Err(Failure::config(format!(
                "{:?} has no cursor, and its state {} is not from this source. Remove it from the state file, or \
                 reset the stream, to read all of it.",
                stream.name(),
                Value::Object(state)
            )));
        }
        Ok(Self { cursor, cursor_field, state })
    }

    /// Whether the end of a slice changes the state: not if it is the only one, and has no cursor.
    fn has_state(&self) -> bool {
        !self.cursor_field.is_empty() || self.cursor.slices_in_order()
    }
}

impl<C: Cursor + ?Sized> CursorState for WholeState<'_, C> {
    fn is_in_order(&self) -> bool {
        true
    }

    fn open(&mut self, _slice: &Slice, made_from: &StreamState) -> Option<StreamState> {
        Some(made_from.clone())
    }

    fn reopen(&mut self, _slice: &Slice, made_from: &StreamState) -> StreamState {
        made_from.clone()
    }

    fn close(&mut self, _slice: &Slice, _newest: Option<&Value>) -> bool {
        self.has_state()
    }

    fn count(&mut self, slice: &Slice, newest: Option<&Value>) -> bool {
        if self.has_state() {
            self.cursor.get_updated_state(&mut self.state, slice, newest, &self.cursor_field);
        }
        self.has_state()
    }

    fn end(&mut self) -> bool {
        // Slices that are spans, or come from changes, never cover everything.
        false
    }

    fn state(&self) -> StreamState {
        self.state.clone()
    }

    fn state_within(&self, newest: Option<&Value>) -> Option<StreamState> {
        let mut state = self.state.clone();
        advance(self.cursor, &mut state, newest, &self.cursor_field);
        Some(state)
    }
}
