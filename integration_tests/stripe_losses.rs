//! Stripe data that other connectors silently lose or mix up: a test for each.

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::InProcess;
use stripe_mock::DEFAULT_NOW;
use stripe_mock::StripeMock;

use crate::stripe::{DAY, field, resumed, skipped, state_of, sync};
use crate::support::binary::config;

fn objects(messages: &source_http_testkit::Messages, stream: &str) -> Vec<Value> {
    let mut kinds = field(messages, stream, "object");
    kinds.dedup();
    kinds
}

fn at(days: i64) -> i64 {
    DEFAULT_NOW + days * DAY
}

#[test]
fn line_items_and_subscription_items_are_the_items_from_events_too() {
    for (stream, parent, kind, cursor) in [
        ("invoice_line_items", "invoices", "line_item", "invoice_updated"),
        ("subscription_items", "subscriptions", "subscription_item", "subscription_updated"),
    ] {
        let mock = StripeMock::builder().count(parent, 2).children(stream, 2).start();
        let parent_id = mock.ids(parent)[0].to_string();
        let first = sync(&mock, 0, stream, "incremental", &json!([]));
        assert_eq!(objects(&first, stream), [kind]);
        mock.set_now(at(1));
        mock.update(parent, &parent_id, |object| drop(object.insert("metadata".into(), json!({"a": "b"}))));
        let second = sync(&mock, 2, stream, "incremental", &resumed(&first));
        assert_eq!((objects(&second, stream), second.records(stream).len()), (vec![json!(kind)], 2));
        assert_eq!(field(&second, stream, cursor), [at(1), at(1)]);
    }
}

/// An event also has the first page of the list; the rest is requested.
#[test]
fn a_list_in_an_event_that_has_more_is_read_to_its_end() {
    let mock = StripeMock::builder().count("invoices", 1).children("invoice_line_items", 25).start();
    let invoice = mock.ids("invoices")[0].to_string();
    let first = sync(&mock, 0, "invoice_line_items", "incremental", &json!([]));
    assert_eq!(first.records("invoice_line_items").len(), 25);
    mock.set_now(at(1));
    mock.update("invoices", &invoice, |object| drop(object.insert("metadata".into(), json!({"a": "b"}))));
    let second = sync(&mock, 2, "invoice_line_items", "incremental", &resumed(&first));
    assert_eq!(second.records("invoice_line_items").len(), 25);
    assert_eq!(field(&second, "invoice_line_items", "invoice_id"), vec![json!(invoice); 25]);
    let asked = mock.server().conversation();
    assert_eq!((asked.len(), &asked[1]), (3, &format!("GET /v1/invoices/{invoice}")));
    assert!(asked[2].starts_with(&format!("GET /v1/invoices/{invoice}/lines?limit=100&starting_after=")), "{asked:?}");
}

#[test]
fn the_lines_of_a_deleted_invoice_are_flagged_and_requested_no_more() {
    let mock = StripeMock::builder().count("invoices", 2).children("invoice_line_items", 12).start();
    let first = sync(&mock, 0, "invoice_line_items", "incremental", &json!([]));
    mock.set_now(at(1));
    let invoice = mock.ids("invoices")[0].to_string();
    mock.delete("invoices", &invoice);
    let second = sync(&mock, 2, "invoice_line_items", "incremental", &resumed(&first));
    // The event has the first ten; the others were deleted with their invoice, which is not a failure.
    assert_eq!(field(&second, "invoice_line_items", "is_deleted"), vec![json!(true); 10]);
    assert_eq!(second.statuses("invoice_line_items").last(), Some(&"COMPLETE"));
}

#[test]
fn a_new_refund_of_an_application_fee_is_found_though_it_has_no_event_of_its_own() {
    let stream = "application_fees_refunds";
    let mock = StripeMock::builder().count("application_fees", 1).children(stream, 1).start();
    let fee = mock.ids("application_fees")[0].to_string();
    let first = sync(&mock, 0, stream, "incremental", &json!([]));
    mock.set_now(at(1));
    mock.create_with(stream, &json!({"fee": fee}).to_string());
    mock.update("application_fees", &fee, |object| drop(object.insert("amount_refunded".into(), json!(7))));
    let second = sync(&mock, 2, stream, "incremental", &resumed(&first));
    assert_eq!((objects(&second, stream), second.records(stream).len()), (vec![json!("fee_refund")], 2));
}

