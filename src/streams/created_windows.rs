//! The cursor of objects that never change: their creation time, in seconds since the epoch, read in windows of time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{ApiClock, Cursor, DateWindows, ParentStream, Slice, SliceContext, Slices, epoch_cursor};
use crate::protocol::{LogLevel, StreamState};

/// In a slice: the state's cursor was in the future, and must not stay there.
const AHEAD: &str = "ahead";

/// The cursor of a list that can be filtered by creation time: see [`DateWindows`]. Its state is `{FIELD: "SECONDS"}`,
/// the newest object seen.
#[derive(Debug, Clone)]
pub struct CreatedWindows {
    /// The stream's name, for messages.
    pub stream: String,
    /// The member of records and state with the moment, in seconds since the epoch.
    pub cursor_field: String,
    /// Where the first read begins, in seconds since the epoch. No window begins before it.
    pub start: i64,
    /// How long a window is, in seconds.
    pub step: i64,
    /// How far before the newest object each read begins, in seconds.
    pub lookback: i64,
    /// Up to when to read.
    pub clock: Arc<ApiClock>,
}

impl Cursor for CreatedWindows {
    fn cursor_field(&self) -> Vec<String> {
        vec![self.cursor_field.clone()]
    }

    fn stream_slices<'a>(&'a self, _parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let now = self.clock.began();
        let known = epoch_cursor::cursor(cx.state, &self.cursor_field, &self.stream)?;
        let ahead = known.filter(|known| epoch_cursor::is_future(*known, now));
        if let Some(ahead) = ahead {
            let text = format!(
                "{}: the state is of {}, which is in the future, so the read part is unknown. Everything is read.",
                self.stream,
                epoch_cursor::date(ahead)
            );
            cx.output.log(LogLevel::Warn, &text)?;
        }
        let known = known.filter(|_| ahead.is_none());
        let from = known.map_or(self.start, |known| known.saturating_sub(self.lookback).max(self.start));
        let mark = ahead.map(|_| (AHEAD, true));
        Ok(Box::new(
            DateWindows::new(from.min(now), now, self.step).slices().map(move |slice| Ok(slice.with_span(mark))),
        ))
    }

    fn slices_in_order(&self) -> bool {
        true
    }

    fn is_of_span(&self, member: &str) -> bool {
        DateWindows::MEMBERS.contains(&member) || member == AHEAD
    }

    fn get_updated_state(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>, _: &[String]) {
        if let Some((_, to)) = DateWindows::of(slice).filter(|_| slice.get(AHEAD).is_some()) {
            let known = state.get(&self.cursor_field).and_then(epoch_cursor::seconds);
            if known.is_none_or(|known| epoch_cursor::is_future(known, to)) {
                epoch_cursor::set_cursor(state, &self.cursor_field, self.start.min(to));
            }
        }
        epoch_cursor::advance(state, &self.cursor_field, &self.stream, self.start, newest);
    }

    fn overlap(&self) -> Duration {
        Duration::from_secs(self.lookback.unsigned_abs())
    }
}
