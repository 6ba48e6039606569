//! The value of an unquoted scalar: YAML 1.1 as `PyYAML` 6 reads it (`resolver.py`, `constructor.py`). It differs from
//! both YAML 1.2 and the YAML 1.1 specification: `1e3` and `-.5` are texts, `010` is eight, `1:30` is ninety, `y` is a
//! text.

use jiff::civil;

use super::super::node::Value;
use super::number;

/// The type of a scalar by its form, in the order that `PyYAML` tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Float,
    Integer,
    Merge,
    Null,
    Timestamp,
    /// `=`, which has no value in `PyYAML`.
    Default,
    Text,
}

/// Why a value may differ from what its reader expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surprise {
    Octal,
    Base60,
}

/// The type of a plain scalar.
pub(super) fn kind(text: &str) -> Kind {
    let Some(first) = text.bytes().next() else { return Kind::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => {
            if is_float(text) {
                Kind::Float
            } else if is_integer(text) {
                Kind::Integer
            } else if first.is_ascii_digit() && (is_date(text) || date_and_time(text, true).is_some()) {
                Kind::Timestamp
            } else {
                Kind::Text
            }
        }
        b'~' if text.len() == 1 => Kind::Null,
        b'=' if text.len() == 1 => Kind::Default,
        b'<' if text == "<<" => Kind::Merge,
        _ if text.len() > 5 => Kind::Text,
        _ if ["null", "Null", "NULL"].contains(&text) => Kind::Null,
        _ if bool_word(text).is_some_and(|_| in_one_case(text)) => Kind::Bool,
        _ => Kind::Text,
    }
}

fn bool_word(text: &str) -> Option<bool> {
    let is = |word: &&str| text.eq_ignore_ascii_case(word);
    if ["yes", "true", "on"].iter().any(is) {
        Some(true)
    } else if ["no", "false", "off"].iter().any(is) {
        Some(false)
    } else {
        None
    }
}

/// `true`, `True` or `TRUE`, but not `tRUE`.
fn in_one_case(text: &str) -> bool {
    let rest = &text[1..];
    let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let upper = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase());
    lower(rest) || (upper(rest) && upper(&text[..1]))
}

/// Takes matches of a pattern from the front of a text.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn one(&mut self, wanted: &[u8]) -> bool {
        let found = self.0.bytes().next().is_some_and(|byte| wanted.contains(&byte));
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn many(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let length = self.0.bytes().take_while(|byte| wanted(*byte)).count();
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<&'a str> {
        let length = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        (length >= least).then(|| {
            let (taken, rest) = self.0.split_at(length);
            self.0 = rest;
            taken
        })
    }

    fn word(&mut self, words: &[&str]) -> bool {
        match words.iter().find_map(|word| self.0.strip_prefix(word)) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn ended(&self) -> bool {
        self.0.is_empty()
    }
}

