//! Integers and floats.

use num_traits::{One, Signed, Zero};

use num_bigint::BigInt;

use super::super::args::CallArgs;
use super::super::compare::Number;
use super::super::error::{Fault, Result};
use super::super::value::Value;

pub(super) const INT: &[&str] = &["as_integer_ratio", "bit_count", "bit_length", "conjugate", "from_bytes", "to_bytes"];
pub(super) const FLOAT: &[&str] = &["as_integer_ratio", "conjugate", "fromhex", "hex", "is_integer"];

pub(super) fn field(value: &Value, name: &str) -> Result<Option<Value>> {
    let whole = !matches!(value, Value::Float(_));
    Ok(match name {
        "real" => Some(super::super::arith::positive(value)?),
        "imag" => Some(if whole { Value::Int(0) } else { Value::Float(0.0) }),
        "numerator" if whole => Some(super::super::arith::positive(value)?),
        "denominator" if whole => Some(Value::Int(1)),
        _ => None,
    })
}

pub(super) fn call(receiver: &Value, name: &str, args: CallArgs) -> Result<Value> {
    args.none(name)?;
    let Some(number) = Number::of(receiver) else { return Err(Fault::ty("a number is expected")) };
    Ok(match (name, &number) {
        ("conjugate", _) => super::super::arith::positive(receiver)?,
        ("is_integer", Number::Float(value)) => Value::Bool(value.is_finite() && value.fract() == 0.0),
        ("as_integer_ratio", Number::Float(value)) => ratio(*value)?,
        ("as_integer_ratio", _) => Value::tuple(vec![super::super::arith::positive(receiver)?, Value::Int(1)]),
        ("bit_length", _) => Value::Int(number.to_big().bits() as i64),
        ("bit_count", _) => {
            Value::Int(number.to_big().magnitude().iter_u64_digits().map(u64::count_ones).sum::<u32>().into())
        }
        _ => return Err(Fault::unsupported(format!("the method '{name}' of numbers is not supported in templates"))),
    })
}

fn ratio(value: f64) -> Result<Value> {
    if !value.is_finite() {
        return Err(Fault::overflow("cannot convert Infinity or NaN to integer ratio"));
    }
    let bits = value.abs().to_bits();
    let (exponent, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
    let (mantissa, exponent) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    let (mut over, mut under) = (BigInt::from(mantissa), BigInt::one());
    if exponent >= 0 {
        over <<= exponent.unsigned_abs();
    } else {
        under <<= exponent.unsigned_abs();
    }
    while !over.is_zero() && !over.bit(0) && !under.bit(0) && under.is_positive() && !under.is_one() {
        over >>= 1u32;
        under >>= 1u32;
    }
    if over.is_zero() {
        under = BigInt::one();
    }
    Ok(Value::tuple(vec![Value::big(if value < 0.0 { -over } else { over }), Value::big(under)]))
}
