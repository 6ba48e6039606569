//! From a file to a config the source can rely on: it is a JSON object, every value fits the specification, and every
//! secret in it is registered before anything is said about it.

use serde_json::Value;

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

/// Registers what the specification marks as secret, wherever it stands: in nested objects, lists and alternatives.
fn register_secrets(config: &Value, schema: &Value, redactor: &Redactor) {
    if schema["airbyte_secret"] == true {
        register_all(config, redactor);
        return;
    }
    for alternatives in ["oneOf", "anyOf", "allOf"] {
        for alternative in schema[alternatives].as_array().into_iter().flatten() {
            register_secrets(config, alternative, redactor);
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = config.get(name) {
            register_secrets(value, schema, redactor);
        }
    }
    if let Some(schema) = schema.get("items") {
        for value in config.as_array().into_iter().flatten() {
            register_secrets(value, schema, redactor);
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
    fn what_is_no_object_is_refused() {
        for text in ["", "[1]", "{", "7"] {
            let schema = json!({"type": "object"});
            assert!(load(text.as_bytes(), "-", &schema, &Redactor::default()).is_err(), "{text}");
        }
    }
}
