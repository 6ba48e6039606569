use super::super::template::Json;
use super::super::testing::build;
use super::*;

/// The result of a list of transformations, as YAML, for a record; the slice is `{"site": "u"}`.
fn changed(transformations: &str, record: &str) -> Result<String, String> {
    let (changed, warnings) = changed_and_told(transformations, record)?;
    assert_eq!(warnings, [""; 0]);
    Ok(changed)
}

fn changed_and_told(transformations: &str, record: &str) -> Result<(String, Vec<String>), String> {
    let config = serde_json::json!({"k": "v", "n": 5});
    let transforms = build(transformations, config, |builder, list| {
        list.items().map(|part| Transform::build(builder, &part)).collect::<Vec<_>>()
    })?;
    let partition = serde_json::json!({"site": "u"});
    let none = serde_json::json!({});
    let slice = Variable::Slice {
        partition: Json::Tree(&partition),
        cursor_slice: Json::Tree(&none),
        extra_fields: Json::Tree(&none),
        answers: &[],
    };
    let mut record = Record::from_text(record.to_owned());
    let warnings = Warnings::default();
    for transform in transforms {
        transform.unwrap().apply(&mut record, slice, &warnings).map_err(|failure| failure.to_string())?;
    }
    Ok((record.text().into_owned(), warnings.take()))
}

fn add(path: &str, value: &str) -> String {
    format!("- {{type: AddFields, fields: [{{path: {path}, value: \"{value}\"}}]}}")
}

