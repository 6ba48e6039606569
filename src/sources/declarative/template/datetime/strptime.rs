//! `datetime.strptime` of `CPython` 3.11 in the C locale: the same alternatives in the same order, tried with backtracking.

use super::super::error::{Fault, Result};
use super::civil::{Date, Offset, Time, is_leap};
use super::moment::DateTime;
use super::strftime::{DAYS, MONTHS};

/// The matches of a directive, as alternatives of character classes: a digit class, or a literal character.
fn numeric(directive: char) -> Option<&'static [&'static str]> {
    Some(match directive {
        'd' => &["3[01]", "[12]d", "0[19]", "[19]", " [19]"],
        'H' => &["2[03]", "[01]d", "d"],
        'I' => &["1[02]", "0[19]", "[19]"],
        'G' | 'Y' => &["dddd"],
        'j' => &["36[06]", "3[05]d", "[12]dd", "0[19]d", "00[19]", "[19]d", "0[19]", "[19]"],
        'm' => &["1[02]", "0[19]", "[19]"],
        'M' => &["[05]d", "d"],
        'S' => &["6[01]", "[05]d", "d"],
        'U' | 'W' => &["5[03]", "[04]d", "d"],
        'w' => &["[06]"],
        'u' => &["[17]"],
        'V' => &["5[03]", "0[19]", "[14]d", "d"],
        'y' => &["dd"],
        'f' => &["dddddd", "ddddd", "dddd", "ddd", "dd", "d"],
        _ => return None,
    })
}

/// The length of a match of one alternative: `d` is a digit, `[xy]` a digit from x to y.
fn matches(alternative: &str, text: &[u8]) -> Option<usize> {
    let (pattern, mut at, mut length) = (alternative.as_bytes(), 0, 0);
    while at < pattern.len() {
        let byte = *text.get(length)?;
        let range = match pattern[at] {
            b'd' => b'0'..=b'9',
            b'[' => pattern[at + 1]..=pattern[at + 2],
            other => other..=other,
        };
        if !range.contains(&byte) {
            return None;
        }
        at += if pattern[at] == b'[' { 4 } else { 1 };
        length += 1;
    }
    Some(length)
}

enum Item {
    Literal(char),
    Space,
    Directive(char),
}

fn items(format: &str, into: &mut Vec<Item>) -> Result<()> {
    let mut characters = format.chars().peekable();
    while let Some(c) = characters.next() {
        if c.is_whitespace() {
            while characters.next_if(|c| c.is_whitespace()).is_some() {}
            into.push(Item::Space);
        } else if c != '%' {
            into.push(Item::Literal(c));
        } else {
            match characters.next() {
                Some('%') => into.push(Item::Literal('%')),
                Some('c') => items("%a %b %d %H:%M:%S %Y", into)?,
                Some('x') => items("%m/%d/%y", into)?,
                Some('X') => items("%H:%M:%S", into)?,
                Some(name) if numeric(name).is_some() || "zaAbBpZ".contains(name) => into.push(Item::Directive(name)),
                Some(name) => {
                    return Err(Fault::value(format!("'%{name}' is a bad directive in a date format")));
                }
                None => return Err(Fault::value("stray % at the end of a date format")),
            }
        }
    }
    Ok(())
}

/// The most attempts of one match.
const ATTEMPTS: usize = 100_000;

struct Matcher<'t> {
    items: Vec<Item>,
    found: Vec<(char, &'t str)>,
    attempts: usize,
}

impl<'t> Matcher<'t> {
    fn run(&mut self, text: &'t str, at: usize, item: usize) -> Option<usize> {
        self.attempts += 1;
        if self.attempts > ATTEMPTS {
            return None;
        }
        let rest = &text[at..];
        match self.items.get(item)? {
            Item::Literal(expected) => {
                let c = rest.chars().next()?;
                let same = c == *expected || c.to_lowercase().eq(expected.to_lowercase());
                if same { self.next(text, at + c.len_utf8(), item) } else { None }
            }
            Item::Space => {
                let spaces: Vec<usize> = rest
                    .char_indices()
                    .take_while(|(_, c)| c.is_whitespace())
                    .map(|(place, c)| place + c.len_utf8())
                    .collect();
                spaces.into_iter().rev().find_map(|length| self.next(text, at + length, item))
            }
            Item::Directive(name) => {
                let name = *name;
                candidates(name, rest).into_iter().find_map(|length| {
                    self.found.push((name, &rest[..length]));
                    let end = self.next(text, at + length, item);
                    if end.is_none() {
                        self.found.pop();
                    }
                    end
                })
            }
        }
    }

