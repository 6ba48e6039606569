use serde_json::json;

use super::*;

fn normalized(properties: &Value, record: &str) -> (String, Vec<String>) {
    let schema = json!({"type": "object", "properties": properties});
    let types = PythonTypes::new(schema.as_object().unwrap()).unwrap();
    let text = types.normalize(Record::from_text(record.to_owned())).text().into_owned();
    (text, types.take_warnings())
}

/// The value cast to a type, null allowed, and whether a warning says that it does not fit.
fn cast(name: &str, value: &str) -> (String, bool) {
    let (text, warnings) = normalized(&json!({"v": {"type": ["null", name]}}), &format!("{{\"v\":{value}}}"));
    (text[5..text.len() - 1].to_owned(), !warnings.is_empty())
}

#[test]
fn values_are_cast_as_python_does() {
    for (name, value, after) in [
        ("string", "1.50", "\"1.5\""),
        ("string", "1e21", "\"1e+21\""),
        ("string", "true", "\"True\""),
        ("string", r#"{"x":null,"y":[1,"q"]}"#, r#""{'x': None, 'y': [1, 'q']}""#),
        ("string", "12345678901234567890123", "\"12345678901234567890123\""),
        ("string", "null", "null"),
        ("number", "1", "1.0"),
        ("number", "1.50", "1.50"),
        ("number", "true", "1.0"),
        ("number", "\" 7 \"", "7.0"),
        ("number", "\"1e3\"", "1e3"),
        ("number", "\"1_0.5\"", "10.5"),
        ("number", "\"nan\"", "null"),
        ("integer", "1.9", "1"),
        ("integer", "-1.9", "-1"),
        ("integer", "-0.5", "0"),
        ("integer", "15e-1", "1"),
        ("integer", "true", "1"),
        ("integer", "\"1_000\"", "1000"),
        ("integer", "\"12345678901234567890123\"", "12345678901234567890123"),
        ("boolean", "\"Yes\"", "true"),
        ("boolean", "\" TRUE \"", "true"),
        ("boolean", "\"off\"", "false"),
        ("boolean", "2.5", "true"),
        ("boolean", "[]", "false"),
        ("array", "5", "[5]"),
    ] {
        assert_eq!(cast(name, value), (after.to_owned(), false), "{name} of {value}");
    }
}

#[test]
fn a_value_that_cannot_be_cast_stays_and_is_reported_once() {
    for (name, value) in [
        ("number", "\"x\""),
        ("number", "\"\""),
        ("integer", "\"1.9\""),
        ("integer", "\"0x10\""),
        ("boolean", "\"maybe\""),
        ("object", "\"x\""),
        ("number", "{}"),
    ] {
        assert_eq!(cast(name, value), (value.to_owned(), true), "{name} of {value}");
    }
    let types = json!({"properties": {"v": {"type": "number"}}});
    let types = PythonTypes::new(types.as_object().unwrap()).unwrap();
    for _ in 0..2 {
        types.normalize(Record::from_text(r#"{"v":"secret"}"#));
    }
    assert_eq!(
        types.take_warnings(),
        ["`v` is a text where the schema wants number. It stays as it is, here and in later records."]
    );
}

#[test]
fn lists_and_objects_are_traversed() {
    let properties = json!({
        "a": {"type": "array", "items": {"type": ["null", "string"]}},
        "b": {"type": "array", "items": {"type": "string"}},
        "d": {"type": "array", "items": {"type": ["integer"]}},
        "f": {"type": "array", "items": {"type": ["string"]}},
        "o": {"type": "object", "properties": {"n": {"type": "integer"}, "l": {"type": "array", "items": {"properties": {"k": {"type": "string"}}}}}}
    });
    let record = r#"{"a":"x","b":"x","d":["1","2"],"f":[1,null],"o":{"n":"5","l":[{"k":1}]},"z":"1"}"#;
    let (text, warnings) = normalized(&properties, record);
    assert_eq!(text, r#"{"a":["x"],"b":"x","d":[1,2],"f":["1","None"],"o":{"n":5,"l":[{"k":"1"}]},"z":"1"}"#);
    assert_eq!(warnings.len(), 1);
}

#[test]
fn values_that_the_schema_does_not_type_stay() {
    let properties =
        json!({"a": {"type": ["string", "integer", "null"]}, "b": {}, "c": {"oneOf": [{"type": "integer"}]}});
    let record = r#"{"a":1, "b":"1", "c":"1"}"#;
    assert_eq!(normalized(&properties, record), (record.to_owned(), Vec::new()));
    assert!(PythonTypes::new(&Map::new()).is_none());
}
