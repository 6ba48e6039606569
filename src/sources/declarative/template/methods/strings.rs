//! The methods of `str`, and of `Markup`, which escapes its arguments and returns `Markup`.

use std::sync::Arc;

use super::super::args::{CallArgs, int, int_or, text, text_or_none};
use super::super::error::{Fault, Result};
use super::super::filters::escape::{escape_value, strip_tags, unescape};
use super::super::str_format;
use super::super::text::MAX_TEXT;
use super::super::value::{Value, key_of};
use super::{text_case, text_split};

pub(super) const NAMES: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

/// A method of `Markup`.
pub(super) fn call_markup(of: &Arc<str>, name: &'static str, args: CallArgs) -> Result<Value> {
    match name {
        "unescape" => return args.none(name).map(|()| Value::str(unescape(of))),
        "striptags" => return args.none(name).map(|()| Value::str(strip_tags(of))),
        "escape" => {
            let [value] = args.bind(name, [""], 1)?;
            return Ok(Value::Markup(escape_value(&value.unwrap_or(Value::None))?.into()));
        }
        _ => {}
    }
    let marked = |value: Value| match value {
        Value::Str(text) => Value::Markup(text),
        other => other,
    };
    Ok(match call(of, name, args, true)? {
        Value::List(items) => Value::list(items.0.borrow().iter().cloned().map(marked).collect()),
        Value::Tuple(items) => Value::tuple(items.0.iter().cloned().map(marked).collect()),
        other => marked(other),
    })
}

