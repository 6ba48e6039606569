//! The rules for a discovered catalog, from which destinations make tables.

use serde_json::Value;

use super::rule::Rule;
use super::schema_nodes::{Node, has_path, nodes};

/// Rules for the catalog in the answer to `discover`. The protocol check ensures that there is exactly one, with
/// distinct names and a sync mode for each stream.
pub const CATALOG_RULES: &[Rule<Value>] = &[
    Rule::new("there_are_streams", |catalog| {
        if streams(catalog).next().is_none() { vec!["the catalog is empty".to_owned()] } else { Vec::new() }
    }),
    Rule::new("schemas_are_json_schemas_of_objects", |catalog| each(catalog, schema_of_an_object)),
    Rule::new("cursors_are_in_the_schema", |catalog| each(catalog, cursor)),
    Rule::new("primary_keys_are_in_the_schema", |catalog| each(catalog, primary_key)),
    Rule::new("destinations_know_every_keyword", |catalog| at_nodes(catalog, forbidden_keyword)),
    Rule::new("unknown_fields_are_accepted", |catalog| at_nodes(catalog, closed)),
    Rule::new("types_and_formats_are_airbytes", |catalog| at_nodes(catalog, unknown_type)),
];

const FORBIDDEN: [&str; 4] = ["$ref", "$defs", "allOf", "not"];

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Airbyte's data types, beyond those of JSON.
const AIRBYTE_TYPES: [&str; 7] = [
    "big_integer",
    "big_number",
    "integer",
    "time_with_timezone",
    "time_without_timezone",
    "timestamp_with_timezone",
    "timestamp_without_timezone",
];

const FORMATS: [&str; 3] = ["date", "date-time", "time"];

pub(super) fn streams(catalog: &Value) -> impl Iterator<Item = &Value> {
    catalog["streams"].as_array().into_iter().flatten()
}

pub(super) fn name(stream: &Value) -> &str {
    stream["name"].as_str().unwrap_or_default()
}

/// The names in a path of the catalog.
pub(super) fn path(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The findings of a rule for streams in all of them.
fn each(catalog: &Value, broken: fn(&Value) -> Vec<String>) -> Vec<String> {
    let told = |stream| broken(stream).into_iter().map(move |text| format!("{}: {text}", name(stream)));
    streams(catalog).flat_map(told).collect()
}

/// The findings of a rule for single schemas in all schemas of all streams.
fn at_nodes(catalog: &Value, broken: fn(&Node<'_>) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for stream in streams(catalog) {
        for node in nodes(&stream["json_schema"]) {
            found.extend(broken(&node).map(|text| format!("{}: {} {text}", name(stream), node.place())));
        }
    }
    found
}

fn schema_of_an_object(stream: &Value) -> Vec<String> {
    let schema = &stream["json_schema"];
    let mut broken = Vec::new();
    if let Err(error) = jsonschema::validator_for(schema) {
        broken.push(error.to_string());
    }
    if !super::schema_nodes::types(schema.get("type")).contains(&"object") {
        broken.push("the schema is not of type object".to_owned());
    }
    broken
}

fn cursor(stream: &Value) -> Vec<String> {
    missing(stream, &stream["default_cursor_field"]).into_iter().collect()
}

fn primary_key(stream: &Value) -> Vec<String> {
    let keys = stream["source_defined_primary_key"].as_array().into_iter().flatten();
    keys.filter_map(|key| missing(stream, key)).collect()
}

fn missing(stream: &Value, field: &Value) -> Option<String> {
    let path = path(field);
    (!has_path(&stream["json_schema"], &path)).then(|| format!("{} is not in the schema", path.join(".")))
}

fn forbidden_keyword(node: &Node<'_>) -> Option<String> {
    let found: Vec<&str> = FORBIDDEN.into_iter().filter(|keyword| node.schema.contains_key(*keyword)).collect();
    (!found.is_empty()).then(|| format!("has {}", found.join(", ")))
}

fn closed(node: &Node<'_>) -> Option<String> {
    (node.schema.get("additionalProperties") == Some(&Value::Bool(false)))
        .then(|| "has \"additionalProperties\": false: a field that the API adds would be an error".to_owned())
}

fn unknown_type(node: &Node<'_>) -> Option<String> {
    if let Some(other) = node.types().into_iter().find(|name| !TYPES.contains(name)) {
        return Some(format!("has the type {other}"));
    }
    let is_other = |keyword: &str, known: &[&str]| {
        let word = node.schema.get(keyword)?.as_str().unwrap_or_default();
        (!known.contains(&word)).then(|| format!("has the {keyword} {word}"))
    };
    // A format on a type other than a date matters to validators, not to destinations.
    let is_time = |word: &str| word.contains("date") || word.contains("time");
    let format = node.schema.get("format").and_then(Value::as_str).filter(|word| is_time(word));
    is_other("airbyte_type", &AIRBYTE_TYPES).or_else(|| format.and_then(|_| is_other("format", &FORMATS)))
}
