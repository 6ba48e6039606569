//! A part of a manifest as JSON: a schema for the catalog, a body for a request.

use std::fmt::Write as _;

use jiff::civil;
use serde_json::{Map as JsonMap, Number, Value as Json};

use super::node::{Node, Value};

impl Node {
    /// The value as JSON, as Airbyte's runtime writes it: dates as ISO 8601, and null for NaN and infinity. A key that
    /// is not a text becomes one as in Python's `json` module.
    pub fn to_json(&self) -> Json {
        match self.value() {
            Value::Null | Value::Unresolved => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Integer(value) => Json::Number((*value).into()),
            Value::BigInteger(text) => big(text),
            Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Value::Text(text) => Json::String(text.to_string()),
            Value::Date(date) => Json::String(iso_date(*date)),
            Value::DateTime(time, offset) => Json::String(iso(*time, *offset)),
            Value::Bytes(bytes) => Json::String(String::from_utf8_lossy(bytes).into_owned()),
            Value::List(items) | Value::Set(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Pair(pair) => Json::Array(vec![pair.0.to_json(), pair.1.to_json()]),
            Value::Map(map) => {
                let mut json = JsonMap::with_capacity(map.len());
                for (key, value) in map {
                    json.insert(key.key_text(), value.to_json());
                }
                Json::Object(json)
            }
        }
    }

    /// A key as a text.
    pub fn key_text(&self) -> String {
        match self.to_json() {
            Json::String(text) => text,
            Json::Null if matches!(self.value(), Value::Float(_)) => "NaN".to_owned(),
            other => other.to_string(),
        }
    }
}

/// A number of more than 64 bits, as near as JSON's numbers come here.
fn big(text: &str) -> Json {
    let number = text.parse::<u64>().ok().map(Number::from);
    number.or_else(|| Number::from_f64(text.parse().ok()?)).map_or(Json::Null, Json::Number)
}

fn iso_date(date: civil::Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

fn iso(time: civil::DateTime, offset: Option<i32>) -> String {
    let mut text = iso_date(time.date());
    let _ = write!(text, "T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    let micros = time.subsec_nanosecond() / 1000;
    if micros > 0 {
        let _ = write!(text, ".{micros:06}");
    }
    if let Some(offset) = offset {
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.unsigned_abs() / 60;
        let _ = write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    }
    text
}