#[test]
fn cards_and_bank_accounts_stay_out_of_accounts_and_out_of_each_other() {
    let mock = StripeMock::builder().start();
    for (id, kind) in [("card_1", "card"), ("ba_1", "bank_account")] {
        let object = json!({"id": id, "object": kind, "account": "acct_test"}).to_string();
        mock.push_event("account.external_account.updated", at(1), &object);
        mock.push_event("customer.source.updated", at(1), &object);
    }
    mock.push_event("account.updated", at(1), r#"{"id":"acct_1","object":"account","created":5}"#);
    for (stream, id) in [
        ("accounts", "acct_1"),
        ("external_account_cards", "card_1"),
        ("external_account_bank_accounts", "ba_1"),
        ("bank_accounts", "ba_1"),
    ] {
        let state = state_of(stream, &json!({"updated": DEFAULT_NOW.to_string()}));
        assert_eq!(field(&sync(&mock, 2, stream, "incremental", &state), stream, "id"), [id], "{stream}");
    }
}

#[test]
fn a_checkout_session_that_is_still_open_is_found_and_so_are_its_line_items() {
    let mock = StripeMock::builder()
        .spread(at(-300), at(-5))
        .count("checkout_sessions", 250)
        .children("checkout_sessions_line_items", 1)
        .start();
    for stream in ["checkout_sessions", "checkout_sessions_line_items"] {
        let first = sync(&mock, 0, stream, "incremental", &json!([]));
        mock.set_now(at(1));
        let new = mock.create("checkout_sessions");
        mock.create_with("checkout_sessions_line_items", &json!({"_parent": new}).to_string());
        let second = sync(&mock, 2, stream, "incremental", &resumed(&first));
        let name = if stream == "checkout_sessions" { "id" } else { "checkout_session_id" };
        assert!(field(&second, stream, name).contains(&json!(new)), "{stream}");
        // The list is newest first: its first page is enough.
        let lists = mock.server().requests().iter().filter(|asked| asked.path == "/v1/checkout/sessions").count();
        assert_eq!(lists, 1, "{stream}");
    }
}

#[test]
fn of_the_versions_of_an_object_only_the_newest_comes() {
    let mock = StripeMock::builder().start();
    for name in ["old", "older than new", "new"] {
        let object = json!({"id": "cus_1", "object": "customer", "created": 5, "name": name}).to_string();
        mock.push_event("customer.updated", at(1), &object);
    }
    mock.push_event("customer.updated", at(1) - 1, r#"{"id":"cus_1","object":"customer","created":5,"name":"before"}"#);
    let state = state_of("customers", &json!({"updated": DEFAULT_NOW.to_string()}));
    let names = field(&sync(&mock, 2, "customers", "incremental", &state), "customers", "name");
    assert_eq!(names, ["new"]);
}

#[test]
fn types_of_events_that_tell_of_changes_are_all_requested() {
    for (stream, kind, object) in [
        ("invoices", "invoice.overpaid", "invoice"),
        ("invoices", "invoice.payment_attempt_required", "invoice"),
        ("refunds", "refund.failed", "refund"),
        ("transactions", "issuing_transaction.purchase_details_receipt_updated", "issuing.transaction"),
    ] {
        let mock = StripeMock::builder().start();
        mock.push_event(kind, at(1), &json!({"id": "x_1", "object": object, "created": 5}).to_string());
        let state = state_of(stream, &json!({"updated": DEFAULT_NOW.to_string()}));
        assert_eq!(field(&sync(&mock, 2, stream, "incremental", &state), stream, "id"), ["x_1"], "{kind}");
    }
    for kind in ["deleted", "paused", "pending_update_applied", "pending_update_expired", "resumed", "trial_will_end"] {
        let mock = StripeMock::builder().start();
        let item = json!({"id": "si_1", "object": "subscription_item", "created": 5});
        let subscription = json!({"id": "sub_1", "object": "subscription", "created": 5, "items": {"data": [item], "has_more": false}});
        mock.push_event(&format!("customer.subscription.{kind}"), at(1), &subscription.to_string());
        let state = state_of("subscription_items", &json!({"subscription_updated": DEFAULT_NOW.to_string()}));
        let done = sync(&mock, 2, "subscription_items", "incremental", &state);
        assert_eq!(field(&done, "subscription_items", "id"), ["si_1"], "{kind}");
    }
}

/// Without permission no state moves, so everything is read once permission is granted.
#[test]
fn a_stream_without_permission_is_skipped_and_read_whole_when_it_is_granted() {
    for (stream, path, resources) in [
        ("customers", "/v1/customers", &["customers"][..]),
        ("payment_methods", "/v1/customers/{customer}/payment_methods", &["customers", "payment_methods"]),
        ("customer_balance_transactions", "/v1/customers", &["customers", "customer_balance_transactions"]),
        ("invoice_line_items", "/v1/invoices", &["invoices", "invoice_line_items"]),
        ("setup_attempts", "/v1/setup_attempts", &["setup_intents", "setup_attempts"]),
    ] {
        for (status, words) in [(403, "The key has no rak_read permission."), (400, "Not set up for this.")] {
            let mock = resources.iter().fold(StripeMock::builder(), |mock, resource| match resources {
                [parent, _] if parent != resource => mock.children(resource, 2),
                _ => mock.count(resource, 3),
            });
            let mock = mock.spread(at(-300), at(-100)).forbid_with(path, status, words).start();
            let denied = skipped(&mock, 0, stream, &json!([]));
            assert_eq!(denied.states(stream).len(), 0, "{stream} {status}");
            let warnings: Vec<_> = denied.logs().into_iter().filter(|(level, _)| *level == "WARN").collect();
            assert!(warnings.len() == 1 && warnings[0].1.contains(words), "{warnings:?}");
            mock.allow(path);
            let granted = sync(&mock, 1, stream, "incremental", &json!([]));
            assert_eq!(granted.records(stream).len(), mock.ids(resources.last().unwrap()).len(), "{stream} {status}");
        }
    }
}

/// An incremental stream that loses its permission keeps its state; changes in the meantime come once permission is
/// back.
#[test]
fn a_permission_that_is_taken_away_for_a_while_loses_no_change() {
    let mock = StripeMock::builder().count("customers", 3).start();
    let first = sync(&mock, 0, "customers", "incremental", &json!([]));
    let changed = mock.ids("customers")[0].to_string();
    mock.set_now(at(1));
    mock.update("customers", &changed, |object| drop(object.insert("name".into(), json!("New"))));
    mock.forbid("/v1/events");
    let denied = skipped(&mock, 2, "customers", &resumed(&first));
    assert_eq!((denied.states("customers").len(), denied.records("customers").len()), (0, 0));
    mock.allow("/v1/events");
    let second = sync(&mock, 3, "customers", "incremental", &resumed(&first));
    assert_eq!(field(&second, "customers", "id"), [json!(changed)]);
}

/// Six failures of the server, or a key that is refused, are no empty list.
#[test]
fn a_first_sync_that_fails_at_once_leaves_no_state() {
    for status in [401, 500] {
        let mock = StripeMock::builder().count("customers", 3).start();
        mock.fail_for("/v1/customers", status, 6);
        let done = InProcess::with_registry(Registry::built_in())
            .now(DEFAULT_NOW)
            .config(&config(&mock))
            .streams(&[("customers", "incremental")])
            .run("read");
        let messages = done.messages();
        assert_eq!((done.status, messages.states("customers").len()), (1, 0), "{status}");
        assert_eq!(messages.statuses("customers").last(), Some(&"INCOMPLETE"), "{status}");
    }
}

/// Config validation still accepts an empty account.
#[test]
fn without_an_account_its_external_accounts_are_skipped_and_all_else_is_read() {
    let mock = StripeMock::builder().count("accounts", 2).start();
    let mut config = config(&mock);
    config["account_id"] = json!("");
    let done = InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW)
        .config(&config)
        .streams(&[("external_account_cards", "incremental"), ("accounts", "incremental")])
        .run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.records("accounts").len()), (0, 2));
    let warnings: Vec<_> = messages.logs().into_iter().filter(|(level, _)| *level == "WARN").collect();
    assert!(warnings.len() == 1 && warnings[0].1.contains("`account_id`, which is empty"), "{warnings:?}");
}

