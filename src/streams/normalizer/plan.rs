//! A JSON Schema, as far as normalisation needs it.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The wanted types of a value and its parts. Values without a plan stay unchanged.
#[derive(Debug)]
pub(super) struct Plan {
    /// Numbers the fields of a schema.
    pub(super) id: usize,
    /// For people: `address.zip`, `items[].price`.
    pub(super) path: String,
    /// The one type the schema allows besides null.
    pub(super) target: Option<Target>,
    /// Of an object's members.
    pub(super) members: HashMap<String, Plan>,
    /// Of a list's elements.
    pub(super) elements: Option<Box<Plan>>,
}

/// A type of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    String,
    Number,
    Integer,
    Boolean,
    Array,
    Object,
}

impl Target {
    fn of(schema: &Map<String, Value>) -> Option<Self> {
        let name = match schema.get("type")? {
            Value::String(name) => name,
            Value::Array(names) => {
                let mut names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
                let only = names.next()?;
                if names.next().is_some() {
                    return None;
                }
                only
            }
            _ => return None,
        };
        // Airbyte's older way to mark whole numbers.
        let airbyte_type = schema.get("airbyte_type").and_then(Value::as_str);
        match name {
            "number" if matches!(airbyte_type, Some("integer" | "big_integer")) => Some(Self::Integer),
            "string" => Some(Self::String),
            "number" => Some(Self::Number),
            "integer" => Some(Self::Integer),
            "boolean" => Some(Self::Boolean),
            "array" => Some(Self::Array),
            "object" => Some(Self::Object),
            _ => None,
        }
    }

    /// For people.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Integer => "an integer",
            Self::Boolean => "a boolean",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

impl Plan {
    /// The plan for a schema, or `None` if it requires nothing. `fields` counts the plans made.
    pub(super) fn compile(schema: &Map<String, Value>, path: String, fields: &mut usize) -> Option<Self> {
        let target = Target::of(schema);
        let mut members = HashMap::new();
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Some(plan) = schema.as_object().and_then(|schema| Self::compile(schema, path, fields)) {
                members.insert(name.clone(), plan);
            }
        }
        let elements = schema.get("items").and_then(Value::as_object);
        let elements = elements.and_then(|schema| Self::compile(schema, format!("{path}[]"), fields)).map(Box::new);
        if target.is_none() && members.is_empty() && elements.is_none() {
            return None;
        }
        let id = *fields;
        *fields += 1;
        Some(Self { id, path, target, members, elements })
    }
}
