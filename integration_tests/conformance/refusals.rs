//! Requests that must be refused: wrong configs, streams and modes, and states from the future.

use serde_json::{Value, json};
use source_http_testkit::conformance::Call;

use super::{STRIPE, call};
use crate::support::binary::Binary;

#[test]
fn a_config_with_a_wrong_key_gives_one_failed_status() {
    let mut config = STRIPE.connector.config().clone();
    config["client_secret"] = json!("sk_test_wrong");
    let output = Binary::new(&["check", "--config", "-"]).stdin(&config).run();
    let messages = output.messages();
    let (status, message) = messages.connection_status();
    assert_eq!((output.status, status), (Some(0), "FAILED"));
    // The attempt and its result.
    assert_eq!((messages.logs().len(), output.stdout.lines().count()), (1, 2));
    assert!(message.unwrap().contains("`client_secret`"), "{message:?}");
}

#[test]
fn a_config_that_is_no_json_gives_one_failed_status() {
    for text in ["", "{", "[1]", "null"] {
        let output = Binary::new(&["check", "--config", "-"]).stdin(text).run();
        assert_eq!(output.messages().connection_status().0, "FAILED", "{text}");
        assert_eq!((output.status, output.stdout.lines().count()), (Some(0), 1), "{text}");
    }
}

/// The names of moments in states.
const MOMENTS: [&str; 6] =
    ["created", "updated", "synced_to", "checkout_session_updated", "invoice_updated", "subscription_updated"];

/// Sets every moment in a state to one in the year 2286.
fn set_far_ahead(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(_) if MOMENTS.contains(&name.as_str()) => *member = json!("9999999999"),
                    Value::Number(_) if MOMENTS.contains(&name.as_str()) => *member = json!(9_999_999_999_i64),
                    other => set_far_ahead(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(set_far_ahead),
        _ => {}
    }
}

/// The state of each stream after a read, far in the future.
fn far_in_the_future() -> Value {
    let mut states: Value = serde_json::from_str(&STRIPE.connector.incremental().messages.state_file()).unwrap();
    for state in states.as_array_mut().unwrap() {
        // Without the records of the last minutes, which are not written again.
        state["stream"]["stream_state"].as_object_mut().unwrap().remove("__recent");
    }
    set_far_ahead(&mut states);
    states
}

/// Airbyte's rule is that nothing is read. Here nothing is lost, either: changes in the days for which Stripe keeps
/// events are read, with a warning, because no change can have been read before it was made.
#[test]
fn a_state_far_in_the_future_hides_nothing() {
    let states = far_in_the_future();
    let messages = STRIPE.connector.read("incremental", &states).messages;
    let first = STRIPE.connector.read("incremental", &serde_json::json!([])).messages;
    for state in states.as_array().unwrap() {
        let name = state["stream"]["stream_descriptor"]["name"].as_str().unwrap();
        // A stream without a cursor was complete.
        if name != "usage_records" {
            assert_eq!(messages.records(name).len(), first.records(name).len(), "{name}");
        }
    }
    let warnings = messages.logs().into_iter().filter(|(level, _)| *level == "WARN");
    let warnings = warnings.filter(|(_, text)| text.contains("is in the future")).count();
    assert_eq!(warnings, 47, "every stream with a cursor, or its parent, says so: {:?}", messages.logs());
}

#[test]
fn a_stream_that_is_requested_twice_or_without_a_name_gives_an_error_trace() {
    let entry = json!({"stream": {"name": "charges", "json_schema": {}}, "sync_mode": "full_refresh"});
    for entries in [json!([entry, entry]), json!([{"sync_mode": "full_refresh"}]), json!([{"stream": {}}])] {
        let catalog = json!({ "streams": entries });
        let (config, catalog) = (Some(STRIPE.connector.config()), Some(&catalog));
        let answer = call(&Call { command: "read", config, catalog, state: None });
        let errors = answer.messages.errors();
        assert_eq!((answer.status, errors.len()), (1, 1), "{errors:?}");
        assert_eq!(errors[0].failure_type.as_deref(), Some("config_error"));
    }
}
