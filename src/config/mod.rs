//! From a file to a config the source can rely on: it is a JSON object, every value fits the specification, and every
//! secret in it is registered before anything is said about it. `references` are what it takes from the environment,
//! `schemas` what the specification says of each of its values.

mod references;
mod schemas;

use serde_json::Value;

use crate::environment::Environment;
use crate::protocol::{Failure, Redactor};
use crate::source::Config;
use schemas::Schemas;

/// Reads and validates a config. `from` names the file in errors. References to environment variables are replaced if there
/// is an `environment` to take them from; otherwise they are texts like any other.
///
/// # Errors
/// A config failure that names every member that is wrong. Values are not shown: they may be secrets in wrong places.
pub(crate) fn load(
    text: &[u8],
    from: &str,
    specification: &Value,
    environment: Option<&Environment>,
    redactor: &Redactor,
) -> Result<Config, Failure> {
    let mut config: Value = serde_json::from_slice(text).map_err(|error| {
        Failure::config(format!("The config in {from} is not valid JSON: {error}. Correct it there."))
    })?;
    let schemas = Schemas::of(specification);
    if let Some(environment) = environment {
        references::resolve(&mut config, &schemas, environment, redactor).map_err(|problems| {
            Failure::config(format!(
                "The config in {from} refers to environment variables that cannot be used: {}. Set the variables or correct \
                 their names; a text with `${{` in it is written with `$${{`.",
                problems.join("; ")
            ))
        })?;
    }
    register_secrets(&config, &schemas, redactor);
    let mut settings = Vec::new();
    list_texts(&config, "", &mut settings);
    redactor.note_settings(settings);
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

/// The place of a value that looks like a reference to an environment variable, if there is one.
pub(crate) fn reference_in(config: &Config) -> Option<String> {
    references::first_place(&Value::Object(config.clone()))
}

fn describe(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string().trim_start_matches('/').replace('/', ".");
    let problem = error.masked_with("the value").to_string();
    if place.is_empty() { problem } else { format!("`{place}`: {problem}") }
}

/// Registers what the specification marks as secret, wherever it stands: in nested objects, lists and alternatives.
fn register_secrets(value: &Value, schemas: &Schemas<'_>, redactor: &Redactor) {
    match value {
        _ if schemas.is_secret() => register_all(value, redactor),
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| register_secrets(member, &schemas.member(name), redactor));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| register_secrets(item, &schemas.item(n), redactor));
        }
        _ => {}
    }
}

/// All texts of a config, each with its place, such as `credentials.api_key`.
fn list_texts(value: &Value, place: &str, texts: &mut Vec<(String, String)>) {
    let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match value {
        Value::String(text) => texts.push((place.to_owned(), text.clone())),
        Value::Object(members) => members.iter().for_each(|(name, value)| list_texts(value, &below(name), texts)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| list_texts(item, &below(&n.to_string()), texts));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
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
    fn a_reference_is_replaced_before_the_config_is_validated_and_its_secret_is_known() {
        let schema = json!({"type": "object", "required": ["key", "n"], "properties": {
            "key": {"type": "string", "airbyte_secret": true, "minLength": 4},
            "n": {"type": "integer"},
        }});
        let environment = Environment::from_vars([("KEY", "k3y-0123"), ("N", "7")]);
        let redactor = Redactor::default();
        let text = br#"{"key": "${KEY}", "n": "${N}"}"#;
        let config = load(text, "c", &schema, Some(&environment), &redactor).unwrap();
        assert_eq!((config["key"].as_str(), config["n"].as_i64()), (Some("k3y-0123"), Some(7)));
        assert_eq!(redactor.redact("k3y-0123"), "****");
        assert!(load(text, "c", &schema, None, &redactor).unwrap_err().message.contains("`n`"));

        let wrong = Environment::from_vars([("KEY", "k"), ("N", "seven")]);
        let message = load(text, "c", &schema, Some(&wrong), &redactor).unwrap_err().message;
        assert!(message.contains("`key`") && message.contains("`n`") && !message.contains("seven"), "{message}");
    }

    #[test]
    fn every_violation_is_told_in_one_message_without_values() {
        let schema = json!({"type": "object", "required": ["key", "id"], "properties": {
            "key": {"type": "string", "airbyte_secret": true},
            "n": {"type": "integer", "minimum": 1},
            "nested": {"type": "object", "properties": {"x": {"type": "boolean"}}},
        }});
        let text = br#"{"n": "sk_live_misplaced", "nested": {"x": 3}, "key": 5}"#;
        let failure = load(text, "config.json", &schema, None, &Redactor::default()).unwrap_err();
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
        register_secrets(&config, &Schemas::of(&schema), &redactor);
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
        register_secrets(&config, &Schemas::of(&schema), &redactor);
        assert_eq!(redactor.redact("s1 s2 s3 s4 o1"), "**** **** **** **** o1");
        register_secrets(&json!({"known": "o2"}), &Schemas::of(&json!({"properties": {"known": {}}})), &redactor);
        register_secrets(&json!({}), &Schemas::of(&json!({"$ref": "#"})), &redactor);
        assert_eq!(redactor.redact("o2"), "o2");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[1]", "{", "7"] {
            let schema = json!({"type": "object"});
            assert!(load(text.as_bytes(), "-", &schema, None, &Redactor::default()).is_err(), "{text}");
        }
    }
}