    fn next(&mut self, text: &'t str, at: usize, item: usize) -> Option<usize> {
        if item + 1 == self.items.len() { Some(at) } else { self.run(text, at, item + 1) }
    }
}

/// The lengths that a directive can match here, the preferred first.
fn candidates(directive: char, text: &str) -> Vec<usize> {
    let starts = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let names = |names: &[&str]| names.iter().filter(|name| starts(name)).map(|name| name.len()).collect();
    if let Some(alternatives) = numeric(directive) {
        return alternatives.iter().filter_map(|alternative| matches(alternative, text.as_bytes())).collect();
    }
    match directive {
        'a' => names(&DAYS.map(|day| &day[..3])),
        // The longest first.
        'A' => names(&["Wednesday", "Thursday", "Saturday", "Tuesday", "Monday", "Friday", "Sunday"]),
        'b' => names(&MONTHS.map(|month| &month[..3])),
        'B' => names(&MONTHS),
        'p' => names(&["AM", "PM"]),
        'Z' => names(&["UTC", "GMT"]),
        _ => zones(text),
    }
}

/// `[+-]\d\d:?[0-5]\d(:?[0-5]\d(\.\d{1,6})?)?|Z`
fn zones(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut lengths = Vec::new();
    if matches!(bytes.first(), Some(b'+' | b'-')) && matches("dd", &bytes[1..]).is_some() {
        let colon = |at: usize| at + usize::from(bytes.get(at) == Some(&b':'));
        let minutes = colon(3);
        if matches("[05]d", bytes.get(minutes..).unwrap_or_default()).is_some() {
            let end = minutes + 2;
            lengths.push(end);
            let seconds = colon(end);
            if matches("[05]d", bytes.get(seconds..).unwrap_or_default()).is_some() {
                lengths.push(seconds + 2);
                if bytes.get(seconds + 2) == Some(&b'.') {
                    let digits = bytes[seconds + 3..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
                    lengths.extend((1..=digits).map(|digits| seconds + 3 + digits));
                }
            }
        }
    } else if text.starts_with('Z') {
        lengths.push(1);
    }
    lengths.reverse();
    lengths
}

#[derive(Default)]
struct Fields {
    year: Option<i64>,
    iso_year: Option<i64>,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micro: i64,
    weekday: Option<i64>,
    year_day: Option<i64>,
    iso_week: Option<i64>,
    /// And whether weeks begin on Monday.
    week: Option<(i64, bool)>,
    offset: Option<Offset>,
}

/// Reads a date and time. It is naive unless `%z` is in the format. Errors are Python's `ValueError`.
pub fn strptime(text: &str, format: &str) -> Result<DateTime> {
    let mut list = Vec::new();
    items(format, &mut list)?;
    let directives: Vec<char> =
        list.iter().filter_map(|item| if let Item::Directive(name) = item { Some(*name) } else { None }).collect();
    for (at, name) in directives.iter().enumerate() {
        if directives[..at].contains(name) {
            return Err(Fault::other("error", format!("redefinition of group name '{name}' in a date format")));
        }
    }
    let mut matcher = Matcher { items: list, found: Vec::new(), attempts: 0 };
    let end = if matcher.items.is_empty() { Some(0) } else { matcher.run(text, 0, 0) };
    match end {
        None => Err(Fault::value("a date does not match its format")),
        Some(end) if end < text.len() => Err(Fault::value("unconverted data remains")),
        Some(_) => fields(&matcher.found)?.moment(),
    }
}

fn fields(found: &[(char, &str)]) -> Result<Fields> {
    let mut fields = Fields { month: 1, day: 1, ..Fields::default() };
    let name = |names: &[&str], text: &str| names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let afternoon = found.iter().find(|(name, _)| *name == 'p').map(|(_, text)| text.eq_ignore_ascii_case("pm"));
    for (directive, text) in found {
        let number = text.trim().parse::<i64>().unwrap_or_default();
        match directive {
            'y' => fields.year = Some(if number <= 68 { number + 2000 } else { number + 1900 }),
            'Y' => fields.year = Some(number),
            'G' => fields.iso_year = Some(number),
            'm' => fields.month = number,
            'B' => fields.month = name(&MONTHS, text).map_or(1, |at| at as i64 + 1),
            'b' => fields.month = name(&MONTHS.map(|month| &month[..3]), text).map_or(1, |at| at as i64 + 1),
            'd' => fields.day = number,
            'H' => fields.hour = number,
            'I' => {
                fields.hour = match (number, afternoon) {
                    (12, Some(true)) => 12,
                    (12, _) => 0,
                    (hour, Some(true)) => hour + 12,
                    (hour, _) => hour,
                }
            }
            'M' => fields.minute = number,
            'S' => fields.second = number,
            'f' => fields.micro = format!("{text:0<6}").parse().unwrap_or_default(),
            'A' => fields.weekday = name(&DAYS, text).map(|at| at as i64),
            'a' => fields.weekday = name(&DAYS.map(|day| &day[..3]), text).map(|at| at as i64),
            'w' => fields.weekday = Some((number + 6) % 7),
            'u' => fields.weekday = Some(number - 1),
            'j' => fields.year_day = Some(number),
            'U' => fields.week = Some((number, false)),
            'W' => fields.week = Some((number, true)),
            'V' => fields.iso_week = Some(number),
            'z' => fields.offset = Some(offset(text)?),
            _ => {}
        }
    }
    Ok(fields)
}

fn offset(text: &str) -> Result<Offset> {
    if text == "Z" {
        return Ok(Offset::UTC);
    }
    let mut digits = text[1..].to_owned();
    if digits.as_bytes().get(2) == Some(&b':') {
        digits.remove(2);
        if digits.len() > 4 {
            if digits.as_bytes()[4] != b':' {
                return Err(Fault::value("Inconsistent use of : in an offset"));
            }
            digits.remove(4);
        }
    }
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i64>().ok());
    let whole = part(0, 2).unwrap_or(0) * 3600 + part(2, 4).unwrap_or(0) * 60 + part(4, 6).unwrap_or(0);
    let fraction = digits.get(7..).map_or(Some(0), |fraction| format!("{fraction:0<6}").parse::<i64>().ok());
    let micros = whole * 1_000_000 + fraction.ok_or_else(|| Fault::value("invalid offset"))?;
    if micros >= 86_400_000_000 {
        return Err(Fault::value("offset must be a timedelta strictly between -24 and 24 hours"));
    }
    Ok(Offset::new(if text.starts_with('-') { -micros } else { micros }))
}