fn digit_or_line(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

fn is_float(text: &str) -> bool {
    let mut rest = Rest(text);
    let signed = rest.one(b"+-");
    if rest.word(&[".inf", ".Inf", ".INF"]) {
        return rest.ended();
    }
    if !signed && rest.word(&[".nan", ".NaN", ".NAN"]) {
        return rest.ended();
    }
    // A point before all digits allows no sign.
    if !signed && rest.one(b".") {
        return rest.digits(1, 1).is_some() && {
            rest.many(digit_or_line);
            exponent(&mut rest) && rest.ended()
        };
    }
    if rest.digits(1, 1).is_none() {
        return false;
    }
    rest.many(digit_or_line);
    let based_60 = minutes(&mut rest);
    if !rest.one(b".") {
        return false;
    }
    rest.many(digit_or_line);
    (based_60 || exponent(&mut rest)) && rest.ended()
}

/// An exponent, which must have a sign, or none at all. False if half of one is there.
fn exponent(rest: &mut Rest<'_>) -> bool {
    !rest.one(b"eE") || (rest.one(b"+-") && !rest.many(|byte| byte.is_ascii_digit()).is_empty())
}

/// `:30:15`, the digits of a base 60 number after the first ones. False if there are none.
fn minutes(rest: &mut Rest<'_>) -> bool {
    let mut any = false;
    loop {
        let mut ahead = Rest(rest.0);
        if !ahead.one(b":") {
            return any;
        }
        let Some(digits) = ahead.digits(1, 2) else { return any };
        if digits.len() == 2 && digits.as_bytes()[0] > b'5' {
            return any;
        }
        any = true;
        rest.0 = ahead.0;
    }
}

fn is_integer(text: &str) -> bool {
    let mut rest = Rest(text);
    rest.one(b"+-");
    if rest.one(b"0") {
        if rest.ended() {
            return true;
        }
        let digits = if rest.one(b"b") {
            rest.many(|byte| matches!(byte, b'0' | b'1' | b'_'))
        } else if rest.one(b"x") {
            rest.many(|byte| byte.is_ascii_hexdigit() || byte == b'_')
        } else {
            rest.many(|byte| matches!(byte, b'0'..=b'7' | b'_'))
        };
        return !digits.is_empty() && rest.ended();
    }
    if rest.digits(1, 1).is_none() {
        return false;
    }
    rest.many(digit_or_line);
    minutes(&mut rest);
    rest.ended()
}

fn is_date(text: &str) -> bool {
    let mut rest = Rest(text);
    rest.digits(4, 4).is_some()
        && rest.one(b"-")
        && rest.digits(2, 2).is_some()
        && rest.one(b"-")
        && rest.digits(2, 2).is_some()
        && rest.ended()
}

struct Timestamp<'a> {
    date: [&'a str; 3],
    time: Option<[&'a str; 3]>,
    fraction: &'a str,
    /// A sign, hours and minutes; no sign is `Z`.
    zone: Option<(i32, &'a str, &'a str)>,
}

/// The parts of a date with a time, or of a date alone unless a time is wanted.
fn date_and_time(text: &str, time_wanted: bool) -> Option<Timestamp<'_>> {
    let blank = |byte: u8| byte == b' ' || byte == b'\t';
    let mut rest = Rest(text);
    let year = rest.digits(4, 4)?;
    let mut part = |before: u8| if rest.one(&[before]) { rest.digits(1, 2) } else { None };
    let date = [year, part(b'-')?, part(b'-')?];
    if rest.ended() && !time_wanted {
        return Some(Timestamp { date, time: None, fraction: "", zone: None });
    }
    if !rest.one(b"Tt") && rest.many(blank).is_empty() {
        return None;
    }
    let hour = rest.digits(1, 2)?;
    let mut part = || if rest.one(b":") { rest.digits(2, 2) } else { None };
    let time = Some([hour, part()?, part()?]);
    let fraction = if rest.one(b".") { rest.many(|byte| byte.is_ascii_digit()) } else { "" };
    let spaces = rest.many(blank);
    let mut zone = None;
    if rest.one(b"Z") {
        zone = Some((0, "", ""));
    } else if let Some(sign) = rest.0.chars().next().filter(|sign| ['+', '-'].contains(sign)) {
        rest.one(b"+-");
        let hours = rest.digits(1, 2)?;
        let minutes = if rest.one(b":") { rest.digits(2, 2)? } else { "" };
        zone = Some((if sign == '-' { -1 } else { 1 }, hours, minutes));
    }
    (rest.ended() && (zone.is_some() || spaces.is_empty())).then_some(Timestamp { date, time, fraction, zone })
}

/// True or false, from one of the words for it in any case.
pub(super) fn bool(text: &str) -> Result<Value, String> {
    bool_word(text).map(Value::Bool).ok_or_else(|| "`!!bool` takes yes, no, true, false, on or off".to_owned())
}

/// A date, or a date with a time.
pub(super) fn timestamp(text: &str) -> Result<Value, String> {
    let parts = date_and_time(text, false).ok_or("`!!timestamp` takes a date such as 2024-01-31")?;
    let [year, month, day] = parts.date.map(small);
    let no_date = || format!("{text} looks like a date, but there is no such day: put it in quotes if it is a text");
    if year == 0 {
        return Err(no_date());
    }
    let narrow = |number: i32| i8::try_from(number).unwrap_or(i8::MAX);
    let year = i16::try_from(year).unwrap_or(i16::MAX);
    let date = civil::Date::new(year, narrow(month), narrow(day)).map_err(|_| no_date())?;
    let Some(time) = parts.time else { return Ok(Value::Date(date)) };
    let [hour, minute, second] = time.map(small);
    let micros: String = parts.fraction.chars().chain("000000".chars()).take(6).collect();
    let time = civil::Time::new(narrow(hour), narrow(minute), narrow(second), small(&micros) * 1000).map_err(|_| {
        format!("{text} looks like a time, but there is no such time: put it in quotes if it is a text")
    })?;
    let offset = match parts.zone {
        None => None,
        Some((sign, hours, minutes)) => {
            let offset = small(hours) * 3600 + small(minutes) * 60;
            if offset >= 86_400 {
                return Err(format!("the offset of {text} is a day or more"));
            }
            Some(sign * offset)
        }
    };
    Ok(Value::DateTime(date.to_datetime(time), offset))
}

/// The number of a few digits.
fn small(digits: &str) -> i32 {
    digits.parse().unwrap_or(0)
}

/// A whole number, and what is unusual about its text.
pub(super) fn integer(text: &str) -> Result<(Value, Option<Surprise>), String> {
    let clean = text.replace('_', "");
    let negative = clean.starts_with('-');
    let digits = clean.strip_prefix(['-', '+']).unwrap_or(&clean);
    let wrong = || format!("{text} looks like a whole number but is not one: put it in quotes if it is a text");
    let (value, surprise) = if digits == "0" {
        (Some(Value::Integer(0)), None)
    } else if let Some(binary) = digits.strip_prefix("0b") {
        (number::integer(binary, 2, negative), None)
    } else if let Some(hex) = digits.strip_prefix("0x") {
        (number::integer(hex, 16, negative), None)
    } else if digits.starts_with('0') {
        // Python's `int(text, 8)` accepts a leading 0o, which only `!!int` can bring here.
        let octal = digits.strip_prefix("0o").unwrap_or(digits);
        (number::integer(octal, 8, negative), Some(Surprise::Octal))
    } else if digits.contains(':') {
        (number::base_60(digits, negative), Some(Surprise::Base60))
    } else {
        (number::integer(digits, 10, negative), None)
    };
    Ok((value.ok_or_else(wrong)?, surprise))
}

/// A number with a point, and what is unusual about its text.
pub(super) fn float(text: &str) -> Result<(Value, Option<Surprise>), String> {
    let clean = text.replace('_', "").to_ascii_lowercase();
    let sign = if clean.starts_with('-') { -1.0 } else { 1.0 };
    let digits = clean.strip_prefix(['-', '+']).unwrap_or(&clean);
    let parse = |digits: &str| {
        number::float(digits)
            .ok_or_else(|| format!("{text} looks like a number but is not one: put it in quotes if it is a text"))
    };
    match digits {
        ".inf" => return Ok((Value::Float(sign * f64::INFINITY), None)),
        ".nan" => return Ok((Value::Float(f64::NAN), None)),
        _ => {}
    }
    if !digits.contains(':') {
        return Ok((Value::Float(sign * parse(digits)?), None));
    }
    let (mut value, mut base) = (0.0, 1.0);
    for part in digits.rsplit(':') {
        value += parse(part)? * base;
        base *= 60.0;
    }
    Ok((Value::Float(sign * value), Some(Surprise::Base60)))
}
