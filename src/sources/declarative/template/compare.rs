//! `==`, order and membership.

use std::cmp::Ordering;
use std::rc::Rc;

use super::error::{Fault, Result};
use super::number::big_from_float;
use super::value::{MAX_NESTING, Object, Value, ViewKind, key_of};
use num_bigint::BigInt;

/// A number of any class.
pub(crate) enum Number {
    Int(i64),
    Big(Rc<BigInt>),
    Float(f64),
}

impl Number {
    pub(crate) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Int((*value).into()),
            Value::Int(value) => Self::Int(*value),
            Value::Big(value) => Self::Big(value.clone()),
            Value::Float(value) => Self::Float(*value),
            _ => return None,
        })
    }

    pub(crate) fn to_big(&self) -> BigInt {
        match self {
            Self::Int(value) => (*value).into(),
            Self::Big(value) => (**value).clone(),
            Self::Float(value) => big_from_float(*value),
        }
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(right),
            (Self::Float(left), right) => right.compare_float(*left).map(Ordering::reverse),
            (left, Self::Float(right)) => left.compare_float(*right),
            (left, right) => Some(left.to_big().cmp(&right.to_big())),
        }
    }

    /// An integer beside a float, exactly.
    fn compare_float(&self, float: f64) -> Option<Ordering> {
        if float.is_nan() {
            return None;
        }
        if float.is_infinite() {
            return Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater });
        }
        let whole = self.to_big().cmp(&big_from_float(float));
        Some(match whole {
            Ordering::Equal if float.fract() > 0.0 => Ordering::Less,
            Ordering::Equal if float.fract() < 0.0 => Ordering::Greater,
            other => other,
        })
    }
}

pub(crate) fn equal(left: &Value, right: &Value) -> Result<bool> {
    equal_within(left, right, 0)
}

