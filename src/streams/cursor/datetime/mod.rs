//! A date or time cursor, for an API that can be filtered by a window: the remaining windows, in steps, with a
//! lookback, and a safe state value for any set of read and failed slices. Its states are those of Airbyte's low-code
//! runtime: one value under the cursor's field, so that either can resume from the other's.

mod format;
mod halves;
mod intervals;
mod moment;
mod partitions;
mod state;
mod windows;

use std::cmp::Ordering;

use serde_json::Value;

pub use format::{Rfc3339, TimeFormat};
use intervals::Intervals;
pub use moment::{Clamping, Moment, TimeSpan};
pub use partitions::PartitionedCursor;
use state::DatetimeState;

use super::{Cursor, CursorRead, CursorState, Scope, field_in_force};
use crate::protocol::{Failure, StreamState};
use crate::streams::{ParentStream, Record, RequestContext, Slice, SliceContext, Slices};

/// Returns the current end of the readable time.
pub type EndOfTime = dyn Fn() -> Result<Moment, Failure> + Send + Sync;

type Now = dyn Fn() -> Moment + Send + Sync;

/// A date or time as the cursor. The span of each slice is the window to request, under [`DatetimeCursor::boundaries`].
///
/// ```
/// use source_http::streams::cursor::{DatetimeCursor, Moment, Rfc3339, TimeSpan};
///
/// // Week by week from 2026-11-01 on, each read beginning a day before the state.
/// let start = Moment::utc(1_793_491_200_000_000);
/// let updated = DatetimeCursor::new("updated_at", Rfc3339, start, Moment::utc(1_795_000_000_000_000))
///     .step(TimeSpan::days(7))
///     .granularity(TimeSpan::seconds(1))
///     .lookback(TimeSpan::days(1))
///     .boundaries("since", "until");
/// # drop(updated);
/// ```
#[allow(clippy::struct_excessive_bools, reason = "each is about another thing")]
pub struct DatetimeCursor {
    field: String,
    is_chosen: bool,
    boundaries: [String; 2],
    format: Box<dyn TimeFormat>,
    start: Moment,
    end: Box<EndOfTime>,
    now: Option<Box<Now>>,
    step: Option<TimeSpan>,
    granularity: Option<TimeSpan>,
    lookback: Option<TimeSpan>,
    clamping: Option<Clamping>,
    is_compare_strictly: bool,
    is_data_feed: bool,
    is_unsorted: bool,
}

impl DatetimeCursor {
    /// A cursor on the top-level field of this name, read from `start` to `end`, both inclusive.
    pub fn new(field: impl Into<String>, format: impl TimeFormat + 'static, start: Moment, end: Moment) -> Self {
        Self {
            field: field.into(),
            is_chosen: false,
            boundaries: ["start_time".to_owned(), "end_time".to_owned()],
            format: Box::new(format),
            start,
            end: Box::new(move || Ok(end)),
            now: None,
            step: None,
            granularity: None,
            lookback: None,
            clamping: None,
            is_compare_strictly: false,
            is_data_feed: false,
            is_unsorted: false,
        }
    }

    /// Ends the readable time at the result of this call, such as now.
    #[must_use]
    pub fn until(mut self, end: impl Fn() -> Result<Moment, Failure> + Send + Sync + 'static) -> Self {
        self.end = Box::new(end);
        self
    }

    /// The time now, for an API that returns records from after the end, too: once all was read, a state may be as new
    /// as they are, unless that is after now. Default: a state is never newer than the end.
    #[must_use]
    pub fn now(mut self, now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        self.now = Some(Box::new(now));
        self
    }

    /// The names of a window's ends in slices. Default: `start_time` and `end_time`.
    #[must_use]
    pub fn boundaries(mut self, start: impl Into<String>, end: impl Into<String>) -> Self {
        self.boundaries = [start.into(), end.into()];
        self
    }

    /// The longest window; it must be positive. Default: one for all.
    #[must_use]
    pub fn step(mut self, step: TimeSpan) -> Self {
        self.step = Some(step).filter(|step| step.is_positive());
        self
    }

