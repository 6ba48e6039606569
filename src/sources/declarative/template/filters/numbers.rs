//! Filters of numbers.

use num_bigint::BigInt;
use num_traits::{Pow, Signed, ToPrimitive};

use super::super::args::{CallArgs, int, int_or, text};
use super::super::arith::{self, Op};
use super::super::compare::{Number, used};
use super::super::error::{Fault, Result};
use super::super::number::{big_from_float, parse_float, parse_int};
use super::super::value::Value;

pub(super) fn call(name: &str, value: &Value, args: CallArgs) -> Result<Value> {
    match name {
        "abs" => {
            args.none(name)?;
            match value {
                Value::Delta(delta) => Ok(if delta.0 < 0 { arith::negate(value)? } else { value.clone() }),
                _ => match Number::of(value) {
                    Some(Number::Float(value)) => Ok(Value::Float(value.abs())),
                    Some(number) => Ok(Value::big(number.to_big().abs())),
                    None => Err(Fault::ty(format!("bad operand type for abs(): '{}'", value.type_name()))),
                },
            }
        }
        "int" => {
            let [default, base] = args.bind(name, ["default", "base"], 0)?;
            let default = default.unwrap_or(Value::Int(0));
            let base = int_or(base.as_ref(), 10, name)?;
            let base = u32::try_from(base).unwrap_or(1);
            to_int(value, base).map(|found| found.unwrap_or(default))
        }
        "float" => {
            let [default] = args.bind(name, ["default"], 0)?;
            let default = default.unwrap_or(Value::Float(0.0));
            Ok(match value {
                Value::Undefined(missing) => return Err(used(missing)),
                Value::Str(text) | Value::Markup(text) => parse_float(text).map_or(default, Value::Float),
                _ => match Number::of(value) {
                    Some(number) => Value::Float(arith::to_float(&number)?),
                    None => default,
                },
            })
        }
        "round" => {
            let [precision, method] = args.bind(name, ["precision", "method"], 0)?;
            let method = method.map(|method| text(&method, name)).transpose()?;
            match method.as_deref().unwrap_or("common") {
                "common" => round(value, int_or(precision.as_ref(), 0, name)?),
                method @ ("ceil" | "floor") => {
                    let precision = precision.unwrap_or(Value::Int(0));
                    let scale = arith::apply(Op::Pow, &Value::Int(10), &precision)?;
                    let scaled = arith::apply(Op::Mul, value, &scale)?;
                    let whole = match Number::of(&scaled) {
                        Some(Number::Float(value)) if !value.is_finite() => {
                            return Err(Fault::overflow("cannot convert float infinity or NaN to integer"));
                        }
                        Some(Number::Float(value)) => {
                            Value::big(big_from_float(if method == "ceil" { value.ceil() } else { value.floor() }))
                        }
                        Some(_) => scaled,
                        None => return Err(Fault::ty(format!("must be real number, not {}", scaled.type_name()))),
                    };
                    arith::apply(Op::Div, &whole, &scale)
                }
                _ => Err(Fault::other("FilterArgumentError", "method must be common, ceil or floor")),
            }
        }
        _ => {
            let [binary] = args.bind(name, ["binary"], 0)?;
            file_size(value, binary.is_some_and(|binary| binary.truth())).map(Value::str)
        }
    }
}

/// Jinja's `int`; `None` means the default.
fn to_int(value: &Value, base: u32) -> Result<Option<Value>> {
    Ok(match value {
        Value::Undefined(missing) => return Err(used(missing)),
        Value::Str(text) | Value::Markup(text) => match parse_int(text, base) {
            Some(whole) => Some(Value::big(whole)),
            None => match parse_float(text) {
                Some(float) if float.is_finite() => Some(Value::big(big_from_float(float))),
                _ => None,
            },
        },
        Value::Float(value) if value.is_infinite() => {
            return Err(Fault::overflow("cannot convert float infinity to integer"));
        }
        Value::Float(value) if value.is_nan() => None,
        _ => Number::of(value).map(|number| Value::big(number.to_big())),
    })
}

/// Python's `round` to a number of digits: to the nearest, ties to even.
fn round(value: &Value, digits: i64) -> Result<Value> {
    match Number::of(value) {
        None => Err(Fault::ty(format!("type {} doesn't define __round__ method", value.type_name()))),
        Some(Number::Float(value)) if !value.is_finite() || digits > 330 => Ok(Value::Float(value)),
        Some(Number::Float(value)) if digits >= 0 => {
            let text = format!("{value:.*}", digits.to_usize().unwrap_or(0));
            Ok(Value::Float(text.parse().unwrap_or(value)))
        }
        Some(Number::Float(value)) if digits < -330 => Ok(Value::Float(0f64.copysign(value))),
        Some(Number::Float(value)) => {
            let scale = 10f64.powi(i32::try_from(-digits).unwrap_or(0));
            Ok(Value::Float((value / scale).round_ties_even() * scale))
        }
        Some(number) if digits >= 0 => Ok(Value::big(number.to_big())),
        Some(_) if digits < -5000 => Ok(Value::Int(0)),
        Some(number) => {
            let whole = number.to_big();
            let scale: BigInt = Pow::pow(BigInt::from(10), digits.unsigned_abs());
            let twice: BigInt = (&whole % &scale).abs() * 2;
            let quotient: BigInt = whole.abs() / &scale;
            let up = match twice.cmp(&scale) {
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => quotient.bit(0),
                std::cmp::Ordering::Greater => true,
            };
            let rounded = (quotient + i32::from(up)) * scale;
            Ok(Value::big(if whole.is_negative() { -rounded } else { rounded }))
        }
    }
}

fn file_size(value: &Value, binary: bool) -> Result<String> {
    let bytes = match value {
        Value::Undefined(missing) => return Err(used(missing)),
        Value::Str(text) | Value::Markup(text) => {
            parse_float(text).ok_or_else(|| Fault::value("could not convert string to float"))?
        }
        _ => {
            let number = Number::of(value);
            let number = number.ok_or_else(|| Fault::ty("float() argument must be a string or a real number"))?;
            arith::to_float(&number)?
        }
    };
    let (base, middle) = if binary { (1024f64, "i") } else { (1000f64, "") };
    if bytes == 1.0 {
        return Ok("1 Byte".to_owned());
    }
    if bytes < base {
        return Ok(format!("{} Bytes", bytes.trunc()));
    }
    let letters = if binary { "KMGTPEZY" } else { "kMGTPEZY" };
    let mut unit = base * base;
    for (at, letter) in letters.chars().enumerate() {
        if bytes < unit || at + 1 == letters.len() {
            return Ok(format!("{:.1} {letter}{middle}B", base * bytes / unit));
        }
        unit *= base;
    }
    Err(Fault::ty(format!("{} is not a size", int(value, "filesizeformat")?)))
}
