//! `check`: one `CONNECTION_STATUS` whatever happens.

use serde_json::json;
use source_http::Registry;
use source_http_testkit::{InProcess, Reply};
use stripe_mock::StripeMock;

use crate::stripe_streams;
use crate::support::binary::{Binary, config};

/// The message of a check without findings: none of the parents has children.
const ALL_CAN_BE_READ: &str = "Asked for the first page of 48 streams with the key sk_test_****: all can be read.";

/// The paths of the lists of all streams, each once, in alphabetical order.
fn paths() -> Vec<String> {
    let mut paths = stripe_streams::list_paths();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// The paths of the requests, each once, sorted, because they come in any order.
fn asked(mock: &StripeMock) -> Vec<String> {
    let mut paths: Vec<String> = mock.server().requests().into_iter().map(|request| request.path).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

#[test]
fn a_key_that_can_read_everything_succeeds_and_what_was_tried_is_said() {
    let mock = StripeMock::builder().count("charges", 3).start();
    let output = Binary::new(&["check", "--config", "c.json"]).file("c.json", config(&mock)).run();
    assert_eq!(output.messages().connection_status(), ("SUCCEEDED", Some(ALL_CAN_BE_READ)));
    assert_eq!((output.status, output.stdout.lines().count()), (Some(0), 1));
    assert_eq!(asked(&mock), paths());
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
fn streams_that_a_restricted_key_cannot_read_are_named_with_the_permission_that_is_missing() {
    let mock = StripeMock::builder().start();
    let refusal = |text: &str| Reply::json(json!({"error": {"message": text}}));
    let named = "Having the 'rak_charge_read' permission would allow this request to continue.";
    mock.fault_next("/v1/charges", refusal(named).status(403));
    mock.fault_next("/v1/refunds", refusal("No.").status(403));
    mock.fault_next("/v1/accounts", refusal("You have not signed up for Connect.").status(400));
    let output = Binary::new(&["check", "--config", "-"]).stdin(config(&mock)).run();
    assert_eq!(output.status, Some(0));
    assert_eq!(
        output.stdout.lines().collect::<Vec<_>>(),
        [
            r#"{"type":"LOG","log":{"level":"WARN","message":"The key in `client_secret` cannot read 3 of 48 streams. They will be skipped: charges (lacks rak_charge_read), refunds (lacks read permission for /v1/refunds), accounts (This account has no such list: leave the stream out)."}}"#,
            r#"{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED","message":"Asked for the first page of 48 streams with the key sk_test_****: 45 can be read, 3 cannot be read. The key cannot read: charges, refunds, accounts. They will be skipped."}}"#,
        ]
    );
    output.messages();
    assert_eq!(asked(&mock), paths());
}

#[test]
fn a_key_that_cannot_read_events_gets_an_explanation_for_the_other_streams() {
    let mock = StripeMock::builder().forbid("/v1/events").start();
    let output = Binary::new(&["check", "--config", "-"]).stdin(config(&mock)).run();
    let messages = output.messages();
    let tried = "Asked for the first page of 48 streams with the key sk_test_****: 1 cannot be read, 47 can be read.";
    let told = "They will be skipped. Incremental reads take changes from events: without that permission the streams \
         are skipped after the first \
                read.";
    assert_eq!(
        messages.connection_status(),
        ("SUCCEEDED", Some(format!("{tried} The key cannot read: events. {told}").as_str()))
    );
    let logs = messages.logs();
    assert!(logs.len() == 1 && logs[0].0 == "WARN" && logs[0].1.contains("events (lacks "), "{logs:?}");
    assert_eq!(asked(&mock), paths());
}

#[test]
fn a_key_that_can_read_nothing_fails_with_the_setting_and_the_permissions_named() {
    let mock = paths().iter().fold(StripeMock::builder(), |mock, path| mock.forbid(path)).start();
    let output = Binary::new(&["check", "--config", "-"]).stdin(config(&mock)).run();
    let messages = output.messages();
    let (status, message) = messages.connection_status();
    let message = message.unwrap();
    let tried = "Asked for the first page of 48 streams with the key sk_test_****: none can be read.";
    assert_eq!((status, messages.logs()), ("FAILED", vec![("INFO", tried)]));
    let beginning = "The key in `client_secret` can read none of the streams. Give it read permission for the streams \
         you \
                     want, or check `account_id`: events (lacks ";
    assert!(message.starts_with(beginning), "{message}");
    assert_eq!(message.matches("(lacks ").count(), 48, "{message}");
}

#[test]
fn a_key_that_is_refused_altogether_fails_with_the_first_request() {
    let mock = StripeMock::builder().start();
    let mut wrong = config(&mock);
    wrong["client_secret"] = json!("sk_test_wrong");
    let output = Binary::new(&["check", "--config", "-"]).stdin(wrong).run();
    let messages = output.messages();
    let (status, message) = messages.connection_status();
    let tried = "Asked for the first page of `events` with the key sk_test_****: that failed.";
    assert_eq!((status, messages.logs()), ("FAILED", vec![("INFO", tried)]));
    assert!(message.unwrap().ends_with("Check `client_secret` in the config."), "{message:?}");
    assert_eq!(asked(&mock), ["/v1/events"]);
}

#[test]
fn the_streams_are_probed_by_as_many_workers_as_are_set() {
    let mock = StripeMock::builder().start();
    let mut one = config(&mock);
    one["num_workers"] = json!(1);
    let output = Binary::new(&["check", "--config", "-"]).stdin(one).run();
    assert_eq!(output.messages().connection_status().0, "SUCCEEDED");
    let paths: Vec<String> = mock.server().requests().into_iter().map(|request| request.path).collect();
    // The children's parents then come from the cache, or once more in other windows.
    let lists = stripe_streams::list_paths();
    assert_eq!(paths[..35], lists[..35]);
}

#[test]
fn an_account_that_the_key_does_not_know_is_no_missing_permission() {
    let mock = StripeMock::builder().start();
    let unknown = json!({"error": {"code": "account_invalid", "message": "No such account."}});
    mock.fault_next("/v1/events", Reply::json(unknown).status(403));
    let output = Binary::new(&["check", "--config", "-"]).stdin(config(&mock)).run();
    let messages = output.messages();
    let (status, message) = messages.connection_status();
    assert_eq!(status, "FAILED");
    assert!(message.unwrap().contains("No such account. Check `account_id`"), "{message:?}");
    assert_eq!(asked(&mock), ["/v1/events"]);
}

#[test]
fn a_list_that_fails_in_another_way_fails_the_check_after_its_retries() {
    let mut mock = StripeMock::builder().forbid("/v1/charges");
    for hit in 1..=6 {
        mock = mock.fault("/v1/refunds", hit, Reply::json(json!({"error": {"message": "Sorry."}})).status(500));
    }
    let mock = mock.start();
    let done = InProcess::with_registry(Registry::built_in()).config(&config(&mock)).run("check");
    let messages = done.messages();
    let (status, message) = messages.connection_status();
    assert_eq!((status, done.sleeps.len()), ("FAILED", 5));
    let message = message.unwrap();
    assert!(message.contains("/v1/refunds") && message.ends_with("Sorry. Gave up after 6 attempts."), "{message}");
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
    assert_eq!(output.messages().connection_status(), ("SUCCEEDED", Some(ALL_CAN_BE_READ)));
}
