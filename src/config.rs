//! From a file to a config the source can rely on: it is a JSON object, every value fits the specification, and every
//! secret in it is registered before anything is said about it.

use serde_json::{Map, Value};

use crate::protocol::{Failure, Redactor};
use crate::source::Config;

/// Reads and validates a config. `from` names the file in errors.
///
/// # Errors
/// A config failure that names every member that is wrong. Values are not shown: they may be secrets in wrong places.
pub(crate) fn load(text: &[u8], from: &str, specification: &Value, redactor: &Redactor) -> Result<Config, Failure> {
    let config: Value = serde_json::from_slice(text)
        .map_err(|error| Failure::config(format!("The config in {from} is not valid JSON: {error}.")))?;
    register_secrets(&config, specification, redactor);
    let validator = jsonschema::validator_for(specification)
        .map_err(|error| Failure::system(format!("The source's specification is not a valid JSON Schema: {error}.")))?;
    let problems: Vec<String> = validator.iter_errors(&config).map(|error| describe(&error)).collect();
    match config {
        Value::Object(config) if problems.is_empty() => Ok(config),
        _ => Err(Failure::config(format!(
            "The config in {from} does not fit the specification: {}. Run spec to see what is expected.",
            problems.join("; ")
        ))),
    }
}

fn describe(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string().trim_start_matches('/').replace('/', ".");
    let problem = error.masked_with("the value").to_string();
    if place.is_empty() { problem } else { format!("`{place}`: {problem}") }
}

/// Schemas within schemas that are followed: one may refer to itself.
const DEPTH: usize = 64;

/// Registers what the specification marks as secret, wherever it stands: in nested objects, lists and alternatives.
fn register_secrets(config: &Value, specification: &Value, redactor: &Redactor) {
    Marks { specification, redactor }.register(config, specification, DEPTH);
}

/// The marks of a specification.
struct Marks<'a> {
    specification: &'a Value,
    redactor: &'a Redactor,
}

impl Marks<'_> {
    /// Registers what `schema` marks within `value`. Of alternatives all are taken, whichever the value fits.
    fn register(&self, value: &Value, schema: &Value, depth: usize) {
        if schema["airbyte_secret"] == true {
            return register_all(value, self.redactor);
        }
        let Some(depth) = depth.checked_sub(1) else { return };
        let lists = ["oneOf", "anyOf", "allOf"].iter().filter_map(|name| schema[name].as_array()).flatten();
        let others = ["if", "then", "else"].iter().filter_map(|name| schema.get(name));
        let target = schema["$ref"].as_str().and_then(|target| self.specification.pointer(target.strip_prefix('#')?));
        for same in lists.chain(others).chain(target) {
            self.register(value, same, depth);
        }
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let own = schema["properties"].get(name);
                    // Whichever pattern a name fits: what is registered without need does no harm.
                    let by_pattern = schema["patternProperties"].as_object().into_iter().flat_map(Map::values);
                    let others = by_pattern.chain(schema.get("additionalProperties")).filter(|_| own.is_none());
                    own.into_iter().chain(others).for_each(|schema| self.register(member, schema, depth));
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    let of_all = schema.get("items").filter(|items| items.is_object());
                    let by_place = ["prefixItems", "items"].iter().filter_map(|name| schema[name].get(n));
                    of_all.into_iter().chain(by_place).for_each(|schema| self.register(item, schema, depth));
                }
            }
            _ => {}
        }
    }
}

fn register_all(value: &Value, redactor: &Redactor) {
    match value {
        Value::String(secret) => redactor.add(secret),
        Value::Number(secret) => redactor.add(&secret.to_string()),
        Value::Array(items) => items.iter().for_each(|item| register_all(item, redactor)),
        Value::Object(members) => members.values().for_each(|member| register_all(member, redactor)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_violation_is_told_in_one_message_without_values() {
        let schema = json!({"type": "object", "required": ["key", "id"], "properties": {
            "key": {"type": "string", "airbyte_secret": true},
            "n": {"type": "integer", "minimum": 1},
            "nested": {"type": "object", "properties": {"x": {"type": "boolean"}}},
        }});
        let text = br#"{"n": "sk_live_misplaced", "nested": {"x": 3}, "key": 5}"#;
        let failure = load(text, "config.json", &schema, &Redactor::default()).unwrap_err();
        assert_eq!(
            failure.message,
            "The config in config.json does not fit the specification: \"id\" is a required property; \
             `n`: the value is not of type \"integer\"; `nested.x`: the value is not of type \"boolean\"; \
             `key`: the value is not of type \"string\". Run spec to see what is expected."
        );
    }

    #[test]
    fn secrets_are_found_in_objects_lists_and_alternatives() {
        let schema = json!({"properties": {
            "a": {"airbyte_secret": true},
            "list": {"items": {"properties": {"b": {"airbyte_secret": true}}}},
            "auth": {"oneOf": [{"properties": {"c": {"airbyte_secret": true}}}, {"type": "null"}]},
            "open": {"type": "string"},
        }});
        let config = json!({"a": "s1", "list": [{"b": "s2"}, {"b": "s3"}], "auth": {"c": "s4"}, "open": "o"});
        let redactor = Redactor::default();
        register_secrets(&config, &schema, &redactor);
        assert_eq!(redactor.redact("s1 s2 s3 s4 o"), "**** **** **** **** o");
    }

    #[test]
    fn secrets_are_found_behind_references_patterns_and_conditions() {
        let schema = json!({
            "definitions": {"key": {"airbyte_secret": true}, "node": {"properties": {
                "next": {"$ref": "#/definitions/node"}, "key": {"$ref": "#/definitions/key"}
            }}},
            "properties": {"chain": {"$ref": "#/definitions/node"}, "known": {"type": "string"}, "pair": {
                "prefixItems": [{"type": "string"}, {"airbyte_secret": true}]
            }},
            "patternProperties": {"^x_": {"oneOf": [{"airbyte_secret": true}]}},
            "additionalProperties": {"then": {"airbyte_secret": true}},
        });
        let chain = json!({"next": {"next": {"key": "s1"}, "key": "s2"}});
        let config = json!({"chain": chain, "pair": ["o1", "s3"], "other": {"deep": ["s4"]}});
        let redactor = Redactor::default();
        register_secrets(&config, &schema, &redactor);
        assert_eq!(redactor.redact("s1 s2 s3 s4 o1"), "**** **** **** **** o1");
        register_secrets(&json!({"known": "o2"}), &json!({"properties": {"known": {}}}), &redactor);
        register_secrets(&json!({}), &json!({"$ref": "#"}), &redactor);
        assert_eq!(redactor.redact("o2"), "o2");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[1]", "{", "7"] {
            let schema = json!({"type": "object"});
            assert!(load(text.as_bytes(), "-", &schema, &Redactor::default()).is_err(), "{text}");
        }
    }
}
