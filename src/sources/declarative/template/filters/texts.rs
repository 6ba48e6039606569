//! Filters of texts.

use super::super::args::{CallArgs, int, int_or, text, text_or_none};
use super::super::arith::concatenate;
use super::super::error::{Fault, Result};
use super::super::eval::Eval;
use super::super::methods::{capitalize, is_word, split_lines, strip};
use super::super::text::{MAX_TEXT, repr_of, str_of};
use super::super::value::Value;
use super::escape::{escape, escape_value, strip_tags};
use super::{Getter, unsupported};

pub(super) fn call(eval: &mut Eval<'_>, name: &str, value: &Value, args: CallArgs) -> Result<Value> {
    // Most use the text of any value; escaped text stays escaped.
    let soft = |made: String| match value {
        Value::Markup(_) => Value::Markup(made.into()),
        _ => Value::str(made),
    };
    Ok(match name {
        "upper" => args.none(name).and_then(|()| Ok(soft(str_of(value)?.to_uppercase())))?,
        "lower" => args.none(name).and_then(|()| Ok(soft(str_of(value)?.to_lowercase())))?,
        "capitalize" => args.none(name).and_then(|()| Ok(soft(capitalize(&str_of(value)?))))?,
        "title" => args.none(name).and_then(|()| Ok(Value::str(title(&str_of(value)?))))?,
        "escape" | "e" => args.none(name).and_then(|()| Ok(Value::Markup(escape_value(value)?.into())))?,
        "forceescape" => args.none(name).and_then(|()| Ok(Value::Markup(escape(&str_of(value)?).into())))?,
        "safe" => args.none(name).and_then(|()| Ok(Value::Markup(str_of(value)?.into())))?,
        "striptags" => args.none(name).and_then(|()| Ok(Value::str(strip_tags(&str_of(value)?))))?,
        "wordcount" => {
            args.none(name)?;
            Value::Int(str_of(value)?.split(|c| !is_word(c)).filter(|word| !word.is_empty()).count() as i64)
        }
        "trim" => {
            let [characters] = args.bind(name, ["chars"], 0)?;
            let characters = text_or_none(characters.as_ref(), name)?;
            soft(strip(&str_of(value)?, characters.as_deref(), true, true).to_owned())
        }
        "center" => {
            let [width] = args.bind(name, ["width"], 0)?;
            let width = int_or(width.as_ref(), 80, name)?;
            let method = CallArgs::of(vec![Value::Int(width)]);
            super::super::methods::call(eval, &Value::str(str_of(value)?), "center", method)?
        }
        "replace" => {
            let [old, new, count] = args.bind(name, ["old", "new", "count"], 2)?;
            let part = |value: Option<Value>| str_of(&value.unwrap_or(Value::None)).map(Value::str);
            let count = count.filter(|count| !matches!(count, Value::None)).unwrap_or(Value::Int(-1));
            let method = CallArgs::of(vec![part(old)?, part(new)?, count]);
            super::super::methods::call(eval, &Value::str(str_of(value)?), "replace", method)?
        }
        "format" => {
            let CallArgs { positional, named } = args;
            if !positional.is_empty() && !named.is_empty() {
                let message = "can't handle positional and keyword arguments at the same time";
                return Err(Fault::other("FilterArgumentError", message));
            }
            let values = if named.is_empty() {
                Value::tuple(positional)
            } else {
                let mut dict = super::super::value::Dict::default();
                for (name, value) in named {
                    dict.insert_str(&name, value);
                }
                Value::dict(dict)
            };
            let escapes = matches!(value, Value::Markup(_));
            soft(super::super::format::percent(&str_of(value)?, &values, escapes)?)
        }
        "join" => {
            let [separator, attribute] = args.bind(name, ["d", "attribute"], 0)?;
            let separator = str_of(&separator.unwrap_or_else(|| Value::str("")))?;
            let getter = Getter::new(attribute.as_ref(), false);
            let mut joined = String::new();
            for (at, item) in value.iterate()?.iter().enumerate() {
                if at > 0 {
                    joined.push_str(&separator);
                }
                joined.push_str(&str_of(&getter.get(item)?)?);
                if joined.len() > MAX_TEXT {
                    return Err(Fault::too_large("the text gets too long"));
                }
            }
            Value::str(joined)
        }
        "indent" => indent(value, args)?,
        "truncate" => truncate(value, args)?,
        "xmlattr" => {
            let [space] = args.bind(name, ["autospace"], 0)?;
            let made = xml_attributes(value)?;
            let space = space.is_none_or(|space| space.truth()) && !made.is_empty();
            Value::str(if space { format!(" {made}") } else { made })
        }
        "pprint" => {
            args.none(name)?;
            let printed = repr_of(&sorted(value, 0)?)?;
            // Longer ones are broken into lines, in ways that nobody can depend on.
            if printed.chars().count() > 80 {
                return Err(unsupported(name));
            }
            Value::str(printed)
        }
        _ => return Err(unsupported(name)),
    })
}