#[test]
fn added_values_are_literals_and_the_rest_of_the_record_keeps_its_digits() {
    for (value, json) in [
        ("42", "42"),
        ("1.10", "1.1"),
        ("True", "true"),
        ("true", "\"true\""),
        ("None", "null"),
        ("['a', 1]", "[\"a\",1]"),
        ("1,2", "[1,2]"),
        ("007", "\"007\""),
        ("1e999", "null"),
        ("{{ record.zip }}", "12345"),
        ("{{ record.missing }}", "\"\""),
        ("{{ stream_slice.site }}-{{ config['k'] }}", "\"u-v\""),
        ("{{ stream_partition['site'] }}", "\"u\""),
    ] {
        let after = changed(&add("[x]", value), r#"{"zip":"12345", "big":1e400}"#);
        assert_eq!(after, Ok(format!(r#"{{"zip":"12345", "big":1e400,"x":{json}}}"#)), "{value}");
    }
}

#[test]
fn a_value_has_the_wanted_type_or_stays_text() {
    for (value, value_type, json) in [
        ("1", "number", "\"1\""),
        ("1.5", "number", "1.5"),
        ("1.5", "integer", "\"1.5\""),
        ("True", "integer", "true"),
        ("1", "boolean", "\"1\""),
        ("12", "string", "\"12\""),
    ] {
        let field =
            format!("- {{type: AddFields, fields: [{{path: [x], value: '{value}', value_type: {value_type}}}]}}");
        assert_eq!(changed(&field, "{}"), Ok(format!(r#"{{"x":{json}}}"#)), "{value} {value_type}");
    }
}

#[test]
fn fields_are_added_in_order_at_any_path_if_the_condition_holds() {
    let both = "- {type: AddFields, fields: [{path: [a, b], value: '{{ record.id }}'}, {path: [c], value: '{{ record.a.b + 1 }}'}]}";
    assert_eq!(changed(both, r#"{"id":1}"#).unwrap(), r#"{"id":1,"a":{"b":1},"c":2}"#);
    let lists = format!("{}\n{}", add("[a, '0', c]", "1"), add("[n, '2']", "v"));
    assert_eq!(changed(&lists, r#"{"id":1}"#).unwrap(), r#"{"id":1,"a":[{"c":1}],"n":[null,null,"v"]}"#);
    let condition = "- {type: AddFields, condition: \"{{ value == 'x' and path == ['p'] and record.id }}\", fields: [{path: [p], value: x}, {path: [q], value: x}]}";
    assert_eq!(changed(condition, r#"{"id":1}"#).unwrap(), r#"{"id":1,"p":"x"}"#);
    assert_eq!(changed(condition, r#"{"id":0}"#).unwrap(), r#"{"id":0}"#);
    let failed = changed(&add("[a, b]", "1"), r#"{"a":"secret"}"#).unwrap_err();
    assert!(failed.contains("[0].fields[0]") && !failed.contains("secret"), "{failed}");
}

#[test]
fn a_template_that_fails_is_an_error_and_never_the_value() {
    let failed = changed(&add("[x]", "{{ record.a > 1 }}"), r#"{"a":"secret"}"#).unwrap_err();
    assert!(failed.contains("[0].fields[0].value") && failed.contains("record.a > 1"), "{failed}");
    assert!(!failed.contains("secret"), "{failed}");
    let failed = changed(&add("[x]", "{{ record.a.b.c }}"), "{}").unwrap_err();
    assert!(failed.contains("fields[0].value"), "{failed}");
    let bytes = changed(&add("[x]", "b'x'"), "{}").unwrap_err();
    assert!(bytes.contains("bytes"), "{bytes}");
    assert!(changed(&add("[x]", "{{ recrod.a }}"), "{}").unwrap_err().contains("Did you mean"));
}

#[test]
fn fields_are_removed_at_their_pointers() {
    let remove = |pointers: &str| format!("- {{type: RemoveFields, field_pointers: {pointers}}}");
    for (pointers, record, after) in [
        ("[[a], [o, x], [none, y]]", r#"{"a":1,"o":{"x":1,"y":1.10}}"#, r#"{"o":{"y":1.10}}"#),
        ("[[l, '*', k]]", r#"{"l":[{"k":1},{"k":2,"m":3}]}"#, r#"{"l":[{},{"m":3}]}"#),
        ("[[o, '0']]", r#"{"o":{"0":1,"1":2}}"#, r#"{"o":{"1":2}}"#),
        ("[['x[1]'], ['y[[]1]']]", r#"{"x[1]":1,"y[1]":2}"#, r#"{"x[1]":1}"#),
        ("[['A']]", r#"{"a":1}"#, r#"{"a":1}"#),
    ] {
        assert_eq!(changed(&remove(pointers), record).unwrap(), after, "{pointers}");
    }
    let condition =
        "- {type: RemoveFields, field_pointers: [[a], [b], ['c*']], condition: \"{{ property == 'drop' }}\"}";
    let record = r#"{"a":"keep","b":"drop","c1":"drop","c2":1,"d":"drop"}"#;
    assert_eq!(changed(condition, record).unwrap(), r#"{"a":"keep","c2":1,"d":"drop"}"#, "both are honoured");
}

#[test]
fn members_are_renamed_and_the_last_of_two_counts() {
    assert_eq!(
        changed("- {type: KeysToLower}", r#"{"A":1,"b":{"C":1.10},"a":2}"#).unwrap(),
        r#"{"a":2,"b":{"C":1.10}}"#
    );
    assert_eq!(
        changed("- {type: KeysToSnakeCase}", r#"{"aB":1,"a_b":2,"Ob":{"X Y":1},"L":[{"X Y":1}]}"#).unwrap(),
        r#"{"a_b":2,"ob":{"x_y":1},"l":[{"X Y":1}]}"#
    );
    let replace = "- {type: KeysReplace, old: \"{{ config['n'] }}\", new: '-{{ record.id }}'}";
    assert_eq!(changed(replace, r#"{"id":7,"a5":{"5":1}}"#).unwrap(), r#"{"id":7,"a-7":{"-7":1}}"#);
}

#[test]
fn flattening_gives_later_fields_first_and_dots_where_names_meet() {
    let flat = |record| changed("- {type: FlattenFields}", record).unwrap();
    assert_eq!(flat(r#"{"a":{"id":1},"b":{"id":2},"id":3}"#), r#"{"id":3,"b.id":2,"a.id":1}"#);
    assert_eq!(flat(r#"{"l":[{"x":1.10},2],"e":{},"f":[]}"#), r#"{"l.1":2,"l.0.x":1.10}"#);
    let lists = "- {type: FlattenFields, flatten_lists: false}";
    assert_eq!(changed(lists, r#"{"l":[{"x":1}]}"#).unwrap(), r#"{"l":[{"x":1}]}"#);
}

#[test]
fn one_object_is_flattened_unless_names_meet() {
    let with = |options: &str| format!("- {{type: DpathFlattenFields, field_path: [o]{options}}}");
    let record = r#"{"id":1,"o":{"a":1,"b":{"c":2}}}"#;
    assert_eq!(changed(&with(""), record).unwrap(), r#"{"id":1,"o":{"a":1,"b":{"c":2}},"a":1,"b":{"c":2}}"#);
    assert_eq!(changed(&with(", delete_origin_value: true"), record).unwrap(), r#"{"id":1,"a":1,"b":{"c":2}}"#);
    assert_eq!(changed(&with(", replace_record: true"), record).unwrap(), r#"{"a":1,"b":{"c":2}}"#);
    let keys = ", replace_record: true, key_transformation: {type: KeyTransformation, prefix: 'p_', suffix: _s}";
    assert_eq!(changed(&with(keys), record).unwrap(), r#"{"p_a_s":1,"p_b_s":{"c":2}}"#);
    let (same, told) = changed_and_told(&with(", delete_origin_value: true"), r#"{"a":0,"o":{"a":1}}"#).unwrap();
    assert_eq!(same, r#"{"a":0,"o":{"a":1}}"#);
    assert!(told[0].contains("`a`"), "{told:?}");
    assert_eq!(changed(&with(""), r#"{"o":[1]}"#).unwrap(), r#"{"o":[1]}"#);
}

#[test]
fn other_transformations_are_refused_by_name() {
    assert!(
        changed("- {type: CustomTransformation, class_name: a.B}", "{}").unwrap_err().contains("CustomTransformation")
    );
}
