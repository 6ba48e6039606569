//! A stream's schema. A source's own schemas are passed on as text: a catalog of all of Stripe's streams has two
//! megabytes of them, and parsing it took most of the time of a `discover`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Failure;

/// JSON Schema of a stream's records: an object, without references. Made from a tree:
///
/// ```
/// use serde_json::json;
/// use source_http::protocol::JsonSchema;
///
/// let schema = JsonSchema::try_from(json!({"type": "object", "properties": {"id": {"type": "string"}}}))?;
/// assert_eq!(schema.text(), r#"{"type":"object","properties":{"id":{"type":"string"}}}"#);
/// # Ok::<(), source_http::protocol::Failure>(())
/// ```
#[derive(Debug, Clone)]
pub struct JsonSchema(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// A JSON object on one line.
    Text(Arc<str>),
    Tree(Map<String, Value>),
}

impl JsonSchema {
    /// A text known to be a JSON object on one line.
    pub(crate) fn of_text(text: Arc<str>) -> Self {
        Self(Kind::Text(text))
    }

    /// Its text, on one line.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Kind::Text(text) => Cow::Borrowed(text),
            Kind::Tree(tree) => Cow::Owned(serde_json::to_string(tree).unwrap_or_default()),
        }
    }

    /// The schema as a tree.
    #[must_use]
    pub fn into_tree(self) -> Map<String, Value> {
        match self.0 {
            Kind::Text(text) => serde_json::from_str(&text).unwrap_or_default(),
            Kind::Tree(tree) => tree,
        }
    }
}

impl From<Map<String, Value>> for JsonSchema {
    fn from(tree: Map<String, Value>) -> Self {
        Self(Kind::Tree(tree))
    }
}

/// Fails with a system failure if it is not an object.
impl TryFrom<Value> for JsonSchema {
    type Error = Failure;

    fn try_from(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Object(tree) => Ok(tree.into()),
            _ => Err(Failure::system("A schema is not a JSON object. This is a bug in the source.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_and_a_tree_are_the_same_schema() {
        let text = r#"{"type":"object","properties":{"b":{},"a":{}}}"#;
        let schemas =
            [JsonSchema::of_text(text.into()), serde_json::from_str::<Value>(text).unwrap().try_into().unwrap()];
        for schema in schemas {
            assert_eq!(schema.text(), text);
            assert_eq!(Value::from(schema.into_tree()), serde_json::from_str::<Value>(text).unwrap());
        }
        assert!(JsonSchema::try_from(json!([])).is_err());
    }
}
