//! The attributes and methods of Python's types.

mod containers;
mod dates;
mod numbers;
mod strings;
mod text_case;
mod text_split;

use super::args::CallArgs;
use super::error::{Fault, Result};
use super::eval::Eval;
use super::value::{Object, Value, ViewKind};

pub(crate) use containers::updated;
pub(crate) use text_case::{capitalize, is_word};
pub(crate) use text_split::{split_lines, strip};

const DICT: &[&str] =
    &["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];
const LIST: &[&str] =
    &["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"];
const BYTES: &[&str] = &[
    "count",
    "decode",
    "endswith",
    "find",
    "hex",
    "index",
    "isalnum",
    "isalpha",
    "isdigit",
    "join",
    "lower",
    "lstrip",
    "replace",
    "rfind",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "title",
    "upper",
    "zfill",
];
const MAPPING: &[&str] = &["get", "items", "keys", "values"];

/// Whether an attribute of this name comes before a key, after a dot.
pub(crate) fn is_dict_attribute(name: &str) -> bool {
    DICT.contains(&name) || name.starts_with("__")
}

/// The method of this name, if the value has one.
pub(crate) fn named(value: &Value, name: &str) -> Option<&'static str> {
    let among = |names: &'static [&'static str]| names.iter().find(|known| **known == name).copied();
    match value {
        Value::Str(_) => among(strings::NAMES),
        Value::Markup(_) => among(strings::NAMES).or_else(|| among(&["unescape", "striptags", "escape"])),
        Value::Bytes(_) => among(BYTES),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => among(numbers::INT),
        Value::Float(_) => among(numbers::FLOAT),
        Value::List(_) => among(LIST),
        Value::Tuple(_) => among(&["count", "index"]),
        Value::Dict(_) => among(DICT),
        Value::DateTime(_) => among(dates::DATETIME),
        Value::Date(_) => among(dates::DATE),
        Value::Time(..) => among(&["isoformat", "strftime", "replace", "utcoffset", "tzname", "dst"]),
        Value::Delta(_) | Value::Duration(_) => among(&["total_seconds"]),
        Value::Zone(_) => among(&["utcoffset", "tzname", "dst"]),
        Value::Object(object) => match &object.0 {
            Object::Slice { .. } => among(MAPPING),
            Object::Headers(_) => among(&["get", "items", "keys", "values", "copy", "lower_items"]),
            Object::Named(..) => among(&["count", "index"]),
            Object::View(ViewKind::Keys | ViewKind::Items, _) => among(&["isdisjoint"]),
            Object::Cycler(..) => among(&["next", "reset"]),
            Object::Loop(_) => among(&["cycle", "changed"]),
            _ => None,
        },
        Value::Undefined(_) | Value::None => None,
    }
}

/// A field that is not a method.
pub(crate) fn field(value: &Value, name: &str) -> Result<Option<Value>> {
    Ok(match value {
        Value::DateTime(_) | Value::Date(_) | Value::Time(..) | Value::Delta(_) | Value::Duration(_) => {
            dates::field(value, name)
        }
        Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => numbers::field(value, name)?,
        _ => None,
    })
}

/// Calls a method that `named` has found.
pub(crate) fn call(eval: &mut Eval<'_>, receiver: &Value, name: &'static str, args: CallArgs) -> Result<Value> {
    match receiver {
        Value::Str(text) => strings::call(text, name, args, false),
        Value::Markup(text) => strings::call_markup(text, name, args),
        Value::Bytes(bytes) => bytes_method(bytes, name, args),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => numbers::call(receiver, name, args),
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) => containers::call(eval, receiver, name, args),
        Value::DateTime(_)
        | Value::Date(_)
        | Value::Time(..)
        | Value::Delta(_)
        | Value::Duration(_)
        | Value::Zone(_) => dates::call(receiver, name, args),
        Value::Object(object) => match &object.0 {
            Object::Cycler(items, at) => {
                args.none(name)?;
                if name == "reset" {
                    at.replace(0);
                    return Ok(Value::None);
                }
                let place = *at.borrow();
                at.replace((place + 1) % items.len().max(1));
                Ok(items.get(place).cloned().unwrap_or(Value::None))
            }
            Object::Loop(state) => {
                if name == "cycle" {
                    let index = state.borrow().index;
                    let count = args.positional.len();
                    if count == 0 {
                        return Err(Fault::ty("no items for cycling given"));
                    }
                    return Ok(args.positional[index % count].clone());
                }
                let now = Value::tuple(args.positional);
                let before = state.borrow_mut().last_changed.replace(now.clone());
                Ok(Value::Bool(match before {
                    Some(before) => !super::compare::equal(&before, &now)?,
                    None => true,
                }))
            }
            _ => containers::call(eval, receiver, name, args),
        },
        Value::Undefined(_) | Value::None => Err(Fault::ty("'NoneType' object is not callable")),
    }
}

fn bytes_method(bytes: &[u8], name: &str, args: CallArgs) -> Result<Value> {
    Ok(match name {
        "hex" => {
            args.none(name)?;
            Value::str(super::filters::hex(bytes))
        }
        "decode" => {
            let [encoding, _] = args.bind(name, ["encoding", "errors"], 0)?;
            let encoding = encoding.map(|encoding| super::args::text(&encoding, "decode")).transpose()?;
            match encoding.as_deref().map(str::to_lowercase).as_deref() {
                None | Some("utf-8" | "utf8") => match std::str::from_utf8(bytes) {
                    Ok(text) => Value::str(text),
                    Err(_) => return Err(Fault::other("UnicodeDecodeError", "the bytes are not UTF-8")),
                },
                Some("ascii") if bytes.is_ascii() => {
                    Value::str(bytes.iter().map(|b| char::from(*b)).collect::<String>())
                }
                Some("latin-1" | "latin1" | "iso-8859-1") => {
                    Value::str(bytes.iter().map(|b| char::from(*b)).collect::<String>())
                }
                Some("ascii") => return Err(Fault::other("UnicodeDecodeError", "the bytes are not ASCII")),
                Some(_) => return Err(Fault::other("LookupError", "unknown encoding")),
            }
        }
        "upper" => Value::Bytes(bytes.to_ascii_uppercase().into()),
        "lower" => Value::Bytes(bytes.to_ascii_lowercase().into()),
        "startswith" | "endswith" => {
            let [affix] = args.bind(name, [""], 1)?;
            let Some(Value::Bytes(affix)) = affix else { return Err(Fault::ty("a bytes-like object is required")) };
            Value::Bool(if name == "startswith" { bytes.starts_with(&affix) } else { bytes.ends_with(&affix) })
        }
        _ if args.positional.iter().any(|arg| arg.as_str().is_some()) => {
            return Err(Fault::ty("a bytes-like object is required, not 'str'"));
        }
        _ => {
            let message = format!("the method '{name}' of bytes is not supported in templates");
            return Err(Fault::unsupported(message));
        }
    })
}
