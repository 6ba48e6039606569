//! Dates, times of day, offsets, and arithmetic on them.

use std::fmt;

use super::super::error::{Fault, Result};

/// A day of the Gregorian calendar, in the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// From 1 to 9999.
    pub year: i32,
    /// From 1 to 12.
    pub month: u8,
    /// From 1 to 31.
    pub day: u8,
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time {
    /// From 0 to 23.
    pub hour: u8,
    /// From 0 to 59.
    pub minute: u8,
    /// From 0 to 59.
    pub second: u8,
    /// Microseconds, below a million.
    pub micro: u32,
}

/// How far a local time is ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Offset {
    /// In microseconds; less than a day either way.
    pub micros: i64,
    /// It is `pytz.utc`, which prints itself in another way.
    pub(crate) pytz: bool,
}

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

pub(crate) const DAY: i128 = 86_400_000_000;
/// `date(1970, 1, 1).toordinal()`.
const EPOCH_ORDINAL: i64 = 719_163;
const MAX_ORDINAL: i64 = 3_652_059;

pub(crate) fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(is_leap(year)),
        _ => 31,
    }
}

fn days_before_year(year: i32) -> i64 {
    let before = i64::from(year) - 1;
    before * 365 + before / 4 - before / 100 + before / 400
}

impl Date {
    /// The date, or Python's `ValueError` if there is none.
    pub fn new(year: i64, month: i64, day: i64) -> Result<Self> {
        if !(1..=9999).contains(&year) {
            return Err(Fault::value(format!("year {year} is out of range")));
        }
        if !(1..=12).contains(&month) {
            return Err(Fault::value("month must be in 1..12"));
        }
        let (year, month) = (year as i32, month as u8);
        if day < 1 || day > days_in_month(year, month).into() {
            return Err(Fault::value("day is out of range for month"));
        }
        Ok(Self { year, month, day: day as u8 })
    }

    /// Days since the last day before year 1.
    pub fn ordinal(self) -> i64 {
        days_before_year(self.year) + i64::from(self.year_day())
    }

    /// The date of an ordinal.
    pub fn from_ordinal(ordinal: i64) -> Result<Self> {
        if !(1..=MAX_ORDINAL).contains(&ordinal) {
            return Err(Fault::overflow("date value out of range"));
        }
        let mut year = ((ordinal * 400) / 146_097 + 1).clamp(1, 9999) as i32;
        while days_before_year(year) >= ordinal {
            year -= 1;
        }
        while year < 9999 && days_before_year(year + 1) < ordinal {
            year += 1;
        }
        let mut rest = ordinal - days_before_year(year);
        let mut month = 1;
        while rest > days_in_month(year, month).into() {
            rest -= i64::from(days_in_month(year, month));
            month += 1;
        }
        Ok(Self { year, month, day: rest as u8 })
    }

    /// The day of the year, from 1.
    pub fn year_day(self) -> u16 {
        (1..self.month).map(|month| u16::from(days_in_month(self.year, month))).sum::<u16>() + u16::from(self.day)
    }

    /// The day of the week, 0 for Monday.
    pub fn weekday(self) -> u8 {
        ((self.ordinal() + 6) % 7) as u8
    }

    /// The year, week and day (1 for Monday) of ISO 8601's calendar.
    pub fn iso_calendar(self) -> (i32, u8, u8) {
        let weekday = i64::from(self.weekday());
        let first_monday = |year: i32| {
            let first = days_before_year(year) + 1;
            let weekday = (first + 6) % 7;
            first - weekday + if weekday > 3 { 7 } else { 0 }
        };
        let mut year = self.year;
        let mut week = (self.ordinal() - first_monday(year)).div_euclid(7);
        if week < 0 {
            year -= 1;
            week = (self.ordinal() - first_monday(year)).div_euclid(7);
        } else if week >= 52 && self.ordinal() >= first_monday(year + 1) {
            year += 1;
            week = 0;
        }
        (year, (week + 1) as u8, (weekday + 1) as u8)
    }

    /// The date this many whole days of the span later.
    pub fn plus(self, delta: Delta) -> Result<Self> {
        Self::from_ordinal(self.ordinal().saturating_add(delta.days()))
    }

    /// Python's `replace`, with the day cut to what the month has.
    pub(crate) fn at_midnight(self) -> DateTime {
        DateTime { date: self, time: Time::default(), offset: None }
    }
}

