//! `advanced_auth`: where the platform finds the input of an OAuth consent in the config, and puts its output.

use serde_json::Value;

use super::schema_nodes::has_path;

/// The lists of members that name places in the config.
const LISTS: [&str; 3] = [
    "complete_oauth_output_specification",
    "complete_oauth_server_output_specification",
    "oauth_user_input_from_connector_config_specification",
];

/// The places that the config does not have.
pub(super) fn broken(spec: &Value) -> Vec<String> {
    let auth = &spec["advanced_auth"];
    let mut paths = vec![("predicate_key".to_owned(), &auth["predicate_key"])];
    for list in LISTS {
        let members = auth["oauth_config_specification"][list]["properties"].as_object();
        for (name, member) in members.into_iter().flatten() {
            paths.push((format!("{list}.{name}"), &member["path_in_connector_config"]));
        }
    }
    let told = |(name, path): &(String, &Value)| {
        let names: Vec<&str> = path.as_array()?.iter().filter_map(Value::as_str).collect();
        let is_there = has_path(&spec["connectionSpecification"], &names);
        (!is_there).then(|| format!("{name} is at {}, which the config does not have", names.join(".")))
    };
    paths.iter().filter_map(told).collect()
}
