//! `'%s' % value`: printf-style formatting.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

use super::arith::to_float;
use super::compare::Number;
use super::error::{Fault, Result};
use super::filters::escape::escape_value;
use super::number::exponent_form;
use super::text::{MAX_TEXT, repr_of, str_of};
use super::value::{Object, Value};

/// A directive between its `%` and its letter.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of C's")]
#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// `format % value`. With `escapes`, texts are escaped as `Markup` does.
pub(crate) fn percent(format: &str, value: &Value, escapes: bool) -> Result<String> {
    let tuple: Option<Vec<Value>> = match value {
        Value::Tuple(items) => Some(items.0.clone()),
        Value::Object(object) => match &object.0 {
            Object::Named(_, _, tuple) => Some(tuple.iterate()?),
            _ => None,
        },
        _ => None,
    };
    let is_tuple = tuple.is_some();
    let mut values = tuple.unwrap_or_else(|| vec![value.clone()]).into_iter();
    let mut used_mapping = false;
    let mut taken = 0;
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut named = None;
        if let Some(after) = rest.strip_prefix('(') {
            let mut open = 1;
            let end = after.find(|c| {
                open += i32::from(c == '(') - i32::from(c == ')');
                open == 0
            });
            let end = end.ok_or_else(|| Fault::value("incomplete format key"))?;
            if value.entries().is_none() || is_tuple {
                return Err(Fault::ty("format requires a mapping"));
            }
            named = Some(&after[..end]);
            rest = &after[end + 1..];
        }
        let mut next = || {
            taken += 1;
            values.next().ok_or_else(|| Fault::ty("not enough arguments for format string"))
        };
        let mut spec = Spec::default();
        loop {
            match rest.as_bytes().first() {
                Some(b'-') => spec.left = true,
                Some(b'+') => spec.plus = true,
                Some(b' ') => spec.space = true,
                Some(b'#') => spec.alternate = true,
                Some(b'0') => spec.zero = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        let mut size = |rest: &mut &str, spec: &mut Spec| -> Result<Option<usize>> {
            if let Some(after) = rest.strip_prefix('*') {
                *rest = after;
                let size = next()?.as_index().ok_or_else(|| Fault::ty("* wants int"))?;
                spec.left |= size < 0;
                return Ok(Some(size.unsigned_abs() as usize));
            }
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let size = rest[..digits].parse().ok();
            if digits > 0 && size.is_none() {
                return Err(Fault::value("width too big"));
            }
            *rest = &rest[digits..];
            Ok(size)
        };
        spec.width = size(&mut rest, &mut spec)?.unwrap_or(0);
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            spec.precision = Some(size(&mut rest, &mut Spec::default())?.unwrap_or(0));
        }
        rest = rest.trim_start_matches(['h', 'l', 'L']);
        if spec.width.max(spec.precision.unwrap_or(0)) > MAX_TEXT / 4 {
            return Err(Fault::too_large("the text gets too long"));
        }
        let directive = rest.chars().next().ok_or_else(|| Fault::value("incomplete format"))?;
        rest = &rest[directive.len_utf8()..];
        if directive == '%' {
            out.push('%');
            continue;
        }
        let value = match named {
            Some(key) => {
                used_mapping = true;
                let found = super::attributes::item(value, &Value::str(key), false)?;
                if found.is_undefined() {
                    return Err(Fault::other("KeyError", "a key of the format is not in the mapping"));
                }
                found
            }
            None => next()?,
        };
        out.push_str(&one(directive, &spec, &value, escapes)?);
        if out.len() > MAX_TEXT {
            return Err(Fault::too_large("the text gets too long"));
        }
    }
    out.push_str(rest);
    let all_used = values.next().is_none() || used_mapping || (!is_tuple && value.entries().is_some());
    if !all_used && (is_tuple || taken == 0) {
        let is_container = matches!(value, Value::List(_)) || (value.entries().is_some() && !is_tuple);
        if !is_container || is_tuple {
            return Err(Fault::ty("not all arguments converted during string formatting"));
        }
    }
    Ok(out)
}

