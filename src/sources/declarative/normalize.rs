//! `schema_normalization: Default`: casts records to the types of their schema as Python does, so that a connection
//! keeps its values. [`crate::streams::Normalizer`] has rules of its own, which change less.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::field_path::is_truthy;
use super::template::{Json, parse_float, parse_int};
use super::warnings::Warnings;
use crate::json::{self, Splice};
use crate::streams::Record;

/// The types of a schema.
#[derive(Debug)]
pub(super) struct PythonTypes {
    plan: Plan,
    warnings: Warnings,
}

/// The wanted types of a value, and of the values in it.
#[derive(Debug, Default)]
struct Plan {
    /// The types that the schema allows. Empty if it allows all.
    types: Vec<String>,
    /// The one type besides null, if there is only one.
    target: Option<String>,
    /// Whether a value that is not a list may become a list of it.
    wraps: bool,
    members: HashMap<String, Plan>,
    items: Option<Box<Plan>>,
    /// For people: `address.zip`, `items[].price`.
    path: String,
}

impl PythonTypes {
    /// The types of a schema. `None` if it is empty; then records stay unchanged.
    pub(super) fn new(schema: &Map<String, Value>) -> Option<Self> {
        let plan = Plan::compile(schema, String::new());
        (!plan.members.is_empty()).then(|| Self { plan, warnings: Warnings::default() })
    }

    /// The record with its members cast. A value that cannot be cast stays, which is reported once a field.
    pub(super) fn normalize<'r>(&self, record: Record<'r>) -> Record<'r> {
        match self.plan.inside(&record.text(), &self.warnings) {
            Some(text) => Record::from_text(text),
            None => record,
        }
    }

    /// The values that could not be cast since the last call.
    pub(super) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }
}

impl Plan {
    fn compile(schema: &Map<String, Value>, path: String) -> Self {
        let types: Vec<String> = match schema.get("type") {
            Some(Value::String(name)) => vec![name.clone()],
            Some(Value::Array(names)) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        let mut targets = types.iter().filter(|name| *name != "null");
        let target = targets.next().filter(|_| targets.next().is_none()).cloned();
        let mut members = HashMap::new();
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Some(schema) = schema.as_object() {
                members.insert(name.clone(), Self::compile(schema, path));
            }
        }
        let items = schema.get("items").and_then(Value::as_object);
        let is_simple =
            |name: &Value| matches!(name.as_str(), Some("string" | "number" | "integer" | "boolean" | "null"));
        let wraps = match items.and_then(|items| items.get("type")) {
            None => true,
            Some(Value::Array(names)) => names.iter().all(is_simple),
            // The reference reads a single type as a list of letters.
            Some(_) => false,
        };
        let items = items.map(|items| Box::new(Self::compile(items, format!("{path}[]"))));
        Self { types, target, wraps, members, items, path }
    }

    /// The new value, if it changes.
    fn cast(&self, value: &str, warnings: &Warnings) -> Option<String> {
        let cast = self.outermost(value);
        let inside = self.inside(cast.as_deref().unwrap_or(value), warnings);
        let result = inside.or(cast);
        if !self.allows(result.as_deref().unwrap_or(value)) {
            warnings.add(format!(
                "`{}` is {} where the schema wants {}. It stays as it is, here and in later records.",
                self.path,
                name_of(value),
                self.types.join(" or ")
            ));
        }
        result
    }

    /// A value with its members or items cast, if any changes.
    fn inside(&self, value: &str, warnings: &Warnings) -> Option<String> {
        let mut splice = Splice::new(value);
        match value.as_bytes().first() {
            Some(b'{') if !self.members.is_empty() => json::for_each_member(value, |name, member| {
                if let Some(new) = self.members.get(&*json::unquoted(name)).and_then(|plan| plan.cast(member, warnings))
                {
                    splice.replace(member, &new);
                }
            }),
            Some(b'[') => {
                let plan = self.items.as_ref()?;
                json::for_each_element(value, |item| {
                    if let Some(new) = plan.cast(item, warnings) {
                        splice.replace(item, &new);
                    }
                });
            }
            _ => return None,
        }
        splice.finish()
    }

    fn outermost(&self, value: &str) -> Option<String> {
        let kind = value.as_bytes().first()?;
        if *kind == b'n' && self.types.iter().any(|name| name == "null") {
            return None;
        }
        match (self.target.as_deref()?, kind) {
            ("string", b'"') | ("boolean", b't' | b'f') => None,
            ("string", _) => Some(quoted(&Json::Text(value).to_text()?)),
            ("number", b't') => Some("1.0".to_owned()),
            ("number", b'f') => Some("0.0".to_owned()),
            ("integer", b't') => Some("1".to_owned()),
            ("integer", b'f') => Some("0".to_owned()),
            ("number", b'"') => float(&json::unquoted(value)),
            ("number", b'-' | b'0'..=b'9') => (!value.contains(['.', 'e', 'E'])).then(|| format!("{value}.0")),
            ("integer", b'"') => Some(parse_int(&json::unquoted(value), 10)?.to_string()),
            ("integer", b'-' | b'0'..=b'9') => whole(value),
            ("boolean", b'"') => boolean(&json::unquoted(value)),
            ("boolean", _) => Some(is_truthy(value).to_string()),
            ("array", b'"' | b'n' | b't' | b'f' | b'-' | b'0'..=b'9') if self.wraps => Some(format!("[{value}]")),
            _ => None,
        }
    }

    /// Whether the value is of a type that the schema allows.
    fn allows(&self, value: &str) -> bool {
        self.types.is_empty()
            || self.types.iter().any(|name| match (name.as_str(), value.as_bytes().first()) {
                ("string", Some(b'"'))
                | ("boolean", Some(b't' | b'f'))
                | ("object", Some(b'{'))
                | ("array", Some(b'['))
                | ("null", Some(b'n'))
                | ("number", Some(b'-' | b'0'..=b'9' | b'n')) => true,
                ("integer", Some(b'-' | b'0'..=b'9')) => value.parse().is_ok_and(|number: f64| number.fract() == 0.0),
                _ => false,
            })
    }
}

/// The number that Python's `float` makes of a text. A number in JSON's form keeps its digits.
fn float(text: &str) -> Option<String> {
    let number = parse_float(text)?;
    let text = text.trim();
    let is_json = serde_json::from_str::<serde_json::Number>(text).is_ok();
    Some(match (is_json, number.is_finite()) {
        (_, false) => "null".to_owned(),
        (true, _) if text.contains(['.', 'e', 'E']) => text.to_owned(),
        (true, _) => format!("{text}.0"),
        (false, _) => serde_json::Number::from_f64(number)?.to_string(),
    })
}

/// A JSON number without its fraction, if it has one.
fn whole(number: &str) -> Option<String> {
    if number.contains(['e', 'E']) {
        let number: f64 = number.parse().ok()?;
        // An infinite number stays: there is no such integer.
        return number.is_finite().then(|| format!("{:.0}", number.trunc() + 0.0));
    }
    let (whole, _) = number.split_once('.')?;
    Some(if whole == "-0" { "0".to_owned() } else { whole.to_owned() })
}

fn boolean(text: &str) -> Option<String> {
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some("true".to_owned()),
        "n" | "no" | "f" | "false" | "off" | "0" => Some("false".to_owned()),
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    json::write_string(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

fn name_of(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b'n') => "null",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests;
