//! Splits a cursor's windows, for an API that refuses long windows, or has no page beyond a certain number of records.

use serde_json::Value;

use super::{DatetimeCursor, Moment, TimeSpan};
use crate::protocol::Failure;
use crate::streams::{Record, Slice};

/// The most calendar units counted in a window.
const MOST_UNITS: i64 = 100_000;

impl DatetimeCursor {
    /// The two halves of a slice's window, with a gap of only the smallest unit. `None` if it is not longer than that
    /// or `least`, if the cursor has no smallest unit, or its format cannot distinguish the halves.
    ///
    /// # Errors
    /// If the format cannot read its own output.
    pub fn halves(&self, slice: &Slice, least: Option<TimeSpan>) -> Result<Option<[Slice; 2]>, Failure> {
        let (Some((start, end)), Some(unit)) = (self.window_of(slice), self.granularity) else { return Ok(None) };
        let is_least = least.is_some_and(|least| start.plus(least).is_none_or(|shortest| end <= shortest));
        let half = units(start, end, unit) / 2;
        let times = |count: i64| {
            Some(TimeSpan { months: unit.months.checked_mul(count)?, micros: unit.micros.checked_mul(count)? })
        };
        let (first_end, second_start) = (times(half - 1), times(half));
        let moments = first_end.and_then(|span| start.plus(span)).zip(second_start.and_then(|span| start.plus(span)));
        let Some((first_end, second_start)) = moments.filter(|_| half > 0 && !is_least) else { return Ok(None) };
        let halves = [self.slice_of(slice, (start, first_end))?, self.slice_of(slice, (second_start, end))?];
        // As they are requested.
        let windows = halves.each_ref().map(|half| self.window_of(half));
        let [Some((_, first_end)), Some((second_start, _))] = windows else { return Ok(None) };
        let fits = self.window_fits(start, first_end) && self.window_fits(second_start, end);
        Ok((fits && first_end < second_start).then_some(halves))
    }

    /// Whether a window is requested: not one that ends before it begins, nor one of zero length from an API with
    /// strict bounds.
    fn window_fits(&self, start: Moment, end: Moment) -> bool {
        if self.is_compare_strictly { start < end } else { start <= end }
    }

    /// The slice from this cursor value on, as the format writes it; `None` if it is not after the slice's start, or
    /// leaves no window.
    ///
    /// # Errors
    /// If the format cannot read its own output.
    pub fn rest_from(&self, slice: &Slice, value: Moment) -> Result<Option<Slice>, Failure> {
        let Some((start, end)) = self.window_of(slice) else { return Ok(None) };
        let rest = self.slice_of(slice, (value, end))?;
        Ok(self
            .window_of(&rest)
            .is_some_and(|(later, end)| start < later && self.window_fits(later, end))
            .then_some(rest))
    }

    /// The cursor's value in a record. `None` without a readable one.
    ///
    /// # Errors
    /// If the slice cannot be read with such a value in it.
    pub fn moment_of(&self, record: &Record<'_>) -> Result<Option<Moment>, Failure> {
        self.moment_at(record, &self.field)
    }

    /// The time at a field of a record. `None` without a readable one.
    pub(super) fn moment_at(&self, record: &Record<'_>, field: &String) -> Result<Option<Moment>, Failure> {
        let text = record.field_at(std::slice::from_ref(field));
        let value: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
        value.filter(|value| !value.is_null()).map_or(Ok(None), |value| self.format.read(&value))
    }
}

/// The number of units in a window, both ends included.
fn units(start: Moment, end: Moment, unit: TimeSpan) -> i64 {
    if unit.months == 0 {
        return (end.micros.saturating_sub(start.micros)).checked_div(unit.micros).map_or(0, |count| count + 1);
    }
    let mut count = 0;
    let mut next = Some(start);
    while let Some(moment) = next.filter(|moment| *moment <= end && count < MOST_UNITS) {
        count += 1;
        next = moment.plus(unit);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::Rfc3339;
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn cursor(unit: TimeSpan) -> DatetimeCursor {
        let cursor = DatetimeCursor::new("at", Rfc3339, Moment::utc(0), Moment::utc(100 * DAY));
        cursor.step(TimeSpan::days(8)).granularity(unit)
    }

    fn days(cursor: &DatetimeCursor, slice: &Slice) -> (i64, i64) {
        let (start, end) = cursor.window_of(slice).unwrap();
        (start.micros / DAY, end.micros / DAY)
    }

    #[test]
    fn halves_cover_all_of_a_window_until_it_is_one_unit_or_the_least() {
        let cursor = cursor(TimeSpan::days(1));
        let slice =
            |start, end| cursor.slice_of(&Slice::whole(), (Moment::utc(start * DAY), Moment::utc(end * DAY))).unwrap();
        let halves = |start, end, least| {
            let halves = cursor.halves(&slice(start, end), least).unwrap()?;
            Some(halves.each_ref().map(|half| days(&cursor, half)))
        };
        assert_eq!(halves(0, 7, None), Some([(0, 3), (4, 7)]));
        assert_eq!(halves(0, 2, None), Some([(0, 0), (1, 2)]));
        assert_eq!(halves(0, 1, None), Some([(0, 0), (1, 1)]));
        assert_eq!(halves(0, 0, None), None);
        assert_eq!(halves(0, 7, Some(TimeSpan::days(7))), None);
        assert_eq!(halves(0, 8, Some(TimeSpan::days(7))), Some([(0, 3), (4, 8)]));
        let whole = DatetimeCursor::new("at", Rfc3339, Moment::utc(0), Moment::utc(DAY));
        assert!(whole.halves(&slice(0, 1), None).unwrap().is_none(), "it has no unit");
        let strict = self::cursor(TimeSpan::days(1)).strictly();
        let halves = |start, end| {
            strict.halves(&slice(start, end), None).unwrap().map(|halves| halves.map(|half| days(&strict, &half)))
        };
        assert_eq!(halves(0, 3), Some([(0, 1), (2, 3)]));
        assert_eq!(halves(0, 1), None, "a window of zero length is not requested");
    }

    #[test]
    fn the_rest_begins_at_a_value_after_the_start() {
        let cursor = cursor(TimeSpan::seconds(1));
        let slice = cursor.slice_of(&Slice::whole(), (Moment::utc(0), Moment::utc(9 * DAY))).unwrap();
        let rest = |value| cursor.rest_from(&slice, Moment::utc(value)).unwrap();
        assert_eq!(days(&cursor, &rest(3 * DAY).unwrap()), (3, 9));
        assert!(rest(0).is_none());
        assert!(rest(10 * DAY).is_none(), "it is after the end");
        let record = Record::from_text(r#"{"at":"1970-01-03T00:00:00Z"}"#);
        assert_eq!(cursor.moment_of(&record).unwrap(), Some(Moment::utc(2 * DAY)));
    }
}
