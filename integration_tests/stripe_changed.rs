//! The rows of changed objects come from the event, or from a request for the object.

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{InProcess, Messages, Reply};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::{StripeMock, StripeMockBuilder};

use crate::stripe::{DAY, field, resumed, state_of, sync};
use crate::support::binary::config;

/// A sync two days after the mock's beginning with these settings.
fn sync_with(mock: &StripeMock, stream: &str, state: &Value, settings: &Value) -> Messages {
    mock.server().take_requests();
    mock.set_now(DEFAULT_NOW + 2 * DAY);
    let mut config = config(mock);
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let done = InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW + 2 * DAY)
        .config(&config)
        .streams(&[(stream, "incremental")])
        .state(state)
        .run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    done.messages()
}

/// The requests of a sync after this many objects have changed.
fn requests_after(
    stream: &str,
    changes: usize,
    set: impl Fn(StripeMockBuilder) -> StripeMockBuilder,
    mode: &str,
) -> usize {
    let mock = set(StripeMock::builder().count(stream, changes as u64)).start();
    mock.set_now(DEFAULT_NOW + DAY);
    for id in mock.ids(stream) {
        for n in 0..2 {
            mock.update(stream, &id, |object| drop(object.insert("metadata".into(), json!({"n": n}))));
        }
    }
    let known = json!({"updated": DEFAULT_NOW.to_string(), "synced_to": DEFAULT_NOW});
    let done = sync_with(&mock, stream, &state_of(stream, &known), &json!({"changed_objects": mode}));
    assert_eq!(done.records(stream).len(), changes);
    mock.server().requests().len()
}

/// The table of `docs/stripe.md`. Each object changes twice here, so there are twice as many events as in it.
fn assert_requests(changes: usize, events: usize) {
    let ours = |mock: StripeMockBuilder| mock.account_version("2022-11-15");
    let other = |mock: StripeMockBuilder| mock;
    assert_eq!(requests_after("products", changes, other, "events"), events);
    assert_eq!(requests_after("charges", changes, other, "events"), events);
    assert_eq!(requests_after("products", changes, ours, "auto"), events);
    assert_eq!(requests_after("products", changes, other, "auto"), events + changes);
    assert_eq!(requests_after("charges", changes, ours, "auto"), events + changes);
    assert_eq!(requests_after("products", changes, ours, "fetch"), events + changes);
}

#[test]
fn changed_objects_are_requested_once_each_and_only_where_the_mode_says_so() {
    assert_requests(1, 1);
    assert_requests(100, 2);
}

#[test]
#[ignore = "it takes half a minute, and tells what the one above does"]
fn ten_thousand_changed_objects_are_requested_once_each() {
    assert_requests(10_000, 200);
}

#[test]
fn with_events_the_row_is_the_events_and_one_warning_names_its_version() {
    let mock = StripeMock::builder().count("products", 3).start();
    let first = sync(&mock, 0, "products", "incremental", &json!([]));
    mock.set_now(DEFAULT_NOW + DAY);
    for id in mock.ids("products") {
        mock.update("products", &id, |object| drop(object.insert("name".into(), json!("New"))));
    }
    let done = sync_with(&mock, "products", &resumed(&first), &json!({"changed_objects": "events"}));
    assert_eq!(field(&done, "products", "shape_of_version"), vec![json!("2020-08-27"); 3]);
    let warnings = done.logs().into_iter().filter(|(level, text)| *level == "WARN" && text.contains("2020-08-27"));
    assert_eq!(warnings.count(), 1);
}

#[test]
fn an_object_that_is_gone_when_it_is_requested_is_a_deletion_and_a_late_one_is_requested_again() {
    let mock = StripeMock::builder().account_version("2019-12-03").count("reviews", 2).late_by(0).start();
    let first = sync(&mock, 0, "reviews", "incremental", &json!([]));
    mock.set_now(DEFAULT_NOW + DAY);
    let [gone, late] = [mock.ids("reviews")[0].to_string(), mock.ids("reviews")[1].to_string()];
    let touch = |id: &str| mock.update("reviews", id, |object| drop(object.insert("open".into(), json!(false))));
    touch(&gone);
    mock.remove_object("reviews", &gone);
    mock.set_now(DEFAULT_NOW + 2 * DAY - 60);
    touch(&late);
    let missing = r#"{"error":{"code":"resource_missing","param":"id","type":"invalid_request_error"}}"#;
    mock.fault_next(&format!("/v1/reviews/{late}"), Reply::json_text(missing).status(404));
    let second = sync_with(&mock, "reviews", &resumed(&first), &json!({}));
    let rows: Vec<(Value, Value)> =
        field(&second, "reviews", "id").into_iter().zip(field(&second, "reviews", "is_deleted")).collect();
    assert_eq!(rows, [(json!(late), Value::Null), (json!(gone), json!(true))]);
    let third = sync_with(&mock, "reviews", &resumed(&second), &json!({}));
    assert_eq!(field(&third, "reviews", "id"), [json!(late)], "as it is now");
    assert_eq!(field(&third, "reviews", "shape_of_version"), [Value::Null]);
}

