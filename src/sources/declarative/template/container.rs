//! The rarer kinds of value, and containers, which are dropped without recursion.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use super::ast::{ForDef, MacroDef};
use super::dict::Dict;
use super::error::Fault;
use super::value::Value;

/// The rarer kinds of value.
#[derive(Debug)]
pub(crate) enum Object {
    /// A mapping with names in any case: `requests`' headers.
    Headers(Dict),
    /// `StreamSlice`: one merged mapping, with its parts as attributes.
    Slice {
        merged: Value,
        partition: Value,
        cursor_slice: Value,
        extra_fields: Value,
    },
    /// The results of `keys()`, `values()` and `items()`.
    View(ViewKind, Value),
    /// A generator or another iterator, which returns its items once. The items are found eagerly, up to the first
    /// fault.
    Iter(&'static str, RefCell<IterState>),
    Method(Value, &'static str),
    /// A macro of the runtime or a global of Jinja.
    Function(&'static str),
    /// A function defined by `{% macro %}`.
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
    pub(crate) recursive: Option<Arc<ForDef>>,
}

/// A container. Its `Drop` drops the containers inside it one after the other: a template can nest them deeper than the
/// stack.
#[derive(Debug)]
pub(crate) struct Body<T: Contents>(pub(crate) T);

/// The content of a container.
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

pub(crate) fn nests(value: &Value) -> bool {
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
