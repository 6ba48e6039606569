//! The effect of a new specification on users' configs for the old one.

use serde_json::{Map, Value};

use super::schema_nodes::types;

/// The changes from one specification to a later one that break configs, or silently change their meaning. Both are
/// whole messages of `spec`.
pub fn spec_changes(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(&mut found, &old["connectionSpecification"], &new["connectionSpecification"], "the config");
    found
}

fn compare(found: &mut Vec<String>, old: &Value, new: &Value, at: &str) {
    let mut tell = |text: String| found.push(format!("{at}: {text}"));
    for kind in types(old.get("type")) {
        let is_taken = |now: &&str| *now == kind || (*now == "number" && kind == "integer");
        let now = types(new.get("type"));
        if !now.is_empty() && !now.iter().any(is_taken) {
            tell(format!("{kind} is refused now"));
        }
    }
    if new["additionalProperties"] == false && old["additionalProperties"] != false {
        tell("settings that are not declared are refused now".to_owned());
    }
    if old["airbyte_secret"] == true && new["airbyte_secret"] != true {
        tell("it is no longer secret".to_owned());
    }
    match (old.get("enum").and_then(Value::as_array), new.get("enum").and_then(Value::as_array)) {
        (None, Some(_)) => tell("only some values are allowed now".to_owned()),
        (Some(old), Some(new)) => {
            let gone = old.iter().filter(|value| !new.contains(value));
            gone.for_each(|value| tell(format!("{value} is refused now")));
        }
        _ => {}
    }
    for word in ["const", "format", "pattern"] {
        if new.get(word).is_some() && old.get(word) != new.get(word) {
            tell(format!("its {word} is {} now", new[word]));
        }
    }
    for (word, is_lower) in [
        ("minimum", true),
        ("exclusiveMinimum", true),
        ("minLength", true),
        ("minItems", true),
        ("maximum", false),
        ("exclusiveMaximum", false),
        ("maxLength", false),
        ("maxItems", false),
    ] {
        let Some(bound) = new[word].as_f64() else { continue };
        if old[word].as_f64().is_none_or(|before| if is_lower { bound > before } else { bound < before }) {
            tell(format!("its {word} is {bound} now"));
        }
    }
    let names = |schema: &Value| schema["required"].as_array().cloned().unwrap_or_default();
    let before = names(old);
    names(new).iter().filter(|name| !before.contains(name)).for_each(|name| tell(format!("{name} is required now")));
    members(found, old, new, at);
    if let (Some(old), Some(new)) = (old.get("items"), new.get("items")) {
        compare(found, old, new, &format!("{at}[]"));
    }
    alternatives(found, old, new, at);
}

fn members(found: &mut Vec<String>, old: &Value, new: &Value, at: &str) {
    for (name, old) in old["properties"].as_object().into_iter().flatten() {
        match new["properties"].get(name) {
            Some(new) => compare(found, old, new, &format!("{at}.{name}")),
            None => found.push(format!("{at}.{name}: it no longer has an effect")),
        }
    }
}

/// Alternatives are equal if their constants are.
fn alternatives(found: &mut Vec<String>, old: &Value, new: &Value, at: &str) {
    let constants = |option: &Value| -> Map<String, Value> {
        let members = option["properties"].as_object().into_iter().flatten();
        members.filter_map(|(name, member)| Some((name.clone(), member.get("const")?.clone()))).collect()
    };
    for option in old["oneOf"].as_array().into_iter().flatten() {
        let own = constants(option);
        match new["oneOf"].as_array().into_iter().flatten().find(|other| constants(other) == own) {
            Some(other) => compare(found, option, other, at),
            None => found.push(format!("{at}: the alternative {} is gone", Value::Object(own))),
        }
    }
}