#[test]
fn states_too_old_for_the_events_make_a_list_again_in_every_family() {
    let old = at(-40);
    for (stream, list, state) in [
        ("customers", "/v1/customers", json!({"updated": old.to_string()})),
        ("accounts", "/v1/accounts", json!({"updated": old})),
        (
            "invoice_line_items",
            "/v1/invoices",
            json!({"use_global_cursor": true, "state": {"invoice_updated": old.to_string()}, "lookback_window": 1, "parent_state": {}}),
        ),
        (
            "payment_methods",
            "/v1/customers",
            json!({"use_global_cursor": true, "state": {"updated": old.to_string()}, "lookback_window": 1, "parent_state": {}, "updated": old.to_string()}),
        ),
        (
            "transfer_reversals",
            "/v1/transfers",
            json!({"use_global_cursor": true, "state": {"created": "5"}, "lookback_window": 1, "parent_state": {"transfers": {"updated": old}}}),
        ),
        (
            "setup_attempts",
            "/v1/setup_intents",
            json!({"states": [], "parent_state": {"setup_intents": {"updated": old}}}),
        ),
    ] {
        let mock = StripeMock::builder().start();
        let done = sync(&mock, 0, stream, "incremental", &state_of(stream, &state));
        assert!(mock.server().requests().iter().all(|asked| asked.path == list), "{stream}");
        assert!(done.logs().iter().any(|(level, text)| *level == "WARN" && text.contains("30 days")), "{stream}");
    }
}

