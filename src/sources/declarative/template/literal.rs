//! The literal step: a template's output is read again as one Python literal, or stays text. `ast.literal_eval` of
//! `CPython` 3.11.

use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::rc::Rc;

use num_bigint::BigInt;

use super::error::{Fault, Result};
use super::literal_parser::Parser;
use super::text;
use super::value::{Dict, Key, Value, key_of};

/// A plain value: the result of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A larger integer.
    Big(BigInt),
    /// A float; `1e400` is infinite.
    Float(f64),
    /// A text.
    Str(String),
    /// `b'...'`.
    Bytes(Vec<u8>),
    /// `[...]`.
    List(Vec<Literal>),
    /// `(...)`.
    Tuple(Vec<Literal>),
    /// `{...}` without values, in the order it is written.
    Set(Vec<Literal>),
    /// `{...}`, in the order it is written; keys are unique.
    Dict(Vec<(Literal, Literal)>),
    /// `...`.
    Ellipsis,
}

/// The Python types that a literal may have; any other stays the rendered text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidType {
    /// `str`
    Str,
    /// `int`, which a bool is, too.
    Int,
    /// `float`
    Float,
    /// `bool`
    Bool,
    /// `list`
    List,
    /// `dict`
    Dict,
    /// `tuple`
    Tuple,
    /// `set`
    Set,
}

