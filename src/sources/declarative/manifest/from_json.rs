//! A manifest that is already JSON in memory, because a config holds it.

use serde_json::Value as Json;

use super::node::{Map, Mark, Node, Value};

impl Node {
    /// The node of a JSON value. It has no text, so it has no line.
    #[must_use]
    pub fn from_json(json: &Json) -> Self {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(whole), _) => Value::Integer(whole),
                (None, Some(whole)) => Value::BigInteger(whole.to_string().into()),
                _ => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(text.as_str().into()),
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            Json::Object(members) => {
                let member = |(name, value): (&String, &Json)| {
                    (Self::text(name.as_str(), Mark::default()), Self::from_json(value))
                };
                Value::Map(Map::new(members.iter().map(member).collect()))
            }
        };
        Self::new(value, Mark::default())
    }
}
