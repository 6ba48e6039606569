//! Moments and spans of time for a datetime cursor: to the microsecond, with their original offset, with months and
//! years of the calendar.

use std::cmp::Ordering;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// The first and the last microsecond of the years 1 to 9999, since 1970.
const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// A moment, and the offset of its local time. Two are equal if they are the same instant.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Moment {
    /// Microseconds since 1970 in UTC.
    pub micros: i64,
    /// Microseconds that local time is ahead of UTC.
    pub offset: i64,
}

/// A span of time: months of the calendar, and a fixed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan {
    /// Months. The day is limited to the month's length.
    pub months: i64,
    /// Microseconds, added after the months.
    pub micros: i64,
}

/// Where windows may begin and end, for an API that filters only by whole days, weeks or months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clamping {
    /// At midnight.
    Day,
    /// At midnight of this day of the week; 0 is Monday.
    Week(u8),
    /// At midnight of the first day of a month.
    Month,
}

impl Moment {
    /// A moment in UTC.
    #[must_use]
    pub const fn utc(micros: i64) -> Self {
        Self { micros, offset: 0 }
    }

    /// The moment a span later; `None` if the year is not in 1 to 9999.
    #[must_use]
    pub fn plus(self, span: TimeSpan) -> Option<Self> {
        let moved = match span.months {
            0 => self,
            months => {
                let months = Span::new().try_months(months).ok()?;
                self.of_local(self.local()?.checked_add(months).ok()?)?
            }
        };
        let micros = moved.micros.checked_add(span.micros)?;
        YEARS.contains(&micros.checked_add(self.offset)?).then_some(Self { micros, ..self })
    }

    /// The moment a span before; `None` if the year is not in 1 to 9999.
    #[must_use]
    pub fn minus(self, span: TimeSpan) -> Option<Self> {
        self.plus(TimeSpan { months: span.months.checked_neg()?, micros: span.micros.checked_neg()? })
    }

    /// The last boundary at or before it.
    #[must_use]
    pub fn floor(self, to: Clamping) -> Self {
        self.clamped(to, false).unwrap_or(self)
    }

    /// The first boundary at or after it. A time on the day of a weekly or monthly boundary counts as that boundary.
    #[must_use]
    pub fn ceil(self, to: Clamping) -> Self {
        self.clamped(to, true).unwrap_or(self)
    }

    fn clamped(self, to: Clamping, up: bool) -> Option<Self> {
        let local = self.local()?;
        let (day, midnight) = (local.date(), local.date().at(0, 0, 0, 0));
        let clamped = match to {
            Clamping::Day if up && midnight != local => midnight.checked_add(1.day()).ok()?,
            Clamping::Day => midnight,
            Clamping::Week(weekday) => {
                let left = (i64::from(weekday) - i64::from(day.weekday().to_monday_zero_offset())).rem_euclid(7);
                let days = if up || left == 0 { left } else { left - 7 };
                midnight.checked_add(days.days()).ok()?
            }
            Clamping::Month if up && day.day() > 1 => {
                day.first_of_month().at(0, 0, 0, 0).checked_add(1.month()).ok()?
            }
            Clamping::Month => day.first_of_month().at(0, 0, 0, 0),
        };
        self.of_local(clamped)
    }

    fn local(self) -> Option<civil::DateTime> {
        let local = Timestamp::from_microsecond(self.micros.checked_add(self.offset)?).ok()?;
        Some(local.to_zoned_datetime(TimeZone::UTC).datetime())
    }

    fn of_local(self, local: civil::DateTime) -> Option<Self> {
        let local = local.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_microsecond();
        Some(Self { micros: local.checked_sub(self.offset)?, ..self })
    }
}

impl TimeSpan {
    /// A fixed time.
    #[must_use]
    pub const fn micros(micros: i64) -> Self {
        Self { months: 0, micros }
    }

    /// This many seconds.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self::micros(seconds.saturating_mul(1_000_000))
    }

    /// This many days of 24 hours.
    #[must_use]
    pub const fn days(days: i64) -> Self {
        Self::seconds(days.saturating_mul(86_400))
    }

    /// Whether it is zero or negative.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.months >= 0 && self.micros >= 0 && (self.months > 0 || self.micros > 0)
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.micros == other.micros
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> Ordering {
        self.micros.cmp(&other.micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::utc(text.parse::<Timestamp>().unwrap().as_microsecond())
    }

    #[test]
    fn months_are_those_of_the_calendar_and_the_day_is_limited() {
        let month = TimeSpan { months: 1, micros: 0 };
        assert_eq!(at("2024-01-31T10:00:00Z").plus(month), Some(at("2024-02-29T10:00:00Z")));
        assert_eq!(at("2024-03-31T10:00:00Z").minus(month), Some(at("2024-02-29T10:00:00Z")));
        let local = Moment { offset: 3_600_000_000, ..at("2024-01-30T23:30:00Z") };
        assert_eq!(local.plus(month), Some(at("2024-02-28T23:30:00Z")), "it is the 31st there");
        assert_eq!(at("9999-12-30T00:00:00Z").plus(TimeSpan::days(2)), None);
        assert_eq!(at("2024-01-01T00:00:00Z").plus(TimeSpan { months: i64::MAX, micros: 0 }), None);
    }

    #[test]
    fn boundaries_are_before_and_after() {
        let moment = at("2024-02-14T10:00:00Z");
        for (to, before, after) in [
            (Clamping::Day, "2024-02-14", "2024-02-15"),
            (Clamping::Month, "2024-02-01", "2024-03-01"),
            (Clamping::Week(0), "2024-02-12", "2024-02-19"),
            (Clamping::Week(6), "2024-02-11", "2024-02-18"),
            (Clamping::Week(2), "2024-02-14", "2024-02-14"),
        ] {
            let day = |day: &str| at(&format!("{day}T00:00:00Z"));
            assert_eq!((moment.floor(to), moment.ceil(to)), (day(before), day(after)), "{to:?}");
            assert_eq!(day(before).floor(to), day(before), "{to:?}");
        }
    }
}