    /// The smallest unit that the API accepts: a window ends one unit before the next begins. Default: it ends
    /// where the next begins.
    #[must_use]
    pub fn granularity(mut self, unit: TimeSpan) -> Self {
        self.granularity = Some(unit);
        self
    }

    /// How long before the state each read begins (the lookback). Default: zero.
    #[must_use]
    pub fn lookback(mut self, span: TimeSpan) -> Self {
        self.lookback = Some(span);
        self
    }

    /// Windows begin and end only at such boundaries, and the readable time ends one unit before one: a second for days
    /// without [`DatetimeCursor::granularity`], otherwise a day. Default: anywhere.
    #[must_use]
    pub fn clamped(mut self, to: Clamping) -> Self {
        self.clamping = Some(to);
        self
    }

    /// The API refuses a window of one unit, whose ends are equal. Default: it does not.
    #[must_use]
    pub fn strictly(mut self) -> Self {
        self.is_compare_strictly = true;
        self
    }

    /// Makes the field a suggestion: the user may choose another one in the catalog. Default: it is fixed.
    #[must_use]
    pub fn or_another(mut self) -> Self {
        self.is_chosen = true;
        self
    }

    /// The API cannot be filtered by a window, and returns the newest records first: records outside of it are dropped,
    /// and paging ends after it. Default: it can.
    #[must_use]
    pub fn data_feed(mut self) -> Self {
        self.is_data_feed = true;
        self
    }

    /// The records of a data feed are not strictly in order: paging ends after a page that is entirely before the
    /// window. Default: after a page whose last record is.
    #[must_use]
    pub fn unsorted(mut self) -> Self {
        self.is_unsorted = true;
        self
    }

    /// Whether a record is in the wanted time of a read with this state. One with an unreadable value is.
    ///
    /// # Errors
    /// If the slice cannot be read with such a value in it, or there is no end.
    pub fn judge(&self, record: &Record<'_>, state: &StreamState) -> Result<Scope, Failure> {
        let (field, value) = match state.iter().next() {
            Some((field, value)) => (field, self.format.read(value)?.unwrap_or(self.start)),
            None => (&self.field, self.start),
        };
        let Some(seen) = self.moment_at(record, field)? else { return Ok(Scope::In) };
        let lowest = self
            .lookback
            .map_or(value, |lookback| value.minus(lookback).unwrap_or(self.start).max(value.min(self.start)));
        if seen < lowest {
            return Ok(Scope::Past);
        }
        // A later timestamp says nothing about the records after it.
        Ok(if seen > self.end()? { Scope::Out } else { Scope::In })
    }

    /// The value in a state under the cursor's own field, or in the first of its intervals. `None` without a readable
    /// one.
    #[must_use]
    pub fn value_in(&self, state: &StreamState) -> Option<Moment> {
        let value = match state.get("slices").and_then(Value::as_array) {
            Some(slices) => {
                let first = slices.first()?;
                first.get("most_recent_cursor_value").filter(|value| !value.is_null()).or_else(|| first.get("end"))
            }
            None => state.get(&self.field),
        };
        self.format.read(value?).ok().flatten()
    }

    /// The current end of the readable time.
    fn end(&self) -> Result<Moment, Failure> {
        let end = (self.end)()?;
        let Some(to) = self.clamping else { return Ok(end) };
        let unit = self.granularity.unwrap_or(match to {
            Clamping::Day => TimeSpan::seconds(1),
            Clamping::Week(_) | Clamping::Month => TimeSpan::days(1),
        });
        let floor = end.floor(to);
        Ok(floor.minus(unit).unwrap_or(floor))
    }

    fn floor(&self, moment: Moment) -> Moment {
        self.clamping.map_or(moment, |to| moment.floor(to))
    }

    fn ceil(&self, moment: Moment) -> Moment {
        self.clamping.map_or(moment, |to| moment.ceil(to))
    }

