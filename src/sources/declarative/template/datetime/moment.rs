//! Dates with a time, and spans between them.

use std::fmt;

use super::super::error::{Fault, Result};
use super::super::number::divide_exact;
use super::civil::{DAY, Date, Offset, Time};

/// A date with a time, and the offset if it is aware of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// The local date.
    pub date: Date,
    /// The local time.
    pub time: Time,
    /// `None` for a naive one.
    pub offset: Option<Offset>,
}

/// A span of time in microseconds: `timedelta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Delta(pub i128);

/// `date(1970, 1, 1).toordinal()`.
const EPOCH_ORDINAL: i64 = 719_163;

impl DateTime {
    /// Microseconds since 1970 in UTC; a naive one counts as UTC.
    pub fn instant(&self) -> i128 {
        i128::from(self.date.ordinal() - EPOCH_ORDINAL) * DAY + i128::from(self.time.micros())
            - self.offset.map_or(0, |offset| offset.micros.into())
    }

    /// The moment this many microseconds after 1970, in UTC.
    pub fn from_instant(micros: i128) -> Result<Self> {
        Self::local(micros, Some(Offset::UTC))
    }

    fn local(micros: i128, offset: Option<Offset>) -> Result<Self> {
        let days = i64::try_from(micros.div_euclid(DAY)).unwrap_or(i64::MAX);
        let date = Date::from_ordinal(days.saturating_add(EPOCH_ORDINAL))?;
        Ok(Self { date, time: Time::from_micros(micros.rem_euclid(DAY) as i64), offset })
    }

    /// The moment a span later, with the same offset.
    pub fn plus(self, delta: Delta) -> Result<Self> {
        let shift = self.offset.map_or(0, |offset| i128::from(offset.micros));
        Self::local(self.instant() + shift + delta.0, self.offset)
    }

    /// The same moment at another offset. A naive one counts as UTC.
    pub fn at_offset(self, offset: Offset) -> Result<Self> {
        Self::local(self.instant() + i128::from(offset.micros), Some(offset))
    }

    /// Python's `isoformat`: `2024-03-15T10:20:30+00:00`, with microseconds if there are any.
    pub fn isoformat(&self) -> String {
        self.iso('T', "auto").unwrap_or_default()
    }

    /// `datetime.isoformat`.
    pub(crate) fn iso(self, separator: char, timespec: &str) -> Result<String> {
        let offset = self.offset.map(|offset| offset.iso(":")).unwrap_or_default();
        Ok(format!("{}{separator}{}{offset}", self.date, self.time.iso(timespec)?))
    }

    /// `datetime.timestamp`: seconds since 1970.
    pub fn timestamp(&self) -> f64 {
        Delta(self.instant()).total_seconds()
    }

    pub(crate) fn repr(self) -> String {
        let Self { date, time, offset } = self;
        let mut text =
            format!("datetime.datetime({}, {}, {}, {}, {}", date.year, date.month, date.day, time.hour, time.minute);
        if time.second != 0 || time.micro != 0 {
            text += &format!(", {}", time.second);
        }
        if time.micro != 0 {
            text += &format!(", {}", time.micro);
        }
        if let Some(offset) = offset {
            text += &format!(", tzinfo={}", offset.repr());
        }
        text + ")"
    }
}

impl Delta {
    /// Whole days, rounded down.
    pub fn days(self) -> i64 {
        self.0.div_euclid(DAY) as i64
    }

    /// Seconds of the last day.
    pub(crate) fn seconds(self) -> i64 {
        (self.0.rem_euclid(DAY) / 1_000_000) as i64
    }

    /// Microseconds of the last second.
    pub(crate) fn micros(self) -> i64 {
        (self.0.rem_euclid(DAY) % 1_000_000) as i64
    }

    /// The span in seconds, rounded once.
    pub fn total_seconds(self) -> f64 {
        const EXACT: i128 = 1 << 53;
        if self.0.abs() < EXACT {
            return self.0 as f64 / 1e6;
        }
        // Python divides the integers and rounds the quotient once.
        divide_exact(self.0, 1_000_000)
    }

    /// The span, or Python's `OverflowError` past 999,999,999 days.
    pub(crate) fn checked(self) -> Result<Self> {
        if self.0.div_euclid(DAY).abs() > 999_999_999 {
            return Err(Fault::overflow("days=...; must have magnitude <= 999999999"));
        }
        Ok(self)
    }

    /// `timedelta(...)` of numbers with a fraction, each times its factor in microseconds, added up as in `CPython`.
    pub(crate) fn of_floats(parts: &[(f64, i64)]) -> Result<Self> {
        let (mut sum, mut left) = (0i128, 0f64);
        for (number, factor) in parts {
            if !number.is_finite() {
                return Err(Fault::value("cannot convert float NaN or infinity to integer"));
            }
            if number.abs() > 1e15 {
                return Err(Fault::overflow("days=...; must have magnitude <= 999999999"));
            }
            sum += number.trunc() as i128 * i128::from(*factor);
            let scaled = number.fract() * *factor as f64;
            sum += scaled.trunc() as i128;
            left += scaled.fract();
        }
        let mut whole = left.round();
        if (whole - left).abs() == 0.5 {
            let odd = sum & 1 == 1;
            whole = 2.0 * ((left + f64::from(u8::from(odd))) * 0.5).round() - f64::from(u8::from(odd));
        }
        Self(sum + whole as i128).checked()
    }

    pub(crate) fn repr(self) -> String {
        let parts: Vec<String> = [("days", self.days()), ("seconds", self.seconds()), ("microseconds", self.micros())]
            .iter()
            .filter(|(_, value)| *value != 0)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("datetime.timedelta({})", if parts.is_empty() { "0".to_owned() } else { parts.join(", ") })
    }
}

/// Python's `str`: `2024-03-15 10:20:30.123456+00:00`.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso(' ', "auto").unwrap_or_default())
    }
}

/// Python's `str`: `1 day, 2:00:00`.
impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.days();
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        let time = Time::from_micros(self.seconds() * 1_000_000 + self.micros());
        write!(f, "{}:{:02}:{:02}", time.hour, time.minute, time.second)?;
        if time.micro != 0 {
            write!(f, ".{:06}", time.micro)?;
        }
        Ok(())
    }
}
