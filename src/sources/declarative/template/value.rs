//! Python's values, as far as a template can meet them. Lists and dicts are shared and can be changed, as in Python; a
//! template's changes are gone when its evaluation ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::datetime::{Date, DateTime, Delta, Duration, Offset, Time};
use super::error::{Fault, Result};

pub(crate) use super::container::{Body, IterState, LoopState, Object, ViewKind};
pub(crate) use super::dict::{Dict, Key, key_of};

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
    /// Text that is already escaped: `markupsafe.Markup`.
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

/// The reason why a value is undefined: the message of the error for using it.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) message: Box<str>,
    /// The sandbox hides the attribute; the message names it.
    pub(crate) unsafe_access: bool,
}

/// How deep values may be nested when one is traversed.
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

    /// An iterator of this Python class over known items.
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

    /// The name of its Python class, for messages.
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

    /// The items of iterating over it.
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
