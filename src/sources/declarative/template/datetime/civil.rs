//! Dates, times of day, offsets, and arithmetic on them.

use std::fmt;

use super::super::error::{Fault, Result};
use super::moment::{DateTime, Delta};

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
    /// It is `pytz.utc`, which prints differently.
    pub(crate) pytz: bool,
}

pub(crate) const DAY: i128 = 86_400_000_000;
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

    /// The date this many whole days later.
    pub fn plus(self, delta: Delta) -> Result<Self> {
        Self::from_ordinal(self.ordinal().saturating_add(delta.days()))
    }

    /// Python's `replace`, with the day limited to the month's length.
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

    /// `hh:mm:ss`, with the fraction that `timespec` selects: `auto` for microseconds if there are any.
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
    /// No offset, in `pytz`'s form.
    pub(crate) const PYTZ: Self = Self { micros: 0, pytz: true };

    /// An offset of this many microseconds.
    pub fn new(micros: i64) -> Self {
        Self { micros, pytz: false }
    }

    /// `+hh:mm`, with seconds and a fraction if there are any.
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

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}
