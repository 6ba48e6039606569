//! From a file to a valid config: a JSON object whose values fit the specification, with every secret registered before
//! any message about it. `references` replaces environment variables, `schemas` finds the specification of each value,
//! `unknown` the unspecified settings, `dates` suggests notations of dates. `config_file` stores new credentials.

mod config_file;
mod dates;
mod references;
mod schemas;
mod unknown;

use serde_json::Value;

use crate::environment::Environment;
use crate::protocol::{Failure, Redactor};
use crate::source::Config;
pub(crate) use config_file::ConfigFile;
use references::place;
use schemas::Schemas;

/// How references to environment variables are handled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum References<'a> {
    /// They are replaced.
    From(&'a Environment),
    /// They are ordinary texts, because this variable is set, which indicates the platform.
    AsWrittenFor(&'a str),
    /// They are ordinary texts, because the user wants it so.
    AsWritten,
}

impl References<'_> {
    /// The message about a reference that is not replaced.
    fn note(self, place: &str) -> Option<String> {
        let (why, way_out) = match self {
            Self::From(_) => return None,
            Self::AsWrittenFor(sign) => (
                format!("{sign} is set, so this may be Airbyte's platform"),
                "--config-env on, or SOURCE_HTTP_CONFIG_ENV=on, replaces it.",
            ),
            Self::AsWritten => {
                ("--config-env, or SOURCE_HTTP_CONFIG_ENV, is off".to_owned(), "With on, it is replaced.")
            }
        };
        Some(format!(
            "The config's `{place}` is used literally, and not replaced from the environment: {why}. {way_out}"
        ))
    }
}

/// A source's change to a config before it is checked.
#[derive(Clone, Copy)]
pub(crate) struct Changes<'c> {
    /// See [`crate::Source::migrate_config`].
    pub(crate) migrate: &'c dyn Fn(Config) -> Result<Config, Failure>,
    /// See [`crate::Source::transform_config`].
    pub(crate) transform: &'c dyn Fn(Config) -> Result<Config, Failure>,
}

/// A valid config.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The config of this run.
    pub(crate) config: Config,
    /// The config for later runs, if the source has migrated it. References stay as written.
    pub(crate) kept: Option<Config>,
}

/// Reads a config, lets the source change it, and validates it. `from` names the file in errors. Without
/// `checks_formats`, `format` in the specification is not a rule.
///
/// # Errors
/// A config failure that names every wrong member. Values are not shown: they may be misplaced secrets.
pub(crate) fn load(
    text: &[u8],
    from: &str,
    specification: &Value,
    checks_formats: bool,
    references: References<'_>,
    redactor: &Redactor,
    changes: Changes<'_>,
) -> Result<Loaded, Failure> {
    if text.trim_ascii().is_empty() {
        return Err(Failure::config(format!(
            "{from} is empty, and should have the config: a JSON object. Run spec to see what is expected. If another \
             program writes it, wait until that is done."
        )));
    }
    let mut config: Value = serde_json::from_slice(text).map_err(|error| {
        Failure::config(format!("The config in {from} is not valid JSON: {error}. Correct it there."))
    })?;
    let written = config.clone();
    let mut reserved = take_reserved(&mut config);
    let schemas = Schemas::of(specification);
    if let References::From(environment) = references {
        references::resolve(&mut config, &schemas, environment, redactor).map_err(|problems| {
            Failure::config(format!(
                "The config in {from} refers to environment variables that cannot be used: {}. Set the variables or correct \
                 their names; write `$${{` for a literal `${{`.",
                problems.join("; ")
            ))
        })?;
    }
    register_secrets(&config, &schemas, redactor);
    let mut kept = None;
    if let (Value::Object(members), Value::Object(written)) = (&mut config, written) {
        members.append(&mut reserved);
        let resolved = std::mem::take(members);
        let is_as_written = resolved == written;
        let migrated = (changes.migrate)(resolved)?;
        // The stored config keeps its references as written.
        let of_written = if is_as_written { migrated.clone() } else { (changes.migrate)(written.clone())? };
        kept = Some(of_written).filter(|of_written| *of_written != written);
        *members = (changes.transform)(migrated)?;
        reserved = take_reserved(&mut config);
        // Settings may have moved.
        register_secrets(&config, &schemas, redactor);
    }
    let mut settings = Vec::new();
    list_texts(&config, "", &mut settings);
    redactor.note_settings(settings);
    let mut options = jsonschema::options();
    if !checks_formats {
        options = options.should_validate_formats(false);
    }
    let validator = options
        .build(specification)
        .map_err(|error| Failure::system(format!("The source's specification is not a valid JSON Schema: {error}.")))?;
    let mut problems: Vec<String> = Vec::new();
    let mut reference = None;
    for error in validator.iter_errors(&config) {
        let pointer = error.instance_path().to_string();
        reference = reference.or_else(|| references::is_at(&config, &pointer).then(|| place(&pointer)));
        let problem = describe(&error, &config, &schemas, &validator);
        // A date with a pattern and a format violates both.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    if !problems.is_empty() {
        let unknown = unknown::unknown_settings(&config, &schemas);
        let unknown = unknown.map(|names| format!(" The specification does not know {names}.")).unwrap_or_default();
        let note =
            reference.and_then(|place| references.note(&place)).map(|note| format!(" {note}")).unwrap_or_default();
        return Err(Failure::config(format!(
            "The config in {from} does not fit the specification: {}.{unknown}{note} Run spec to see what is expected.",
            problems.join("; ")
        )));
    }
    match config {
        Value::Object(mut config) => {
            config.extend(reserved);
            Ok(Loaded { config, kept })
        }
        _ => Err(Failure::config(format!("The config in {from} is not a JSON object. Correct it there."))),
    }
}

