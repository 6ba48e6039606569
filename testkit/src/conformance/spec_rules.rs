//! The rules for a specification. The platform makes a form of it, which supports only parts of JSON Schema, and stores
//! marked secrets separately.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::alternatives;
use super::oauth_paths;
use super::rule::Rule;
use super::schema_nodes::{Node, nodes};

/// Rules for the answer to `spec`.
pub const SPEC_RULES: &[Rule<Value>] = &[
    Rule::new("the_specification_is_a_json_schema_of_an_object", schema_of_an_object),
    Rule::new("enum_values_are_distinct", enum_values),
    Rule::new("alternatives_are_distinguished_by_one_constant", |spec| at_nodes(spec, alternatives::broken)),
    Rule::new("secrets_are_marked", |spec| at_nodes(spec, unmarked_secret)),
    Rule::new("a_secret_is_a_single_value", |spec| at_nodes(spec, compound_secret)),
    Rule::new("a_setting_has_one_type", |spec| at_nodes(spec, several_types)),
    Rule::new("objects_have_settings", |spec| at_nodes(spec, empty_object)),
    Rule::new("lists_have_items_of_one_type", |spec| at_nodes(spec, items)),
    Rule::new("forms_can_show_every_keyword", |spec| at_nodes(spec, forbidden_keyword)),
    Rule::new("dates_have_a_pattern_and_a_format", |spec| at_nodes(spec, date)),
    Rule::new("nothing_is_a_reference", |spec| at_nodes(spec, reference)),
    Rule::new("unknown_settings_are_accepted", |spec| at_nodes(spec, closed)),
    Rule::new("defaults_and_examples_fit", |spec| at_nodes(spec, default_and_examples)),
    Rule::new("the_paths_of_oauth_are_there", oauth_paths::broken),
];

/// Keywords without a field in the platform's form.
const FORBIDDEN: [&str; 10] = [
    "allOf",
    "anyOf",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "not",
    "patternProperties",
    "prefixItems",
    "then",
];

/// Names of settings that hold a secret, and endings of such names after an underscore.
const SECRETS: [&str; 14] = [
    "access_key",
    "api_key",
    "apikey",
    "client_secret",
    "credentials_json",
    "jwt",
    "passphrase",
    "password",
    "private_key",
    "secret",
    "secret_key",
    "service_account_info",
    "service_account_key",
    "token",
];

fn schema(spec: &Value) -> &Value {
    &spec["connectionSpecification"]
}

/// The findings of a rule for single schemas in all of them.
fn at_nodes(spec: &Value, broken: fn(&Node<'_>) -> Option<String>) -> Vec<String> {
    let told = |node: &Node<'_>| broken(node).map(|text| format!("{} {text}", node.place()));
    nodes(schema(spec)).iter().filter_map(told).collect()
}

fn schema_of_an_object(spec: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    if let Err(error) = jsonschema::validator_for(schema(spec)) {
        broken.push(error.to_string());
    }
    if schema(spec)["type"] != "object" {
        broken.push("the root is not of type object".to_owned());
    }
    broken
}

fn enum_values(spec: &Value) -> Vec<String> {
    at_nodes(spec, |node| {
        let values: Vec<String> = node.schema.get("enum")?.as_array()?.iter().map(Value::to_string).collect();
        let distinct: BTreeSet<&String> = values.iter().collect();
        (distinct.len() < values.len()).then(|| format!("names a value twice: {}", values.join(", ")))
    })
}

/// Whether the name of a setting sounds like a secret.
fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    let ends = |secret: &str| name.strip_suffix(secret).is_some_and(|start| start.is_empty() || start.ends_with('_'));
    SECRETS.into_iter().any(ends)
}

fn unmarked_secret(node: &Node<'_>) -> Option<String> {
    let is_text = node.types().contains(&"string");
    let is_choice = node.schema.contains_key("const") || node.schema.contains_key("enum");
    let is_marked = node.schema.get("airbyte_secret") == Some(&json!(true));
    let is_broken = is_text && !is_choice && !is_marked && node.name.is_some_and(sounds_secret);
    is_broken.then(|| "sounds like a secret and has no \"airbyte_secret\": true".to_owned())
}

