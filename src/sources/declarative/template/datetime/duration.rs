//! ISO 8601 durations as `isodate` 0.6.1 reads them, and adding one to a date.

use std::cmp::Ordering;
use std::fmt;

use super::super::error::{Fault, Result};
use super::civil::{Date, Time, days_in_month};
use super::moment::{DateTime, Delta};

/// A decimal number: years and months may have a fraction until they are used.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    /// Digits after the point.
    scale: u32,
}

/// A span with years or months: `isodate.Duration`.
#[derive(Debug, Clone)]
pub struct Duration {
    /// Years.
    pub years: Decimal,
    /// Months.
    pub months: Decimal,
    /// The rest.
    pub delta: Delta,
}

/// An ISO 8601 duration: without years and months a `timedelta`, with them a `Duration`.
#[derive(Debug, Clone)]
pub enum Span {
    /// Of a fixed length.
    Delta(Delta),
    /// With years or months.
    Duration(Duration),
}

impl Decimal {
    pub(crate) fn whole(value: i128) -> Self {
        Self { mantissa: value, scale: 0 }
    }

    fn parse(text: &str) -> Result<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = whole.trim_start_matches('0').len() + fraction.len();
        let mantissa = format!("{whole}{fraction}").parse().ok().filter(|_| digits <= 18);
        mantissa
            .map(|mantissa| Self { mantissa, scale: fraction.len() as u32 })
            .ok_or_else(|| Fault::overflow("a duration has a number that is too long"))
    }

    fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    pub(crate) fn is_whole(self) -> bool {
        self.mantissa % 10i128.pow(self.scale) == 0
    }

    /// The whole part.
    pub(crate) fn truncated(self) -> i128 {
        self.mantissa / 10i128.pow(self.scale)
    }

    fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }

    fn scaled_to(self, scale: u32) -> i128 {
        self.mantissa.saturating_mul(10i128.pow(scale - self.scale))
    }

    fn plus(self, other: Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self { mantissa: self.scaled_to(scale).saturating_add(other.scaled_to(scale)), scale }
    }

    fn times(self, factor: i64) -> Self {
        Self { mantissa: self.mantissa.saturating_mul(factor.into()), ..self }
    }

    /// As a float.
    pub(crate) fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        let scale = self.scale.max(other.scale);
        self.scaled_to(scale).cmp(&other.scaled_to(scale)) == Ordering::Equal
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl Duration {
    pub(crate) fn total_months(&self) -> Decimal {
        self.years.times(12).plus(self.months)
    }

    pub(crate) fn negated(&self) -> Self {
        Self { years: self.years.negated(), months: self.months.negated(), delta: Delta(-self.delta.0) }
    }

    pub(crate) fn plus(&self, other: &Self) -> Result<Self> {
        Ok(Self {
            years: self.years.plus(other.years),
            months: self.months.plus(other.months),
            delta: Delta(self.delta.0 + other.delta.0).checked()?,
        })
    }

    pub(crate) fn times(&self, factor: i64) -> Result<Self> {
        let micros =
            self.delta.0.checked_mul(factor.into()).ok_or_else(|| Fault::overflow("a duration is too long"))?;
        Ok(Self { years: self.years.times(factor), months: self.months.times(factor), delta: Delta(micros).checked()? })
    }

    /// A span without years and months.
    pub(crate) fn of(delta: Delta) -> Self {
        Self { years: Decimal::whole(0), months: Decimal::whole(0), delta }
    }

    /// The date some years and months later. The day is limited to the month's length.
    fn shift(&self, date: Date) -> Result<Date> {
        if !(self.years.is_whole() && self.months.is_whole()) {
            return Err(Fault::value("fractional years or months not supported for date calculations"));
        }
        let months = i128::from(date.year) * 12 + i128::from(date.month) - 1
            + self.years.truncated().saturating_mul(12)
            + self.months.truncated();
        let year = i64::try_from(months.div_euclid(12)).unwrap_or(i64::MAX);
        let month = (months.rem_euclid(12) + 1) as u8;
        if !(1..=9999).contains(&year) {
            return Err(Fault::value(format!("year {year} is out of range")));
        }
        let day = date.day.min(days_in_month(year as i32, month));
        Date::new(year, month.into(), day.into())
    }

    pub(crate) fn added_to_date(&self, date: Date) -> Result<Date> {
        self.shift(date)?.plus(self.delta)
    }

    pub(crate) fn added_to(&self, moment: DateTime) -> Result<DateTime> {
        DateTime { date: self.shift(moment.date)?, ..moment }.plus(self.delta)
    }
}

impl PartialEq for Duration {
    fn eq(&self, other: &Self) -> bool {
        self.total_months() == other.total_months() && self.delta == other.delta
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.years.is_zero() {
            write!(f, "{} years, ", self.years.truncated())?;
        }
        if !self.months.is_zero() {
            let few = self.months.mantissa <= 10i128.pow(self.months.scale);
            write!(f, "{} month{}, ", self.months.truncated(), if few { "" } else { "s" })?;
        }
        self.delta.fmt(f)
    }
}

impl Span {
    /// The moment this span after another, as `isodate` computes it: months first, the day limited to the month's
    /// length.
    pub fn added_to(&self, moment: DateTime) -> Result<DateTime> {
        match self {
            Self::Delta(delta) => moment.plus(*delta),
            Self::Duration(duration) => duration.added_to(moment),
        }
    }

