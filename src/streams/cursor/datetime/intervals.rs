//! The part of a cursor's time that was read: intervals, merged where they touch, each with its newest value. They come
//! from a state, grow with each slice that was read to its end, and limit a state.

use serde_json::{Map, Value};

use super::{DatetimeCursor, Moment};
use crate::protocol::{Failure, StreamState};

/// Kinds of states with a list of intervals, as Airbyte's runtime writes them.
const STATE_TYPES: [&str; 2] = ["date-range", "integer"];

/// A closed interval that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) start: Moment,
    pub(super) end: Moment,
    /// The newest value of its records, anywhere. `None` without one.
    pub(super) newest: Option<Moment>,
}

/// The read intervals, in order and merged; never empty.
#[derive(Debug, Clone)]
pub(super) struct Intervals {
    pub(super) list: Vec<Interval>,
    /// The value of the state.
    pub(super) base: Moment,
}

impl Intervals {
    /// The meaning of a state: one value under the cursor's field, up to which all was read, or a list of intervals.
    /// Any other state means nothing, and all is read.
    ///
    /// # Errors
    /// A config failure if a value is in none of the cursor's formats.
    pub(super) fn of(cursor: &DatetimeCursor, state: &StreamState, field: &str) -> Result<Self, Failure> {
        if state.get("state_type").and_then(Value::as_str).is_some_and(|kind| STATE_TYPES.contains(&kind)) {
            let slices = state.get("slices").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let list = slices.iter().map(|slice| interval(cursor, slice)).collect::<Result<Vec<_>, _>>()?;
            if let Some(first) = list.iter().min_by_key(|interval| (interval.start, interval.end)) {
                // Not past the interval, whose newest value may be anywhere: what is in the gap behind it is wanted.
                let newest =
                    first.newest.filter(|newest| *newest <= first.end || cursor.is_unit_of(*newest, first.end));
                let base = newest.unwrap_or(first.end);
                let mut intervals = Self { list, base };
                intervals.merge(cursor);
                return Ok(intervals);
            }
        }
        let known = state.get(field).map(|value| read(cursor, field, value)).transpose()?;
        let base = known.filter(|known| *known >= cursor.start).unwrap_or(cursor.start);
        Ok(Self { list: vec![Interval { start: cursor.start, end: base, newest: Some(base) }], base })
    }

    /// Adds a read interval.
    pub(super) fn add(&mut self, cursor: &DatetimeCursor, interval: Interval) {
        self.list.push(interval);
        self.merge(cursor);
    }

    fn merge(&mut self, cursor: &DatetimeCursor) {
        self.list.sort_by_key(|interval| (interval.start, interval.end));
        let mut merged: Vec<Interval> = Vec::with_capacity(self.list.len());
        for next in self.list.drain(..) {
            match merged.last_mut().filter(|last| cursor.touches(last.end, next.start)) {
                Some(last) => {
                    last.end = last.end.max(next.end);
                    last.newest = last.newest.max(next.newest);
                }
                None => merged.push(next),
            }
        }
        self.list = merged;
    }

    /// The value up to which all was read. `open` are the starts of slices that are not read to their ends.
    ///
    /// It is the newest value of the first interval, as in Airbyte's runtime, but never past the read part: an API may
    /// return records outside of the requested time, and one with a time in the future must not hide everything until
    /// then. It also stays unchanged while a slice before it is open, such as one in the lookback. `is_all`: all slices
    /// were read.
    pub(super) fn value(&self, cursor: &DatetimeCursor, open: &[Moment], is_all: bool) -> Moment {
        let Some(first) = self.list.first() else { return self.base };
        let newest = first.newest.unwrap_or(first.start);
        let (end, latest) = match self.list.last().filter(|_| is_all) {
            // Windows whose ends the format truncates do not join, and were read anyway.
            Some(last) => (last.end, cursor.now.as_ref().map_or(last.end, |now| now().max(last.end))),
            None => (first.end, first.end),
        };
        // A value after now says nothing about what comes until then, and nothing after the end was requested.
        let value = if newest <= latest || cursor.is_unit_of(newest, end) { newest } else { end };
        match open.iter().any(|open| *open < first.end) {
            true => value.min(self.base),
            false => value,
        }
    }
}

fn interval(cursor: &DatetimeCursor, slice: &Value) -> Result<Interval, Failure> {
    let none = Map::new();
    let slice = slice.as_object().unwrap_or(&none);
    let member = |name: &str| slice.get(name).map(|value| read(cursor, name, value)).transpose();
    match (member("start")?, member("end")?) {
        (Some(start), Some(end)) => Ok(Interval { start, end, newest: member("most_recent_cursor_value")? }),
        _ => Err(unusable("an entry of `slices` has no `start` or no `end`")),
    }
}

fn read(cursor: &DatetimeCursor, name: &str, value: &Value) -> Result<Moment, Failure> {
    let moment = cursor.format.read(value).ok().flatten();
    moment.ok_or_else(|| unusable(&format!("its `{name}` is in none of the formats of the cursor")))
}

pub(super) fn unusable(what: &str) -> Failure {
    Failure::config(format!(
        "The state of the stream cannot be used: {what}. Correct it, or remove it to read the stream from its beginning."
    ))
}
