//! JSON for templates: looked up in place, and converted only where a value is needed.

use std::borrow::Cow;
use std::fmt;

use num_traits::ToPrimitive;
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::number;
use super::value::{Dict, Value};
use crate::json;
use crate::streams::Record;

/// A JSON value: a parsed tree, or a text.
#[derive(Debug, Clone, Copy)]
pub enum Json<'a> {
    /// Parsed before.
    Tree(&'a serde_json::Value),
    /// The text of one JSON value. A number keeps all its digits.
    Text(&'a str),
    /// An object that knows its members, such as a record.
    Object(&'a dyn Members),
}

/// An object whose members are found without reading all of it.
pub trait Members: fmt::Debug {
    /// The member of this name; of several, the last, as in Python.
    fn member(&self, name: &str) -> Option<Json<'_>>;

    /// The whole text.
    fn text(&self) -> Cow<'_, str>;
}

impl Members for Record<'_> {
    fn member(&self, name: &str) -> Option<Json<'_>> {
        self.last_field(name).map(Json::Text)
    }

    fn text(&self) -> Cow<'_, str> {
        self.text()
    }
}

/// How deep a text may be nested; deeper parts count as null.
const MAX_DEPTH: usize = 500;

impl<'a> Json<'a> {
    /// The member of an object; the last of several with the name, as in Python.
    pub(crate) fn member(self, name: &str) -> Option<Json<'a>> {
        match self {
            Self::Tree(tree) => tree.as_object()?.get(name).map(Self::Tree),
            Self::Text(text) => json::last_field(text, name).map(Self::Text),
            Self::Object(object) => object.member(name),
        }
    }

    /// The item of an array, counted from the end if negative.
    pub(crate) fn item(self, index: i64) -> Option<Self> {
        match self {
            Self::Tree(tree) => {
                let items = tree.as_array()?;
                items.get(place(index, items.len())?).map(Self::Tree)
            }
            Self::Text(text) => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                items.get(place(index, items.len())?).map(|item| Self::Text(item.get().trim()))
            }
            Self::Object(_) => None,
        }
    }

    pub(crate) fn is_object(self) -> bool {
        match self {
            Self::Tree(tree) => tree.is_object(),
            Self::Text(text) => text.trim_start().starts_with('{'),
            Self::Object(_) => true,
        }
    }

    pub(crate) fn is_array(self) -> bool {
        match self {
            Self::Tree(tree) => tree.is_array(),
            Self::Text(text) => text.trim_start().starts_with('['),
            Self::Object(_) => false,
        }
    }

    /// The text of Python's `str`. `None` if the value is nested too deep for one.
    pub fn to_text(self) -> Option<String> {
        super::text::str_of(&self.to_value()).ok()
    }

    /// The value in Python.
    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Tree(tree) => of_tree(tree),
            Self::Text(text) => of_text(text.trim(), 0),
            Self::Object(object) => of_text(object.text().trim(), 0),
        }
    }
}

impl<'a> From<&'a serde_json::Value> for Json<'a> {
    fn from(tree: &'a serde_json::Value) -> Self {
        Self::Tree(tree)
    }
}

/// The index of an item, from either end.
pub(crate) fn place(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(i64::try_from(length).ok()?)? } else { index };
    usize::try_from(index).ok().filter(|index| *index < length)
}

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn of_tree(tree: &serde_json::Value) -> Value {
    match tree {
        serde_json::Value::Null => Value::None,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(value) => match value.as_i64() {
            Some(value) => Value::Int(value),
            None => match value.as_u64() {
                Some(value) => Value::big(value.into()),
                None => Value::Float(value.as_f64().unwrap_or(f64::NAN)),
            },
        },
        serde_json::Value::String(text) => Value::str(text.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(of_tree).collect()),
        serde_json::Value::Object(members) => {
            let mut dict = Dict::default();
            for (name, value) in members {
                dict.insert_str(name, of_tree(value));
            }
            Value::dict(dict)
        }
    }
}

/// A text that is not JSON counts as null: the caller has checked it.
fn of_text(text: &str, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::None;
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let mut dict = Dict::default();
            let mut deserializer = serde_json::Deserializer::from_str(text);
            let members = deserializer.deserialize_map(AllMembers).unwrap_or_default();
            for (name, value) in members {
                dict.insert_str(&name, of_text(value.get().trim(), depth + 1));
            }
            Value::dict(dict)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            Value::list(items.into_iter().map(|item| of_text(item.get().trim(), depth + 1)).collect())
        }
        Some(b'"') => Value::str(string(text)),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'-' | b'0'..=b'9') => number(text),
        _ => Value::None,
    }
}

/// A string; half of a surrogate pair, which Python would keep, becomes U+FFFD.
fn string(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|_| {
        let bytes: Vec<u8> = serde_json::from_str::<Lossy>(text).map(|lossy| lossy.0).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

struct Lossy(Vec<u8>);

impl<'de> serde::Deserialize<'de> for Lossy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Bytes).map(Lossy)
    }
}

fn number(text: &str) -> Value {
    if text.contains(['.', 'e', 'E']) {
        return Value::Float(text.parse().unwrap_or(f64::NAN));
    }
    match text.parse::<i64>() {
        Ok(value) => Value::Int(value),
        Err(_) => match number::parse_int(text, 10) {
            Some(value) => value.to_i64().map_or_else(|| Value::big(value), Value::Int),
            None => Value::Float(text.parse().unwrap_or(f64::NAN)),
        },
    }
}

struct AllMembers;

impl<'de> Visitor<'de> for AllMembers {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            members.push((name, value));
        }
        Ok(members)
    }
}
