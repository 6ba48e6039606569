//! Lists, tuples, dicts and other mappings.

use super::super::args::{CallArgs, int, int_or};
use super::super::compare::{equal, header, identical, sort_by_keys};
use super::super::error::{Fault, Result};
use super::super::eval::Eval;
use super::super::json::place;
use super::super::value::{Dict, Object, Value, ViewKind, key_of};

/// The most values of a container that is put into another one. More would take too long to search for a cycle.
const MAX_LOOK: usize = 100_000;

pub(super) fn call(eval: &mut Eval<'_>, receiver: &Value, name: &'static str, args: CallArgs) -> Result<Value> {
    match receiver {
        Value::List(items) => list(eval, receiver, &items.0, name, args),
        Value::Tuple(items) => sequence(&items.0, name, args),
        Value::Dict(dict) => dictionary(eval, receiver, &dict.0, name, args),
        Value::Object(object) => match &object.0 {
            Object::Named(_, _, tuple) => sequence(&tuple.iterate()?, name, args),
            Object::View(..) => {
                let [other] = args.bind(name, [""], 1)?;
                let other = other.unwrap_or(Value::None).iterate()?;
                for item in receiver.iterate()? {
                    if other.iter().any(|other| equal(other, &item).unwrap_or(false)) {
                        return Ok(Value::Bool(false));
                    }
                }
                Ok(Value::Bool(true))
            }
            _ => mapping(receiver, name, args),
        },
        _ => Err(Fault::ty(format!("'{}' object has no method '{name}'", receiver.type_name()))),
    }
}

/// A container cannot hold itself: Python could print that, but nothing could use it.
fn refuse_circle(eval: &mut Eval<'_>, container: &Value, inside: &Value) -> Result<()> {
    let mut waiting = vec![inside.clone()];
    let mut seen = 0;
    while let Some(value) = waiting.pop() {
        seen += 1;
        if seen > MAX_LOOK {
            return Err(Fault::too_large("a value gets too large"));
        }
        if matches!(value, Value::List(_) | Value::Dict(_) | Value::Tuple(_)) && identical(&value, container) {
            return Err(Fault::limit("a value cannot hold itself"));
        }
        match &value {
            Value::List(items) => waiting.extend(items.0.borrow().iter().cloned()),
            Value::Tuple(items) => waiting.extend(items.0.iter().cloned()),
            Value::Dict(dict) => waiting.extend(dict.0.borrow().iter().map(|(_, value)| value.clone())),
            Value::Object(object) => match &object.0 {
                Object::Method(of, _) | Object::View(_, of) | Object::Named(_, _, of) => waiting.push(of.clone()),
                Object::Namespace(names) => waiting.extend(names.borrow().iter().map(|(_, value)| value.clone())),
                Object::Iter(_, state) => waiting.extend(state.borrow().items.iter().cloned()),
                Object::Cycler(items, _) => waiting.extend(items.iter().cloned()),
                _ => {}
            },
            _ => {}
        }
    }
    eval.spend(seen as u64)
}

fn not_in_list() -> Box<Fault> {
    Fault::value("the value is not in the list")
}

fn sequence(items: &[Value], name: &str, args: CallArgs) -> Result<Value> {
    let found = |wanted: &Value| -> Result<Vec<usize>> {
        let mut places = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if identical(item, wanted) || equal(item, wanted)? {
                places.push(at);
            }
        }
        Ok(places)
    };
    if name == "count" {
        let [wanted] = args.bind(name, [""], 1)?;
        return Ok(Value::Int(found(&wanted.unwrap_or(Value::None))?.len() as i64));
    }
    let [wanted, start, stop] = args.bind(name, ["", "", ""], 1)?;
    let clip = |bound: i64| {
        let length = items.len() as i64;
        (if bound < 0 { (bound + length).max(0) } else { bound.min(length) }) as usize
    };
    let start = clip(int_or(start.as_ref(), 0, name)?);
    let stop = clip(int_or(stop.as_ref(), i64::MAX, name)?);
    let place = found(&wanted.unwrap_or(Value::None))?.into_iter().find(|at| (start..stop).contains(at));
    place.map(|at| Value::Int(at as i64)).ok_or_else(not_in_list)
}

