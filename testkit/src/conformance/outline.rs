//! A catalog as text: what destinations and their users rely on, as lines that can be compared and reviewed.

use serde_json::Value;

use super::catalog_rules::{name, path, streams};
use super::schema_nodes::{nodes, types};

/// A catalog as lines of text: each stream, and below it its fields in the order of their places.
///
/// ```text
/// charges = key id; cursor updated; full_refresh, incremental
///  amount = integer
///  refunds.data[].amount = integer
/// ```
pub fn outline(catalog: &Value) -> String {
    let mut lines = String::new();
    for stream in streams(catalog) {
        let keys = stream["source_defined_primary_key"].as_array().into_iter().flatten();
        let keys: Vec<String> = keys.map(|key| path(key).join(".")).collect();
        let (cursor, modes) = (path(&stream["default_cursor_field"]).join("."), path(&stream["supported_sync_modes"]));
        let name = name(stream);
        lines += &format!("{name} = key {}; cursor {cursor}; {}\n", keys.join(", "), modes.join(", "));
        let mut fields: Vec<String> = Vec::new();
        for node in nodes(&stream["json_schema"]).iter().filter(|node| !node.path.is_empty()) {
            let mut kind = types(node.schema.get("type")).join("|");
            for word in ["format", "airbyte_type"] {
                if let Some(value) = node.schema.get(word).and_then(Value::as_str) {
                    kind += &format!(" {value}");
                }
            }
            fields.push(format!(" {} = {kind}\n", node.path));
        }
        fields.sort();
        lines.extend(fields);
    }
    lines
}
