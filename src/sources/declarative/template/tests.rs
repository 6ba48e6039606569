//! Jinja's tests: `value is name`.

use super::args::CallArgs;
use super::arith::{Op, apply};
use super::ast::Comparison;
use super::compare::{equal, identical, used};
use super::error::{Fault, Result};
use super::eval_expr::holds;
use super::value::{Object, Value, key_of};
use super::{filters, text as printed};

const NAMES: &[&str] = &[
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

pub(crate) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

pub(crate) fn test(name: &str, value: &Value, args: CallArgs) -> Result<Value> {
    let comparison = match name {
        "==" | "eq" | "equalto" => Some(Comparison::Eq),
        "!=" | "ne" => Some(Comparison::Ne),
        "<" | "lt" | "lessthan" => Some(Comparison::Lt),
        "<=" | "le" => Some(Comparison::Le),
        ">" | "gt" | "greaterthan" => Some(Comparison::Gt),
        ">=" | "ge" => Some(Comparison::Ge),
        "in" => Some(Comparison::In),
        _ => None,
    };
    if let Some(comparison) = comparison {
        let [other] = args.bind(name, [""], 1)?;
        return holds(comparison, value, &other.unwrap_or(Value::None)).map(Value::Bool);
    }
    Ok(Value::Bool(match name {
        "divisibleby" => {
            let [by] = args.bind(name, ["num"], 1)?;
            let rest = apply(Op::Mod, value, &by.unwrap_or(Value::None))?;
            equal(&rest, &Value::Int(0))?
        }
        "sameas" => {
            let [other] = args.bind(name, ["other"], 1)?;
            identical(value, &other.unwrap_or(Value::None))
        }
        _ => {
            args.none(name)?;
            simple(name, value)?
        }
    }))
}

fn simple(name: &str, value: &Value) -> Result<bool> {
    let named_in = |exists: fn(&str) -> bool| -> Result<bool> {
        // A value that cannot be a key is Python's TypeError.
        key_of(value)?;
        Ok(value.as_str().is_some_and(|name| exists(name)))
    };
    let case = |expected: fn(&str) -> String| -> Result<bool> {
        let text = printed::str_of(value)?;
        Ok(text.chars().any(char::is_alphabetic) && expected(&text) == text)
    };
    Ok(match name {
        "defined" => !value.is_undefined(),
        "undefined" => value.is_undefined(),
        "none" => matches!(value, Value::None),
        "boolean" => matches!(value, Value::Bool(_)),
        "true" => matches!(value, Value::Bool(true)),
        "false" => matches!(value, Value::Bool(false)),
        "integer" => matches!(value, Value::Int(_) | Value::Big(_)),
        "float" => matches!(value, Value::Float(_)),
        "number" => matches!(value, Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_)),
        "string" => value.as_str().is_some(),
        "mapping" => value.entries().is_some(),
        "escaped" => matches!(value, Value::Markup(_)),
        "iterable" => is_iterable(value),
        "sequence" => is_sequence(value),
        "callable" => match value.as_object() {
            Some(object) => matches!(
                object,
                Object::Method(..) | Object::Function(_) | Object::Macro(_) | Object::Loop(_) | Object::Joiner(..)
            ),
            // Undefined has a `__call__`.
            None => value.is_undefined(),
        },
        "filter" => named_in(filters::exists)?,
        "test" => named_in(exists)?,
        "lower" => case(str::to_lowercase)?,
        "upper" => case(str::to_uppercase)?,
        "odd" | "even" => {
            if let Value::Undefined(missing) = value {
                return Err(used(missing));
            }
            let rest = apply(Op::Mod, value, &Value::Int(2))?;
            equal(&rest, &Value::Int(i64::from(name == "odd")))?
        }
        _ => return Err(Fault::other("TemplateRuntimeError", "there is no test of the name that was given")),
    })
}

fn is_iterable(value: &Value) -> bool {
    match value {
        Value::Undefined(_)
        | Value::Str(_)
        | Value::Markup(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Tuple(_)
        | Value::Dict(_) => true,
        Value::Object(object) => matches!(
            object.0,
            Object::Headers(_)
                | Object::Slice { .. }
                | Object::View(..)
                | Object::Iter(..)
                | Object::Named(..)
                | Object::Loop(_)
        ),
        _ => false,
    }
}

/// It has a length and supports subscripts.
fn is_sequence(value: &Value) -> bool {
    match value {
        Value::Undefined(_)
        | Value::Str(_)
        | Value::Markup(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Tuple(_)
        | Value::Dict(_) => true,
        Value::Object(object) => {
            matches!(object.0, Object::Headers(_) | Object::Slice { .. } | Object::Named(..))
        }
        _ => false,
    }
}
