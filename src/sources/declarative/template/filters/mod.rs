//! Jinja's filters, and those of the CDK.

mod codec;
pub(crate) mod escape;
mod iterators;
mod json_text;
mod lists;
pub(crate) use lists::extreme;
mod numbers;
mod regex;
mod texts;

use super::args::CallArgs;
use super::attributes;
use super::error::{Fault, Result};
use super::eval::Eval;
use super::json::place;
use super::value::{Object, Value, ViewKind};
pub(crate) use json_text::quoted;

pub(crate) use codec::{hex, quote};

/// The filters of each module; its `call` evaluates them.
const NAMES: &[&str] = &[
    "abs",
    "attr",
    "base64binascii_decode",
    "base64decode",
    "base64encode",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "groupby",
    "hash",
    "hmac",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "regex_replace",
    "regex_search",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "urlize",
    "wordcount",
    "wordwrap",
    "xmlattr",
];

pub(crate) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

/// Applies a filter.
pub(crate) fn call(eval: &mut Eval<'_>, name: &str, value: &Value, args: CallArgs) -> Result<Value> {
    match name {
        "length" | "count" => {
            args.none("len")?;
            Ok(Value::Int(value.length()? as i64))
        }
        "default" | "d" => {
            let [default, boolean] = args.bind(name, ["default_value", "boolean"], 0)?;
            let replaced = value.is_undefined() || (boolean.is_some_and(|boolean| boolean.truth()) && !value.truth());
            Ok(if replaced { default.unwrap_or_else(|| Value::str("")) } else { value.clone() })
        }
        "attr" => {
            let [name] = args.bind(name, ["name"], 1)?;
            let name = super::args::text(&name.unwrap_or(Value::None), "attr")?;
            // A key is not an attribute.
            if let Value::Dict(_) = value
                && super::methods::named(value, &name).is_none()
                && !name.starts_with("__")
            {
                return Ok(Value::undefined(format!("{} has no such attribute", value.object_name())));
            }
            attributes::attribute(value, &name)
        }
        "first" | "last" | "list" | "sort" | "unique" | "groupby" | "map" | "select" | "reject" | "selectattr"
        | "rejectattr" | "batch" | "slice" | "items" | "dictsort" | "min" | "max" | "sum" | "reverse" | "random" => {
            lists::call(eval, name, value, args)
        }
        "abs" | "int" | "float" | "round" | "filesizeformat" => numbers::call(name, value, args),
        "tojson" | "string" => json_text::call(name, value, args),
        "hash" | "hmac" | "base64encode" | "base64decode" | "base64binascii_decode" | "urlencode" => {
            codec::call(name, value, args)
        }
        "regex_search" | "regex_replace" => regex::call(name, value, args),
        "wordwrap" | "urlize" => Err(unsupported(name)),
        _ if exists(name) => texts::call(eval, name, value, args),
        _ => Err(Fault::other("TemplateRuntimeError", "there is no filter of the name that was given")),
    }
}

pub(crate) fn unsupported(name: &str) -> Box<Fault> {
    Fault::unsupported(format!("the filter '{name}' is not supported for this value"))
}

/// Jinja's `attribute=`: names and indices with dots between them.
#[derive(Debug, Clone)]
pub(crate) struct Getter {
    parts: Vec<Value>,
    default: Option<Value>,
    ignore_case: bool,
}

impl Getter {
    pub(crate) fn new(attribute: Option<&Value>, ignore_case: bool) -> Self {
        let parts = match attribute {
            None | Some(Value::None) => Vec::new(),
            Some(Value::Str(text)) => text
                .split('.')
                .map(|part| match part.parse::<i64>() {
                    Ok(index) if part.bytes().all(|b| b.is_ascii_digit()) => Value::Int(index),
                    _ => Value::str(part),
                })
                .collect(),
            Some(other) => vec![other.clone()],
        };
        Self { parts, default: None, ignore_case }
    }

    pub(crate) fn with_default(mut self, default: Option<Value>) -> Self {
        self.default = default.filter(|default| !matches!(default, Value::None));
        self
    }

    pub(crate) fn get(&self, item: &Value) -> Result<Value> {
        let mut found = item.clone();
        for part in &self.parts {
            found = attributes::item(&found, part, false)?;
            if found.is_undefined()
                && let Some(default) = &self.default
            {
                found = default.clone();
            }
        }
        Ok(match found.as_str() {
            Some(text) if self.ignore_case => Value::str(text.to_lowercase()),
            _ => found,
        })
    }
}

/// The last item, without visiting all others if possible.
pub(crate) fn last(value: &Value) -> Result<Option<Value>> {
    match value {
        Value::Object(object) => match &object.0 {
            Object::Iter(class, _) => Err(Fault::ty(format!("'{class}' object is not reversible"))),
            Object::Headers(_) | Object::Slice { .. } => Err(Fault::ty("the mapping is not reversible")),
            Object::View(ViewKind::Keys | ViewKind::Values | ViewKind::Items, _) | Object::Named(..) => {
                Ok(value.iterate()?.pop())
            }
            _ => Err(Fault::ty(format!("'{}' object is not reversible", value.type_name()))),
        },
        Value::List(items) => {
            let items = items.0.borrow();
            Ok(place(-1, items.len()).map(|at| items[at].clone()))
        }
        Value::Str(_) | Value::Markup(_) | Value::Bytes(_) | Value::Tuple(_) | Value::Dict(_) | Value::Undefined(_) => {
            Ok(value.iterate()?.pop())
        }
        _ => Err(Fault::ty(format!("'{}' object is not reversible", value.type_name()))),
    }
}