fn list(
    eval: &mut Eval<'_>,
    receiver: &Value,
    items: &std::cell::RefCell<Vec<Value>>,
    name: &'static str,
    args: CallArgs,
) -> Result<Value> {
    match name {
        "append" => {
            let [item] = args.bind(name, [""], 1)?;
            let item = item.unwrap_or(Value::None);
            refuse_circle(eval, receiver, &item)?;
            items.borrow_mut().push(item);
        }
        "extend" => {
            let [more] = args.bind(name, [""], 1)?;
            let more = more.unwrap_or(Value::None).iterate()?;
            for item in &more {
                refuse_circle(eval, receiver, item)?;
            }
            eval.spend((items.borrow().len() + more.len()) as u64 / 4)?;
            items.borrow_mut().extend(more);
        }
        "insert" => {
            let [at, item] = args.bind(name, ["", ""], 2)?;
            let at = int(&at.unwrap_or(Value::None), name)?;
            let item = item.unwrap_or(Value::None);
            refuse_circle(eval, receiver, &item)?;
            let length = items.borrow().len() as i64;
            let at = if at < 0 { (at.saturating_add(length)).max(0) } else { at.min(length) };
            items.borrow_mut().insert(at as usize, item);
        }
        "pop" => {
            let [at] = args.bind(name, [""], 0)?;
            let at = int_or(at.as_ref(), -1, name)?;
            let length = items.borrow().len();
            if length == 0 {
                return Err(Fault::other("IndexError", "pop from empty list"));
            }
            let at = place(at, length).ok_or_else(|| Fault::other("IndexError", "pop index out of range"))?;
            return Ok(items.borrow_mut().remove(at));
        }
        "remove" => {
            let at = sequence(&items.borrow().clone(), "index", args)?;
            items.borrow_mut().remove(at.as_index().unwrap_or_default() as usize);
        }
        "clear" => {
            args.none(name)?;
            items.borrow_mut().clear();
        }
        "copy" => {
            args.none(name)?;
            return Ok(Value::list(items.borrow().clone()));
        }
        "reverse" => {
            args.none(name)?;
            items.borrow_mut().reverse();
        }
        "sort" => {
            let mut args = args;
            let key = args.take("key").filter(|key| !matches!(key, Value::None));
            let reverse = args.take("reverse").is_some_and(|reverse| reverse.truth());
            args.none(name)?;
            let taken = items.borrow().clone();
            let mut keyed = Vec::with_capacity(taken.len());
            for item in taken {
                let key = match &key {
                    Some(key) => eval.call(key, CallArgs::of(vec![item.clone()]))?,
                    None => item.clone(),
                };
                keyed.push((key, item));
            }
            eval.spend(keyed.len() as u64)?;
            sort_by_keys(&mut keyed, reverse)?;
            *items.borrow_mut() = keyed.into_iter().map(|(_, item)| item).collect();
        }
        _ => return sequence(&items.borrow().clone(), name, args),
    }
    Ok(Value::None)
}

/// `update` of a mapping or of pairs, and of keywords.
pub(crate) fn updated(into: &mut Dict, from: Option<Value>, named: Vec<(std::sync::Arc<str>, Value)>) -> Result<()> {
    if let Some(from) = from {
        match from.entries() {
            Some(entries) => {
                for (key, value) in entries {
                    into.insert(key, value)?;
                }
            }
            None => {
                for (at, pair) in from.iterate()?.into_iter().enumerate() {
                    let message = format!("cannot convert dictionary update sequence element #{at} to a sequence");
                    let pair = pair.iterate().map_err(|_| Fault::ty(message))?;
                    let [key, value]: [Value; 2] = pair.try_into().map_err(|pair: Vec<Value>| {
                        let length = pair.len();
                        Fault::value(format!(
                            "dictionary update sequence element #{at} has length {length}; 2 is required"
                        ))
                    })?;
                    into.insert(key, value)?;
                }
            }
        }
    }
    for (name, value) in named {
        into.insert_str(&name, value);
    }
    Ok(())
}