#[test]
fn what_stripe_does_not_give_comes_from_the_event_with_a_warning() {
    for refusal in [
        Reply::json_text(r#"{"error":{"message":"no"}}"#).status(403),
        Reply::text("<html>").status(404),
        Reply::json_text(r#"{"object":"list","data":[]}"#),
    ] {
        let mock = StripeMock::builder().count("products", 1).start();
        let first = sync(&mock, 0, "products", "incremental", &json!([]));
        mock.set_now(DEFAULT_NOW + DAY);
        let id = mock.ids("products")[0].to_string();
        mock.update("products", &id, |object| drop(object.insert("name".into(), json!("New"))));
        mock.fault_next(&format!("/v1/products/{id}"), refusal);
        let done = sync_with(&mock, "products", &resumed(&first), &json!({}));
        assert_eq!(field(&done, "products", "name"), ["New"]);
        let path = format!("GET /products/{id}");
        assert!(done.logs().iter().any(|(level, text)| *level == "WARN" && text.contains(&path)));
        assert_eq!(done.statuses("products").last(), Some(&"COMPLETE"));
    }
}

#[test]
fn lists_and_names_of_old_versions_are_understood() {
    let version = |mock: StripeMockBuilder| mock.account_version("2011-11-12");
    let mock = version(StripeMock::builder()).count("application_fees", 1).count("payouts", 1).start();
    let refunds = "application_fees_refunds";
    let firsts = [refunds, "payouts"].map(|stream| sync(&mock, 0, stream, "incremental", &json!([])));
    mock.set_now(DEFAULT_NOW + DAY);
    for resource in ["application_fees", "payouts"] {
        let id = mock.ids(resource)[0].to_string();
        if resource == "application_fees" {
            mock.create_with(refunds, &json!({"fee": id}).to_string());
        }
        mock.update(resource, &id, |object| drop(object.insert("amount".into(), json!(7))));
    }
    for mode in ["auto", "events"] {
        let settings = json!({"changed_objects": mode});
        let fees = sync_with(&mock, refunds, &resumed(&firsts[0]), &settings);
        assert_eq!(fees.records(refunds).len(), mock.ids(refunds).len(), "{mode}");
        let payouts = sync_with(&mock, "payouts", &resumed(&firsts[1]), &settings);
        assert_eq!(field(&payouts, "payouts", "amount"), [7], "{mode}");
    }
}

/// By the cursor, a row from a list must not look older than the one from an earlier event.
#[test]
fn what_is_listed_again_after_a_long_pause_is_newer_than_what_events_gave() {
    let mock = StripeMock::builder().count("products", 2).start();
    let known = json!({"updated": (DEFAULT_NOW - 40 * DAY).to_string(), "synced_to": DEFAULT_NOW - 40 * DAY});
    let done = sync(&mock, 0, "products", "incremental", &state_of("products", &known));
    let is_newer = |updated: &Value| updated.as_i64().unwrap() >= DEFAULT_NOW - 40 * DAY;
    assert!(field(&done, "products", "updated").iter().all(is_newer), "{:?}", done.records("products"));
}

#[test]
fn a_clock_that_is_ahead_of_stripes_loses_nothing() {
    let date = "Thu, 01 Jan 2026 00:00:00 GMT";
    let mock = StripeMock::builder().count("customers", 1);
    let mock = mock.on_reply(move |_, reply| reply.header("Date", date)).start();
    // The clock here is an hour ahead.
    mock.set_now(DEFAULT_NOW + 3_600);
    let done = InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW + 3_600)
        .config(&config(&mock))
        .streams(&[("customers", "incremental")])
        .run("read")
        .messages();
    assert_eq!(done.states("customers").last().unwrap()["synced_to"], DEFAULT_NOW);
}