pub(super) fn call(of: &Arc<str>, name: &'static str, args: CallArgs, escapes: bool) -> Result<Value> {
    let made = |text: String| Ok(Value::str(text));
    match name {
        "lower" => args.none(name).and_then(|()| made(of.to_lowercase())),
        "upper" => args.none(name).and_then(|()| made(of.to_uppercase())),
        "capitalize" => args.none(name).and_then(|()| made(text_case::capitalize(of))),
        "title" => args.none(name).and_then(|()| made(text_case::title(of))),
        "swapcase" => args.none(name).and_then(|()| made(text_case::swapcase(of))),
        "casefold" => args.none(name).and_then(|()| made(text_case::casefold(of))),
        "strip" | "lstrip" | "rstrip" => {
            let [characters] = args.bind(name, [""], 0)?;
            let characters = text_or_none(characters.as_ref(), name)?;
            made(text_split::strip(of, characters.as_deref(), name != "rstrip", name != "lstrip").to_owned())
        }
        "split" | "rsplit" => {
            let [separator, most] = args.bind(name, ["sep", "maxsplit"], 0)?;
            let separator = text_or_none(separator.as_ref(), name)?;
            if separator.as_deref() == Some("") {
                return Err(Fault::value("empty separator"));
            }
            let most = int_or(most.as_ref(), -1, name)?;
            let parts = text_split::split(of, separator.as_deref(), most, name == "rsplit");
            Ok(Value::list(parts.into_iter().map(Value::str).collect()))
        }
        "splitlines" => {
            let [keep] = args.bind(name, ["keepends"], 0)?;
            let lines = text_split::split_lines(of, keep.is_some_and(|keep| keep.truth()));
            Ok(Value::list(lines.into_iter().map(Value::str).collect()))
        }
        "partition" | "rpartition" => {
            let [separator] = args.bind(name, [""], 1)?;
            let separator = text(&separator.unwrap_or(Value::None), name)?;
            if separator.is_empty() {
                return Err(Fault::value("empty separator"));
            }
            let first = name == "partition";
            let found = if first { of.split_once(&*separator) } else { of.rsplit_once(&*separator) };
            let parts = match found {
                Some((before, after)) => [before, &separator, after],
                None if first => [&**of, "", ""],
                None => ["", "", &**of],
            };
            Ok(Value::tuple(parts.map(Value::str).to_vec()))
        }
        "join" => {
            let [items] = args.bind(name, [""], 1)?;
            join(of, &items.unwrap_or(Value::None), escapes)
        }
        "replace" => {
            let [old, new, most] = args.bind(name, ["", "", ""], 2)?;
            let new = new.unwrap_or(Value::None);
            let old = text(&old.unwrap_or(Value::None), name)?;
            let new = if escapes { escape_value(&new)?.into() } else { text(&new, name)? };
            replaced(of, &old, &new, int_or(most.as_ref(), -1, name)?).map(Value::str)
        }
        "removeprefix" | "removesuffix" => {
            let [affix] = args.bind(name, [""], 1)?;
            let affix = text(&affix.unwrap_or(Value::None), name)?;
            let cut = if name == "removeprefix" { of.strip_prefix(&*affix) } else { of.strip_suffix(&*affix) };
            made(cut.unwrap_or(of).to_owned())
        }
        "startswith" | "endswith" => affixes(of, name, args),
        "find" | "rfind" | "index" | "rindex" | "count" => search(of, name, args),
        "center" | "ljust" | "rjust" => {
            let [width, fill] = args.bind(name, ["", ""], 1)?;
            let width = int(&width.unwrap_or(Value::None), name)?;
            let fill = fill.map(|fill| text(&fill, name)).transpose()?;
            let mut characters = fill.as_deref().unwrap_or(" ").chars();
            let (Some(fill), None) = (characters.next(), characters.next()) else {
                return Err(Fault::ty("The fill character must be exactly one character long"));
            };
            justified(of, name, width, fill).map(Value::str)
        }
        "zfill" => {
            let [width] = args.bind(name, [""], 1)?;
            let width = int(&width.unwrap_or(Value::None), name)?;
            let (sign, digits) = match of.as_bytes().first() {
                Some(b'+' | b'-') => of.split_at(1),
                _ => ("", &**of),
            };
            let padded = justified(digits, "rjust", width.saturating_sub(sign.len() as i64), '0')?;
            made(format!("{sign}{padded}"))
        }
        "expandtabs" => {
            let [size] = args.bind(name, ["tabsize"], 0)?;
            expand_tabs(of, int_or(size.as_ref(), 8, name)?).map(Value::str)
        }
        "encode" => encode(of, args),
        "format" => str_format::format(of, &args, escapes).map(Value::str),
        "format_map" => {
            let [mapping] = args.bind(name, [""], 1)?;
            let entries = mapping.and_then(|mapping| mapping.entries());
            let entries = entries.ok_or_else(|| Fault::ty("format_map() argument must be a mapping"))?;
            let named = entries.into_iter().filter_map(|(key, value)| Some((key.as_str()?.clone(), value))).collect();
            str_format::format(of, &CallArgs { positional: Vec::new(), named }, escapes).map(Value::str)
        }
        "translate" => {
            let [table] = args.bind(name, [""], 1)?;
            translate(of, &table.unwrap_or(Value::None)).map(Value::str)
        }
        "maketrans" => maketrans(args),
        _ => args.none(name).map(|()| Value::Bool(text_case::is(of, name))),
    }
}

fn replaced(of: &str, old: &str, new: &str, most: i64) -> Result<String> {
    let places = if old.is_empty() { of.len() + 1 } else { of.len() / old.len() };
    if places.saturating_mul(new.len()) > 4 * MAX_TEXT && of.matches(old).count().saturating_mul(new.len()) > MAX_TEXT {
        return Err(Fault::too_large("the text gets too long"));
    }
    Ok(text_split::replace(of, old, new, most))
}

