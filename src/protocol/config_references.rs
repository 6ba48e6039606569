//! What a config said before references to the environment were replaced by their values. A config that goes back to where
//! it came from says the same again, not the values: they were kept out of it for a reason.

use std::sync::{Arc, RwLock};

use serde_json::{Map, Value};

use crate::locks;

/// The places of a config that were written in another way. Clones are about the same config. Default: none.
#[derive(Clone, Default)]
pub struct ConfigReferences(Arc<RwLock<Vec<Place>>>);

struct Place {
    /// A JSON pointer (RFC 6901).
    pointer: String,
    value: Value,
    written: String,
}

impl ConfigReferences {
    /// Notes that the value at a JSON pointer was written as this text.
    pub fn note(&self, pointer: String, value: Value, written: String) {
        locks::write(&self.0).push(Place { pointer, value, written });
    }

    /// The config as it was written. A value that has changed since then, such as a token that was renewed, stays.
    #[must_use]
    pub fn restore(&self, config: Map<String, Value>) -> Map<String, Value> {
        let mut whole = Value::Object(config);
        for place in locks::read(&self.0).iter() {
            if let Some(value) = whole.pointer_mut(&place.pointer).filter(|value| **value == place.value) {
                *value = Value::String(place.written.clone());
            }
        }
        match whole {
            Value::Object(config) => config,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_written_comes_back_unless_it_has_changed() {
        let written = ConfigReferences::default();
        written.note("/a/b~1c".into(), json!("k"), "${KEY}".into());
        written.note("/token".into(), json!("old"), "${TOKEN}".into());
        written.note("/gone".into(), json!(1), "${N}".into());
        let Value::Object(config) = json!({"a": {"b/c": "k"}, "token": "new", "x": "k"}) else { unreachable!() };
        let restored = written.restore(config);
        assert_eq!(Value::Object(restored), json!({"a": {"b/c": "${KEY}"}, "token": "new", "x": "k"}));
    }
}
