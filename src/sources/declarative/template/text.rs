//! `str` and `repr`: the printed forms of a value.

use std::fmt::Write as _;

use super::error::{Fault, Result};
use super::number::{MAX_DIGITS, float_repr};
use super::value::{MAX_NESTING, Object, Value, ViewKind};

/// The longest text of a template, in bytes.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// Python's `str`.
pub(crate) fn str_of(value: &Value) -> Result<String> {
    let mut text = String::new();
    write_str(&mut text, value)?;
    Ok(text)
}

/// Python's `repr`.
pub(crate) fn repr_of(value: &Value) -> Result<String> {
    let mut text = String::new();
    write_repr(&mut text, value, 0)?;
    Ok(text)
}

pub(crate) fn write_str(out: &mut String, value: &Value) -> Result<()> {
    match value {
        Value::Undefined(_) => {}
        Value::Str(text) | Value::Markup(text) => out.push_str(text),
        Value::DateTime(moment) => push(out, moment),
        Value::Date(date) => push(out, date),
        Value::Time(time, offset) => {
            out.push_str(&time.iso("auto")?);
            out.push_str(&offset.map(|offset| offset.iso(":")).unwrap_or_default());
        }
        Value::Delta(delta) => push(out, delta),
        Value::Duration(duration) => push(out, &**duration),
        Value::Zone(offset) => out.push_str(&offset.name()),
        _ => return write_repr(out, value, 0),
    }
    if out.len() > MAX_TEXT {
        return Err(Fault::too_large("the text gets too long"));
    }
    Ok(())
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{value}");
}

fn write_repr(out: &mut String, value: &Value, depth: usize) -> Result<()> {
    if depth > MAX_NESTING {
        return Err(Fault::limit("a value is nested too deep"));
    }
    if out.len() > MAX_TEXT {
        return Err(Fault::too_large("the text gets too long"));
    }
    match value {
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(value) => push(out, value),
        Value::Big(value) => {
            // Ten bits are three digits.
            if value.bits() as usize > MAX_DIGITS * 10 / 3 {
                return Err(Fault::value("Exceeds the limit (4300 digits) for integer string conversion"));
            }
            push(out, value);
        }
        Value::Float(value) => out.push_str(&float_repr(*value)),
        Value::Str(text) => write_quoted(out, text),
        Value::Markup(text) => {
            out.push_str("Markup(");
            write_quoted(out, text);
            out.push(')');
        }
        Value::Bytes(bytes) => write_bytes(out, bytes),
        Value::List(items) => {
            let items = items.0.borrow();
            write_items(out, '[', &items, ']', depth)?;
        }
        Value::Tuple(items) => write_tuple(out, &items.0, depth)?,
        Value::Dict(_) => write_entries(out, value, depth)?,
        Value::DateTime(moment) => out.push_str(&moment.repr()),
        Value::Date(date) => push(out, format_args!("datetime.date({}, {}, {})", date.year, date.month, date.day)),
        Value::Time(time, _) => {
            push(out, format_args!("datetime.time({}, {}", time.hour, time.minute));
            if time.second != 0 || time.micro != 0 {
                push(out, format_args!(", {}", time.second));
            }
            if time.micro != 0 {
                push(out, format_args!(", {}", time.micro));
            }
            out.push(')');
        }
        Value::Delta(delta) => out.push_str(&delta.repr()),
        Value::Duration(duration) => {
            let delta = duration.delta;
            push(
                out,
                format_args!(
                    "isodate.duration.Duration({}, {}, {}, years={}, months={})",
                    delta.days(),
                    delta.seconds(),
                    delta.micros(),
                    duration.years.truncated(),
                    duration.months.truncated()
                ),
            );
        }
        Value::Zone(offset) => out.push_str(&offset.repr()),
        Value::Object(object) => write_object(out, &object.0, value, depth)?,
    }
    Ok(())
}

