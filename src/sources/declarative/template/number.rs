//! Numbers as Python reads and prints them.

use num_bigint::{BigInt, Sign};
use num_traits::{FromPrimitive, ToPrimitive};

/// `CPython` refuses to read or print longer integers.
pub(crate) const MAX_DIGITS: usize = 4300;

/// Python's `int(text, base)`: surrounding blanks, a sign, single underscores between digits, a prefix if the base has
/// one. `None` is Python's `ValueError`.
pub(crate) fn parse_int(text: &str, base: u32) -> Option<BigInt> {
    let text = text.trim_matches(is_space);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefixed = |letter: char| {
        let mut characters = digits.chars();
        let has = characters.next() == Some('0') && characters.next().is_some_and(|c| c.eq_ignore_ascii_case(&letter));
        has.then(|| {
            let rest = &digits[2..];
            rest.strip_prefix('_').unwrap_or(rest)
        })
    };
    let (digits, base) = match base {
        0 => match (prefixed('x'), prefixed('o'), prefixed('b')) {
            (Some(rest), ..) => (rest, 16),
            (_, Some(rest), _) => (rest, 8),
            (.., Some(rest)) => (rest, 2),
            _ if digits.starts_with('0') && digits.contains(|c: char| ('1'..='9').contains(&c)) => return None,
            _ => (digits, 10),
        },
        16 => (prefixed('x').unwrap_or(digits), 16),
        8 => (prefixed('o').unwrap_or(digits), 8),
        2 => (prefixed('b').unwrap_or(digits), 2),
        base if (2..=36).contains(&base) => (digits, base),
        _ => return None,
    };
    let mut plain = String::with_capacity(digits.len());
    let mut underscore = true;
    for c in digits.chars() {
        if c == '_' {
            if underscore {
                return None;
            }
            underscore = true;
        } else {
            // Decimal digits of any script count.
            let digit = c.to_digit(base).or_else(|| unicode_digit(c).filter(|digit| *digit < base))?;
            plain.push(char::from_digit(digit, base)?);
            underscore = false;
        }
    }
    if underscore || (!base.is_power_of_two() && plain.len() > MAX_DIGITS) || plain.len() > 100_000 {
        return None;
    }
    let value = BigInt::parse_bytes(plain.as_bytes(), base)?;
    Some(if negative { -value } else { value })
}

/// `int(text)` that fits 64 bits.
pub(crate) fn parse_small(text: &str) -> Option<i64> {
    parse_int(text, 10)?.to_i64()
}

/// The value of a decimal digit of another script: they come in runs of ten, each beginning at a zero.
pub(crate) fn unicode_digit(c: char) -> Option<u32> {
    const ZEROS: [u32; 20] = [
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20,
        0x1040, 0x17e0, 0x1810, 0xff10, 0x1d7ce,
    ];
    ZEROS.iter().find_map(|zero| (u32::from(c)).checked_sub(*zero).filter(|digit| *digit < 10))
}

pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Python's `float(text)`; `None` is its `ValueError`.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    let value = match lower.as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => f64::NAN,
        _ => {
            let plain = without_underscores(&lower)?;
            if !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
                return None;
            }
            plain.parse::<f64>().ok()?
        }
    };
    Some(if text.starts_with('-') { -value } else { value })
}

/// The digits without single underscores between two of them.
fn without_underscores(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '_' {
            let between = before.is_ascii_digit() && characters.peek().is_some_and(char::is_ascii_digit);
            if !between {
                return None;
            }
        } else {
            plain.push(unicode_digit(c).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c));
        }
        before = c;
    }
    Some(plain)
}

/// Python's `repr` of a float: the shortest digits that read back as the same, with an exponent below 1e-4 and from
/// 1e16.
pub(crate) fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = value.abs();
    // Of two equally near shortest ones, Python takes the even one.
    let shortest = format!("{value:e}");
    let digits = shortest.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{value:.*e}", digits.saturating_sub(1));
    let shortest = if even.parse() == Ok(value) { even } else { shortest };
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        return exponent_form(&shortest);
    }
    let text = plain_form(&shortest);
    if text.contains('.') { text } else { text + ".0" }
}

/// `-1.25e2` as `-125`, `1.25e-3` as `0.00125`.
fn plain_form(text: &str) -> String {
    let (sign, text) = if let Some(rest) = text.strip_prefix('-') { ("-", rest) } else { ("", text) };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

/// Rust's `1e16` as C's `1e+16`.
pub(crate) fn exponent_form(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// The whole part of a finite float.
pub(crate) fn big_from_float(value: f64) -> BigInt {
    BigInt::from_f64(value.trunc()).unwrap_or_default()
}

/// A float of an integer, or `None` where Python says that it is too large.
pub(crate) fn big_to_float(value: &BigInt) -> Option<f64> {
    value.to_f64().filter(|value| value.is_finite())
}

/// The quotient of two integers, rounded once.
pub(crate) fn divide_big(left: &BigInt, right: &BigInt) -> Option<f64> {
    if let (Some(left), Some(right)) = (exact(left), exact(right)) {
        return Some(left / right);
    }
    // Scaled so that the quotient has 66 bits or more, and a sticky last bit for the remainder.
    let shift = right.bits() as i64 - left.bits() as i64 + 66;
    let (left, right) = match shift {
        0.. => (left.magnitude() << shift.unsigned_abs(), right.magnitude().clone()),
        _ => (left.magnitude().clone(), right.magnitude() << shift.unsigned_abs()),
    };
    let quotient = &left / &right;
    let sticky = u8::from(&quotient * &right != left);
    let value = BigInt::from(quotient | num_bigint::BigUint::from(sticky)).to_f64()?;
    let scaled = value * 2f64.powi(-(shift.clamp(-1100, 1100) as i32));
    scaled.is_finite().then_some(scaled)
}

fn exact(value: &BigInt) -> Option<f64> {
    value.to_i64().filter(|value| value.unsigned_abs() < 1 << 53).map(|value| value as f64)
}

/// As `divide_big`, for integers of 128 bits, with the sign.
pub(crate) fn divide_exact(left: i128, right: i128) -> f64 {
    let sign = if (left < 0) == (right < 0) { 1.0 } else { -1.0 };
    sign * divide_big(&BigInt::from(left).magnitude().clone().into(), &BigInt::from(right).magnitude().clone().into())
        .unwrap_or(f64::NAN)
}

pub(crate) fn is_negative(value: &BigInt) -> bool {
    value.sign() == Sign::Minus
}
