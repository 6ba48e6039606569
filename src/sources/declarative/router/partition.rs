//! What a router gives, and a request and a record are read for.

use serde_json::{Map, Value};

/// In a partition: that of the parent.
pub(in crate::sources::declarative) const PARENT_SLICE: &str = "parent_slice";

/// A partition of a stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::sources::declarative) struct Partition {
    /// What it is known by, in states, too.
    pub(in crate::sources::declarative) partition: Map<String, Value>,
    /// What else its requests and records may need. It is in no state.
    pub(in crate::sources::declarative) extra_fields: Map<String, Value>,
}

/// Partitions, made while they are read.
pub(in crate::sources::declarative) type Partitions<'a> =
    Box<dyn Iterator<Item = anyhow::Result<Partition>> + Send + 'a>;

/// A value as Python compares it: `1`, `1.0` and `true` are one.
pub(super) fn known_as(value: &Value) -> String {
    match value {
        Value::Bool(value) => u8::from(*value).to_string(),
        // Whole numbers up to here are distinguished by a float.
        Value::Number(number) => match number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15) {
            Some(float) => format!("{float:.0}"),
            None => number.to_string(),
        },
        value => value.to_string(),
    }
}