pub(crate) fn join(separator: &str, items: &Value, escapes: bool) -> Result<Value> {
    let items = items.iterate().map_err(|fault| match fault.class {
        "TypeError" => Fault::ty("can only join an iterable"),
        _ => fault,
    })?;
    let mut joined = String::new();
    let mut marked = false;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            joined.push_str(separator);
        }
        match item {
            _ if escapes => joined.push_str(&escape_value(item)?),
            Value::Str(text) => joined.push_str(text),
            Value::Markup(text) => {
                marked |= items.len() == 1;
                joined.push_str(text);
            }
            other => {
                let class = other.type_name();
                return Err(Fault::ty(format!("sequence item {at}: expected str instance, {class} found")));
            }
        }
        if joined.len() > MAX_TEXT {
            return Err(Fault::too_large("the text gets too long"));
        }
    }
    Ok(if marked { Value::Markup(joined.into()) } else { Value::str(joined) })
}

pub(crate) fn justified(of: &str, name: &str, width: i64, fill: char) -> Result<String> {
    let length = of.chars().count();
    let width = usize::try_from(width).unwrap_or(0);
    if width > MAX_TEXT / 4 {
        return Err(Fault::too_large("the text gets too long"));
    }
    let missing = width.saturating_sub(length);
    let left = match name {
        "ljust" => 0,
        "rjust" => missing,
        // The odd one goes to the left if the width is odd, too.
        _ => missing / 2 + (missing & width & 1),
    };
    let mut out = String::with_capacity(of.len() + missing * fill.len_utf8());
    out.extend(std::iter::repeat_n(fill, left));
    out.push_str(of);
    out.extend(std::iter::repeat_n(fill, missing - left));
    Ok(out)
}