    /// The moment this span before another.
    pub fn subtracted_from(&self, moment: DateTime) -> Result<DateTime> {
        match self {
            Self::Delta(delta) => moment.plus(Delta(-delta.0)),
            Self::Duration(duration) => duration.negated().added_to(moment),
        }
    }
}

fn unparsable() -> Box<Fault> {
    Fault::other("ISO8601Error", "unable to parse the duration: not an ISO 8601 duration such as P1D, PT12H or P1Y2M")
}

/// Reads a non-negative ISO 8601 duration without years and months. `None` if it is not one.
pub fn fixed_duration(text: &str) -> Option<std::time::Duration> {
    match parse_duration(text) {
        Ok(Span::Delta(delta)) => u64::try_from(delta.0).ok().map(std::time::Duration::from_micros),
        _ => None,
    }
}

/// Reads an ISO 8601 duration. The error is `isodate`'s `ISO8601Error`.
pub fn parse_duration(text: &str) -> Result<Span> {
    let (sign, rest) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    let rest = rest.strip_suffix('\n').unwrap_or(rest);
    let parsed = rest.strip_prefix('P').and_then(components);
    let Some([years, months, weeks, days, hours, minutes, seconds]) = parsed else {
        return match text.strip_prefix('P') {
            Some(date) => alternative(date),
            None => Err(unparsable()),
        };
    };
    let number = |text: Option<String>| text.map_or(Ok(0.0), |text| text.parse::<f64>().map_err(|_| unparsable()));
    let decimal = |text: Option<String>| text.map_or(Ok(Decimal::whole(0)), |text| Decimal::parse(&text));
    let (years, months) = (decimal(years)?, decimal(months)?);
    let delta = Delta::of_floats(&[
        (number(seconds)?, 1_000_000),
        (number(minutes)?, 60_000_000),
        (number(hours)?, 3_600_000_000),
        (number(days)?, 86_400_000_000),
        (number(weeks)?, 604_800_000_000),
    ])?;
    if years.is_zero() && months.is_zero() {
        return Ok(Span::Delta(Delta(delta.0 * sign)));
    }
    let duration = Duration { years, months, delta };
    Ok(Span::Duration(if sign < 0 { duration.negated() } else { duration }))
}

/// The numbers before Y, M, W, D and, after a T, before H, M, S.
fn components(text: &str) -> Option<[Option<String>; 7]> {
    let mut found: [Option<String>; 7] = Default::default();
    // A digit or a letter must follow the P: `(?!\b)`.
    if !text.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut read = |mut text: &str, letters: &str, first: usize| -> Option<()> {
        let mut next = 0;
        while !text.is_empty() {
            let length = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.' || *b == b',').count();
            let number = text[..length].replace(',', ".");
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let well_formed = match number.split_once('.') {
                Some((whole, fraction)) => digits(whole) && digits(fraction),
                None => digits(&number),
            };
            let letter = text[length..].chars().next()?;
            let place = letters.find(letter)?;
            if !well_formed || place < next {
                return None;
            }
            found[first + place] = Some(number);
            next = place + 1;
            text = &text[length + 1..];
        }
        Some(())
    };
    read(date, "YMWD", 0)?;
    if let Some(time) = time {
        read(time, "HMS", 4)?;
    }
    Some(found)
}

/// `P0001-02-03T04:05:06` and its basic and ordinal forms.
fn alternative(text: &str) -> Result<Span> {
    let missing = || Fault::other("ISO8601Error", "ISO 8601 time designator 'T' missing, or not an ISO 8601 date");
    let (date, time) = text.split_once('T').ok_or_else(missing)?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<i64>().ok()).flatten().ok_or_else(missing)
    };
    let date: Vec<&str> = match date.split('-').collect::<Vec<_>>()[..] {
        [whole] if whole.len() == 8 && whole.is_ascii() => vec![&whole[..4], &whole[4..6], &whole[6..]],
        [whole] if whole.len() == 7 && whole.is_ascii() => vec![&whole[..4], &whole[4..]],
        ref parts => parts.to_vec(),
    };
    let date = match date[..] {
        [year, month, day] if (year.len(), month.len(), day.len()) == (4, 2, 2) => {
            Date::new(number(year)?, number(month)?, number(day)?)?
        }
        [year, day] if (year.len(), day.len()) == (4, 3) => {
            let first = Date::new(number(year)?, 1, 1)?;
            Date::from_ordinal(first.ordinal() + number(day)? - 1)?
        }
        _ => return Err(missing()),
    };
    let (clock, fraction) = time.split_once(['.', ',']).unwrap_or((time, "0"));
    let clock: String = if clock.contains(':') { clock.replace(':', "") } else { clock.to_owned() };
    if ![2, 4, 6].contains(&clock.len()) || !clock.is_ascii() {
        return Err(missing());
    }
    let part = |at: usize| clock.get(at..at + 2).map_or(Ok(0), number);
    let micro = number(&format!("{fraction:0<6}").chars().take(6).collect::<String>())?;
    let time = Time::new(part(0)?, part(2)?, part(4)?, micro)?;
    Ok(Span::Duration(Duration {
        years: Decimal::whole(date.year.into()),
        months: Decimal::whole(date.month.into()),
        delta: Delta(i128::from(date.day) * 86_400_000_000 + i128::from(time.micros())),
    }))
}
