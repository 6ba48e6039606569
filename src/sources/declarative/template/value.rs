//! Python's values, as far as a template can meet them. Lists and dicts are shared and can be changed, as in Python;
//! what a template changes is gone when its evaluation ends.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::ast::MacroDef;
use super::datetime::{Date, DateTime, Delta, Duration, Offset, Time};
use super::error::{Fault, Result};

/// A value of an evaluation. It lives on one thread and as long as the evaluation.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Undefined(Rc<Missing>),
    None,
    Bool(bool),
    Int(i64),
    /// An integer that does not fit `Int`.
    Big(Rc<BigInt>),
    Float(f64),
    Str(Arc<str>),
    /// Text that counts as escaped already: `markupsafe.Markup`.
    Markup(Arc<str>),
    Bytes(Rc<[u8]>),
    List(Rc<Body<RefCell<Vec<Value>>>>),
    Tuple(Rc<Body<Vec<Value>>>),
    Dict(Rc<Body<RefCell<Dict>>>),
    DateTime(DateTime),
    Date(Date),
    Time(Time, Option<Offset>),
    Delta(Delta),
    Duration(Rc<Duration>),
    Zone(Offset),
    Object(Rc<Body<Object>>),
}

/// Why a value is undefined: the message of the error that using it raises.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) message: Box<str>,
    /// The sandbox hides the attribute; the message names it.
    pub(crate) unsafe_access: bool,
}

