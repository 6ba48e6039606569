//! Restores references to the environment in a config. A config that returns to its origin contains the references
//! again, not the values: they were kept out of it for a reason.

use std::sync::{Arc, RwLock};

use serde_json::{Map, Value};

use crate::locks;

/// The places of a config that had references. Clones share them. Default: none.
#[derive(Clone, Default)]
pub struct ConfigReferences(Arc<RwLock<Vec<Place>>>);

struct Place {
    /// A JSON pointer (RFC 6901).
    pointer: String,
    value: Value,
    written: String,
}

impl ConfigReferences {
    /// Records that the value at a JSON pointer was written as this text.
    pub fn note(&self, pointer: String, value: Value, written: String) {
        locks::write(&self.0).push(Place { pointer, value, written });
    }

    /// The config as it was written. A value that has changed since, such as a renewed token, stays. If a place is
    /// gone, the source may have renamed it: then the reference goes to wherever its text is now, so that no secret of
    /// the environment is written.
    #[must_use]
    pub fn restore(&self, config: Map<String, Value>) -> Map<String, Value> {
        let mut whole = Value::Object(config);
        for place in locks::read(&self.0).iter() {
            match whole.pointer_mut(&place.pointer) {
                Some(value) if *value == place.value => *value = Value::String(place.written.clone()),
                None if place.value.as_str().is_some_and(|text| !text.is_empty()) => put_wherever(&mut whole, place),
                _ => {}
            }
        }
        match whole {
            Value::Object(config) => config,
            _ => Map::new(),
        }
    }
}

/// Puts a reference at each text that equals its value.
fn put_wherever(value: &mut Value, place: &Place) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| put_wherever(member, place)),
        Value::Array(items) => items.iter_mut().for_each(|item| put_wherever(item, place)),
        _ if *value == place.value => *value = Value::String(place.written.clone()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_come_back_unless_the_value_has_changed() {
        let written = ConfigReferences::default();
        written.note("/a/b~1c".into(), json!("k"), "${KEY}".into());
        written.note("/token".into(), json!("old"), "${TOKEN}".into());
        written.note("/gone".into(), json!(1), "${N}".into());
        let Value::Object(config) = json!({"a": {"b/c": "k"}, "token": "new", "x": "k"}) else { unreachable!() };
        let restored = written.restore(config);
        assert_eq!(Value::Object(restored), json!({"a": {"b/c": "${KEY}"}, "token": "new", "x": "k"}));
    }

    #[test]
    fn a_reference_follows_its_text_to_where_it_was_moved() {
        let written = ConfigReferences::default();
        written.note("/client_secret".into(), json!("s3cret"), "${S}".into());
        written.note("/empty".into(), json!(""), "${E}".into());
        let Value::Object(config) = json!({"login": [{"secret": "s3cret"}], "x": ""}) else { unreachable!() };
        assert_eq!(Value::Object(written.restore(config)), json!({"login": [{"secret": "${S}"}], "x": ""}));
    }
}
