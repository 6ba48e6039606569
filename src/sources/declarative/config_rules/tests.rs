//! Configs before and after the rules of a manifest.

use serde_json::json;

use super::super::manifest::{propagate, resolve, yaml};
use super::*;
use crate::clock::VirtualClock;

/// The config after these rules, or their failure.
fn with(rules: &str, config: &Value, run: impl FnOnce(&ConfigRules<'_>, Config) -> Result<Value, Failure>) -> Value {
    let snippet = format!("spec: {{config_normalization_rules: {rules}}}");
    let mut faults = Faults::new("m.yaml");
    let node = propagate(&resolve(&yaml(&snippet, &mut faults).unwrap(), &mut faults), false, &mut faults);
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at(0));
    let config = config.as_object().cloned().unwrap();
    let result = with_rules(&node, "m.yaml", &clock, &Redactor::default(), |rules| run(rules, config.clone())).unwrap();
    result.unwrap_or_else(|failure| failure.message.into())
}

fn changed(transformation: &str, config: &Value) -> Value {
    let rules = format!("{{transformations: [{transformation}]}}");
    with(&rules, config, |rules, config| rules.transformed(config).map(Value::Object))
}

fn problems(validation: &str, config: &Value) -> Value {
    with(&format!("{{validations: [{validation}]}}"), config, |rules, config| {
        rules.validated(&config).map(|()| Value::Null)
    })
}

#[test]
fn fields_are_added_one_after_the_other() {
    let add = |fields: &str, more: &str| format!("{{type: ConfigAddFields, fields: [{fields}]{more}}}");
    let field = |path: &str, value: &str| format!("{{path: {path}, value: \"{value}\"}}");
    let two = format!("{}, {}", field("[a, b]", "{{ config.x }}"), field("[c]", "{{ config.a.b }}!"));
    assert_eq!(changed(&add(&two, ""), &json!({"x": "v"})), json!({"x": "v", "a": {"b": "v"}, "c": "v!"}));
    let typed = "{path: [n], value: \"{{ config.x }}\", value_type: string}, {path: [m], value: \"{{ config.x }}\"}";
    assert_eq!(changed(&add(typed, ""), &json!({"x": "7"})), json!({"x": "7", "n": "7", "m": 7}));
    let missing = changed(&add(&field("[c]", "{{ config.nope }}"), ""), &json!({"x": 1}));
    assert_eq!(missing, json!({"x": 1, "c": ""}));
    let list = changed(&add(&field("[l, '0']", "v"), ""), &json!({}));
    assert_eq!(list, json!({"l": ["v"]}));
    let only = add(&field("[c]", "v"), ", condition: \"{{ value == 'v' and 'x' not in config }}\"");
    assert_eq!(changed(&only, &json!({"y": 1})), json!({"y": 1, "c": "v"}));
    assert_eq!(changed(&only, &json!({"x": 1})), json!({"x": 1}));
    let through = changed(&add(&field("[x, y]", "v"), ""), &json!({"x": "secret"}));
    let text = through.as_str().unwrap();
    assert!(text.contains("cannot hold such a field") && !text.contains("secret"), "{text}");
}

#[test]
fn fields_are_removed_and_mapped() {
    let remove = "{type: ConfigRemoveFields, field_pointers: [[a, b], ['**', old], [l, '0']]}";
    let before = json!({"a": {"b": 1, "c": 2}, "x": {"old": 1}, "l": [1, 2], "old": 3});
    assert_eq!(changed(remove, &before), json!({"a": {"c": 2}, "x": {}, "l": [null, 2]}));
    let only = "{type: ConfigRemoveFields, field_pointers: [[a]], condition: '{{ config.a == 1 }}'}";
    assert_eq!(changed(only, &json!({"a": 1})), json!({}));
    assert_eq!(changed(only, &json!({"a": 2})), json!({"a": 2}));
    let map = "{type: ConfigRemapField, field_path: [r, \"{{ 'where' }}\"], map: {eu: Europe, us: '1', n: {k: 1}}}";
    for (value, expected) in [
        (json!("eu"), json!("Europe")),
        (json!("us"), json!(1)),
        (json!("n"), json!({"k": 1})),
        (json!("other"), json!("other")),
        (json!(["eu"]), json!(["eu"])),
        (json!(null), json!(null)),
    ] {
        assert_eq!(changed(map, &json!({"r": {"where": value}})), json!({"r": {"where": expected}}));
    }
    assert_eq!(changed(map, &json!({"r": "eu"})), json!({"r": "eu"}));
    let custom = changed("{type: CustomConfigTransformation, class_name: a.B}", &json!({"x": 1}));
    assert!(custom.as_str().unwrap().contains("does not run here yet"), "{custom}");
}

#[test]
fn migrations_and_transformations_are_distinguished() {
    let rules = "{config_migrations: [{type: ConfigMigration, transformations: [{type: ConfigAddFields, fields: [{path: [a], value: \
                 '1'}]}]}], transformations: [{type: ConfigAddFields, fields: [{path: [b], value: '{{ config.a }}'}]}]}";
    let migrated = with(rules, &json!({}), |rules, config| rules.migrated(config).map(Value::Object));
    assert_eq!(migrated, json!({"a": 1}));
    let both = with(rules, &json!({}), |rules, config| rules.transformed(rules.migrated(config)?).map(Value::Object));
    assert_eq!(both, json!({"a": 1, "b": 1}));
}

#[test]
fn a_failed_validation_names_the_setting_and_no_value() {
    let strategy =
        |schema: &str| format!("validation_strategy: {{type: ValidateAdheresToSchema, base_schema: {schema}}}");
    let at = |path: &str, schema: &str| format!("{{type: DpathValidator, field_path: {path}, {}}}", strategy(schema));
    let number = at("[n]", "{type: integer}");
    assert_eq!(problems(&number, &json!({"n": 5})), Value::Null);
    assert_eq!(problems(&number, &json!({"n": "5"})), Value::Null, "a JSON text is parsed");
    assert_eq!(problems(&number, &json!({})), Value::Null, "a missing setting passes");
    let wrong = problems(&number, &json!({"n": "secret"}));
    let text = wrong.as_str().unwrap();
    assert!(text.contains("`n`: the value is not of type \"integer\"") && !text.contains("secret"), "{text}");
    let text_field = at("[t]", "{type: string, pattern: '^[a-z]+$'}");
    assert_eq!(problems(&text_field, &json!({"t": "hello"})), Value::Null);
    assert!(problems(&text_field, &json!({"t": "HELLO"})).is_string());
    let each = at("[l, '*', id]", "'{\"type\": \"integer\"}'");
    assert_eq!(problems(&each, &json!({"l": [{"id": 1}, {"id": 2}]})), Value::Null);
    assert!(problems(&each, &json!({"l": [{"id": 1}, {"id": []}]})).is_string());
    let predicate =
        |value: &str, schema: &str| format!("{{type: PredicateValidator, value: {value}, {}}}", strategy(schema));
    assert_eq!(problems(&predicate("'{{ config.n > 3 }}'", "{const: true}"), &json!({"n": 5})), Value::Null);
    assert!(problems(&predicate("'{{ config.n > 3 }}'", "{const: true}"), &json!({"n": 1})).is_string());
    assert!(problems(&at("[n]", "{type: nonsense}"), &json!({"n": 1})).as_str().unwrap().contains("not a JSON Schema"));
}
