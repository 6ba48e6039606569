//! `read`: records as the API gives them, states, statuses, and the choice of streams.

use std::collections::BTreeSet;

use serde_json::json;
use source_http_testkit::Reply;
use stripe_mock::StripeMock;

use crate::support::Interruption;
use crate::support::binary::{Binary, config};

/// The object with the field that the stream adds at its end.
fn with_updated(object: &str) -> String {
    let created: i64 = serde_json::from_str::<serde_json::Value>(object).unwrap()["created"].as_i64().unwrap();
    format!("{},\"updated\":{created}}}", object.strip_suffix('}').unwrap())
}

#[test]
fn twenty_thousand_charges_come_out_byte_for_byte() {
    let mock = StripeMock::builder().count("charges", 20_000).pretty(true).recording(false).start();
    let output = Binary::new(&["read", "--config", "-", "--streams", "charges"]).stdin(config(&mock)).run();
    let messages = output.messages();
    let records: BTreeSet<&str> = messages.records("charges").into_iter().collect();
    let served: BTreeSet<String> =
        mock.expanded("charges", &["data.refunds"]).iter().map(|object| with_updated(object)).collect();
    assert_eq!(messages.records("charges").len(), 20_000);
    assert!(records.iter().copied().eq(served.iter().map(String::as_str)), "a record differs from its object");
    assert_eq!(messages.statuses("charges"), ["STARTED", "RUNNING", "COMPLETE"]);
    assert!(messages.states("charges").last().unwrap()["synced_to"].is_i64());
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn numbers_nulls_key_order_and_escapes_come_out_as_they_went_in() {
    let odd = r#"{"id":"txn_odd","created":1750000000,"z":1.10,"a":null,"big":123456789012345678901234567890,"e":1e400,"n":{"b":null,"t":"\u00e9 \ud83d\ude00 é \/ \\ \""}}"#;
    let mock = StripeMock::builder().object("balance_transactions", odd).pretty(true).start();
    let output =
        Binary::new(&["read", "--config", "-", "--streams", "balance_transactions"]).stdin(config(&mock)).run();
    assert_eq!(output.messages().records("balance_transactions"), [odd]);
}

#[test]
fn without_a_catalog_every_stream_is_read_in_the_order_of_discover() {
    let mock = StripeMock::builder().count("charges", 5).count("accounts", 2).start();
    let output = Binary::new(&["read", "--config", "-"]).stdin(config(&mock)).run();
    let messages = output.messages();
    let started: Vec<String> =
        messages.outline().into_iter().filter_map(|line| Some(line.strip_suffix(" STARTED")?.to_owned())).collect();
    let discovered = Binary::new(&["discover", "--config", "-"]).stdin(config(&mock)).run().messages();
    let names: Vec<_> =
        discovered.catalog()["streams"].as_array().unwrap().iter().map(|stream| stream["name"].clone()).collect();
    assert_eq!(started, names);
    assert_eq!((messages.records("charges").len(), messages.records("accounts").len()), (5, 2));
}

#[test]
fn streams_are_picked_by_name_from_a_catalog_too() {
    let mock = StripeMock::builder().count("charges", 5).count("refunds", 3).start();
    let catalog = json!({"streams": [
        {"stream": {"name": "charges"}, "sync_mode": "full_refresh"},
        {"stream": {"name": "refunds"}, "sync_mode": "incremental"},
    ]});
    let args = ["read", "--config", "-", "--catalog", "catalog.json", "--streams", "refunds"];
    let output = Binary::new(&args).file("catalog.json", catalog).stdin(config(&mock)).run();
    let messages = output.messages();
    assert_eq!((messages.records("charges").len(), messages.records("refunds").len()), (0, 3));
}

#[test]
fn a_limit_stops_each_stream_with_a_state_from_which_nothing_is_skipped() {
    let mock = StripeMock::builder().count("charges", 450).count("accounts", 230).start();
    for stream in ["charges", "accounts"] {
        for limit in [1, 99, 100, 101, 250, 449, 450, 1000] {
            let limit = limit.to_string();
            let args = ["read", "--config", "-", "--streams", stream, "--limit", &limit];
            let first = Binary::new(&args).stdin(config(&mock)).run();
            let messages = first.messages();
            let all: BTreeSet<String> = mock.ids(stream).iter().map(ToString::to_string).collect();
            assert_eq!(messages.records(stream).len(), all.len().min(limit.parse().unwrap()), "{stream} {limit}");
            assert_eq!(messages.statuses(stream).last(), Some(&"COMPLETE"));
            let args = ["read", "--config", "-", "--streams", stream, "--state", "state.json"];
            let rest = Binary::new(&args).file("state.json", messages.state_file()).stdin(config(&mock)).run();
            let rest = rest.messages();
            let both: BTreeSet<String> =
                [messages.records(stream), rest.records(stream)].concat().into_iter().map(id_of).collect();
            assert_eq!(both, all, "{stream} {limit}");
        }
    }
}

fn id_of(record: &str) -> String {
    serde_json::from_str::<serde_json::Value>(record).unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_failed_stream_does_not_stop_the_others_and_the_last_trace_sums_up() {
    let mock = StripeMock::builder().count("charges", 5).count("refunds", 3).start();
    mock.fault_next("/v1/charges", Reply::json(json!({"error": {"message": "No."}})).status(401));
    let args = ["read", "--config", "-", "--streams", "charges,refunds"];
    let output = Binary::new(&args).stdin(config(&mock)).run();
    let messages = output.messages();
    assert_eq!(messages.statuses("charges"), ["STARTED", "INCOMPLETE"]);
    assert_eq!(messages.states("charges").len(), 0);
    assert_eq!(messages.records("refunds").len(), 3);
    let last = messages.errors().pop().unwrap();
    assert_eq!((last.failure_type.as_deref(), last.stream.as_deref()), (Some("config_error"), None));
    assert!(last.message.starts_with("1 of 2 streams failed.\ncharges: "), "{}", last.message);
    assert_eq!(output.status, Some(1));
}

#[test]
fn a_reader_that_closes_the_pipe_ends_the_run_at_once_and_silently() {
    let mock = StripeMock::builder().count("charges", 5_000).start();
    let args = ["read", "--config", "c.json", "--streams", "charges"];
    let ended = Binary::new(&args).file("c.json", config(&mock)).ended_after(1, Interruption::ClosedPipe);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    assert!(mock.server().requests().len() < 40, "{} requests", mock.server().requests().len());
}

#[test]
fn debug_tells_every_request_without_the_key() {
    let mock = StripeMock::builder().count("accounts", 2).start();
    for binary in [
        Binary::new(&["read", "--config", "-", "--streams", "accounts", "--debug"]),
        Binary::new(&["read", "--config", "-", "--streams", "accounts"]).env("LOG_LEVEL", "debug"),
    ] {
        let output = binary.stdin(config(&mock)).run();
        let messages = output.messages();
        let requests: Vec<_> = messages.logs().into_iter().filter(|(level, _)| *level == "DEBUG").collect();
        assert!(requests[0].1.contains("/v1/accounts?limit=100: 200 OK"), "{requests:?}");
        assert!(!output.stdout.contains(mock.key()));
    }
}

#[test]
fn a_namespace_of_the_catalog_is_on_records_states_and_statuses() {
    let mock = StripeMock::builder().count("accounts", 2).start();
    let catalog = json!({"streams": [{"stream": {"name": "accounts", "namespace": "eu"}}]});
    let args = ["read", "--config", "-", "--catalog", "catalog.json"];
    let output = Binary::new(&args).file("catalog.json", catalog).stdin(config(&mock)).run();
    output.messages();
    for line in output.stdout.lines().filter(|line| !line.contains("\"LOG\"")) {
        assert!(line.contains("\"namespace\":\"eu\""), "{line}");
    }
}