fn one(directive: char, spec: &Spec, value: &Value, escapes: bool) -> Result<String> {
    let number = || match value {
        Value::Undefined(missing) => Err(super::compare::used(missing)),
        _ => Number::of(value).ok_or_else(|| {
            Fault::ty(format!("%{directive} format: a real number is required, not {}", value.type_name()))
        }),
    };
    Ok(match directive {
        's' | 'r' | 'a' => {
            let text = match directive {
                's' if escapes => escape_value(value)?,
                's' => str_of(value)?,
                _ => repr_of(value)?,
            };
            let cut = match spec.precision {
                Some(precision) => text.chars().take(precision).collect(),
                None => text,
            };
            padded(&cut, spec)
        }
        'd' | 'i' | 'u' => {
            let whole = match number()? {
                Number::Float(value) if !value.is_finite() => {
                    return Err(Fault::overflow("cannot convert float infinity or NaN to integer"));
                }
                number => number.to_big(),
            };
            signed(&whole, &whole.magnitude().to_string(), "", spec)
        }
        'x' | 'X' | 'o' => {
            let whole = match number()? {
                Number::Float(_) => return Err(Fault::ty(format!("%{directive} format: an integer is required"))),
                number => number.to_big(),
            };
            let (radix, prefix) = if directive == 'o' { (8, "0o") } else { (16, "0x") };
            let digits = whole.magnitude().to_str_radix(radix);
            let prefix = if spec.alternate { prefix } else { "" };
            if directive == 'X' {
                signed(&whole, &digits.to_uppercase(), &prefix.to_uppercase(), spec)
            } else {
                signed(&whole, &digits, prefix, spec)
            }
        }
        'c' => match (value.as_str(), value.as_index()) {
            (Some(text), _) if text.chars().count() == 1 => padded(text, spec),
            (_, Some(code)) => match u32::try_from(code).ok().and_then(char::from_u32) {
                Some(c) => padded(&c.to_string(), spec),
                None => return Err(Fault::overflow("%c arg not in range(0x110000)")),
            },
            _ => return Err(Fault::ty("%c requires int or char")),
        },
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let value = match value {
                Value::Undefined(missing) => return Err(super::compare::used(missing)),
                _ => {
                    let number = Number::of(value).ok_or_else(|| Fault::ty("must be real number"))?;
                    to_float(&number)?
                }
            };
            let text = float(value.abs(), directive, spec.precision.unwrap_or(6), spec.alternate);
            let negative = value.is_sign_negative() && !value.is_nan();
            let sign = if negative {
                "-"
            } else if spec.plus {
                "+"
            } else if spec.space {
                " "
            } else {
                ""
            };
            zero_padded(sign, &text, spec, value.is_finite())
        }
        other => return Err(Fault::value(format!("unsupported format character {other:?}"))),
    })
}

fn signed(value: &BigInt, digits: &str, prefix: &str, spec: &Spec) -> String {
    let sign = if value.is_negative() {
        "-"
    } else if spec.plus {
        "+"
    } else if spec.space {
        " "
    } else {
        ""
    };
    let missing = spec.precision.unwrap_or(0).saturating_sub(digits.len());
    let digits = format!("{}{digits}", "0".repeat(missing));
    zero_padded(&format!("{sign}{prefix}"), &digits, spec, true)
}

fn zero_padded(sign: &str, digits: &str, spec: &Spec, zeros: bool) -> String {
    if spec.zero && !spec.left && zeros {
        let missing = spec.width.saturating_sub(sign.len() + digits.len());
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    padded(&format!("{sign}{digits}"), spec)
}

fn padded(text: &str, spec: &Spec) -> String {
    let blanks = " ".repeat(spec.width.saturating_sub(text.chars().count()));
    if spec.left { format!("{text}{blanks}") } else { format!("{blanks}{text}") }
}

/// A float without its sign in the style of C: `e`, `f` or `g`.
pub(crate) fn float(value: f64, style: char, precision: usize, alternate: bool) -> String {
    let text = if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        "inf".to_owned()
    } else {
        match style.to_ascii_lowercase() {
            'e' => {
                let text = exponent_form(&format!("{value:.precision$e}"));
                if alternate && precision == 0 { text.replacen('e', ".e", 1) } else { text }
            }
            'f' => format!("{value:.precision$}{}", if alternate && precision == 0 { "." } else { "" }),
            _ => general(value, precision.max(1), alternate),
        }
    };
    if style.is_ascii_uppercase() { text.to_uppercase() } else { text }
}

/// `%g`: the shorter of both styles, without zeros at the end.
fn general(value: f64, precision: usize, alternate: bool) -> String {
    let scientific = format!("{value:.*e}", precision - 1);
    let exponent: i64 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let plain = |text: &str| {
        if alternate || !text.contains('.') {
            text.to_owned()
        } else {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    };
    if exponent < -4 || exponent >= precision as i64 {
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return exponent_form(&format!("{}e{exponent}", plain(digits)));
    }
    let digits = (precision as i64 - 1 - exponent).to_usize().unwrap_or(0);
    plain(&format!("{value:.digits$}"))
}
