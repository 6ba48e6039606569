//! What a router gives, and a request and a record are read for.

use serde_json::{Map, Value};

/// A partition of a stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::sources::declarative) struct Partition {
    /// What it is known by, in states, too.
    pub(in crate::sources::declarative) partition: Map<String, Value>,
    /// What else its requests and records may need. It is in no state.
    pub(in crate::sources::declarative) extra_fields: Map<String, Value>,
}
