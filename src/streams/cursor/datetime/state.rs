//! The progress of a read of a stream with a datetime cursor: the read part, and the begun slices.

use std::sync::Arc;

use serde_json::Value;

use super::intervals::{Interval, Intervals};
use super::{DatetimeCursor, Moment, windows};
use crate::protocol::StreamState;
use crate::streams::{CursorState, Slice};

/// The state of a stream, or of one of its partitions.
pub(super) struct DatetimeState<'a> {
    cursor: &'a DatetimeCursor,
    field: Arc<str>,
    intervals: Intervals,
    /// The slices that were begun and not read to their ends.
    open: Vec<(String, Moment)>,
    is_all: bool,
    was_read: bool,
}

impl<'a> DatetimeState<'a> {
    pub(super) fn new(cursor: &'a DatetimeCursor, intervals: Intervals, field: Arc<str>) -> Self {
        Self { cursor, field, intervals, open: Vec::new(), is_all: false, was_read: false }
    }

    /// The number of remaining slices up to `end`.
    pub(super) fn windows(&self, end: Moment) -> usize {
        windows::windows(self.cursor, &self.intervals, end).count()
    }

    /// Whether a slice was begun and not read to its end.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether any slice was read to its end.
    pub(super) fn was_read(&self) -> bool {
        self.was_read
    }

    /// The value up to which all was read.
    pub(super) fn value(&self) -> Moment {
        let open: Vec<Moment> = self.open.iter().map(|(_, start)| *start).collect();
        self.intervals.value(self.cursor, &open, self.is_all)
    }

    /// The state with this value.
    pub(super) fn of(&self, value: Moment) -> StreamState {
        std::iter::once(((*self.field).to_owned(), Value::String(self.cursor.format.write(value)))).collect()
    }
}

impl CursorState for DatetimeState<'_> {
    fn is_in_order(&self) -> bool {
        false
    }

    /// Requests and the cursor's scope get the value of the given state, under the name of the cursor in force.
    fn open(&mut self, slice: &Slice, made_from: &StreamState) -> Option<StreamState> {
        if let Some((start, _)) = self.cursor.window_of(slice) {
            self.open.push((key(slice), start));
        }
        Some(self.reopen(slice, made_from))
    }

    fn reopen(&mut self, _slice: &Slice, _made_from: &StreamState) -> StreamState {
        self.of(self.intervals.base)
    }

    fn close(&mut self, slice: &Slice, newest: Option<&Value>) -> bool {
        self.was_read = true;
        let key = key(slice);
        if let Some(at) = self.open.iter().position(|(open, _)| *open == key) {
            self.open.swap_remove(at);
        }
        if let Some((start, end)) = self.cursor.window_of(slice) {
            let newest = newest.and_then(|newest| self.cursor.format.read(newest).ok().flatten());
            self.intervals.add(self.cursor, Interval { start, end, newest });
        }
        true
    }

    fn count(&mut self, _slice: &Slice, _newest: Option<&Value>) -> bool {
        false
    }

    fn end(&mut self) -> bool {
        self.is_all = true;
        false
    }

    fn state(&self) -> StreamState {
        self.of(self.value())
    }
}

fn key(slice: &Slice) -> String {
    Value::Object(slice.span().clone()).to_string()
}
