//! Python's dict, and the hash keys of values.

use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::container::{Contents, Object, nests};
use super::error::{Fault, Result};
use super::value::{MAX_NESTING, Value};

/// The hash key of a dict: equal values have equal keys, `1`, `1.0` and `True` among them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    None,
    Int(i64),
    Big(BigInt),
    Float(u64),
    Str(Arc<str>),
    Bytes(Rc<[u8]>),
    Tuple(Vec<Key>),
    Instant(i128, bool),
    Date(i64),
    Micros(i128),
    Months(String, i128),
    Identity(usize),
}

/// Python's dict: the order of insertion, any hashable key.
#[derive(Debug, Default, Clone)]
pub(crate) struct Dict {
    entries: IndexMap<Key, (Value, Value)>,
}

impl Dict {
    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(crate) fn get_str(&self, key: &str) -> Option<&Value> {
        self.get(&Key::Str(key.into()))
    }

    pub(crate) fn insert(&mut self, key: Value, value: Value) -> Result<()> {
        let hash = key_of(&key)?;
        match self.entries.get_mut(&hash) {
            Some(entry) => entry.1 = value,
            None => {
                self.entries.insert(hash, (key, value));
            }
        }
        Ok(())
    }

    pub(crate) fn insert_str(&mut self, key: &str, value: Value) {
        let key: Arc<str> = key.into();
        match self.entries.get_mut(&Key::Str(key.clone())) {
            Some(entry) => entry.1 = value,
            None => {
                self.entries.insert(Key::Str(key.clone()), (Value::Str(key), value));
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Value> {
        self.entries.shift_remove(key).map(|(_, value)| value)
    }

    pub(crate) fn pop_last(&mut self) -> Option<(Value, Value)> {
        self.entries.pop().map(|(_, entry)| entry)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.entries.contains_key(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &(Value, Value)> {
        self.entries.values()
    }
}

/// The hash key of a value, or the `TypeError` of an unhashable one.
pub(crate) fn key_of(value: &Value) -> Result<Key> {
    key_within(value, 0)
}

fn key_within(value: &Value, depth: usize) -> Result<Key> {
    if depth > MAX_NESTING {
        return Err(Fault::limit("a value is nested too deep"));
    }
    Ok(match value {
        // All missing values are equal.
        Value::Undefined(_) => Key::Identity(usize::MAX),
        Value::None => Key::None,
        Value::Bool(value) => Key::Int((*value).into()),
        Value::Int(value) => Key::Int(*value),
        Value::Big(value) => Key::Big((**value).clone()),
        Value::Float(value) => float_key(*value),
        Value::Str(text) | Value::Markup(text) => Key::Str(text.clone()),
        Value::Bytes(bytes) => Key::Bytes(bytes.clone()),
        Value::Tuple(items) => {
            Key::Tuple(items.0.iter().map(|item| key_within(item, depth + 1)).collect::<Result<_>>()?)
        }
        Value::DateTime(moment) => Key::Instant(moment.instant(), moment.offset.is_some()),
        Value::Date(date) => Key::Date(date.ordinal()),
        Value::Time(time, _) => Key::Micros(time.micros().into()),
        Value::Delta(delta) => Key::Micros(delta.0),
        Value::Duration(duration) => Key::Months(duration.total_months().to_string(), duration.delta.0),
        Value::Zone(offset) => Key::Micros(offset.micros.into()),
        Value::List(_) | Value::Dict(_) => {
            return Err(Fault::ty(format!("unhashable type: '{}'", value.type_name())));
        }
        Value::Object(object) => match &object.0 {
            Object::Named(_, _, tuple) => key_within(tuple, depth + 1)?,
            Object::Slice { .. } | Object::Headers(_) | Object::View(..) => {
                return Err(Fault::ty(format!("unhashable type: '{}'", value.type_name())));
            }
            _ => Key::Identity(Rc::as_ptr(object).cast::<()>() as usize),
        },
    })
}

fn float_key(value: f64) -> Key {
    if value.fract() == 0.0 && value.is_finite() {
        let whole = super::number::big_from_float(value);
        return match whole.to_i64() {
            Some(small) => Key::Int(small),
            None => Key::Big(whole),
        };
    }
    Key::Float(value.to_bits())
}

impl Contents for Dict {
    fn take(&mut self, into: &mut Vec<Value>) {
        // A key is hashable and cannot nest deeper than hashing allows.
        into.extend(self.entries.drain(..).map(|(_, (_, value))| value).filter(nests));
    }
}
