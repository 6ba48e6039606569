//! The windows left to read, made as they are read: before, between and after the read intervals, cut into steps.

use super::intervals::Intervals;
use super::{DatetimeCursor, Moment};

/// A window, both ends inclusive.
pub(super) type Window = (Moment, Moment);

/// The remaining windows, up to `end`.
pub(super) fn windows<'c>(
    cursor: &'c DatetimeCursor,
    intervals: &Intervals,
    end: Moment,
) -> impl Iterator<Item = Window> + Send + use<'c> {
    let list = &intervals.list;
    let mut ranges = Vec::with_capacity(list.len() + 1);
    if let Some(first) = list.first().filter(|first| cursor.start < first.start) {
        ranges.push(Range::new(cursor, cursor.start, first.start, false, end));
    }
    for pair in list.windows(2) {
        let after = |moment: Moment| cursor.granularity.and_then(|unit| moment.plus(unit)).unwrap_or(moment);
        ranges.push(Range::new(cursor, after(pair[0].end), pair[1].start, false, end));
    }
    if let Some(last) = list.last() {
        // The lookback, but not from before the start.
        let lower = cursor.lookback.map_or(Some(last.end), |lookback| last.end.minus(lookback));
        ranges.push(Range::new(cursor, lower.unwrap_or(cursor.start), end, true, end));
    }
    ranges.into_iter().flatten().flatten()
}

/// The windows of an unread interval.
struct Range<'c> {
    cursor: &'c DatetimeCursor,
    /// The start of the next window; `None` after the last.
    lower: Option<Moment>,
    upper: Moment,
    /// Whether it ends where the stream does, and not at an earlier read.
    is_last: bool,
    /// The end of the stream.
    end: Moment,
    is_first: bool,
}

impl<'c> Range<'c> {
    fn new(cursor: &'c DatetimeCursor, lower: Moment, upper: Moment, is_last: bool, end: Moment) -> Option<Self> {
        if lower > upper || lower == upper && cursor.granularity.is_none() || upper < cursor.start {
            return None;
        }
        let lower = cursor.floor(lower.max(cursor.start));
        if lower > upper || lower == upper && (cursor.is_compare_strictly || !is_last) {
            return None;
        }
        Some(Self { cursor, lower: Some(lower), upper, is_last, end, is_first: true })
    }

    /// The end of a window whose time ends before this moment.
    fn before(&self, moment: Moment) -> Moment {
        self.cursor.granularity.and_then(|unit| moment.minus(unit)).unwrap_or(moment)
    }

    fn whole(&mut self, lower: Moment) -> Window {
        self.lower = None;
        let Self { cursor, upper, is_last, .. } = *self;
        let clamped = if is_last && cursor.granularity.is_some() { upper } else { cursor.ceil(upper) };
        (lower, if is_last { clamped } else { self.before(clamped) })
    }
}

impl Iterator for Range<'_> {
    type Item = Window;

    fn next(&mut self) -> Option<Window> {
        let Self { cursor, upper, is_last, end, .. } = *self;
        let lower = self.lower?;
        let after = cursor.step.and_then(|step| lower.plus(step)).unwrap_or(end);
        if std::mem::take(&mut self.is_first) && after >= upper {
            return Some(self.whole(lower));
        }
        let boundary = after.min(upper);
        let clamped = if boundary == upper { boundary } else { cursor.ceil(boundary) };
        let is_end = boundary >= upper || clamped == upper;
        let lower = cursor.ceil(lower);
        if lower >= clamped {
            self.lower = None;
            return None;
        }
        self.lower = (!is_end).then_some(clamped);
        Some((lower, if is_last && is_end { clamped } else { self.before(clamped) }))
    }
}