fn dictionary(
    eval: &mut Eval<'_>,
    receiver: &Value,
    dict: &std::cell::RefCell<Dict>,
    name: &'static str,
    args: CallArgs,
) -> Result<Value> {
    match name {
        "update" => {
            let CallArgs { mut positional, named } = args;
            if positional.len() > 1 {
                return Err(Fault::ty(format!("update expected at most 1 argument, got {}", positional.len())));
            }
            for value in positional.iter().chain(named.iter().map(|(_, value)| value)) {
                if !identical(value, receiver) {
                    refuse_circle(eval, receiver, value)?;
                }
            }
            let mut changed = dict.borrow().clone();
            let done = updated(&mut changed, positional.pop(), named);
            eval.spend(changed.len() as u64 / 4)?;
            *dict.borrow_mut() = changed;
            done?;
            Ok(Value::None)
        }
        "setdefault" => {
            let [key, default] = args.bind(name, ["", ""], 1)?;
            let (key, default) = (key.unwrap_or(Value::None), default.unwrap_or(Value::None));
            let hash = key_of(&key)?;
            if let Some(found) = dict.borrow().get(&hash) {
                return Ok(found.clone());
            }
            refuse_circle(eval, receiver, &default)?;
            dict.borrow_mut().insert(key, default.clone())?;
            Ok(default)
        }
        "pop" => {
            let [key, default] = args.bind(name, ["", ""], 1)?;
            let hash = key_of(&key.unwrap_or(Value::None))?;
            let removed = dict.borrow_mut().remove(&hash);
            removed.or(default).ok_or_else(|| Fault::other("KeyError", "there is no such key"))
        }
        "popitem" => {
            args.none(name)?;
            let last = dict.borrow_mut().pop_last();
            let (key, value) = last.ok_or_else(|| Fault::other("KeyError", "popitem(): dictionary is empty"))?;
            Ok(Value::tuple(vec![key, value]))
        }
        "clear" => {
            args.none(name)?;
            dict.borrow_mut().clear();
            Ok(Value::None)
        }
        "copy" => {
            args.none(name)?;
            Ok(Value::dict(dict.borrow().clone()))
        }
        "fromkeys" => {
            let [keys, value] = args.bind(name, ["", ""], 1)?;
            let value = value.unwrap_or(Value::None);
            let mut made = Dict::default();
            for key in keys.unwrap_or(Value::None).iterate()? {
                made.insert(key, value.clone())?;
            }
            Ok(Value::dict(made))
        }
        _ => mapping(receiver, name, args),
    }
}

fn mapping(receiver: &Value, name: &str, args: CallArgs) -> Result<Value> {
    let view = |kind| Value::object(Object::View(kind, receiver.clone()));
    match name {
        "get" => {
            let names = if matches!(receiver, Value::Dict(_)) { ["", ""] } else { ["key", "default"] };
            let [key, default] = args.bind(name, names, 1)?;
            let (key, default) = (key.unwrap_or(Value::None), default.unwrap_or(Value::None));
            let found = match receiver {
                Value::Dict(dict) => dict.0.borrow().get(&key_of(&key)?).cloned(),
                Value::Object(object) => match &object.0 {
                    Object::Headers(names) => {
                        let Some(name) = key.as_str() else {
                            return Err(Fault::other("AttributeError", "a header's name is a text"));
                        };
                        header(names, name)
                    }
                    Object::Slice { merged: Value::Dict(dict), .. } => dict.0.borrow().get(&key_of(&key)?).cloned(),
                    _ => None,
                },
                _ => None,
            };
            Ok(found.unwrap_or(default))
        }
        "items" => args.none(name).map(|()| view(ViewKind::Items)),
        "keys" => args.none(name).map(|()| view(ViewKind::Keys)),
        "values" => args.none(name).map(|()| view(ViewKind::Values)),
        "lower_items" => {
            let entries = receiver.entries().unwrap_or_default();
            Ok(Value::iterator(
                "generator",
                entries.into_iter().map(|(key, value)| {
                    let key = key.as_str().map(|key| key.to_lowercase()).unwrap_or_default();
                    Value::tuple(vec![Value::str(key), value])
                }),
            ))
        }
        "copy" => Ok(receiver.clone()),
        _ => Err(Fault::ty(format!("'{}' object has no method '{name}'", receiver.type_name()))),
    }
}