fn equal_within(left: &Value, right: &Value, depth: usize) -> Result<bool> {
    if depth > MAX_NESTING {
        return Err(Fault::limit("a value is nested too deep"));
    }
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Ok(left.compare(&right) == Some(Ordering::Equal));
    }
    let lists = |left: &[Value], right: &[Value]| -> Result<bool> {
        if left.len() != right.len() {
            return Ok(false);
        }
        for (left, right) in left.iter().zip(right) {
            if !identical(left, right) && !equal_within(left, right, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(match (left, right) {
        (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
        (Value::Str(left) | Value::Markup(left), Value::Str(right) | Value::Markup(right)) => left == right,
        (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            Rc::ptr_eq(left, right) || lists(&left.0.borrow(), &right.0.borrow())?
        }
        (Value::Tuple(left), Value::Tuple(right)) => lists(&left.0, &right.0)?,
        (Value::DateTime(left), Value::DateTime(right)) => {
            left.offset.is_some() == right.offset.is_some() && left.instant() == right.instant()
        }
        (Value::Date(left), Value::Date(right)) => left == right,
        (Value::Time(left, _), Value::Time(right, _)) => left == right,
        (Value::Delta(left), Value::Delta(right)) => left == right,
        (Value::Duration(left), Value::Duration(right)) => left == right,
        (Value::Duration(duration), Value::Delta(delta)) | (Value::Delta(delta), Value::Duration(duration)) => {
            duration.total_months() == super::datetime::Decimal::whole(0) && duration.delta == *delta
        }
        (Value::Zone(left), Value::Zone(right)) => left.micros == right.micros,
        (Value::Object(left_rc), Value::Object(right_rc)) if Rc::ptr_eq(left_rc, right_rc) => true,
        (Value::Object(left), right) | (right, Value::Object(left)) if matches!(left.0, Object::Named(..)) => {
            let Object::Named(_, _, tuple) = &left.0 else { return Ok(false) };
            return equal_within(tuple, right, depth + 1);
        }
        _ => return mappings_equal(left, right, depth),
    })
}

fn mappings_equal(left: &Value, right: &Value, depth: usize) -> Result<bool> {
    let (Some(left), Some(right)) = (left.entries(), right.entries()) else { return Ok(false) };
    if left.len() != right.len() {
        return Ok(false);
    }
    let mut keys = std::collections::HashMap::new();
    for (key, value) in right {
        keys.insert(key_of(&key)?, value);
    }
    for (key, value) in left {
        let same = match keys.get(&key_of(&key)?) {
            Some(other) => identical(&value, other) || equal_within(&value, other, depth + 1)?,
            None => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Python's `is`, as far as templates can see it: singletons and shared containers.
pub(crate) fn identical(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::None, Value::None) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) => left == right,
        (Value::Str(left), Value::Str(right)) => left == right,
        (Value::Undefined(left), Value::Undefined(right)) => Rc::ptr_eq(left, right),
        (Value::List(left), Value::List(right)) => Rc::ptr_eq(left, right),
        (Value::Dict(left), Value::Dict(right)) => Rc::ptr_eq(left, right),
        (Value::Tuple(left), Value::Tuple(right)) => {
            Rc::ptr_eq(left, right) || (left.0.is_empty() && right.0.is_empty())
        }
        (Value::Object(left), Value::Object(right)) => Rc::ptr_eq(left, right),
        _ => false,
    }
}

/// The order of two values, `None` if neither is first (NaN), or the `TypeError` of values that have none. `sign` is the
/// operator, for the message.
pub(crate) fn order(left: &Value, right: &Value, sign: &str) -> Result<Option<Ordering>> {
    order_within(left, right, sign, 0)
}

fn order_within(left: &Value, right: &Value, sign: &str, depth: usize) -> Result<Option<Ordering>> {
    if depth > MAX_NESTING {
        return Err(Fault::limit("a value is nested too deep"));
    }
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Ok(left.compare(&right));
    }
    let refused = || {
        let (left, right) = (left.type_name(), right.type_name());
        Fault::ty(format!("'{sign}' not supported between instances of '{left}' and '{right}'"))
    };
    let lists = |left: &[Value], right: &[Value]| -> Result<Option<Ordering>> {
        for (left, right) in left.iter().zip(right) {
            if !identical(left, right) && !equal_within(left, right, depth + 1)? {
                return order_within(left, right, sign, depth + 1);
            }
        }
        Ok(Some(left.len().cmp(&right.len())))
    };
    Ok(match (left, right) {
        (Value::Undefined(missing), _) | (_, Value::Undefined(missing)) => return Err(used(missing)),
        (Value::Str(left) | Value::Markup(left), Value::Str(right) | Value::Markup(right)) => Some(left.cmp(right)),
        (Value::Bytes(left), Value::Bytes(right)) => Some(left.cmp(right)),
        (Value::List(left), Value::List(right)) => lists(&left.0.borrow(), &right.0.borrow())?,
        (Value::Tuple(left), Value::Tuple(right)) => lists(&left.0, &right.0)?,
        (Value::DateTime(left), Value::DateTime(right)) => {
            if left.offset.is_some() != right.offset.is_some() {
                return Err(Fault::ty("can't compare offset-naive and offset-aware datetimes"));
            }
            Some(left.instant().cmp(&right.instant()))
        }
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Time(left, _), Value::Time(right, _)) => Some(left.cmp(right)),
        (Value::Delta(left), Value::Delta(right)) => Some(left.cmp(right)),
        _ => return Err(refused()),
    })
}

/// The error of using an undefined value.
pub(crate) fn used(missing: &super::value::Missing) -> Box<Fault> {
    if missing.unsafe_access { Fault::security(&*missing.message) } else { Fault::undefined(&*missing.message) }
}

/// `item in container`.
pub(crate) fn contains(container: &Value, item: &Value) -> Result<bool> {
    let among = |items: &[Value]| -> Result<bool> {
        for candidate in items {
            if identical(candidate, item) || equal(candidate, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    Ok(match container {
        Value::Str(text) | Value::Markup(text) => match item.as_str() {
            Some(part) => text.contains(&**part),
            None => {
                let name = item.type_name();
                return Err(Fault::ty(format!("'in <string>' requires string as left operand, not {name}")));
            }
        },
        Value::Dict(dict) => {
            let key = key_of(item)?;
            dict.0.borrow().contains(&key)
        }
        Value::Bytes(bytes) => match item {
            Value::Bytes(part) => part.is_empty() || bytes.windows(part.len()).any(|window| *window == **part),
            Value::Int(byte) => u8::try_from(*byte).is_ok_and(|byte| bytes.contains(&byte)),
            _ => return Err(Fault::ty("a bytes-like object is required")),
        },
        Value::Object(object) => match &object.0 {
            Object::Headers(names) => match item.as_str() {
                Some(name) => header(names, name).is_some(),
                None => return Err(Fault::other("AttributeError", "a header's name is a text")),
            },
            Object::Slice { merged, .. } => contains(merged, item)?,
            Object::View(ViewKind::Keys, of) => contains(of, item)?,
            Object::View(..) | Object::Iter(..) | Object::Named(..) => among(&container.iterate()?)?,
            _ => return Err(not_a_container(container)),
        },
        Value::Undefined(_) | Value::List(_) | Value::Tuple(_) => among(&container.iterate()?)?,
        _ => return Err(not_a_container(container)),
    })
}

fn not_a_container(value: &Value) -> Box<Fault> {
    Fault::ty(format!("argument of type '{}' is not iterable", value.type_name()))
}

/// A header by its name in any case.
pub(crate) fn header(headers: &super::value::Dict, name: &str) -> Option<Value> {
    // Pagination has `link`, which was read, and `Link`, the text.
    let exact = headers.iter().find(|(key, _)| key.as_str().is_some_and(|key| **key == *name));
    let name = name.to_lowercase();
    let found =
        exact.or_else(|| headers.iter().find(|(key, _)| key.as_str().is_some_and(|key| key.to_lowercase() == name)));
    found.map(|(_, value)| value.clone())
}

/// An order for sorting that remembers the first fault.
pub(crate) fn sort_by_keys<T>(items: &mut [(Value, T)], reverse: bool) -> Result<()> {
    let mut fault = None;
    items.sort_by(|(left, _), (right, _)| {
        // Python reverses the list before and after sorting, which keeps equal items in order.
        let ordered = order(left, right, "<").map(|order| order.unwrap_or(Ordering::Equal));
        match ordered {
            Ok(order) if reverse => order.reverse(),
            Ok(order) => order,
            Err(error) => {
                fault.get_or_insert(error);
                Ordering::Equal
            }
        }
    });
    fault.map_or(Ok(()), Err)
}
