//! `oneOf` in a specification: the form shows a choice, and one constant identifies the alternative of a config.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::schema_nodes::Node;

/// The faults of a node's alternatives, if it has any.
pub(super) fn broken(node: &Node<'_>) -> Option<String> {
    let options = node.schema.get("oneOf")?;
    if node.types() != ["object"] {
        return Some("has alternatives and is not of type object".to_owned());
    }
    let members: Option<Vec<&Map<String, Value>>> = options.as_array()?.iter().map(members).collect();
    let Some(members) = members.filter(|members| !members.is_empty()) else {
        return Some("has an alternative that is not an object with settings".to_owned());
    };
    let is_constant = |name: &&String| members.iter().all(|option| constant(option, name).is_some());
    let shared: Vec<&String> = members[0].keys().filter(is_constant).collect();
    let [shared] = shared[..] else {
        return Some(format!("has {} constants that all its alternatives share, not one", shared.len()));
    };
    let values: BTreeSet<String> =
        members.iter().filter_map(|option| constant(option, shared)).map(Value::to_string).collect();
    if values.len() < members.len() {
        return Some(format!("has two alternatives with the same `{shared}`"));
    }
    let says_more =
        |option: &&Map<String, Value>| ["default", "enum"].iter().any(|word| option[shared].get(word).is_some());
    members.iter().any(says_more).then(|| format!("has a default or an enum beside the constant `{shared}`"))
}

/// The settings of an alternative.
fn members(option: &Value) -> Option<&Map<String, Value>> {
    option["properties"].as_object().filter(|_| option["type"] == "object")
}

fn constant<'a>(option: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    option.get(name)?.get("const")
}