impl Time {
    /// Microseconds since midnight.
    pub fn micros(self) -> i64 {
        ((i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second)) * 1_000_000
            + i64::from(self.micro)
    }

    /// The time this many microseconds after midnight, which are less than a day.
    pub fn from_micros(micros: i64) -> Self {
        let (seconds, micro) = (micros / 1_000_000, micros % 1_000_000);
        Self {
            hour: (seconds / 3600 % 24) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
            micro: micro as u32,
        }
    }

    /// The time, or Python's `ValueError` if there is none.
    pub fn new(hour: i64, minute: i64, second: i64, micro: i64) -> Result<Self> {
        if !(0..24).contains(&hour) {
            return Err(Fault::value("hour must be in 0..23"));
        }
        if !(0..60).contains(&minute) {
            return Err(Fault::value("minute must be in 0..59"));
        }
        if !(0..60).contains(&second) {
            return Err(Fault::value("second must be in 0..59"));
        }
        if !(0..1_000_000).contains(&micro) {
            return Err(Fault::value("microsecond must be in 0..999999"));
        }
        Ok(Self { hour: hour as u8, minute: minute as u8, second: second as u8, micro: micro as u32 })
    }

    /// `hh:mm:ss`, with the fraction that `timespec` asks for: `auto` for microseconds if there are any.
    pub(crate) fn iso(self, timespec: &str) -> Result<String> {
        let Self { hour, minute, second, micro } = self;
        let timespec = match timespec {
            "auto" if micro == 0 => "seconds",
            "auto" => "microseconds",
            other => other,
        };
        Ok(match timespec {
            "hours" => format!("{hour:02}"),
            "minutes" => format!("{hour:02}:{minute:02}"),
            "seconds" => format!("{hour:02}:{minute:02}:{second:02}"),
            "milliseconds" => format!("{hour:02}:{minute:02}:{second:02}.{:03}", micro / 1000),
            "microseconds" => format!("{hour:02}:{minute:02}:{second:02}.{micro:06}"),
            _ => return Err(Fault::value("Unknown timespec value")),
        })
    }
}

impl Offset {
    /// No offset.
    pub const UTC: Self = Self { micros: 0, pytz: false };
    /// No offset, as `pytz` has it.
    pub(crate) const PYTZ: Self = Self { micros: 0, pytz: true };

    /// An offset of this many microseconds.
    pub fn new(micros: i64) -> Self {
        Self { micros, pytz: false }
    }

    /// `+hh:mm`, with seconds and a fraction where there are any.
    pub(crate) fn iso(self, separator: &str) -> String {
        let sign = if self.micros < 0 { '-' } else { '+' };
        let time = Time::from_micros(self.micros.abs());
        let mut text = format!("{sign}{:02}{separator}{:02}", time.hour, time.minute);
        if time.second != 0 || time.micro != 0 {
            text += &format!("{separator}{:02}", time.second);
        }
        if time.micro != 0 {
            text += &format!(".{:06}", time.micro);
        }
        text
    }

    /// `UTC` or `UTC+hh:mm`.
    pub(crate) fn name(self) -> String {
        if self.micros == 0 { "UTC".to_owned() } else { format!("UTC{}", self.iso(":")) }
    }

    pub(crate) fn repr(self) -> String {
        match (self.pytz, self.micros) {
            (true, _) => "<UTC>".to_owned(),
            (_, 0) => "datetime.timezone.utc".to_owned(),
            (_, micros) => format!("datetime.timezone({})", Delta(micros.into()).repr()),
        }
    }
}

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
        let mut text = format!(
            "datetime.datetime({}, {}, {}, {}, {}",
            date.year, date.month, date.day, time.hour, time.minute
        );
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
        super::super::number::divide_exact(self.0, 1_000_000)
    }

    /// The span, or Python's `OverflowError` past 999,999,999 days.
    pub(crate) fn checked(self) -> Result<Self> {
        if self.0.div_euclid(DAY).abs() > 999_999_999 {
            return Err(Fault::overflow("days=...; must have magnitude <= 999999999"));
        }
        Ok(self)
    }

    /// `timedelta(...)` of numbers with a fraction, each times its factor in microseconds. As `CPython` adds them up.
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

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// As Python's `str` has it: `2024-03-15 10:20:30.123456+00:00`.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso(' ', "auto").unwrap_or_default())
    }
}

/// As Python's `str` has it: `1 day, 2:00:00`.
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