/// The rarer kinds of value.
#[derive(Debug)]
pub(crate) enum Object {
    /// A mapping with names in any case: `requests`' headers.
    Headers(Dict),
    /// `StreamSlice`: one merged mapping, with its parts as attributes.
    Slice { merged: Value, partition: Value, cursor_slice: Value, extra_fields: Value },
    /// What `keys()`, `values()` and `items()` give.
    View(ViewKind, Value),
    /// A generator or another iterator, which gives its items once. The items are found eagerly, up to the first fault.
    Iter(&'static str, RefCell<IterState>),
    Method(Value, &'static str),
    /// A macro of the runtime or a global of Jinja.
    Function(&'static str),
    /// What `{% macro %}` defines.
    Macro(Arc<MacroDef>),
    Namespace(RefCell<Dict>),
    Loop(RefCell<LoopState>),
    Cycler(Vec<Value>, RefCell<usize>),
    Joiner(Value, RefCell<bool>),
    /// A named tuple: its class, the names of its fields, and whether `repr` shows them.
    Named(&'static str, &'static [&'static str], Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ViewKind {
    Keys,
    Values,
    Items,
}

#[derive(Debug, Default)]
pub(crate) struct IterState {
    pub(crate) items: VecDeque<Value>,
    pub(crate) fault: Option<Box<Fault>>,
}

#[derive(Debug)]
pub(crate) struct LoopState {
    pub(crate) items: Vec<Value>,
    pub(crate) index: usize,
    pub(crate) depth: usize,
    pub(crate) last_changed: Option<Value>,
    /// A recursive loop can be called.
    pub(crate) recursive: Option<Arc<super::ast::ForDef>>,
}

/// A container. Its `Drop` takes the containers inside it apart one after the other: a template can nest them deeper
/// than the stack is.
#[derive(Debug)]
pub(crate) struct Body<T: Contents>(pub(crate) T);

/// What is inside a container.
pub(crate) trait Contents {
    /// Moves the values out.
    fn take(&mut self, into: &mut Vec<Value>);
}

thread_local! {
    static DROPPED: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

impl<T: Contents> Drop for Body<T> {
    fn drop(&mut self) {
        let mut inside = Vec::new();
        self.0.take(&mut inside);
        if inside.is_empty() {
            return;
        }
        let outermost = DROPPED.with(|dropped| {
            let mut dropped = dropped.borrow_mut();
            match dropped.as_mut() {
                Some(waiting) => {
                    waiting.append(&mut inside);
                    false
                }
                None => {
                    *dropped = Some(std::mem::take(&mut inside));
                    true
                }
            }
        });
        if outermost {
            while let Some(value) = DROPPED.with(|dropped| dropped.borrow_mut().as_mut().and_then(Vec::pop)) {
                drop(value);
            }
            DROPPED.with(|dropped| *dropped.borrow_mut() = None);
        }
    }
}

fn nests(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Object(_))
}

impl Contents for Vec<Value> {
    fn take(&mut self, into: &mut Vec<Value>) {
        into.extend(self.drain(..).filter(nests));
    }
}

impl Contents for RefCell<Vec<Value>> {
    fn take(&mut self, into: &mut Vec<Value>) {
        self.get_mut().take(into);
    }
}

impl Contents for Dict {
    fn take(&mut self, into: &mut Vec<Value>) {
        // A key is hashable and cannot nest deeper than hashing allows.
        into.extend(self.entries.drain(..).map(|(_, (_, value))| value).filter(nests));
    }
}

impl Contents for RefCell<Dict> {
    fn take(&mut self, into: &mut Vec<Value>) {
        self.get_mut().take(into);
    }
}

impl Contents for Object {
    fn take(&mut self, into: &mut Vec<Value>) {
        match self {
            Self::Headers(dict) => dict.take(into),
            Self::Namespace(dict) => dict.take(into),
            Self::View(_, value) | Self::Method(value, _) | Self::Named(_, _, value) => {
                into.push(std::mem::replace(value, Value::None));
            }
            Self::Slice { merged, partition, cursor_slice, extra_fields } => {
                for value in [merged, partition, cursor_slice, extra_fields] {
                    into.push(std::mem::replace(value, Value::None));
                }
            }
            Self::Iter(_, state) => into.extend(state.get_mut().items.drain(..).filter(nests)),
            Self::Cycler(items, _) => items.take(into),
            Self::Loop(state) => state.get_mut().items.take(into),
            Self::Joiner(..) | Self::Function(_) | Self::Macro(_) => {}
        }
    }
}

/// What a dict compares its keys by: equal values have equal keys, `1`, `1.0` and `True` among them.
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

/// What a value is hashed by, or the `TypeError` of a value that cannot be.
pub(crate) fn key_of(value: &Value) -> Result<Key> {
    key_within(value, 0)
}

fn key_within(value: &Value, depth: usize) -> Result<Key> {
    if depth > MAX_NESTING {
        return Err(Fault::limit("a value is nested too deep"));
    }
    Ok(match value {
        Value::Undefined(missing) => Key::Identity(Rc::as_ptr(missing).cast::<()>() as usize),
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

/// How deep values may be nested wherever one is walked as a whole.
pub(crate) const MAX_NESTING: usize = 200;

impl Value {
    pub(crate) fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(text.into())
    }

    pub(crate) fn list(items: Vec<Value>) -> Self {
        Self::List(Rc::new(Body(RefCell::new(items))))
    }

    pub(crate) fn tuple(items: Vec<Value>) -> Self {
        Self::Tuple(Rc::new(Body(items)))
    }

    pub(crate) fn dict(dict: Dict) -> Self {
        Self::Dict(Rc::new(Body(RefCell::new(dict))))
    }

    pub(crate) fn object(object: Object) -> Self {
        Self::Object(Rc::new(Body(object)))
    }

    /// An iterator of this Python class over items that are known.
    pub(crate) fn iterator(class: &'static str, items: impl IntoIterator<Item = Value>) -> Self {
        Self::object(Object::Iter(class, RefCell::new(IterState { items: items.into_iter().collect(), fault: None })))
    }

    pub(crate) fn big(value: BigInt) -> Self {
        match value.to_i64() {
            Some(small) => Self::Int(small),
            None => Self::Big(Rc::new(value)),
        }
    }

    pub(crate) fn undefined(message: impl Into<Box<str>>) -> Self {
        Self::Undefined(Rc::new(Missing { message: message.into(), unsafe_access: false }))
    }

    pub(crate) fn as_str(&self) -> Option<&Arc<str>> {
        match self {
            Self::Str(text) | Self::Markup(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(&object.0),
            _ => None,
        }
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// The integer of an int or bool, if it is small; `None` for any other value.
    pub(crate) fn as_index(&self) -> Option<i64> {
        match self {
            Self::Bool(value) => Some((*value).into()),
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The name of its Python class, as messages have it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Big(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Markup(_) => "Markup",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::DateTime(_) => "datetime.datetime",
            Self::Date(_) => "datetime.date",
            Self::Time(..) => "datetime.time",
            Self::Delta(_) => "datetime.timedelta",
            Self::Duration(_) => "Duration",
            Self::Zone(_) => "datetime.timezone",
            Self::Object(object) => match &object.0 {
                Object::Headers(_) => "CaseInsensitiveDict",
                Object::Slice { .. } => "StreamSlice",
                Object::View(ViewKind::Keys, _) => "dict_keys",
                Object::View(ViewKind::Values, _) => "dict_values",
                Object::View(ViewKind::Items, _) => "dict_items",
                Object::Iter(class, _) => class,
                Object::Method(..) => "builtin_function_or_method",
                Object::Function("dict" | "namespace" | "cycler" | "joiner") => "type",
                Object::Function(_) => "function",
                Object::Macro(_) => "Macro",
                Object::Namespace(_) => "Namespace",
                Object::Loop(_) => "LoopContext",
                Object::Cycler(..) => "Cycler",
                Object::Joiner(..) => "Joiner",
                Object::Named(class, ..) => class,
            },
        }
    }

    /// How Jinja names the value in the message of a missing attribute.
    pub(crate) fn object_name(&self) -> String {
        match self {
            Self::None => "None".to_owned(),
            _ => format!("'{} object'", self.type_name()),
        }
    }

    /// Python's truth.
    pub(crate) fn truth(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) | Self::Markup(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(items) => !items.0.borrow().is_empty(),
            Self::Tuple(items) => !items.0.is_empty(),
            Self::Dict(dict) => dict.0.borrow().len() > 0,
            Self::Delta(delta) => delta.0 != 0,
            Self::Object(object) => match &object.0 {
                Object::Headers(dict) => dict.len() > 0,
                Object::Slice { merged, .. } | Object::View(_, merged) => merged.truth(),
                Object::Loop(state) => !state.borrow().items.is_empty(),
                _ => true,
            },
            _ => true,
        }
    }

    /// The items that iterating over it gives.
    pub(crate) fn iterate(&self) -> Result<Vec<Value>> {
        Ok(match self {
            Self::Undefined(_) => Vec::new(),
            Self::Str(text) => text.chars().map(|c| Self::str(c.encode_utf8(&mut [0; 4]) as &str)).collect(),
            Self::Markup(text) => text.chars().map(|c| Self::str(c.encode_utf8(&mut [0; 4]) as &str)).collect(),
            Self::Bytes(bytes) => bytes.iter().map(|byte| Self::Int((*byte).into())).collect(),
            Self::List(items) => items.0.borrow().clone(),
            Self::Tuple(items) => items.0.clone(),
            Self::Dict(dict) => dict.0.borrow().iter().map(|(key, _)| key.clone()).collect(),
            Self::Object(object) => match &object.0 {
                Object::Headers(dict) => dict.iter().map(|(key, _)| key.clone()).collect(),
                Object::Slice { merged, .. } => merged.iterate()?,
                Object::Named(_, _, tuple) => tuple.iterate()?,
                Object::View(kind, of) => view_items(*kind, of),
                Object::Iter(_, state) => {
                    let mut state = state.borrow_mut();
                    if let Some(fault) = state.fault.take() {
                        state.items.clear();
                        return Err(fault);
                    }
                    state.items.drain(..).collect()
                }
                Object::Loop(_) => return Err(Fault::ty("a loop cannot be iterated over inside itself")),
                _ => return Err(self.not_iterable()),
            },
            _ => return Err(self.not_iterable()),
        })
    }

    fn not_iterable(&self) -> Box<Fault> {
        Fault::ty(format!("'{}' object is not iterable", self.type_name()))
    }

    /// Python's `len`.
    pub(crate) fn length(&self) -> Result<usize> {
        Ok(match self {
            Self::Undefined(_) => 0,
            Self::Str(text) | Self::Markup(text) => text.chars().count(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(items) => items.0.borrow().len(),
            Self::Tuple(items) => items.0.len(),
            Self::Dict(dict) => dict.0.borrow().len(),
            Self::Object(object) => match &object.0 {
                Object::Headers(dict) => dict.len(),
                Object::Slice { merged, .. } | Object::View(_, merged) => merged.length()?,
                Object::Named(_, _, tuple) => tuple.length()?,
                Object::Loop(state) => state.borrow().items.len(),
                _ => return Err(self.no_length()),
            },
            _ => return Err(self.no_length()),
        })
    }

    fn no_length(&self) -> Box<Fault> {
        Fault::ty(format!("object of type '{}' has no len()", self.type_name()))
    }

    /// The entries of a mapping; `None` for any other value.
    pub(crate) fn entries(&self) -> Option<Vec<(Value, Value)>> {
        match self {
            Self::Dict(dict) => Some(dict.0.borrow().iter().cloned().collect()),
            Self::Object(object) => match &object.0 {
                Object::Headers(dict) => Some(dict.iter().cloned().collect()),
                Object::Slice { merged, .. } => merged.entries(),
                _ => None,
            },
            _ => None,
        }
    }
}

pub(crate) fn view_items(kind: ViewKind, of: &Value) -> Vec<Value> {
    let entries = of.entries().unwrap_or_default();
    entries
        .into_iter()
        .map(|(key, value)| match kind {
            ViewKind::Keys => key,
            ViewKind::Values => value,
            ViewKind::Items => Value::tuple(vec![key, value]),
        })
        .collect()
}
