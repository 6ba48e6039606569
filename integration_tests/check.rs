//! `check`: one `CONNECTION_STATUS` whatever happens.

use serde_json::json;
use source_http::testing::StripeMock;

use crate::support::binary::{Binary, config};

#[test]
fn a_key_that_works_succeeds_with_one_request() {
    let mock = StripeMock::builder().count("charges", 3).start();
    let output = Binary::new(&["check", "--config", "c.json"]).file("c.json", config(&mock)).run();
    assert_eq!(output.messages().connection_status(), ("SUCCEEDED", None));
    assert_eq!((output.status, output.stdout.lines().count()), (Some(0), 1));
    assert_eq!(mock.server().requests().len(), 1);
}

#[test]
fn credentials_version_and_account_are_sent() {
    let mock = StripeMock::builder().start();
    Binary::new(&["check", "--config", "-"]).stdin(config(&mock)).run();
    let request = &mock.server().requests()[0];
    assert_eq!(request.header("authorization"), Some(format!("Bearer {}", mock.key()).as_str()));
    assert_eq!(request.header("stripe-version"), Some("2022-11-15"));
    assert_eq!(request.header("stripe-account"), Some("acct_test"));
    assert_eq!(request.header("user-agent"), Some(concat!("source-http/", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_check_that_fails_exits_with_0_as_airbyte_wants_and_with_1_if_a_script_asks() {
    let mock = StripeMock::builder().start();
    let mut wrong = config(&mock);
    wrong["client_secret"] = json!("sk_test_wrong");
    for (args, status) in [(&["check", "--config", "-"][..], 0), (&["check", "--config", "-", "--exit-status"], 1)] {
        let output = Binary::new(args).stdin(&wrong).run();
        assert_eq!(output.status, Some(status));
        assert_eq!(output.messages().connection_status().0, "FAILED");
        assert!(!output.stdout.contains("sk_test_wrong"), "{}", output.stdout);
    }
}

#[test]
fn a_restricted_key_works_if_it_can_read_any_stream() {
    let mock = StripeMock::builder().forbid("/v1/events").forbid("/v1/balance_transactions").start();
    let output = Binary::new(&["check", "--config", "-"]).stdin(config(&mock)).run();
    assert_eq!(output.messages().connection_status(), ("SUCCEEDED", None));
}

#[test]
fn a_key_that_can_read_nothing_fails_with_the_permission_named() {
    let mut mock = StripeMock::builder();
    for path in
        ["events", "balance_transactions", "charges", "customers", "invoices", "products", "refunds", "accounts"]
    {
        mock = mock.forbid(&format!("/v1/{path}"));
    }
    let mock = mock.start();
    let output = Binary::new(&["check", "--config", "-"]).stdin(config(&mock)).run();
    let messages = output.messages();
    let (status, message) = messages.connection_status();
    assert_eq!(status, "FAILED");
    assert!(message.unwrap().contains("permission"), "{message:?}");
}

#[test]
fn a_config_that_cannot_be_used_is_one_failed_status_too() {
    for input in ["{}", "not json", "", "[]", r#"{"client_secret":7,"account_id":"a"}"#] {
        let output = Binary::new(&["check", "--config", "-", "--exit-status"]).stdin(input).run();
        assert_eq!(output.messages().connection_status().0, "FAILED", "{input}");
        assert_eq!((output.status, output.stderr.as_str()), (Some(1), ""), "{input}");
    }
    let missing = Binary::new(&["check", "--config", "missing.json"]).run();
    assert_eq!(missing.messages().connection_status().0, "FAILED");
}

#[test]
fn a_config_with_a_byte_order_mark_is_read() {
    let mock = StripeMock::builder().start();
    let output = Binary::new(&["check", "--config", "-"]).stdin(format!("\u{feff}{}", config(&mock))).run();
    assert_eq!(output.messages().connection_status(), ("SUCCEEDED", None));
}