impl Literal {
    /// Reads one Python literal; `None` if the text is not one, and so stays unchanged.
    ///
    /// Beside the reference, `\N{NAME}` and lone surrogates in a string are not read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start_matches([' ', '\t']);
        // The first character shows that most texts cannot be a literal.
        let first = text.trim_start_matches(['\n', '\r', '\x0c', '#']).chars().next()?;
        if !matches!(first, '0'..='9' | '+' | '-' | '.' | '(' | '[' | '{' | '\'' | '"' | '\\' | ' ' | '\t')
            && !"TFNsuUbBrR".contains(first)
            && !text.starts_with('#')
        {
            return None;
        }
        Parser::read(text)
    }

    /// The literal step of a rendered text: a literal of an allowed type, or the text. No types means any.
    #[must_use]
    pub fn of_text(text: String, valid: &[ValidType]) -> Self {
        match Self::parse(&text) {
            Some(literal) if valid.is_empty() || valid.iter().any(|valid| literal.is(*valid)) => literal,
            _ => Self::Str(text),
        }
    }

    /// Python's `isinstance`.
    #[must_use]
    pub fn is(&self, valid: ValidType) -> bool {
        match self {
            Self::Str(_) => valid == ValidType::Str,
            Self::Bool(_) => matches!(valid, ValidType::Bool | ValidType::Int),
            Self::Int(_) | Self::Big(_) => valid == ValidType::Int,
            Self::Float(_) => valid == ValidType::Float,
            Self::List(_) => valid == ValidType::List,
            Self::Dict(_) => valid == ValidType::Dict,
            Self::Tuple(_) => valid == ValidType::Tuple,
            Self::Set(_) => valid == ValidType::Set,
            Self::None | Self::Bytes(_) | Self::Ellipsis => false,
        }
    }

    /// The name of its Python type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Big(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Dict(_) => "dict",
            Self::Ellipsis => "ellipsis",
        }
    }

    /// Python's truth.
    #[must_use]
    pub fn truth(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => !items.is_empty(),
            Self::Dict(entries) => !entries.is_empty(),
            Self::Big(_) | Self::Ellipsis => true,
        }
    }

    /// Python's `str`.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Str(text) => text.clone(),
            _ => self.repr(),
        }
    }

    /// Python's `repr`.
    #[must_use]
    pub fn repr(&self) -> String {
        let mut out = String::new();
        self.write_repr(&mut out);
        out
    }

    fn write_repr(&self, out: &mut String) {
        let list = |out: &mut String, open: char, items: &[Self], close: &str| {
            out.push(open);
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                item.write_repr(out);
            }
            out.push_str(close);
        };
        match self {
            Self::List(items) => list(out, '[', items, "]"),
            Self::Tuple(items) => list(out, '(', items, if items.len() == 1 { ",)" } else { ")" }),
            Self::Set(items) if items.is_empty() => out.push_str("set()"),
            Self::Set(items) => list(out, '{', items, "}"),
            Self::Dict(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    key.write_repr(out);
                    out.push_str(": ");
                    value.write_repr(out);
                }
                out.push('}');
            }
            Self::Ellipsis => out.push_str("Ellipsis"),
            // Any other has a value with the same text; a number too long to print cannot be a literal.
            _ => out.push_str(&text::repr_of(&self.to_value()).unwrap_or_default()),
        }
    }

    /// Appends the value as JSON. Tuples become arrays, keys texts, and NaN and infinite floats null.
    ///
    /// # Errors
    /// Bytes, sets and `...` are not JSON, which is Python's `TypeError`.
    pub fn write_json(&self, out: &mut String) -> std::result::Result<(), Box<Fault>> {
        let quote = |out: &mut String, text: &str| match serde_json::to_string(text) {
            Ok(text) => out.push_str(&text),
            Err(_) => out.push_str("\"\""),
        };
        match self {
            Self::None => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Float(value) if !value.is_finite() => out.push_str("null"),
            Self::Int(_) | Self::Big(_) | Self::Float(_) => self.write_repr(out),
            Self::Str(text) => quote(out, text),
            Self::List(items) | Self::Tuple(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write_json(out)?;
                }
                out.push(']');
            }
            Self::Dict(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    match key {
                        Self::Str(text) => quote(out, text),
                        Self::None | Self::Bool(_) => {
                            let mut text = String::new();
                            key.write_json(&mut text)?;
                            quote(out, &text);
                        }
                        Self::Int(_) | Self::Big(_) | Self::Float(_) => {
                            let _ = write!(out, "\"{}\"", key.repr());
                        }
                        _ => return Err(Fault::ty("keys must be str, int, float, bool or None")),
                    }
                    out.push(':');
                    value.write_json(out)?;
                }
                out.push('}');
            }
            Self::Bytes(_) | Self::Set(_) | Self::Ellipsis => {
                return Err(Fault::ty(format!("a value of type {} is not JSON", self.type_name())));
            }
        }
        Ok(())
    }

    /// The value for an evaluation. Sets become tuples, which templates can use the same way.
    pub(crate) fn to_value(&self) -> Value {
        let all = |items: &[Self]| items.iter().map(Self::to_value).collect();
        match self {
            Self::None | Self::Ellipsis => Value::None,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Big(value) => Value::Big(Rc::new(value.clone())),
            Self::Float(value) => Value::Float(*value),
            Self::Str(text) => Value::str(text.as_str()),
            Self::Bytes(bytes) => Value::Bytes(bytes.as_slice().into()),
            Self::List(items) => Value::list(all(items)),
            Self::Tuple(items) | Self::Set(items) => Value::tuple(all(items)),
            Self::Dict(entries) => {
                let mut dict = Dict::default();
                for (key, value) in entries {
                    // Keys of a literal were hashed when it was read.
                    let _ = dict.insert(key.to_value(), value.to_value());
                }
                Value::dict(dict)
            }
        }
    }
}

/// `{k: v}`: a repeated key keeps its place and takes the later value.
pub(crate) fn unique_entries(entries: Vec<(Literal, Literal)>) -> Result<Literal> {
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut kept: Vec<(Literal, Literal)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        match places.get(&hash(&key)?) {
            Some(at) => kept[*at].1 = value,
            None => {
                places.insert(hash(&key)?, kept.len());
                kept.push((key, value));
            }
        }
    }
    Ok(Literal::Dict(kept))
}

/// `{a, b}` without repetitions.
pub(crate) fn unique_items(items: Vec<Literal>) -> Result<Literal> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in items {
        if seen.insert(hash(&item)?) {
            kept.push(item);
        }
    }
    Ok(Literal::Set(kept))
}

fn hash(literal: &Literal) -> Result<Key> {
    fn hashable(literal: &Literal) -> bool {
        match literal {
            Literal::List(_) | Literal::Dict(_) | Literal::Set(_) => false,
            Literal::Tuple(items) => items.iter().all(hashable),
            _ => true,
        }
    }
    if !hashable(literal) {
        return Err(Fault::ty("unhashable type"));
    }
    match literal {
        Literal::Ellipsis => Ok(Key::Identity(0)),
        _ => key_of(&literal.to_value()),
    }
}
