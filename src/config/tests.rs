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
    super::load(text, from, specification, checks_formats, references, redactor, changes).map(|loaded| loaded.config)
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
fn every_violation_is_told_in_one_message_without_values() {
    let schema = json!({"type": "object", "required": ["key", "id"], "properties": {
        "key": {"type": "string", "airbyte_secret": true},
        "n": {"type": "integer", "minimum": 1},
        "nested": {"type": "object", "properties": {"x": {"type": "boolean"}}},
    }});
    let text = br#"{"n": "sk_live_misplaced", "nested": {"x": 3}, "key": 5}"#;
    let failure = load(text, "config.json", &schema, true, References::AsWritten, &Redactor::default()).unwrap_err();
    assert_eq!(
        failure.message,
        "The config in config.json does not fit the specification: \"id\" is a required property; \
         `n`: the value is not of type \"integer\"; `nested.x`: the value is not of type \"boolean\"; \
         `key`: the value is not of type \"string\". Run spec to see what is expected."
    );
}

#[test]
fn a_date_is_told_how_to_be_written_as_the_specification_takes_it() {
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
        (json!({"pattern": utc, "examples": ["2017-01-25T00:00:00Z"]}), "s3cret", "write it like 2017-01-25T00:00:00Z"),
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
        "formats are no rule for this source"
    );
    let schema = json!({"properties": {"key": {"pattern": "^[a-z]{4}-[0-9]+$"}}});
    let message = load(br#"{"key": "s3cret"}"#, "c", &schema, true, References::AsWritten, &Redactor::default())
        .unwrap_err()
        .message;
    assert!(message.contains("`key`: the value does not match") && !message.contains("s3cret"), "{message}");
}

#[test]
fn a_required_setting_with_a_mistyped_name_is_told_which_one_that_is() {
    let schema = json!({"required": ["start_date"], "additionalProperties": false, "properties": {"start_date": {}}});
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
fn what_is_no_object_is_refused() {
    for text in ["", "[1]", "{", "7"] {
        let schema = json!({"type": "object"});
        assert!(
            load(text.as_bytes(), "-", &schema, true, References::AsWritten, &Redactor::default()).is_err(),
            "{text}"
        );
    }
}