#[test]
fn a_cursor_in_the_future_hides_no_change() {
    let mock = StripeMock::builder().count("products", 3).start();
    let changed = mock.ids("products")[0].to_string();
    mock.set_now(at(1));
    mock.update("products", &changed, |object| drop(object.insert("name".into(), json!("New"))));
    let state = state_of("products", &json!({"updated": (at(2) + 3600).to_string()}));
    let done = sync(&mock, 2, "products", "incremental", &state);
    assert!(field(&done, "products", "name").contains(&json!("New")));
    assert!(done.logs().iter().any(|(level, text)| *level == "WARN" && text.contains("in the future")));
    assert_eq!(done.states("products").last().unwrap()["updated"], at(2).to_string());
    mock.set_now(at(2) + 60);
    mock.update("products", &changed, |object| drop(object.insert("name".into(), json!("Newer"))));
    let next = sync(&mock, 3, "products", "incremental", &resumed(&done));
    assert_eq!(field(&next, "products", "name"), ["Newer"], "what happened before that moment came");
}

/// All forms of states that other connectors write for these streams.
#[test]
fn states_of_every_form_are_resumed_from() {
    let known = at(-3);
    let date = jiff::Timestamp::from_second(known).unwrap().to_string();
    let global = |field: &str| json!({"use_global_cursor": true, "state": {field: known.to_string()}, "lookback_window": 1, "parent_state": {}});
    for (stream, state) in [
        ("customers", json!({"updated": known})),
        ("customers", json!({"updated": f64::from(i32::try_from(known).unwrap())})),
        ("customers", json!({"updated": date})),
        (
            "customers",
            json!({"slices": [{"start": 0, "end": known + 9, "most_recent_cursor_value": known}], "state_type": "date-range"}),
        ),
        ("payment_methods", json!({"updated": known})),
        ("payment_methods", global("updated")),
        ("invoice_line_items", json!({"invoice_updated": known.to_string()})),
        ("invoice_line_items", global("invoice_updated")),
        ("subscription_items", global("subscription_updated")),
        ("checkout_sessions_line_items", json!({"checkout_session_updated": known})),
        ("customer_balance_transactions", json!({"created": known.to_string()})),
        (
            "transfer_reversals",
            json!({"use_global_cursor": true, "state": {"created": "5"}, "lookback_window": 1, "parent_state": {"transfers": {"updated": known}}}),
        ),
        ("setup_attempts", json!({"created": known})),
        (
            "setup_attempts",
            json!({"use_global_cursor": true, "state": {"created": "5"}, "lookback_window": 1, "parent_state": {"setup_intents": {"updated": known}}}),
        ),
        (
            "setup_attempts",
            json!({"use_global_cursor": false, "states": [{"partition": {"parent_slice": {}, "setup_intent_id": "seti_1"}, "cursor": {"created": "5"}}], "state": {"created": "5"}, "lookback_window": 1, "parent_state": {"setup_intents": {"updated": known}}}),
        ),
    ] {
        let mock = StripeMock::builder().start();
        sync(&mock, 0, stream, "incremental", &state_of(stream, &state));
        let asked = mock.server().requests();
        let events: Vec<_> = asked.iter().filter(|asked| asked.path == "/v1/events").collect();
        assert_eq!(events.len(), 1, "{stream} {state}");
        let from = (known - 300).to_string();
        assert_eq!(events[0].param("created[gte]"), Some(from.as_str()), "{stream} {state}");
    }
    for (stream, state) in [
        ("usage_records", json!({"__ab_no_cursor_state_message": true})),
        (
            "customer_balance_transactions",
            json!({"use_global_cursor": true, "lookback_window": 1, "parent_state": {"customers": {}}}),
        ),
        ("payment_methods", json!({"use_global_cursor": true, "lookback_window": 1, "parent_state": {}})),
        ("customers", json!({"created": 5})),
    ] {
        let mock = StripeMock::builder().start();
        let mode = if stream == "usage_records" { "full_refresh" } else { "incremental" };
        sync(&mock, 0, stream, mode, &state_of(stream, &state));
        assert!(mock.server().requests().iter().all(|asked| asked.path != "/v1/events"), "{stream} {state}");
        assert!(!mock.server().requests().is_empty(), "{stream} {state}");
    }
}

#[test]
fn no_value_is_changed_on_its_way() {
    let odd =
        r#"{"id":"prod_1","object":"product","created":1766000000,"updated":1.0,"due":null,"livemode":"yes","a":[1]}"#;
    let mock = StripeMock::builder().object("products", odd).start();
    let listed = sync(&mock, 0, "products", "full_refresh", &json!([]));
    assert_eq!(listed.records("products"), [odd.replace("\"updated\":1.0", "\"updated\":1766000000")]);
    mock.push_event("product.updated", at(1), odd);
    let changed = sync(&mock, 2, "products", "incremental", &resumed(&listed));
    assert_eq!(changed.records("products"), [odd.replace("1.0", &at(1).to_string())]);
}
