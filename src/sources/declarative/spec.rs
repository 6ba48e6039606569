//! `Spec`: the connector's specification from the manifest; and that of the runtime itself, for use without a manifest.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::manifest::Node;
use crate::protocol::{AdvancedAuth, ConnectorSpecification};

/// The protocol's fields of a connector's OAuth.
const OAUTH_BLOBS: [&str; 5] = [
    "oauth_user_input_from_connector_config_specification",
    "oauth_connector_input_specification",
    "complete_oauth_output_specification",
    "complete_oauth_server_input_specification",
    "complete_oauth_server_output_specification",
];
/// The protocol's fields of `oauth_connector_input_specification`.
const CONNECTOR_INPUT: [&str; 16] = [
    "consent_url",
    "access_token_url",
    "scope",
    "scopes",
    "optional_scopes",
    "scopes_join_strategy",
    "access_token_headers",
    "access_token_params",
    "extract_output",
    "state",
    "client_id_key",
    "client_secret_key",
    "scope_key",
    "state_key",
    "auth_code_key",
    "redirect_uri_key",
];

/// The specification in a manifest's `spec`; other fields are left out.
pub(super) fn specification(spec: &Node) -> ConnectorSpecification {
    let text = |node: &Node, name: &str| node.get(name).and_then(Node::as_text).map(str::to_owned);
    let schema = spec.get("connection_specification").map_or_else(|| json!({}), Node::to_json);
    let mut specification = ConnectorSpecification::new(schema);
    specification.documentation_url = text(spec, "documentation_url").filter(|url| !url.is_empty());
    specification.advanced_auth = spec.get("advanced_auth").filter(|auth| auth.as_map().is_some()).map(|auth| {
        let predicate_key = auth.get("predicate_key").and_then(Node::as_list).unwrap_or_default();
        let oauth = auth.get("oauth_config_specification").map(Node::to_json);
        AdvancedAuth {
            auth_flow_type: text(auth, "auth_flow_type").unwrap_or_default(),
            predicate_key: predicate_key.iter().filter_map(|key| key.as_text().map(str::to_owned)).collect(),
            predicate_value: text(auth, "predicate_value"),
            oauth_config_specification: oauth.filter(Value::is_object).map(oauth_specification),
        }
    });
    specification
}

/// The top-level settings in a `spec`. `None` if it has no properties, or changes configs before templates see them.
pub(super) fn settings(spec: &Node) -> Option<HashSet<String>> {
    if spec.get("config_normalization_rules").is_some_and(Node::is_truthy) {
        return None;
    }
    let schema = spec.get("connection_specification")?;
    let alternatives = ["oneOf", "anyOf", "allOf"].iter().filter_map(|name| schema.get(name)).filter_map(Node::as_list);
    let properties =
        std::iter::once(schema).chain(alternatives.flatten()).filter_map(|schema| schema.get("properties"));
    let names = properties.filter_map(Node::as_map).flatten().filter_map(|(name, _)| name.as_text().map(str::to_owned));
    Some(names.collect::<HashSet<_>>()).filter(|names| !names.is_empty())
}

fn oauth_specification(oauth: Value) -> Value {
    let mut known = only(without_nulls(oauth), &OAUTH_BLOBS);
    if let Some(input) = known.get_mut("oauth_connector_input_specification") {
        let mut fields = only(input.take(), &CONNECTOR_INPUT);
        fields.entry("scopes_join_strategy").or_insert_with(|| json!("space"));
        *input = Value::Object(fields);
    }
    Value::Object(known)
}

fn only(value: Value, names: &[&str]) -> Map<String, Value> {
    let Value::Object(mut members) = value else { return Map::new() };
    members.retain(|name, _| names.contains(&name.as_str()));
    members
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// The specification of the runtime itself, which a platform reads before it puts a manifest into a config. Platforms
/// know it: it equals that of Airbyte's image.
pub(super) fn generic_specification() -> ConnectorSpecification {
    ConnectorSpecification {
        documentation_url: Some("https://docs.airbyte.com/integrations/sources/low-code".to_owned()),
        ..ConnectorSpecification::new(json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Low-code source spec",
            "type": "object",
            "required": ["__injected_declarative_manifest"],
            "additionalProperties": true,
            "properties": {
                "__injected_declarative_manifest": {
                    "title": "Low-code manifest",
                    "type": "object",
                    "description": "The low-code manifest that defines the components of the source."
                }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::build;
    use super::*;

    fn of(snippet: &str) -> Value {
        serde_json::to_value(build(snippet, json!({}), |_, part| specification(part.node)).unwrap()).unwrap()
    }

    #[test]
    fn the_schema_is_as_written_and_the_rest_follows_the_protocol() {
        let spec = "type: Spec
documentation_url: ''
connection_specification: {type: object, properties: {a: {default: null}}}
advanced_auth:
  auth_flow_type: oauth2.0
  predicate_key: [a, b]
  other: 1
  oauth_config_specification:
    other: 2
    complete_oauth_output_specification: {p: null, q: 1}
    oauth_connector_input_specification: {consent_url: u, more: 5, access_token_params: {n: null, z: 1}}
";
        assert_eq!(
            of(spec),
            json!({
                "connectionSpecification": {"type": "object", "properties": {"a": {"default": null}}},
                "supportsNormalization": false,
                "supportsDBT": false,
                "advanced_auth": {
                    "auth_flow_type": "oauth2.0",
                    "predicate_key": ["a", "b"],
                    "oauth_config_specification": {
                        "complete_oauth_output_specification": {"q": 1},
                        "oauth_connector_input_specification": {
                            "consent_url": "u",
                            "access_token_params": {"z": 1},
                            "scopes_join_strategy": "space"
                        }
                    }
                }
            })
        );
        assert_eq!(of(spec), of(spec), "it can be requested again");
    }

    #[test]
    fn the_settings_are_the_top_level_ones() {
        let of = |snippet: &str| {
            let found = build(snippet, json!({}), |_, part| settings(part.node)).unwrap();
            let mut names: Vec<String> = found.into_iter().flatten().collect();
            names.sort();
            names.join(" ")
        };
        let schema = "{properties: {b: {properties: {c: {}}}, a: {}}, oneOf: [{properties: {d: {}}}, {}]}";
        assert_eq!(of(&format!("connection_specification: {schema}")), "a b d");
        let changed = "config_normalization_rules: {type: ConfigNormalizationRules}";
        assert_eq!(of(&format!("connection_specification: {schema}\n{changed}")), "", "a config may have others then");
        assert_eq!(of("connection_specification: {type: object}"), "");
    }

    #[test]
    fn without_a_manifest_a_config_must_have_one() {
        let spec = serde_json::to_value(generic_specification()).unwrap();
        assert_eq!(spec["connectionSpecification"]["required"], json!(["__injected_declarative_manifest"]));
        assert_eq!((&spec["supportsDBT"], &spec["supportsNormalization"]), (&json!(false), &json!(false)));
    }
}