/// `pprint` sorts dicts.
fn sorted(value: &Value, depth: usize) -> Result<Value> {
    if depth > super::super::value::MAX_NESTING {
        return Err(Fault::limit("a value is nested too deep"));
    }
    Ok(match value {
        Value::Dict(_) => {
            let mut entries = value.entries().unwrap_or_default();
            super::super::compare::sort_by_keys(&mut entries, false)?;
            let mut dict = super::super::value::Dict::default();
            for (key, value) in entries {
                dict.insert(key, sorted(&value, depth + 1)?)?;
            }
            Value::dict(dict)
        }
        Value::List(items) => {
            Value::list(items.0.borrow().iter().map(|item| sorted(item, depth + 1)).collect::<Result<_>>()?)
        }
        Value::Tuple(items) => Value::tuple(items.0.iter().map(|item| sorted(item, depth + 1)).collect::<Result<_>>()?),
        other => other.clone(),
    })
}

/// Words begin after blanks, hyphens and opening brackets.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        let separates = c.is_whitespace() || "-({[<".contains(c);
        if begins && !separates {
            out.extend(c.to_uppercase());
        } else if separates {
            out.push(c);
        } else {
            out.extend(c.to_lowercase());
        }
        begins = separates;
    }
    out
}

fn indent(value: &Value, args: CallArgs) -> Result<Value> {
    let [width, first, blank] = args.bind("indent", ["width", "first", "blank"], 0)?;
    let indention = match width {
        Some(Value::Str(text)) => text.to_string(),
        width => " ".repeat(usize::try_from(int_or(width.as_ref(), 4, "indent")?).unwrap_or(0).min(1000)),
    };
    let truth = |value: Option<Value>| value.is_some_and(|value| value.truth());
    let (first, blank) = (truth(first), truth(blank));
    if let Value::Undefined(missing) = value {
        return Err(super::super::compare::used(missing));
    }
    if let Value::List(_) = value {
        return Err(Fault::other("AttributeError", "'list' object has no attribute 'splitlines'"));
    }
    let source = text(value, "indent")?.to_string() + "\n";
    let lines = split_lines(&source, false);
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if (at == 0 && first) || (at > 0 && (blank || !line.is_empty())) {
            out.push_str(&indention);
        }
        out.push_str(line);
        if out.len() > MAX_TEXT {
            return Err(Fault::too_large("the text gets too long"));
        }
    }
    Ok(match value {
        Value::Markup(_) => Value::Markup(out.into()),
        _ => Value::str(out),
    })
}

fn truncate(value: &Value, args: CallArgs) -> Result<Value> {
    let [length, kill, end, leeway] = args.bind("truncate", ["length", "killwords", "end", "leeway"], 0)?;
    let length = int_or(length.as_ref(), 255, "truncate")?;
    let end = end.map_or_else(|| Ok("...".into()), |end| text(&end, "truncate"))?;
    let leeway = match leeway {
        None | Some(Value::None) => 5,
        Some(leeway) => int(&leeway, "truncate")?,
    };
    if length < end.chars().count() as i64 || leeway < 0 {
        return Err(Fault::other("AssertionError", "the length of truncate is below that of its end"));
    }
    if value.length()? as i64 <= length + leeway {
        return Ok(value.clone());
    }
    let source = text(value, "truncate")?;
    let kept: String = source.chars().take((length as usize).saturating_sub(end.chars().count())).collect();
    let kept = match (kill.is_some_and(|kill| kill.truth()), kept.rsplit_once(' ')) {
        (false, Some((words, _))) => words,
        _ => &kept,
    };
    concatenate(&[Value::str(kept), Value::Str(end)])
}

fn xml_attributes(value: &Value) -> Result<String> {
    let entries = value.entries();
    let entries = entries.ok_or_else(|| {
        Fault::other("AttributeError", format!("'{}' object has no attribute 'items'", value.type_name()))
    })?;
    let mut parts = Vec::new();
    for (key, value) in entries {
        if matches!(value, Value::None | Value::Undefined(_)) {
            continue;
        }
        let name = text(&key, "xmlattr")?;
        if name.contains([' ', '\t', '\n', '\r', '\x0b', '\x0c', '/', '>', '=']) {
            return Err(Fault::value("Invalid character in attribute name"));
        }
        parts.push(format!("{}=\"{}\"", escape(&name), escape_value(&value)?));
    }
    Ok(parts.join(" "))
}