/// A warning about settings that the specification does not know, if there are any.
pub(crate) fn unknown_settings(config: &Config, from: &str, specification: &Value) -> Option<String> {
    let mut config = Value::Object(config.clone());
    take_reserved(&mut config);
    let names = unknown::unknown_settings(&config, &Schemas::of(specification))?;
    Some(format!(
        "The config in {from} has settings that the specification does not know, and they may have no effect: {names}. Run \
         spec to see what is expected."
    ))
}

/// A warning about a value that looks like a reference to an environment variable and is not replaced, if there is one.
pub(crate) fn unused_reference(config: &Config, references: References<'_>) -> Option<String> {
    let place = references::first_place(&Value::Object(config.clone()))?;
    references.note(&place)
}

/// The place of a reference to an environment variable that will be replaced, if there is one.
pub(crate) fn replaced_reference(config: &Config, references: References<'_>) -> Option<String> {
    let References::From(_) = references else { return None };
    references::first_place(&Value::Object(config.clone()))
}

/// Removes the members for the program that runs the source, not for the source: those whose names begin with two
/// underscores, as in Airbyte's runtime.
fn take_reserved(config: &mut Value) -> Config {
    let Value::Object(members) = config else { return Config::new() };
    let names: Vec<String> = members.keys().filter(|name| name.starts_with("__")).cloned().collect();
    names.into_iter().filter_map(|name| members.remove_entry(&name)).collect()
}

fn describe(
    error: &jsonschema::ValidationError<'_>,
    config: &Value,
    schemas: &Schemas<'_>,
    validator: &jsonschema::Validator,
) -> String {
    let pointer = error.instance_path().to_string();
    let place = place(&pointer);
    let date = dates::is_about_a_date(error).then(|| {
        let fits = |text: &str| {
            let mut config = config.clone();
            config.pointer_mut(&pointer).is_some_and(|value| {
                *value = text.into();
                true
            }) && validator.iter_errors(&config).all(|error| error.instance_path().to_string() != pointer)
        };
        dates::how_to_write(config.pointer(&pointer)?, &schemas.at(&pointer), &fits)
    });
    let problem = date.flatten().unwrap_or_else(|| error.masked_with("the value").to_string());
    if place.is_empty() { problem } else { format!("`{place}`: {problem}") }
}

