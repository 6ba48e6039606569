//! Python's operators, with its `TypeError`s.

use std::rc::Rc;

use num_bigint::BigInt;
use num_traits::{Pow, ToPrimitive, Zero};

use super::compare::{Number, used};
use super::datetime::{DateTime, Delta, Offset};
use super::error::{Fault, Result};
use super::number::{big_to_float, divide_big, is_negative};
use super::operands::{add, divide_spans, multiply, subtract};
use super::text::{MAX_TEXT, str_of};
use super::value::Value;

/// An operator of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
}

impl Op {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::FloorDiv => "//",
            Self::Mod => "%",
            Self::Pow => "** or pow()",
        }
    }
}

/// Bits of the largest integer that is computed.
const MAX_BITS: u64 = 200_000;

pub(crate) fn apply(op: Op, left: &Value, right: &Value) -> Result<Value> {
    // `%` formats a text before it checks the right operand.
    if let (Op::Mod, Value::Str(format)) = (op, left) {
        return Ok(Value::str(super::format::percent(format, right, false)?));
    }
    if let (Op::Mod, Value::Markup(format)) = (op, left) {
        return Ok(Value::Markup(super::format::percent(format, right, true)?.into()));
    }
    if let Value::Undefined(missing) = left {
        return Err(used(missing));
    }
    if let Value::Undefined(missing) = right {
        return Err(used(missing));
    }
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return numbers(op, &left, &right);
    }
    let special = match op {
        Op::Add => add(left, right)?,
        Op::Sub => subtract(left, right)?,
        Op::Mul => multiply(left, right)?,
        Op::Div | Op::FloorDiv | Op::Mod => divide_spans(op, left, right)?,
        Op::Pow => None,
    };
    special.ok_or_else(|| {
        let (left, right) = (left.type_name(), right.type_name());
        if op == Op::Add && matches!(left, "str" | "list" | "tuple") {
            return Fault::ty(format!("can only concatenate {left} (not \"{right}\") to {left}"));
        }
        Fault::ty(format!("unsupported operand type(s) for {}: '{left}' and '{right}'", op.sign()))
    })
}

fn numbers(op: Op, left: &Number, right: &Number) -> Result<Value> {
    if let (Number::Int(a), Number::Int(b)) = (left, right) {
        let quick = match op {
            Op::Add => a.checked_add(*b),
            Op::Sub => a.checked_sub(*b),
            Op::Mul => a.checked_mul(*b),
            Op::FloorDiv if *b != 0 => a.checked_div_euclid(*b).map(|_| floor_div(*a, *b)),
            Op::Mod if *b != 0 => a.checked_rem_euclid(*b).map(|_| a - floor_div(*a, *b).wrapping_mul(*b)),
            _ => None,
        };
        if let Some(value) = quick {
            return Ok(Value::Int(value));
        }
    }
    if matches!(left, Number::Float(_)) || matches!(right, Number::Float(_)) {
        return floats(op, to_float(left)?, to_float(right)?);
    }
    integers(op, &left.to_big(), &right.to_big())
}

fn floor_div(a: i64, b: i64) -> i64 {
    let quotient = a.wrapping_div(b);
    if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}

pub(crate) fn to_float(number: &Number) -> Result<f64> {
    match number {
        Number::Int(value) => Ok(*value as f64),
        Number::Float(value) => Ok(*value),
        Number::Big(value) => big_to_float(value).ok_or_else(|| Fault::overflow("int too large to convert to float")),
    }
}

