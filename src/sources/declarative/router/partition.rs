//! A partition: the output of a router, for the requests and records of a slice.

use serde_json::{Map, Value};

/// In a partition: the partition of the parent.
pub(in crate::sources::declarative) const PARENT_SLICE: &str = "parent_slice";

/// A partition of a stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::sources::declarative) struct Partition {
    /// Its identity, in states, too.
    pub(in crate::sources::declarative) partition: Map<String, Value>,
    /// Other values for its requests and records. They are not in states.
    pub(in crate::sources::declarative) extra_fields: Map<String, Value>,
}

/// Partitions, made as they are read.
pub(in crate::sources::declarative) type Partitions<'a> =
    Box<dyn Iterator<Item = anyhow::Result<Partition>> + Send + 'a>;

/// A value for comparison in Python: `1`, `1.0` and `true` are equal.
pub(super) fn known_as(value: &Value) -> String {
    match value {
        Value::Bool(value) => u8::from(*value).to_string(),
        // A float can distinguish whole numbers up to here.
        Value::Number(number) => match number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15) {
            Some(float) => format!("{float:.0}"),
            None => number.to_string(),
        },
        value => value.to_string(),
    }
}