/// Registers the values that the specification marks as secret, anywhere: in nested objects, lists and alternatives.
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
        Value::Number(number) => texts.push((place.to_owned(), number.to_string())),
        Value::Null | Value::Bool(_) => {}
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

    /// A config that no source changes.
    fn load(
        text: &[u8],
        from: &str,
        specification: &Value,
        checks_formats: bool,
        references: References<'_>,
        redactor: &Redactor,
    ) -> Result<Config, Failure> {
        let changes = Changes { migrate: &Ok, transform: &Ok };
        super::load(text, from, specification, checks_formats, references, redactor, changes)
            .map(|loaded| loaded.config)
    }

    #[test]
    fn a_reference_is_replaced_before_the_config_is_validated_and_its_secret_is_known() {
        let schema = json!({"type": "object", "required": ["key", "n"], "properties": {
            "key": {"type": "string", "airbyte_secret": true, "minLength": 4},
            "n": {"type": "integer"},
        }});
        let environment = Environment::from_vars([("KEY", "k3y-0123"), ("N", "7")]);
        let redactor = Redactor::default();
        let text = br#"{"key": "${KEY}", "n": "${N}"}"#;
        let config = load(text, "c", &schema, true, References::From(&environment), &redactor).unwrap();
        assert_eq!((config["key"].as_str(), config["n"].as_i64()), (Some("k3y-0123"), Some(7)));
        assert_eq!(redactor.redact("k3y-0123"), "****");
        for (references, note) in [
            (
                References::AsWrittenFor("WORKER_X"),
                "WORKER_X is set, so this may be Airbyte's platform. --config-env on, or SOURCE_HTTP_CONFIG_ENV=on, \
                 replaces",
            ),
            (References::AsWritten, "--config-env, or SOURCE_HTTP_CONFIG_ENV, is off. With on, it is replaced"),
        ] {
            let message = load(text, "c", &schema, true, references, &redactor).unwrap_err().message;
            let note = format!("The config's `n` is used literally, and not replaced from the environment: {note}");
            assert!(message.contains("`n`: the value is not of type") && message.contains(&note), "{message}");
            let other =
                load(br#"{"key": "${K}", "n": "7"}"#, "c", &schema, true, references, &redactor).unwrap_err().message;
            assert!(!other.contains("environment"), "{other}");
        }

        let wrong = Environment::from_vars([("KEY", "k"), ("N", "seven")]);
        let message = load(text, "c", &schema, true, References::From(&wrong), &redactor).unwrap_err().message;
        assert!(message.contains("`key`") && message.contains("`n`") && !message.contains("seven"), "{message}");
    }

    #[test]
    fn every_violation_is_in_one_message_without_values() {
        let schema = json!({"type": "object", "required": ["key", "id"], "properties": {
            "key": {"type": "string", "airbyte_secret": true},
            "n": {"type": "integer", "minimum": 1},
            "nested": {"type": "object", "properties": {"x": {"type": "boolean"}}},
        }});
        let text = br#"{"n": "sk_live_misplaced", "nested": {"x": 3}, "key": 5}"#;
        let failure =
            load(text, "config.json", &schema, true, References::AsWritten, &Redactor::default()).unwrap_err();
        assert_eq!(
            failure.message,
            "The config in config.json does not fit the specification: \"id\" is a required property; \
             `n`: the value is not of type \"integer\"; `nested.x`: the value is not of type \"boolean\"; \
             `key`: the value is not of type \"string\". Run spec to see what is expected."
        );
    }

    #[test]
    fn a_wrong_date_is_answered_with_the_notation_that_the_specification_accepts() {
        let utc = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$";
        for (schema, value, expected) in [
            (json!({"format": "date-time", "pattern": utc}), "2024-01-31", "write 2024-01-31T00:00:00Z"),
            (json!({"pattern": utc}), "2024-01-31T10:00:00+02:00", "write 2024-01-31T08:00:00Z"),
            (json!({"format": "date-time"}), "2024-01-31 10:00", "write 2024-01-31T10:00:00Z"),
            (json!({"format": "date"}), "2024-01-31T10:00:00Z", "write 2024-01-31"),
            (
                json!({"pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$"}),
                "2024/1/31",
                "write 2024-01-31T00:00:00.000Z",
            ),
            (json!({"pattern": "^$|^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}), "s3cret", "write it like 2024-01-01"),
            (
                json!({"pattern": utc, "examples": ["2017-01-25T00:00:00Z"]}),
                "s3cret",
                "write it like 2017-01-25T00:00:00Z",
            ),
            (json!({"pattern": utc, "airbyte_secret": true}), "2024-01-31", "write it like 2024-01-01T00:00:00Z"),
        ] {
            // Later drafts do not check formats.
            let draft = "http://json-schema.org/draft-07/schema#";
            let schema = json!({"$schema": draft, "properties": {"a": {"properties": {"start_date": schema}}}});
            let config = json!({"a": {"start_date": value}}).to_string();
            let message = load(config.as_bytes(), "c", &schema, true, References::AsWritten, &Redactor::default())
                .unwrap_err()
                .message;
            let expected = format!("The config in c does not fit the specification: `a.start_date`: {expected}. Run");
            assert!(message.starts_with(&expected), "{schema}: {message}");
        }
        let draft = "http://json-schema.org/draft-07/schema#";
        let schema = json!({"$schema": draft, "properties": {"start_date": {"format": "date-time"}}});
        let date = br#"{"start_date": "2024-01-31"}"#;
        assert!(load(date, "c", &schema, true, References::AsWritten, &Redactor::default()).is_err());
        assert!(
            load(date, "c", &schema, false, References::AsWritten, &Redactor::default()).is_ok(),
            "formats are not a rule for this source"
        );
        let schema = json!({"properties": {"key": {"pattern": "^[a-z]{4}-[0-9]+$"}}});
        let message = load(br#"{"key": "s3cret"}"#, "c", &schema, true, References::AsWritten, &Redactor::default())
            .unwrap_err()
            .message;
        assert!(message.contains("`key`: the value does not match") && !message.contains("s3cret"), "{message}");
    }

    #[test]
    fn a_required_setting_with_a_mistyped_name_is_named() {
        let schema =
            json!({"required": ["start_date"], "additionalProperties": false, "properties": {"start_date": {}}});
        let message = load(br#"{"star_date": 1}"#, "c", &schema, true, References::AsWritten, &Redactor::default())
            .unwrap_err()
            .message;
        let expected = "The specification does not know `star_date` (did you mean `start_date`?).";
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn an_empty_file_is_called_empty() {
        for text in ["", " \n"] {
            let failure =
                load(text.as_bytes(), "config.json", &json!({}), true, References::AsWritten, &Redactor::default())
                    .unwrap_err();
            assert!(failure.message.starts_with("config.json is empty, "), "{failure}");
        }
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
    fn a_config_other_than_an_object_is_refused() {
        for text in ["", "[1]", "{", "7"] {
            let schema = json!({"type": "object"});
            assert!(
                load(text.as_bytes(), "-", &schema, true, References::AsWritten, &Redactor::default()).is_err(),
                "{text}"
            );
        }
    }
}
