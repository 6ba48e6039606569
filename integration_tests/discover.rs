//! `discover`: the streams, their keys, cursors and schemas. Needs a config and no network.

use serde_json::{Value, json};

use crate::support::binary::Binary;

fn streams() -> Vec<Value> {
    let config = json!({"client_secret": "sk_test_x", "account_id": "a", "api_url": "http://127.0.0.1:1"});
    let output = Binary::new(&["discover", "--config", "-"]).stdin(config).run();
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""));
    output.messages().catalog()["streams"].as_array().unwrap().clone()
}

#[test]
fn every_stream_tells_its_key_cursor_and_modes() {
    let facts: Vec<Value> = streams()
        .iter()
        .map(|stream| {
            assert_eq!(stream["source_defined_primary_key"], json!([["id"]]));
            assert_eq!(stream["supported_sync_modes"], json!(["full_refresh", "incremental"]));
            assert_eq!((&stream["source_defined_cursor"], &stream["is_resumable"]), (&json!(true), &json!(true)));
            json!([stream["name"], stream["default_cursor_field"]])
        })
        .collect();
    assert_eq!(
        facts,
        [
            json!(["events", ["created"]]),
            json!(["balance_transactions", ["created"]]),
            json!(["charges", ["updated"]]),
            json!(["customers", ["updated"]]),
            json!(["invoices", ["updated"]]),
            json!(["products", ["updated"]]),
            json!(["refunds", ["updated"]]),
            json!(["accounts", ["updated"]]),
        ]
    );
}

#[test]
fn schemas_keep_airbytes_rules() {
    for stream in streams() {
        let name = &stream["name"];
        let schema = &stream["json_schema"];
        let text = schema.to_string();
        for forbidden in
            ["\"$ref\"", "\"allOf\"", "\"not\"", "\"oneOf\"", "\"anyOf\"", "\"additionalProperties\":false"]
        {
            assert!(!text.contains(forbidden), "{name} has {forbidden}");
        }
        let properties = schema["properties"].as_object().unwrap();
        let cursor = stream["default_cursor_field"][0].as_str().unwrap();
        assert!(properties.contains_key("id") && properties.contains_key(cursor), "{name}");
        for (field, declared) in properties {
            let nullable = declared["type"].as_array().is_some_and(|types| types.contains(&json!("null")));
            assert!(nullable, "{name}.{field} is not nullable");
        }
    }
}