impl Fields {
    fn moment(mut self) -> Result<DateTime> {
        match (self.year, self.iso_year) {
            (None, Some(_)) => {
                if self.iso_week.is_none() || self.weekday.is_none() {
                    return Err(Fault::value("ISO year directive '%G' must be used with '%V' and a weekday directive"));
                }
                if self.year_day.is_some() {
                    return Err(Fault::value("Day of the year directive '%j' is not compatible with '%G'"));
                }
            }
            _ if self.week.is_none() && self.iso_week.is_some() => {
                return Err(Fault::value("ISO week directive '%V' must be used with '%G' and a weekday directive"));
            }
            _ => {}
        }
        let leap_day = self.year.is_none() && (self.month, self.day) == (2, 29);
        let mut year = self.year.unwrap_or(if leap_day { 1904 } else { 1900 });
        if let (None, Some(weekday)) = (self.year_day, self.weekday) {
            if let Some((week, from_monday)) = self.week {
                self.year_day = Some(day_of_week(year, week, weekday, from_monday)?);
            } else if let (Some(iso_year), Some(week)) = (self.iso_year, self.iso_week) {
                let fourth = Date::new(iso_year, 1, 4)?;
                let mut day = week * 7 + weekday + 1 - (i64::from(fourth.weekday()) + 1 + 3);
                year = iso_year;
                if day < 1 {
                    day += Date::new(year, 1, 1)?.ordinal();
                    year -= 1;
                    day -= Date::new(year, 1, 1)?.ordinal();
                }
                self.year_day = Some(day);
            }
            if let Some(day) = self.year_day.filter(|day| *day <= 0) {
                year -= 1;
                self.year_day = Some(day + 365 + i64::from(is_leap(year as i32)));
            }
        }
        let date = match self.year_day {
            None => Date::new(year, self.month, self.day)?,
            Some(day) => Date::from_ordinal(Date::new(year, 1, 1)?.ordinal() + day - 1)?,
        };
        // A stand-in for a missing year: 1904 has a 29th of February, 1900 does not.
        let date = if leap_day { Date::new(1900, date.month.into(), date.day.into())? } else { date };
        let time = Time::new(self.hour, self.minute, self.second, self.micro)?;
        Ok(DateTime { date, time, offset: self.offset })
    }
}

/// The day of the year of a weekday in a week that begins on Sunday or Monday. Week 0 comes before the first full one.
fn day_of_week(year: i64, week: i64, weekday: i64, from_monday: bool) -> Result<i64> {
    let shift = i64::from(!from_monday);
    let first = (i64::from(Date::new(year, 1, 1)?.weekday()) + shift) % 7;
    let weekday = (weekday + shift) % 7;
    Ok(match week {
        0 => 1 + weekday - first,
        _ => 1 + (7 - first) % 7 + 7 * (week - 1) + weekday,
    })
}
