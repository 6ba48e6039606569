//! The schemas within a schema, each with its place, for the rules.

use serde_json::{Map, Value};

/// A schema within a schema.
pub(super) struct Node<'a> {
    /// `credentials.token`; `[]` is a list's items, `|0` the first of alternatives. Empty for the root.
    pub(super) path: String,
    /// The name of the member that it describes, if it describes an object's member.
    pub(super) name: Option<&'a str>,
    pub(super) schema: &'a Map<String, Value>,
}

impl Node<'_> {
    /// The types that it allows, without null.
    pub(super) fn types(&self) -> Vec<&str> {
        types(self.schema.get("type"))
    }

    /// Its place, for a report.
    pub(super) fn place(&self) -> &str {
        if self.path.is_empty() { "the root" } else { &self.path }
    }
}

/// The schema itself, and all below it that can be reached without following references.
pub(super) fn nodes(schema: &Value) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    add(&mut found, schema, String::new(), None);
    found
}

/// The types that a keyword `type` allows, without null.
pub(super) fn types(keyword: Option<&Value>) -> Vec<&str> {
    let all = match keyword {
        Some(Value::String(single)) => vec![single.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    all.into_iter().filter(|name| *name != "null").collect()
}

/// Whether a member is declared at that path, in any of the alternatives on the way.
pub(super) fn has_path(schema: &Value, path: &[&str]) -> bool {
    let Some((name, rest)) = path.split_first() else { return true };
    let is_below = |schema: &Value| schema["properties"].get(name).is_some_and(|member| has_path(member, rest));
    is_below(schema) || schema["oneOf"].as_array().into_iter().flatten().any(|option| has_path(option, path))
}

fn add<'a>(found: &mut Vec<Node<'a>>, schema: &'a Value, path: String, name: Option<&'a str>) {
    let Some(members) = schema.as_object() else { return };
    for (member, below) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let dot = if path.is_empty() { "" } else { "." };
        add(found, below, format!("{path}{dot}{member}"), Some(member));
    }
    match members.get("items") {
        Some(Value::Array(by_place)) => by_place.iter().for_each(|item| add(found, item, format!("{path}[]"), None)),
        Some(item) => add(found, item, format!("{path}[]"), None),
        None => {}
    }
    for keyword in ["oneOf", "anyOf", "allOf"] {
        let options = members.get(keyword).and_then(Value::as_array);
        for (n, option) in options.into_iter().flatten().enumerate() {
            add(found, option, format!("{path}|{n}"), None);
        }
    }
    if let Some(others) = members.get("additionalProperties") {
        add(found, others, format!("{path}.*"), None);
    }
    found.push(Node { path, name, schema: members });
}
