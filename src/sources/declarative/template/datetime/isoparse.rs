//! `dateutil.parser.isoparse`, and the macro `str_to_datetime` that uses it.

use super::super::error::{Fault, Result};
use super::super::number;
use super::civil::{Date, Offset, Time, is_leap};
use super::moment::DateTime;

/// Reads an ISO 8601 date, optionally with a time and an offset, and converts it to UTC. Without an offset it is UTC.
pub fn str_to_datetime(text: &str) -> Result<DateTime> {
    let moment = isoparse(text)?;
    let aware = DateTime { offset: Some(moment.offset.unwrap_or(Offset::PYTZ)), ..moment };
    aware.at_offset(Offset::PYTZ)
}

fn isoparse(text: &str) -> Result<DateTime> {
    if !text.is_ascii() {
        return Err(Fault::value("ISO-8601 strings should contain only ASCII characters"));
    }
    let (date, at) = common(text).or_else(|_| uncommon(text))?;
    let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else {
        return Ok(Date::new(date[0], date[1], date[2])?.at_midnight());
    };
    let (mut clock, offset) = isotime(&rest[1..])?;
    let next_day = clock[0] == 24;
    if next_day {
        clock[0] = 0;
    }
    let date = Date::new(date[0], date[1], date[2])?;
    let time = Time::new(clock[0], clock[1], clock[2], clock[3])?;
    let moment = DateTime { date, time, offset };
    if next_day { Ok(DateTime { date: Date::from_ordinal(date.ordinal() + 1)?, ..moment }) } else { Ok(moment) }
}

/// Python's `int` of a slice.
fn int(text: &str, from: usize, to: usize) -> Result<i64> {
    let to = to.min(text.len());
    number::parse_small(text.get(from.min(to)..to).unwrap_or_default())
        .ok_or_else(|| Fault::value("not an ISO 8601 date: a number is expected"))
}

fn is_dash(text: &str, at: usize) -> bool {
    text.as_bytes().get(at) == Some(&b'-')
}

fn common(text: &str) -> Result<([i64; 3], usize)> {
    let length = text.len();
    if length < 4 {
        return Err(Fault::value("ISO string too short"));
    }
    let year = int(text, 0, 4)?;
    if length == 4 {
        return Ok(([year, 1, 1], 4));
    }
    let dash = is_dash(text, 4);
    let mut at = 4 + usize::from(dash);
    if length - at < 2 {
        return Err(Fault::value("Invalid common month"));
    }
    let month = int(text, at, at + 2)?;
    at += 2;
    if at >= length {
        return if dash { Ok(([year, month, 1], at)) } else { Err(Fault::value("Invalid ISO format")) };
    }
    if dash {
        if !is_dash(text, at) {
            return Err(Fault::value("Invalid separator in ISO string"));
        }
        at += 1;
    }
    if length - at < 2 {
        return Err(Fault::value("Invalid common day"));
    }
    Ok(([year, month, int(text, at, at + 2)?], at + 2))
}

/// Weeks and days of the year.
fn uncommon(text: &str) -> Result<([i64; 3], usize)> {
    if text.len() < 4 {
        return Err(Fault::value("ISO string too short"));
    }
    let year = int(text, 0, 4)?;
    let dash = is_dash(text, 4);
    let mut at = 4 + usize::from(dash);
    let date = if text.as_bytes().get(at) == Some(&b'W') {
        let week = int(text, at + 1, at + 3)?;
        at += 3;
        let mut day = 1;
        if text.len() > at {
            if is_dash(text, at) != dash {
                return Err(Fault::value("Inconsistent use of dash separator"));
            }
            at += usize::from(dash);
            day = int(text, at, at + 1)?;
            at += 1;
        }
        if !(1..54).contains(&week) || !(1..8).contains(&day) {
            return Err(Fault::value("Invalid week or weekday"));
        }
        let fourth = Date::new(year, 1, 4)?;
        Date::from_ordinal(fourth.ordinal() - i64::from(fourth.weekday()) + (week - 1) * 7 + day - 1)?
    } else {
        if text.len().saturating_sub(at) < 3 {
            return Err(Fault::value("Invalid ordinal day"));
        }
        let day = int(text, at, at + 3)?;
        at += 3;
        let days = 365 + i64::from(is_leap(year as i32));
        if !(1..=days).contains(&day) {
            return Err(Fault::value("Invalid ordinal day"));
        }
        Date::from_ordinal(Date::new(year, 1, 1)?.ordinal() + day - 1)?
    };
    Ok(([date.year.into(), date.month.into(), date.day.into()], at))
}

fn isotime(text: &str) -> Result<([i64; 4], Option<Offset>)> {
    if text.len() < 2 {
        return Err(Fault::value("ISO time too short"));
    }
    let bytes = text.as_bytes();
    let (mut parts, mut offset) = ([0i64; 4], None);
    let (mut at, mut colons, mut part) = (0, false, 0);
    while at < text.len() && part < 6 {
        if matches!(bytes[at], b'-' | b'+' | b'Z' | b'z') {
            offset = Some(zone(&text[at..])?);
            at = text.len();
            break;
        }
        if part == 1 && bytes[at] == b':' {
            colons = true;
            at += 1;
        } else if part == 2 && colons {
            if bytes[at] != b':' {
                return Err(Fault::value("Inconsistent use of colon separator"));
            }
            at += 1;
        }
        if part < 3 {
            parts[part] = int(text, at, at + 2)?;
            at += 2;
        } else if part == 3 && matches!(bytes[at], b'.' | b',') {
            let digits: String = text[at + 1..].chars().take_while(char::is_ascii_digit).collect();
            if !digits.is_empty() {
                at += 1 + digits.len();
                let cut = &digits[..digits.len().min(6)];
                parts[3] = int(&format!("{cut:0<6}"), 0, 6)?;
            }
        }
        part += 1;
    }
    if at < text.len() {
        return Err(Fault::value("Unused components in ISO string"));
    }
    if parts[0] == 24 && parts[1..] != [0, 0, 0] {
        return Err(Fault::value("Hour may only be 24 at 24:00:00.000"));
    }
    Ok((parts, offset))
}

fn zone(text: &str) -> Result<Offset> {
    if text == "Z" || text == "z" {
        return Ok(Offset::UTC);
    }
    if ![3, 5, 6].contains(&text.len()) {
        return Err(Fault::value("Time zone offset must be 1, 3, 5 or 6 characters"));
    }
    let sign = match text.as_bytes()[0] {
        b'-' => -1,
        b'+' => 1,
        _ => return Err(Fault::value("Time zone offset requires sign")),
    };
    let hours = int(text, 1, 3)?;
    let minutes = match text.len() {
        3 => 0,
        _ => int(text, 3 + usize::from(text.as_bytes()[3] == b':'), text.len())?,
    };
    if minutes > 59 || hours > 23 {
        return Err(Fault::value("Invalid hours or minutes in time zone offset"));
    }
    Ok(Offset::new(sign * (hours * 60 + minutes) * 60_000_000))
}
