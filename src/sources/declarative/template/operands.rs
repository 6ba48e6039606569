//! Operators of values other than numbers: texts, lists, dates and spans.

use std::rc::Rc;
use std::sync::Arc;

use super::arith::Op;
use super::compare::Number;
use super::datetime::{DAY, Date, Delta, Duration};
use super::error::{Fault, Result};
use super::filters::escape::escape_value;
use super::text::MAX_TEXT;
use super::value::Value;

/// Items of the longest list that is created.
const MAX_ITEMS: usize = 1 << 20;

fn joined(left: &str, right: &str) -> Result<Arc<str>> {
    if left.len() + right.len() > MAX_TEXT {
        return Err(Fault::too_large("the text gets too long"));
    }
    Ok([left, right].concat().into())
}

fn chained(left: &[Value], right: &[Value]) -> Result<Vec<Value>> {
    if left.len() + right.len() > MAX_ITEMS {
        return Err(Fault::too_large("a list gets too long"));
    }
    Ok([left, right].concat())
}

pub(super) fn add(left: &Value, right: &Value) -> Result<Option<Value>> {
    Ok(Some(match (left, right) {
        (Value::Str(left), Value::Str(right)) => Value::Str(joined(left, right)?),
        (Value::Markup(left), right) if right.as_str().is_some() => Value::Markup(joined(left, &escape_value(right)?)?),
        (left, Value::Markup(right)) if left.as_str().is_some() => Value::Markup(joined(&escape_value(left)?, right)?),
        (Value::Bytes(left), Value::Bytes(right)) => Value::Bytes([&**left, &**right].concat().into()),
        (Value::List(left), Value::List(right)) => Value::list(chained(&left.0.borrow(), &right.0.borrow())?),
        (Value::Tuple(left), Value::Tuple(right)) => Value::tuple(chained(&left.0, &right.0)?),
        (Value::DateTime(moment), Value::Delta(delta)) | (Value::Delta(delta), Value::DateTime(moment)) => {
            Value::DateTime(moment.plus(*delta)?)
        }
        (Value::Date(date), Value::Delta(delta)) | (Value::Delta(delta), Value::Date(date)) => {
            Value::Date(date.plus(*delta)?)
        }
        (Value::Delta(left), Value::Delta(right)) => Value::Delta(Delta(left.0 + right.0).checked()?),
        (Value::Duration(duration), Value::DateTime(moment)) | (Value::DateTime(moment), Value::Duration(duration)) => {
            Value::DateTime(duration.added_to(*moment)?)
        }
        (Value::Duration(duration), Value::Date(date)) | (Value::Date(date), Value::Duration(duration)) => {
            Value::Date(duration.added_to_date(*date)?)
        }
        (Value::Duration(left), Value::Duration(right)) => Value::Duration(Rc::new(left.plus(right)?)),
        (Value::Duration(duration), Value::Delta(delta)) | (Value::Delta(delta), Value::Duration(duration)) => {
            Value::Duration(Rc::new(duration.plus(&Duration::of(*delta))?))
        }
        _ => return Ok(None),
    }))
}

pub(super) fn subtract(left: &Value, right: &Value) -> Result<Option<Value>> {
    Ok(Some(match (left, right) {
        (Value::DateTime(left), Value::DateTime(right)) => {
            if left.offset.is_some() != right.offset.is_some() {
                return Err(Fault::ty("can't subtract offset-naive and offset-aware datetimes"));
            }
            Value::Delta(Delta(left.instant() - right.instant()))
        }
        (Value::Date(left), Value::Date(right)) => {
            Value::Delta(Delta(i128::from(left.ordinal() - right.ordinal()) * DAY))
        }
        (Value::DateTime(moment), Value::Delta(delta)) => Value::DateTime(moment.plus(Delta(-delta.0))?),
        // Python subtracts the days of the span, rounded down.
        (Value::Date(date), Value::Delta(delta)) => Value::Date(Date::from_ordinal(date.ordinal() - delta.days())?),
        (Value::Delta(left), Value::Delta(right)) => Value::Delta(Delta(left.0 - right.0).checked()?),
        (Value::DateTime(moment), Value::Duration(duration)) => Value::DateTime(duration.negated().added_to(*moment)?),
        (Value::Date(date), Value::Duration(duration)) => {
            let months_only = Duration { delta: Delta(0), ..duration.negated() };
            let shifted = months_only.added_to_date(*date)?;
            Value::Date(Date::from_ordinal(shifted.ordinal() - duration.delta.days())?)
        }
        (Value::Duration(left), Value::Duration(right)) => Value::Duration(Rc::new(left.plus(&right.negated())?)),
        (Value::Duration(left), Value::Delta(right)) => {
            Value::Duration(Rc::new(left.plus(&Duration::of(Delta(-right.0)))?))
        }
        (Value::Delta(left), Value::Duration(right)) => {
            Value::Duration(Rc::new(Duration::of(*left).plus(&right.negated())?))
        }
        _ => return Ok(None),
    }))
}

