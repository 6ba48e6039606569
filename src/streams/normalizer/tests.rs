use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn normalizer(properties: &Value) -> Normalizer {
    let schema = json!({"type": "object", "properties": properties});
    Normalizer::new(schema.as_object().unwrap())
}

/// The converted text of a value as a field of that schema, and whether there is a warning.
fn field(schema: &Value, value: &str) -> (String, bool) {
    let normalizer = normalizer(&json!({ "f": schema }));
    let record = format!(r#"{{"f":{value}}}"#);
    let text = normalizer.normalize(Record::from_text(&record)).into_owned();
    (text.field("f").unwrap().to_owned(), !normalizer.take_warnings().is_empty())
}

fn assert_converts(schema: &Value, table: &[(&str, &str)]) {
    for (before, after) in table {
        assert_eq!(field(schema, before), ((*after).to_owned(), false), "{before} as {schema}");
    }
}

fn assert_kept_and_warned(schema: &Value, values: &[&str]) {
    for value in values {
        assert_eq!(field(schema, value), ((*value).to_owned(), true), "{value} as {schema}");
    }
}

#[test]
fn anything_becomes_a_string_as_json_writes_it_and_null_stays() {
    for schema in [json!({"type": "string"}), json!({"type": ["null", "string"]})] {
        assert_converts(
            &schema,
            &[
                ("null", "null"),
                (r#""a\u0062""#, r#""a\u0062""#),
                ("1.10", r#""1.10""#),
                ("true", r#""true""#),
                (r#"{"a": "x\n", "b": null}"#, r#""{\"a\": \"x\\n\", \"b\": null}""#),
                ("[1,\n 2]", r#""[1,2]""#),
            ],
        );
    }
}

#[test]
fn texts_of_numbers_become_numbers() {
    let schema = json!({"type": ["null", "number"]});
    assert_converts(&schema, &[(r#""1.50""#, "1.50"), (r#"" -2e3 ""#, "-2e3"), ("1.0", "1.0"), ("null", "null")]);
    assert_kept_and_warned(
        &schema,
        &[r#""""#, r#""x""#, r#""1,5""#, r#""007""#, r#""NaN""#, "true", "[1]", r#""[1]""#],
    );
}

#[test]
fn whole_numbers_become_integers_and_others_are_kept() {
    for schema in [
        json!({"type": "integer"}),
        json!({"type": ["integer", "null"]}),
        json!({"type": "number", "airbyte_type": "integer"}),
    ] {
        assert_converts(&schema, &[("7", "7"), ("1.0", "1"), (r#""1""#, "1"), (r#""1.0""#, "1"), ("1e2", "100")]);
        assert_kept_and_warned(&schema, &["1.9", r#""1.9""#, r#""""#, "false", "{}"]);
    }
}

#[test]
fn the_usual_words_become_booleans() {
    let schema = json!({"type": "boolean"});
    assert_converts(&schema, &[("true", "true"), ("1", "true"), ("0", "false"), ("null", "null")]);
    for (words, boolean) in
        [(["y", "Yes", "T", "TRUE", "on", "1"], "true"), (["n", "NO", "f", "False", "off", "0"], "false")]
    {
        for word in words {
            assert_converts(&schema, &[(&format!("{word:?}"), boolean)]);
        }
    }
    assert_kept_and_warned(&schema, &[r#""maybe""#, r#""""#, "2", "[]"]);
}

#[test]
fn a_scalar_becomes_a_list_of_it_if_it_is_a_valid_element() {
    assert_converts(&json!({"type": "array"}), &[("1.10", "[1.10]"), ("[ 1 ]", "[ 1 ]"), ("null", "null")]);
    let of_integers = json!({"type": "array", "items": {"type": "integer"}});
    assert_converts(&of_integers, &[(r#""5""#, "[5]"), (r#"[1, "2", null]"#, "[1, 2, null]")]);
    assert_kept_and_warned(&of_integers, &[r#""x""#, "{}"]);
    assert_kept_and_warned(&json!({"type": "array", "items": {"type": "object"}}), &["1"]);
}

#[test]
fn members_and_elements_are_converted_at_any_depth_and_the_rest_stays_unchanged() {
    let normalizer = normalizer(&json!({
        "a": {"type": "object", "properties": {"n": {"type": "number"}}},
        "l": {"type": "array", "items": {"properties": {"s": {"type": ["string", "null"]}}}},
    }));
    let record =
        r#"{ "x": 1e400, "a": {"n": "2.50", "m": "3"}, "l": [{"s": 1 }, {"s": null}, 7], "\u0061": {"n":"1"} }"#;
    let expected =
        r#"{ "x": 1e400, "a": {"n": 2.50, "m": "3"}, "l": [{"s": "1" }, {"s": null}, 7], "\u0061": {"n":1} }"#;
    assert_eq!(normalizer.normalize(Record::from_text(record)).text(), expected);
    assert_eq!(normalizer.take_warnings(), [""; 0]);
}

#[test]
fn several_types_and_alternatives_stay_unchanged() {
    for schema in [
        json!({"type": ["string", "integer"]}),
        json!({"anyOf": [{"type": "string"}]}),
        json!({"$ref": "WellKnownTypes.json#/definitions/String"}),
        json!({"type": "null"}),
        json!({}),
        json!(true),
    ] {
        for value in ["1.0", r#""1""#, "{}"] {
            assert_eq!(field(&schema, value), (value.to_owned(), false), "{value} as {schema}");
        }
    }
}

#[test]
fn a_field_causes_one_warning_with_its_path() {
    let normalizer = normalizer(&json!({
        "a": {"type": "array", "items": {"properties": {"n": {"type": "integer"}}}},
        "b": {"type": "object", "properties": {"n": {"type": "integer"}}},
    }));
    for _ in 0..3 {
        let record = Record::from_text(r#"{"a":[{"n":1.9},{"n":"x"}],"b":"s"}"#);
        assert_eq!(normalizer.normalize(record.clone()), record);
    }
    let warnings = normalizer.take_warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("`a[].n` is a number that cannot be converted to an integer"), "{warnings:?}");
    assert!(warnings[1].starts_with("`b` is a string that cannot be converted to an object"), "{warnings:?}");
    assert_eq!(normalizer.take_warnings(), [""; 0]);
}

fn digits() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?"
}

proptest! {
    #[test]
    fn numbers_keep_every_digit(number in digits(), quoted in any::<bool>(), other in digits()) {
        let normalizer = normalizer(&json!({"n": {"type": "number"}, "s": {"type": "string"}, "o": {}}));
        let n = if quoted { format!("\"{number}\"") } else { number.clone() };
        let record = format!(r#"{{"n": {n}, "s": {other}, "o": {other}, "u": [{other}]}}"#);
        let expected = format!(r#"{{"n": {number}, "s": "{other}", "o": {other}, "u": [{other}]}}"#);
        let normalized = normalizer.normalize(Record::from_text(record.as_str()));
        prop_assert_eq!(&*normalized.text(), &expected);
        prop_assert!(normalizer.take_warnings().is_empty());
    }

    #[test]
    fn what_was_normalized_is_valid_json_and_stays_as_it_is(
        value in "[\\[{]?(\"[a-z0-9. ]{0,5}\"|-?[1-9][0-9]{0,3}(\\.[0-9]{1,3})?|true|null)[\\]}]?",
        target in prop::sample::select(vec!["string", "number", "integer", "boolean", "array", "object"]),
    ) {
        prop_assume!(serde_json::from_str::<Value>(&value).is_ok());
        let schema = json!({"type": target, "items": {"type": "integer"}});
        let (once, warned) = field(&schema, &value);
        prop_assert!(serde_json::from_str::<Value>(&once).is_ok(), "{once}");
        prop_assert_eq!(field(&schema, &once), (once, warned));
    }
}