fn write_object(out: &mut String, object: &Object, value: &Value, depth: usize) -> Result<()> {
    match object {
        Object::Headers(_) | Object::Slice { .. } => write_entries(out, value, depth)?,
        Object::View(kind, of) => {
            let name = match kind {
                ViewKind::Keys => "dict_keys(",
                ViewKind::Values => "dict_values(",
                ViewKind::Items => "dict_items(",
            };
            out.push_str(name);
            write_items(out, '[', &super::value::view_items(*kind, of), ']', depth)?;
            out.push(')');
        }
        Object::Named(class, names, tuple) => {
            if *class == "_GroupTuple" {
                return write_repr(out, tuple, depth + 1);
            }
            push(out, format_args!("{class}("));
            for (at, (name, item)) in names.iter().zip(tuple.iterate()?).enumerate() {
                push(out, format_args!("{}{name}=", if at > 0 { ", " } else { "" }));
                write_repr(out, &item, depth + 1)?;
            }
            out.push(')');
        }
        Object::Function("namespace") => out.push_str("<class 'jinja2.utils.Namespace'>"),
        Object::Function("cycler") => out.push_str("<class 'jinja2.utils.Cycler'>"),
        Object::Function("joiner") => out.push_str("<class 'jinja2.utils.Joiner'>"),
        Object::Function("dict") => out.push_str("<class 'dict'>"),
        Object::Function(name) => push(out, format_args!("<function {name} at 0x7f0000000000>")),
        Object::Method(of, name) => {
            push(out, format_args!("<built-in method {name} of {} object at 0x7f0000000000>", of.type_name()));
        }
        Object::Iter(class, _) => push(out, format_args!("<{class} object at 0x7f0000000000>")),
        Object::Macro(definition) => {
            out.push_str("<Macro ");
            write_quoted(out, &definition.name);
            out.push('>');
        }
        Object::Namespace(names) => {
            out.push_str("<Namespace ");
            let copy = Value::dict(names.borrow().clone());
            write_repr(out, &copy, depth + 1)?;
            out.push('>');
        }
        Object::Loop(state) => {
            let state = state.borrow();
            push(out, format_args!("<LoopContext {}/{}>", state.index + 1, state.items.len()));
        }
        Object::Cycler(..) => out.push_str("<jinja2.utils.Cycler object at 0x7f0000000000>"),
        Object::Joiner(..) => out.push_str("<jinja2.utils.Joiner object at 0x7f0000000000>"),
    }
    Ok(())
}

fn write_items(out: &mut String, open: char, items: &[Value], close: char, depth: usize) -> Result<()> {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_repr(out, item, depth + 1)?;
    }
    out.push(close);
    Ok(())
}

fn write_tuple(out: &mut String, items: &[Value], depth: usize) -> Result<()> {
    if let [only] = items {
        out.push('(');
        write_repr(out, only, depth + 1)?;
        out.push_str(",)");
        return Ok(());
    }
    write_items(out, '(', items, ')', depth)
}

fn write_entries(out: &mut String, value: &Value, depth: usize) -> Result<()> {
    out.push('{');
    for (at, (key, value)) in value.entries().unwrap_or_default().iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_repr(out, key, depth + 1)?;
        out.push_str(": ");
        write_repr(out, value, depth + 1)?;
    }
    out.push('}');
    Ok(())
}

/// A text in quotes: single ones, unless it contains only those. Unprintable characters are escaped.
pub(crate) fn write_quoted(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if is_printable(c) => out.push(c),
            c => match u32::from(c) {
                code @ 0..=0xff => push(out, format_args!("\\x{code:02x}")),
                code @ 0x100..=0xffff => push(out, format_args!("\\u{code:04x}")),
                code => push(out, format_args!("\\U{code:08x}")),
            },
        }
    }
    out.push(quote);
}

/// Whether Python prints a character unescaped: Rust's tables tell, after a letter that can carry a mark.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    let mut buffer = String::from("a");
    buffer.push(c);
    buffer.escape_debug().count() == 2
}

fn write_bytes(out: &mut String, bytes: &[u8]) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.push('b');
    out.push(quote);
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(*byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(char::from(*byte)),
            byte => push(out, format_args!("\\x{byte:02x}")),
        }
    }
    out.push(quote);
}