pub(super) fn multiply(left: &Value, right: &Value) -> Result<Option<Value>> {
    let (sequence, factor) = if Number::of(right).is_some() { (left, right) } else { (right, left) };
    if let (Value::Delta(delta), Value::Float(factor)) = (sequence, factor) {
        let micros = (delta.0 as f64 * factor).round_ties_even();
        if !micros.is_finite() || micros.abs() > 1e23 {
            return Err(Fault::overflow("a timedelta gets too long"));
        }
        return Ok(Some(Value::Delta(Delta(micros as i128).checked()?)));
    }
    if matches!(sequence, Value::Delta(_) | Value::Duration(_)) {
        let Some(factor) = factor.as_index() else { return Ok(None) };
        return Ok(Some(match sequence {
            Value::Duration(duration) => Value::Duration(Rc::new(duration.times(factor)?)),
            Value::Delta(delta) => Value::Delta(Duration::of(*delta).times(factor)?.delta),
            _ => return Ok(None),
        }));
    }
    let times = match factor {
        Value::Big(_) => return Err(Fault::overflow("cannot fit 'int' into an index-sized integer")),
        _ => match factor.as_index() {
            Some(times) => usize::try_from(times).unwrap_or(0),
            None => return Ok(None),
        },
    };
    let fits = |length: usize, most: usize| match length.checked_mul(times) {
        Some(length) if length <= most => Ok(()),
        _ => Err(Fault::too_large("the result gets too long")),
    };
    Ok(Some(match sequence {
        Value::Str(text) => {
            fits(text.len(), MAX_TEXT)?;
            Value::str(text.repeat(times))
        }
        Value::Markup(text) => {
            fits(text.len(), MAX_TEXT)?;
            Value::Markup(text.repeat(times).into())
        }
        Value::Bytes(bytes) => {
            fits(bytes.len(), MAX_TEXT)?;
            Value::Bytes(bytes.repeat(times).into())
        }
        Value::List(items) => {
            fits(items.0.borrow().len(), MAX_ITEMS)?;
            Value::list(repeated(&items.0.borrow(), times))
        }
        Value::Tuple(items) => {
            fits(items.0.len(), MAX_ITEMS)?;
            Value::tuple(repeated(&items.0, times))
        }
        _ => return Ok(None),
    }))
}

fn repeated(items: &[Value], times: usize) -> Vec<Value> {
    // An empty list, however often, stays empty: there is no need to count.
    let times = if items.is_empty() { 0 } else { times };
    std::iter::repeat_n(items, times).flatten().cloned().collect()
}

/// `timedelta / 2`, `timedelta / timedelta` and the like.
pub(super) fn divide_spans(op: Op, left: &Value, right: &Value) -> Result<Option<Value>> {
    let zero = || Fault::other("ZeroDivisionError", "division by zero");
    let Value::Delta(left) = left else { return Ok(None) };
    Ok(Some(match (op, right) {
        (_, Value::Delta(Delta(0)) | Value::Int(0) | Value::Bool(false)) => return Err(zero()),
        (Op::Div, Value::Delta(right)) => Value::Float(super::number::divide_exact(left.0, right.0)),
        (Op::FloorDiv, Value::Delta(right)) => Value::big(floor(left.0, right.0).into()),
        (Op::Mod, Value::Delta(right)) => Value::Delta(Delta(left.0 - floor(left.0, right.0) * right.0)),
        (Op::FloorDiv, right) => match right.as_index() {
            Some(by) => Value::Delta(Delta(floor(left.0, by.into())).checked()?),
            None => return Ok(None),
        },
        (Op::Div, Value::Float(by)) => {
            if *by == 0.0 {
                return Err(zero());
            }
            let micros = (left.0 as f64 / by).round_ties_even();
            if !micros.is_finite() || micros.abs() > 1e23 {
                return Err(Fault::overflow("a timedelta gets too long"));
            }
            Value::Delta(Delta(micros as i128).checked()?)
        }
        (Op::Div, right) => match right.as_index() {
            Some(by) => {
                let by = i128::from(by);
                let quotient = floor(left.0, by);
                let twice = (left.0 - quotient * by) * 2;
                let up = match (twice.abs()).cmp(&by.abs()) {
                    std::cmp::Ordering::Less => false,
                    std::cmp::Ordering::Equal => quotient & 1 == 1,
                    std::cmp::Ordering::Greater => true,
                };
                Value::Delta(Delta(quotient + i128::from(up)).checked()?)
            }
            None => return Ok(None),
        },
        _ => return Ok(None),
    }))
}

fn floor(a: i128, b: i128) -> i128 {
    let quotient = a / b;
    if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}
