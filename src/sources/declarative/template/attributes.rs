//! `value.name` and `value[key]` as Jinja's sandbox looks them up: after a dot, attributes come before keys; in
//! brackets, after them. A missing one is undefined.

use std::rc::Rc;

use super::compare::{header, used};
use super::error::{Fault, Result};
use super::json::place;
use super::methods;
use super::value::{Missing, Object, Value, key_of};

/// `value.name`
pub(crate) fn attribute(value: &Value, name: &str) -> Result<Value> {
    if let Value::Undefined(missing) = value
        && !is_dunder(name)
    {
        return Err(used(missing));
    }
    match own_attribute(value, name)? {
        Some(found) => Ok(found),
        None => match subscript(value, &Value::str(name))? {
            Some(found) => Ok(found),
            None => Ok(no_attribute(value, name)),
        },
    }
}

/// `value[key]`. The message about a missing value names the key only if the template spells it.
pub(crate) fn item(value: &Value, key: &Value, spelt: bool) -> Result<Value> {
    if let Value::Undefined(missing) = value {
        return Err(used(missing));
    }
    if let Some(found) = subscript(value, key)? {
        return Ok(found);
    }
    if let Some(name) = key.as_str() {
        if let Some(found) = own_attribute(value, name)? {
            return Ok(found);
        }
        if spelt {
            return Ok(no_attribute(value, name));
        }
    }
    Ok(Value::undefined(format!("{} has no such element", value.object_name())))
}

pub(crate) fn no_attribute(value: &Value, name: &str) -> Value {
    Value::undefined(format!("{} has no attribute '{name}'", value.object_name()))
}

fn is_dunder(name: &str) -> bool {
    ["__class__", "__doc__", "__dict__", "__init__", "__str__", "__repr__", "__len__", "__eq__", "__hash__", "__dir__"]
        .contains(&name)
        || ["__module__", "__new__", "__iter__", "__contains__", "__getitem__", "__format__", "__reduce__"]
            .contains(&name)
        || ["__getattribute__", "__setattr__", "__delattr__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"]
            .contains(&name)
        || ["__reduce_ex__", "__sizeof__", "__init_subclass__", "__subclasshook__"].contains(&name)
}

fn hidden(value: &Value, name: &str) -> Value {
    let message = format!("access to attribute '{name}' of '{}' object is unsafe.", value.type_name());
    Value::Undefined(Rc::new(Missing { message: message.into(), unsafe_access: true }))
}