fn expand_tabs(of: &str, size: i64) -> Result<String> {
    let size = usize::try_from(size).unwrap_or(0);
    if size.saturating_mul(of.matches('\t').count()) > MAX_TEXT {
        return Err(Fault::too_large("the text gets too long"));
    }
    let (mut out, mut column) = (String::new(), 0);
    for c in of.chars() {
        match c {
            '\t' if size == 0 => {}
            '\t' => {
                let blanks = size - column % size;
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            _ => {
                out.push(c);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(out)
}

/// The part of a text between two indexes in characters, and the number of characters before it.
fn window<'t>(
    of: &'t str,
    start: Option<&Value>,
    stop: Option<&Value>,
    name: &str,
) -> Result<Option<(&'t str, usize)>> {
    let length = of.chars().count() as i64;
    let bound = |value: Option<&Value>, default: i64| -> Result<i64> {
        let bound = match value {
            None | Some(Value::None) => default,
            Some(value) => int(value, name)?,
        };
        Ok(if bound < 0 { (bound + length).max(0) } else { bound })
    };
    let (start, stop) = (bound(start, 0)?, bound(stop, length)?.min(length));
    if start > stop {
        return Ok(None);
    }
    let byte = |at: i64| of.char_indices().nth(at as usize).map_or(of.len(), |(byte, _)| byte);
    Ok(Some((&of[byte(start)..byte(stop)], start as usize)))
}

fn affixes(of: &str, name: &str, args: CallArgs) -> Result<Value> {
    let [affix, start, stop] = args.bind(name, ["", "", ""], 1)?;
    let affixes = match affix {
        Some(Value::Tuple(affixes)) => affixes.0.clone(),
        Some(affix) => vec![affix],
        None => Vec::new(),
    };
    let affixes = affixes.iter().map(|affix| text(affix, name)).collect::<Result<Vec<_>>>()?;
    let Some((part, _)) = window(of, start.as_ref(), stop.as_ref(), name)? else { return Ok(Value::Bool(false)) };
    let starts = name == "startswith";
    Ok(Value::Bool(
        affixes.iter().any(|affix| if starts { part.starts_with(&**affix) } else { part.ends_with(&**affix) }),
    ))
}

fn search(of: &str, name: &str, args: CallArgs) -> Result<Value> {
    let [wanted, start, stop] = args.bind(name, ["", "", ""], 1)?;
    let wanted = text(&wanted.unwrap_or(Value::None), name)?;
    let part = window(of, start.as_ref(), stop.as_ref(), name)?;
    if name == "count" {
        let count = part.map_or(0, |(part, _)| part.matches(&*wanted).count());
        return Ok(Value::Int(count as i64));
    }
    let found = part.and_then(|(part, before)| {
        let at = if name.starts_with('r') { part.rfind(&*wanted) } else { part.find(&*wanted) }?;
        Some((before + part[..at].chars().count()) as i64)
    });
    match found {
        Some(at) => Ok(Value::Int(at)),
        None if name.ends_with("find") => Ok(Value::Int(-1)),
        None => Err(Fault::value("substring not found")),
    }
}

fn encode(of: &str, args: CallArgs) -> Result<Value> {
    let [encoding, _] = args.bind("encode", ["encoding", "errors"], 0)?;
    let encoding = encoding.map(|encoding| text(&encoding, "encode")).transpose()?;
    let fault = |name: &str| Fault::other("UnicodeEncodeError", format!("'{name}' codec can't encode a character"));
    let bytes: Vec<u8> = match encoding.as_deref().map(str::to_lowercase).as_deref() {
        None | Some("utf-8" | "utf8") => of.as_bytes().to_vec(),
        Some("ascii") if of.is_ascii() => of.as_bytes().to_vec(),
        Some("ascii") => return Err(fault("ascii")),
        Some("latin-1" | "latin1" | "iso-8859-1") => {
            of.chars().map(|c| u8::try_from(u32::from(c)).map_err(|_| fault("latin-1"))).collect::<Result<_>>()?
        }
        Some(_) => return Err(Fault::other("LookupError", "unknown encoding")),
    };
    Ok(Value::Bytes(bytes.into()))
}

fn translate(of: &str, table: &Value) -> Result<String> {
    let mut out = String::with_capacity(of.len());
    for c in of.chars() {
        let found = match table {
            Value::Dict(dict) => dict.0.borrow().get(&key_of(&Value::Int(u32::from(c).into()))?).cloned(),
            _ => return Err(Fault::ty("a table for translate() is a dict")),
        };
        match found {
            None => out.push(c),
            Some(Value::None) => {}
            Some(Value::Str(text)) => out.push_str(&text),
            Some(value) => {
                let code = int(&value, "translate")?;
                let c = u32::try_from(code).ok().and_then(char::from_u32);
                out.push(c.ok_or_else(|| Fault::value("character mapping must be in range(0x110000)"))?);
            }
        }
    }
    Ok(out)
}

fn maketrans(args: CallArgs) -> Result<Value> {
    let [from, to, without] = args.bind("maketrans", ["", "", ""], 1)?;
    let code = |c: char| Value::Int(u32::from(c).into());
    let mut dict = super::super::value::Dict::default();
    let from = from.unwrap_or(Value::None);
    let Some(to) = to else {
        let entries = from.entries();
        let entries =
            entries.ok_or_else(|| Fault::ty("if you give only one argument to maketrans it must be a dict"))?;
        for (key, value) in entries {
            let key = match key.as_str() {
                Some(text) => {
                    let mut characters = text.chars();
                    match (characters.next(), characters.next()) {
                        (Some(c), None) => code(c),
                        _ => return Err(Fault::value("string keys in translate table must be of length 1")),
                    }
                }
                None => Value::Int(int(&key, "maketrans")?),
            };
            dict.insert(key, value)?;
        }
        return Ok(Value::dict(dict));
    };
    let (from, to) = (text(&from, "maketrans")?, text(&to, "maketrans")?);
    if from.chars().count() != to.chars().count() {
        return Err(Fault::value("the first two maketrans arguments must have equal length"));
    }
    for (from, to) in from.chars().zip(to.chars()) {
        dict.insert(code(from), code(to))?;
    }
    if let Some(without) = without {
        for c in text(&without, "maketrans")?.chars() {
            dict.insert(code(c), Value::None)?;
        }
    }
    Ok(Value::dict(dict))
}
