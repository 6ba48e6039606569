//! The name of a stream in messages, catalogs and states.

use serde::{Deserialize, Serialize};

/// Names a stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamDescriptor {
    /// The stream's name.
    pub name: String,
    /// Its namespace, if the source has namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl StreamDescriptor {
    /// A stream without namespace.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: None }
    }
}