/// Python's `getattr`; `None` is its `AttributeError`.
fn own_attribute(value: &Value, name: &str) -> Result<Option<Value>> {
    if name.starts_with("__") {
        return Ok(is_dunder(name).then(|| hidden(value, name)));
    }
    if let Value::Object(object) = value {
        match &object.0 {
            Object::Slice { partition, cursor_slice, extra_fields, .. } => {
                let part = match name {
                    "partition" | "_partition" => Some(partition),
                    "cursor_slice" => Some(cursor_slice),
                    "extra_fields" => Some(extra_fields),
                    "_cursor_slice" | "_extra_fields" | "_stream_slice" => return Ok(Some(hidden(value, name))),
                    _ => None,
                };
                if let Some(part) = part {
                    return Ok(Some(part.clone()));
                }
            }
            Object::Namespace(names) => return Ok(names.borrow().get_str(name).cloned()),
            Object::Named(_, names, tuple) => {
                if let Some(at) = names.iter().position(|known| *known == name) {
                    return Ok(tuple.iterate()?.into_iter().nth(at));
                }
            }
            Object::Loop(state) => {
                if let Some(found) = loop_attribute(&state.borrow(), name) {
                    return Ok(Some(found));
                }
            }
            Object::Cycler(items, at) if name == "current" => return Ok(items.get(*at.borrow()).cloned()),
            Object::Macro(definition) => {
                return Ok(match name {
                    "name" => Some(Value::str(&*definition.name)),
                    "arguments" => {
                        Some(Value::tuple(definition.params.iter().map(|name| Value::str(&**name)).collect()))
                    }
                    "catch_varargs" => Some(Value::Bool(definition.takes[0])),
                    "catch_kwargs" => Some(Value::Bool(definition.takes[1])),
                    "caller" => Some(Value::Bool(definition.takes[2])),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    if let Some(found) = methods::field(value, name)? {
        return Ok(Some(found));
    }
    Ok(methods::named(value, name).map(|method| Value::object(Object::Method(value.clone(), method))))
}

fn loop_attribute(state: &super::value::LoopState, name: &str) -> Option<Value> {
    let int = |value: usize| Value::Int(value as i64);
    let (index, length) = (state.index, state.items.len());
    Some(match name {
        "index" => int(index + 1),
        "index0" => int(index),
        "revindex" => int(length - index),
        "revindex0" => int(length - index - 1),
        "first" => Value::Bool(index == 0),
        "last" => Value::Bool(index + 1 == length),
        "length" => int(length),
        "depth" => int(state.depth),
        "depth0" => int(state.depth.saturating_sub(1)),
        "previtem" => match index.checked_sub(1) {
            Some(before) => state.items[before].clone(),
            None => Value::undefined("there is no previous item"),
        },
        "nextitem" => state.items.get(index + 1).cloned().unwrap_or_else(|| Value::undefined("there is no next item")),
        _ => return None,
    })
}

/// Python's `value[key]`; `None` is its `TypeError` or `LookupError`.
fn subscript(value: &Value, key: &Value) -> Result<Option<Value>> {
    let at = |items: &[Value]| key.as_index().and_then(|index| items.get(place(index, items.len())?).cloned());
    Ok(match value {
        Value::Dict(dict) => match key_of(key) {
            Ok(key) => dict.0.borrow().get(&key).cloned(),
            Err(_) => None,
        },
        Value::List(items) => at(&items.0.borrow()),
        Value::Tuple(items) => at(&items.0),
        Value::Str(text) | Value::Markup(text) => key.as_index().and_then(|index| {
            let c = if index >= 0 {
                text.chars().nth(usize::try_from(index).ok()?)?
            } else {
                text.chars().rev().nth(usize::try_from(-(index + 1)).ok()?)?
            };
            let mut buffer = [0; 4];
            let text: &str = c.encode_utf8(&mut buffer);
            Some(if matches!(value, Value::Markup(_)) { Value::Markup(text.into()) } else { Value::str(text) })
        }),
        Value::Bytes(bytes) => {
            key.as_index().and_then(|index| Some(Value::Int((*bytes.get(place(index, bytes.len())?)?).into())))
        }
        Value::Object(object) => match &object.0 {
            Object::Headers(names) => match key.as_str() {
                Some(name) => header(names, name),
                None => return Err(Fault::other("AttributeError", "a header's name is a text")),
            },
            Object::Slice { merged, .. } => return subscript(merged, key),
            Object::Named(_, _, tuple) => return subscript(tuple, key),
            _ => None,
        },
        _ => None,
    })
}

/// `value[start:stop:step]`
pub(crate) fn slice(value: &Value, bounds: [Option<Value>; 3]) -> Result<Value> {
    if let Value::Undefined(missing) = value {
        return Err(used(missing));
    }
    let bound = |value: Option<Value>| match value {
        None | Some(Value::None) => Ok(None),
        Some(Value::Big(value)) => Ok(Some(if super::number::is_negative(&value) { i64::MIN } else { i64::MAX })),
        Some(value) => value
            .as_index()
            .map(Some)
            .ok_or_else(|| Fault::ty("slice indices must be integers or None or have an __index__ method")),
    };
    let [start, stop, step] = bounds;
    let refused = || Fault::ty(format!("'{}' object is not subscriptable", value.type_name()));
    let unhashable = || Fault::ty("unhashable type: 'slice'");
    if matches!(value, Value::Dict(_)) || matches!(value.as_object(), Some(Object::Slice { .. })) {
        return Err(unhashable());
    }
    if matches!(value.as_object(), Some(Object::Headers(_))) {
        return Err(Fault::other("AttributeError", "'slice' object has no attribute 'lower'"));
    }
    let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?);
    if step == Some(0) {
        return Err(Fault::value("slice step cannot be zero"));
    }
    let places = |length: usize| indices(length as i64, start, stop, step.unwrap_or(1));
    let pick = |items: &[Value]| places(items.len()).into_iter().map(|at| items[at].clone()).collect::<Vec<_>>();
    Ok(match value {
        Value::Str(text) | Value::Markup(text) => {
            let characters: Vec<char> = text.chars().collect();
            let text: String = places(characters.len()).into_iter().map(|at| characters[at]).collect();
            if matches!(value, Value::Markup(_)) { Value::Markup(text.into()) } else { Value::str(text) }
        }
        Value::Bytes(bytes) => Value::Bytes(places(bytes.len()).into_iter().map(|at| bytes[at]).collect()),
        Value::List(items) => Value::list(pick(&items.0.borrow())),
        Value::Tuple(items) => Value::tuple(pick(&items.0)),
        Value::Object(object) => match &object.0 {
            Object::Named(_, _, tuple) => Value::tuple(pick(&tuple.iterate()?)),
            _ => return Err(refused()),
        },
        _ => return Err(refused()),
    })
}

/// The indexes of Python's slice.
fn indices(length: i64, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<usize> {
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clip = |bound: i64| if bound < 0 { bound.saturating_add(length).max(low) } else { bound.min(high) };
    let start = start.map_or(if step > 0 { low } else { high }, clip);
    let stop = stop.map_or(if step > 0 { high } else { low }, clip);
    let mut found = Vec::new();
    let mut at = start;
    while if step > 0 { at < stop } else { at > stop } {
        found.push(at as usize);
        match at.checked_add(step) {
            Some(next) => at = next,
            None => break,
        }
    }
    found
}
