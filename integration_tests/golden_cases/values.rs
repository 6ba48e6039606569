//! A tree of ours in the form of the golden cases: JSON, and Python's other values as `{"$py": repr}`; a mapping whose
//! keys are not texts as `{"$pydict": [[key, value], ...]}`.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::{Value as Json, json};
use source_http::sources::declarative::manifest::{Node, Value};

/// The golden form of a value.
pub(super) fn golden(node: &Node) -> Json {
    match node.value() {
        Value::Float(value) if !value.is_finite() => python(float_repr(*value)),
        Value::Date(_) | Value::DateTime(..) | Value::Bytes(_) | Value::Set(_) | Value::Pair(_) => python(repr(node)),
        Value::List(items) => Json::Array(items.iter().map(golden).collect()),
        Value::Map(map) if map.iter().any(|(key, _)| key.as_text().is_none()) => {
            let pairs: Vec<Json> = map.iter().map(|(key, value)| json!([golden(key), golden(value)])).collect();
            json!({ "$pydict": pairs })
        }
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| (key.key_text(), golden(value)));
            Json::Object(entries.collect())
        }
        _ => node.to_json(),
    }
}

fn python(repr: String) -> Json {
    json!({ "$py": repr })
}

fn float_repr(value: f64) -> String {
    if value.is_nan() { "nan".to_owned() } else { format!("{value:?}") }
}

/// Python's `repr` of a value.
fn repr(node: &Node) -> String {
    let several = |items: &[Node]| items.iter().map(repr).collect::<Vec<_>>().join(", ");
    match node.value() {
        Value::Null | Value::Unresolved => "None".to_owned(),
        Value::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::BigInteger(text) => text.to_string(),
        Value::Float(value) => float_repr(*value),
        Value::Text(text) => quote(text.chars(), 127..161),
        Value::Bytes(bytes) => format!("b{}", quote(bytes.iter().map(|byte| char::from(*byte)), 127..256)),
        Value::Date(date) => format!("datetime.date({}, {}, {})", date.year(), date.month(), date.day()),
        Value::DateTime(time, offset) => {
            let mut text = format!("datetime.datetime({}, {}, {}", time.year(), time.month(), time.day());
            let _ = write!(text, ", {}, {}", time.hour(), time.minute());
            let micros = time.subsec_nanosecond() / 1000;
            if time.second() != 0 || micros != 0 {
                let _ = write!(text, ", {}", time.second());
            }
            if micros != 0 {
                let _ = write!(text, ", {micros}");
            }
            match offset {
                None => {}
                Some(0) => text.push_str(", tzinfo=datetime.timezone.utc"),
                Some(offset) => {
                    let _ = write!(text, ", tzinfo=datetime.timezone({})", timedelta(*offset));
                }
            }
            text + ")"
        }
        Value::List(items) => format!("[{}]", several(items)),
        Value::Set(items) if items.is_empty() => "set()".to_owned(),
        Value::Set(items) => {
            // Python's order is random.
            let mut items: Vec<String> = items.iter().map(repr).collect();
            items.sort();
            format!("{{{}}}", items.join(", "))
        }
        Value::Pair(pair) => format!("({}, {})", repr(&pair.0), repr(&pair.1)),
        Value::Map(map) => {
            let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{}: {}", repr(key), repr(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

fn timedelta(offset: i32) -> String {
    let (days, seconds) = (offset.div_euclid(86_400), offset.rem_euclid(86_400));
    let days = if days == 0 { String::new() } else { format!("days={days}, ") };
    format!("datetime.timedelta({days}seconds={seconds})")
}

/// A text in quotes, with the characters of a range as numbers.
fn quote(chars: impl Iterator<Item = char> + Clone, escaped: Range<u32>) -> String {
    let quote =
        if chars.clone().any(|char| char == '\'') && !chars.clone().any(|char| char == '"') { '"' } else { '\'' };
    let mut text = String::from(quote);
    for char in chars {
        match char {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\\' => text.push_str("\\\\"),
            char if char == quote => text.extend(['\\', char]),
            char if (char as u32) < 32 || escaped.contains(&(char as u32)) => {
                let _ = write!(text, "\\x{:02x}", char as u32);
            }
            char => text.push(char),
        }
    }
    text.push(quote);
    text
}
