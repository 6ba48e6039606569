//! `discover`: the streams, their keys, cursors and schemas. Needs a config and no network.

use serde_json::{Value, json};

use crate::support::binary::Binary;

fn streams() -> Vec<Value> {
    let config = json!({"client_secret": "sk_test_x", "account_id": "a", "api_url": "http://127.0.0.1:1"});
    let output = Binary::new(&["discover", "--config", "-"]).stdin(config).run();
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""));
    output.messages().catalog()["streams"].as_array().unwrap().clone()
}

/// The names in order, and the cursor fields.
const STREAMS: &[(&str, &str)] = &[
    ("events", "created"),
    ("shipping_rates", "created"),
    ("balance_transactions", "created"),
    ("files", "created"),
    ("file_links", "created"),
    ("application_fees", "updated"),
    ("authorizations", "updated"),
    ("cardholders", "updated"),
    ("cards", "updated"),
    ("charges", "updated"),
    ("coupons", "updated"),
    ("customers", "updated"),
    ("disputes", "updated"),
    ("invoice_items", "updated"),
    ("invoices", "updated"),
    ("payment_intents", "updated"),
    ("payouts", "updated"),
    ("plans", "updated"),
    ("prices", "updated"),
    ("products", "updated"),
    ("promotion_codes", "updated"),
    ("refunds", "updated"),
    ("reviews", "updated"),
    ("setup_intents", "updated"),
    ("subscription_schedule", "updated"),
    ("subscriptions", "updated"),
    ("top_ups", "updated"),
    ("transactions", "updated"),
    ("transfers", "updated"),
    ("accounts", "updated"),
    ("checkout_sessions", "updated"),
    ("credit_notes", "updated"),
    ("early_fraud_warnings", "updated"),
    ("external_account_bank_accounts", "updated"),
    ("external_account_cards", "updated"),
    ("checkout_sessions_line_items", "checkout_session_updated"),
    ("customer_balance_transactions", "created"),
    ("payout_balance_transactions", "updated"),
    ("setup_attempts", "created"),
    ("transfer_reversals", "created"),
    ("payment_methods", "updated"),
    ("persons", "updated"),
    ("application_fees_refunds", "updated"),
    ("bank_accounts", "updated"),
    ("invoice_line_items", "invoice_updated"),
    ("subscription_items", "subscription_updated"),
    ("usage_records", ""),
    ("invoice_payments", "updated"),
];

#[test]
fn every_stream_tells_its_key_cursor_and_modes() {
    let streams = streams();
    assert_eq!(streams.len(), STREAMS.len());
    for (stream, (name, cursor)) in streams.iter().zip(STREAMS) {
        assert_eq!(stream["name"], json!(name));
        assert_eq!(stream["is_resumable"], json!(true), "{name}");
        if cursor.is_empty() {
            assert_eq!(stream["supported_sync_modes"], json!(["full_refresh"]), "{name}");
            assert!(
                ["source_defined_primary_key", "default_cursor_field", "source_defined_cursor"]
                    .iter()
                    .all(|key| stream[*key].is_null()),
                "{stream}"
            );
        } else {
            assert_eq!(stream["source_defined_primary_key"], json!([["id"]]), "{name}");
            assert_eq!(stream["supported_sync_modes"], json!(["full_refresh", "incremental"]), "{name}");
            assert_eq!(stream["default_cursor_field"], json!([cursor]), "{name}");
            assert_eq!(stream["source_defined_cursor"], json!(true), "{name}");
        }
    }
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
        let cursor = stream["default_cursor_field"][0].as_str().unwrap_or("id");
        assert!(properties.contains_key("id") && properties.contains_key(cursor), "{name}");
        for (field, declared) in properties {
            let nullable = declared["type"].as_array().is_some_and(|types| types.contains(&json!("null")));
            assert!(nullable, "{name}.{field} is not nullable");
        }
    }
}