    /// Whether nothing is between the end of an interval and the start of the next.
    fn touches(&self, end: Moment, start: Moment) -> bool {
        let unit = self.granularity.unwrap_or(TimeSpan::micros(1000));
        end.plus(unit).is_none_or(|next| next >= start)
    }

    /// Whether a moment is in the last unit of a window with this end.
    fn is_unit_of(&self, moment: Moment, end: Moment) -> bool {
        self.granularity.and_then(|unit| end.plus(unit)).is_some_and(|next| end <= moment && moment < next)
    }

    /// The window of a slice.
    fn window_of(&self, slice: &Slice) -> Option<(Moment, Moment)> {
        let [start, end] = self.boundaries.each_ref().map(|name| {
            let value = slice.span().get(name)?;
            self.format.read(value).ok().flatten()
        });
        start.zip(end)
    }

    /// A window as a slice, in the form of requests and states, so that the read part equals the requested one.
    fn slice_of(&self, partition: &Slice, (start, end): (Moment, Moment)) -> Result<Slice, Failure> {
        let texts = [start, end].map(|moment| Value::String(self.format.write(moment)));
        let slice = partition.clone().with_span(self.boundaries.iter().cloned().zip(texts));
        match self.window_of(&slice) {
            Some(_) => Ok(slice),
            None => Err(Failure::config(
                "The cursor's format writes a date that it cannot read again, so no state could be resumed. \
                 Choose a format that gives each year four digits, and a later start.",
            )),
        }
    }

    fn slices(&self, state: &StreamState, cursor_field: &[String]) -> Result<Slices<'_>, Failure> {
        let intervals = Intervals::of(self, state, field_in_force(&self.field, cursor_field)?)?;
        let windows = windows::windows(self, &intervals, self.end()?);
        Ok(Box::new(windows.map(|window| Ok(self.slice_of(&Slice::whole(), window)?))))
    }
}

impl Cursor for DatetimeCursor {
    fn cursor_field(&self) -> Vec<String> {
        vec![self.field.clone()]
    }

    fn source_defined_cursor(&self) -> bool {
        !self.is_chosen
    }

    fn stream_slices<'a>(&'a self, _parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        Ok(self.slices(cx.state, cx.cursor_field)?)
    }

    fn is_of_span(&self, member: &str) -> bool {
        self.boundaries.iter().any(|boundary| boundary == member)
    }

    fn compare(&self, one: &Value, other: &Value) -> Option<Ordering> {
        let read = |value: &Value| self.format.read(value).ok().flatten();
        Some(read(one)?.cmp(&read(other)?))
    }

    fn has_scope(&self) -> bool {
        self.is_data_feed
    }

    fn scope(&self, record: &Record<'_>, cx: &RequestContext<'_>, _cursor_field: &[String]) -> Scope {
        // A value that ends the slice does so when the record is written.
        self.judge(record, cx.state).unwrap_or(Scope::In)
    }

    fn ends_with_last(&self) -> bool {
        !self.is_unsorted
    }

    /// A state describes what was read, under any name.
    fn is_complete(&self, _state: &StreamState) -> bool {
        false
    }

    fn complete(&self, state: StreamState) -> StreamState {
        state
    }

    fn keeps_places(&self) -> bool {
        false
    }

    fn reads_on_after_failure(&self) -> bool {
        true
    }

    fn note(&self, value: Option<&Value>) -> Result<Option<String>, Failure> {
        if let Some(value) = value.filter(|value| !value.is_null())
            && self.format.read(value)?.is_some()
        {
            return Ok(None);
        }
        Ok(Some(format!(
            "a record has no `{}`, or one in none of the formats of the cursor. Such records are written, and do not move the \
             state; this is reported once.",
            self.field
        )))
    }

    fn begin<'a>(&'a self, read: CursorRead<'_>) -> Result<Box<dyn CursorState + 'a>, Failure> {
        let field = field_in_force(&self.field, &read.cursor_field)?.to_owned();
        let intervals = Intervals::of(self, &read.state, &field)?;
        Ok(Box::new(DatetimeState::new(self, intervals, field.into())))
    }
}

#[cfg(test)]
mod tests;
