//! `json.dumps`, and the filters that use it.

use std::fmt::Write as _;

use super::super::args::CallArgs;
use super::super::error::{Fault, Result};
use super::super::number::float_repr;
use super::super::text::{MAX_TEXT, repr_of};
use super::super::value::{MAX_NESTING, Value};

pub(super) fn call(name: &str, value: &Value, args: CallArgs) -> Result<Value> {
    if name == "string" {
        args.none(name)?;
        if value.as_str().is_some() {
            return Ok(value.clone());
        }
        // The quotes make the literal step return the text.
        let mut text = String::from("\"\"\"");
        Style { sorted: false, indent: None }.write(&mut text, value, 0)?;
        return Ok(Value::str(text + "\"\"\""));
    }
    let [indent] = args.bind(name, ["indent"], 0)?;
    let indent = match indent {
        None | Some(Value::None) => None,
        Some(Value::Str(text)) => Some(text.to_string()),
        Some(value) => Some(" ".repeat(super::super::args::int(&value, name)?.clamp(0, 100) as usize)),
    };
    let mut text = String::new();
    Style { sorted: true, indent }.write(&mut text, value, 0)?;
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(Value::Markup(text.into()))
}

struct Style {
    sorted: bool,
    indent: Option<String>,
}

impl Style {
    fn line(&self, out: &mut String, depth: usize) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    }

    fn separator(&self) -> &'static str {
        if self.indent.is_some() { "," } else { ", " }
    }

    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<()> {
        if depth > MAX_NESTING || out.len() > MAX_TEXT {
            return Err(Fault::too_large("a value is too large for JSON"));
        }
        let list = |out: &mut String, items: &[Value]| -> Result<()> {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(self.separator());
                }
                self.line(out, depth + 1);
                self.write(out, item, depth + 1)?;
            }
            if !items.is_empty() {
                self.line(out, depth);
            }
            out.push(']');
            Ok(())
        };
        match value {
            Value::None => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Int(_) | Value::Big(_) => out.push_str(&repr_of(value)?),
            Value::Float(value) => out.push_str(&float(*value)),
            Value::Str(text) | Value::Markup(text) => quoted(out, text),
            Value::List(items) => list(out, &items.0.borrow())?,
            Value::Tuple(items) => list(out, &items.0)?,
            Value::Dict(_) => self.object(out, value, depth)?,
            Value::Object(object) => match &object.0 {
                super::super::value::Object::Named(_, _, tuple) => return self.write(out, tuple, depth),
                _ => return Err(unserialisable(value)),
            },
            _ => return Err(unserialisable(value)),
        }
        Ok(())
    }

    fn object(&self, out: &mut String, value: &Value, depth: usize) -> Result<()> {
        let mut entries = value.entries().unwrap_or_default();
        if self.sorted {
            super::super::compare::sort_by_keys(&mut entries, false)?;
        }
        out.push('{');
        for (at, (key, value)) in entries.iter().enumerate() {
            if at > 0 {
                out.push_str(self.separator());
            }
            self.line(out, depth + 1);
            match key {
                Value::Str(text) | Value::Markup(text) => quoted(out, text),
                Value::None => out.push_str("\"null\""),
                Value::Bool(value) => out.push_str(if *value { "\"true\"" } else { "\"false\"" }),
                Value::Int(_) | Value::Big(_) => {
                    let _ = write!(out, "\"{}\"", repr_of(key)?);
                }
                Value::Float(value) => {
                    let _ = write!(out, "\"{}\"", float(*value));
                }
                _ => {
                    let class = key.type_name();
                    return Err(Fault::ty(format!("keys must be str, int, float, bool or None, not {class}")));
                }
            }
            out.push_str(": ");
            self.write(out, value, depth + 1)?;
        }
        if !entries.is_empty() {
            self.line(out, depth);
        }
        out.push('}');
        Ok(())
    }
}

fn unserialisable(value: &Value) -> Box<Fault> {
    Fault::ty(format!("Object of type {} is not JSON serializable", value.type_name()))
}

fn float(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        _ => float_repr(value),
    }
}

/// A string in ASCII, as Python's `json` writes it.
pub(crate) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}