fn compound_secret(node: &Node<'_>) -> Option<String> {
    let mark = node.schema.get("airbyte_secret")?;
    if !mark.is_boolean() {
        return Some("has an `airbyte_secret` that is neither true nor false".to_owned());
    }
    let is_single = matches!(node.types()[..], ["string" | "integer" | "number"]);
    (*mark == json!(true) && !is_single).then(|| "is marked as a secret, and is not a text or number".to_owned())
}

fn several_types(node: &Node<'_>) -> Option<String> {
    let types = node.types();
    (types.len() > 1).then(|| format!("has several types: {}", types.join(", ")))
}

fn empty_object(node: &Node<'_>) -> Option<String> {
    // A source without settings has an empty root.
    if node.path.is_empty() || !node.types().contains(&"object") {
        return None;
    }
    let has_some = |keyword: &str| match node.schema.get(keyword) {
        Some(Value::Object(members)) => !members.is_empty(),
        Some(Value::Array(options)) => !options.is_empty(),
        _ => false,
    };
    let is_empty = !["properties", "oneOf", "additionalProperties"].into_iter().any(has_some);
    is_empty.then(|| "is an object without any setting".to_owned())
}

fn items(node: &Node<'_>) -> Option<String> {
    if !node.types().contains(&"array") {
        return None;
    }
    match node.schema.get("items") {
        Some(Value::Object(item)) if item.contains_key("type") || item.contains_key("oneOf") => None,
        Some(Value::Array(_)) => Some("has items of several kinds".to_owned()),
        _ => Some("does not say of which type its items are".to_owned()),
    }
}

fn forbidden_keyword(node: &Node<'_>) -> Option<String> {
    let found: Vec<&str> = FORBIDDEN.into_iter().filter(|keyword| node.schema.contains_key(*keyword)).collect();
    (!found.is_empty()).then(|| format!("has {}", found.join(", ")))
}

/// Both make the form show a calendar; it validates with the pattern.
fn date(node: &Node<'_>) -> Option<String> {
    let format = node.schema.get("format").and_then(Value::as_str).filter(|format| format.starts_with("date"));
    let Some(pattern) = node.schema.get("pattern") else {
        return format.map(|format| format!("has the format {format} and no pattern"));
    };
    let Ok(validator) = jsonschema::validator_for(&json!({ "pattern": pattern })) else {
        return Some(format!("has a pattern that is not a regular expression: {pattern}"));
    };
    let matches = |sample: &str| validator.is_valid(&json!(sample));
    let samples = [("date", "2024-02-03"), ("date-time", "2024-02-03T04:05:06Z")];
    let taken: Vec<&str> = samples.iter().filter(|(_, sample)| matches(sample)).map(|(format, _)| *format).collect();
    match format {
        Some(format) if !taken.contains(&format) => {
            Some(format!("has the format {format}, and its pattern refuses one"))
        }
        // A pattern that accepts anything is not a pattern of dates.
        None if !taken.is_empty() && !matches("x") => {
            Some(format!("has a pattern of dates and no format {}", taken[0]))
        }
        _ => None,
    }
}

fn reference(node: &Node<'_>) -> Option<String> {
    node.schema.get("$ref").map(|target| format!("refers to {target}"))
}

fn closed(node: &Node<'_>) -> Option<String> {
    (node.schema.get("additionalProperties") == Some(&json!(false)))
        .then(|| "has \"additionalProperties\": false, which refuses configs of other versions".to_owned())
}

fn default_and_examples(node: &Node<'_>) -> Option<String> {
    let examples = node.schema.get("examples").and_then(Value::as_array).into_iter().flatten();
    let validator = jsonschema::validator_for(&Value::Object(node.schema.clone())).ok()?;
    let misfit = node.schema.get("default").into_iter().chain(examples).find(|value| !validator.is_valid(value))?;
    Some(format!("has a default or an example that it would refuse: {misfit}"))
}