fn integers(op: Op, a: &BigInt, b: &BigInt) -> Result<Value> {
    let zero = || Fault::other("ZeroDivisionError", "integer division or modulo by zero");
    Ok(Value::big(match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul if a.bits() + b.bits() > MAX_BITS => return Err(Fault::too_large("a number gets too large")),
        Op::Mul => a * b,
        Op::Div if b.is_zero() => return Err(Fault::other("ZeroDivisionError", "division by zero")),
        Op::Div => {
            let sign = if is_negative(a) == is_negative(b) { 1.0 } else { -1.0 };
            let quotient = divide_big(&BigInt::from(a.magnitude().clone()), &BigInt::from(b.magnitude().clone()))
                .ok_or_else(|| Fault::overflow("integer division result too large for a float"))?;
            return Ok(Value::Float(sign * quotient));
        }
        Op::FloorDiv | Op::Mod if b.is_zero() => return Err(zero()),
        Op::FloorDiv | Op::Mod => {
            let (mut quotient, mut rest) = (a / b, a % b);
            if !rest.is_zero() && is_negative(&rest) != is_negative(b) {
                quotient -= 1;
                rest += b;
            }
            if op == Op::Mod { rest } else { quotient }
        }
        Op::Pow if is_negative(b) => {
            let float = |value: &BigInt| {
                big_to_float(value).ok_or_else(|| Fault::overflow("int too large to convert to float"))
            };
            return floats(op, float(a)?, float(b)?);
        }
        Op::Pow => {
            let exponent =
                b.to_u64().filter(|exponent| a.bits().saturating_mul(*exponent) <= MAX_BITS || a.bits() <= 1);
            let exponent = exponent.ok_or_else(|| Fault::too_large("a number gets too large"))?;
            // For 0, 1 and -1 only the last bit of the exponent counts.
            let exponent = if a.bits() <= 1 { if exponent == 0 { 0 } else { 2 - exponent % 2 } } else { exponent };
            Pow::pow(a, exponent)
        }
    }))
}

fn floats(op: Op, a: f64, b: f64) -> Result<Value> {
    let zero = |message| Err(Fault::other("ZeroDivisionError", message));
    Ok(Value::Float(match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div if b == 0.0 => return zero("float division by zero"),
        Op::Div => a / b,
        Op::FloorDiv if b == 0.0 => return zero("float floor division by zero"),
        Op::Mod if b == 0.0 => return zero("float modulo"),
        Op::FloorDiv => float_divmod(a, b).0,
        Op::Mod => float_divmod(a, b).1,
        Op::Pow => {
            if a == 0.0 && b < 0.0 {
                return zero("0.0 cannot be raised to a negative power");
            }
            let value = a.powf(b);
            if value.is_nan() && !a.is_nan() && !b.is_nan() {
                // Python gives a complex number here, which no manifest can use.
                return Err(Fault::value("a negative number cannot be raised to a fractional power"));
            }
            if value.is_infinite() && a.is_finite() && b.is_finite() {
                return Err(Fault::overflow("(34, 'Numerical result out of range')"));
            }
            value
        }
    }))
}

/// `float.__divmod__` as `CPython` computes it.
fn float_divmod(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0f64.copysign(b);
    } else if (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    let floored = if quotient == 0.0 {
        0f64.copysign(a / b)
    } else {
        let floored = quotient.floor();
        if quotient - floored > 0.5 { floored + 1.0 } else { floored }
    };
    (floored, rest)
}

/// `-value`
pub(crate) fn negate(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Undefined(missing) => return Err(used(missing)),
        Value::Bool(value) => Value::Int(-i64::from(*value)),
        Value::Int(value) => value.checked_neg().map_or_else(|| Value::big(-BigInt::from(*value)), Value::Int),
        Value::Big(value) => Value::big(-(**value).clone()),
        Value::Float(value) => Value::Float(-value),
        Value::Delta(delta) => Value::Delta(Delta(-delta.0)),
        Value::Duration(duration) => Value::Duration(Rc::new(duration.negated())),
        _ => return Err(Fault::ty(format!("bad operand type for unary -: '{}'", value.type_name()))),
    })
}

/// `+value`
pub(crate) fn positive(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Undefined(missing) => return Err(used(missing)),
        Value::Bool(value) => Value::Int((*value).into()),
        Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Delta(_) => value.clone(),
        _ => return Err(Fault::ty(format!("bad operand type for unary +: '{}'", value.type_name()))),
    })
}

/// `left ~ right ~ ...`
pub(crate) fn concatenate(values: &[Value]) -> Result<Value> {
    let mut text = String::new();
    for value in values {
        text.push_str(&str_of(value)?);
        if text.len() > MAX_TEXT {
            return Err(Fault::too_large("the text gets too long"));
        }
    }
    Ok(Value::str(text))
}

/// The moment of a clock: microseconds since 1970, in UTC.
pub(crate) fn utc(micros: i64) -> Result<DateTime> {
    let moment = DateTime::from_instant(micros.into())?;
    Ok(DateTime { offset: Some(Offset::UTC), ..moment })
}
