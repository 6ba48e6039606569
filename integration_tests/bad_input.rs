//! The table of bad inputs and their whole messages. A message names the problem, its place and the remedy; it is of
//! the right kind; and it contains no secret.

use std::net::TcpListener;

use serde_json::{Value, json};
use source_http::Registry;
use source_http::protocol::SyncMode;
use source_http::streams::{HttpStream, RequestContext};
use source_http_testkit::Messages;
use source_http_testkit::{Finished, InProcess, Reply};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::StripeMock;

use crate::support::binary::{Binary, config};
use crate::support::connector;

/// The run's first error, without the server's address.
fn first_error(messages: &Messages, url: &str) -> (String, String) {
    let error = messages.errors().into_iter().next().expect("an error trace");
    let mut text = if url.is_empty() { error.message } else { error.message.replace(url, "URL") };
    // The mock numbers its answers.
    if let Some(at) = text.find(", request id req_0000") {
        let end = at + text[at..].find(')').unwrap();
        text.replace_range(at..end, "");
    }
    (error.failure_type.unwrap_or_default(), text)
}

#[test]
fn files_that_cannot_be_used() {
    let good = r#"{"client_secret":"sk_test_x","account_id":"a","api_url":"http://127.0.0.1:1"}"#;
    let catalog = r#"{"streams":[{"stream":{"name":"charges"},"sync_mode":"incremental"}]}"#;
    for (files, message) in [
        ([None, Some(catalog), None], "The config file config cannot be read: there is no such file. Check --config."),
        (
            [Some("{\"client_secret\": "), Some(catalog), None],
            "The config in config is not valid JSON: EOF while parsing a value at line 1 column 18. Correct it there.",
        ),
        (
            [Some("{}"), Some(catalog), None],
            "The config in config does not fit the specification: \"client_secret\" is a required property; \
             \"account_id\" is a required property. Run spec to see what is expected.",
        ),
        (
            [
                Some(r#"{"client_secret":"sk_test_x","account_id":3,"slice_range":"30","start_date":"monday"}"#),
                None,
                None,
            ],
            "The config in config does not fit the specification: `account_id`: the value is not of type \"string\"; \
             `slice_range`: the value is not of type \"integer\"; `start_date`: write it like 2017-01-25T00:00:00Z. \
             Run spec to see what is expected.",
        ),
        (
            [Some(r#"{"client_secret":"sk_test_x","account_id":"a","api_url":"api.stripe.com"}"#), None, None],
            "The config's `api_url`: \"api.stripe.com\" is not a URL: relative URL without a base. \
             Write the full URL, as in https://api.stripe.com/v1.",
        ),
        (
            [Some(r#"{"client_secret":"sk_test_x","account_id":"a","start_date":"2024-13-41T00:00:00Z"}"#), None, None],
            "The config in config does not fit the specification: `start_date`: write it like 2017-01-25T00:00:00Z. Run \
             spec to see what is expected.",
        ),
        (
            [Some(good), Some("[]"), None],
            "The catalog in catalog is not a configured catalog: it has no list `streams`. The command catalog prints one to \
             begin with; without --catalog every stream is read.",
        ),
        (
            [Some(good), Some(r#"{"type":"CATALOG","catalog":{"streams":[]}}"#), None],
            "The catalog in catalog is a discovered one, not a configured one: each entry of `streams` must be \
             {\"stream\": ..., \"sync_mode\": ..., \"destination_sync_mode\": ...}. The command catalog prints one to \
             begin with; without --catalog every stream is \
             read.",
        ),
        (
            [Some(good), Some(r#"{"streams":[{"stream":{"name":"charges"},"sync_mode":"sometimes"}]}"#), None],
            "The catalog in catalog is not a configured catalog: unknown variant `sometimes`, expected `full_refresh` \
             or `incremental`. The command catalog prints one to begin with; without --catalog every stream is read.",
        ),
        (
            [Some(good), Some(catalog), Some("[{\"type\":\"STREAM\"}]")],
            "The state in state cannot be used: an item of type STREAM has no `stream`. Give the states as Airbyte \
             keeps them, [{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":...},\"stream_state\":{...}}}], \
             or the STATE lines of a read; an empty file reads from the beginning.",
        ),
        (
            [Some(good), Some(catalog), Some(r#"{"charges":{"updated":"soon"}}"#)],
            "The state of \"charges\" cannot be used: it should have `updated` with seconds since the epoch, and is \
             {\"updated\":\"soon\"}. Correct it, or remove it to read the stream from the beginning.",
        ),
    ] {
        let mut args = vec!["read", "--config", "config"];
        if files[1].is_some() {
            args.extend(["--catalog", "catalog"]);
        }
        if files[2].is_some() {
            args.extend(["--state", "state"]);
        }
        let names = ["config", "catalog", "state"];
        let binary = Binary::new(&args);
        let binary = names.iter().zip(files).fold(binary, |binary, (name, text)| match text {
            Some(text) => binary.file(name, text),
            None => binary,
        });
        let output = binary.run();
        let (kind, text) = first_error(&output.messages(), "nowhere");
        assert_eq!((kind.as_str(), text.as_str()), ("config_error", message));
        assert_eq!(output.status, Some(1));
        assert!(output.stderr.contains(&output.messages().errors()[0].message), "{}", output.stderr);
    }
}

/// Reads one stream of a mock, in virtual time.
fn read(mock: &StripeMock, change: impl FnOnce(&mut Value), stream: &str, mode: &str) -> Finished {
    let mut config = config(mock);
    config["start_date"] = json!("2026-01-01T00:00:00Z");
    change(&mut config);
    InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW)
        .config(&config)
        .streams(&[(stream, mode)])
        .run("read")
}

#[test]
fn catalogs_and_states_that_do_not_fit_the_streams() {
    let mock = StripeMock::builder().count("refunds", 2).start();
    let done = read(&mock, |_| {}, "employees", "full_refresh");
    assert_eq!(
        first_error(&done.messages(), &mock.url()),
        (
            "config_error".into(),
            "The catalog asks for the stream \"employees\", which this source does not have. Run discover and refresh \
             the catalog. The streams are: events, shipping_rates, balance_transactions, files, file_links, \
             application_fees, authorizations, cardholders, cards, charges, coupons, customers, disputes, \
             invoice_items, invoices, payment_intents, payouts, plans, prices, products, promotion_codes, refunds, \
             reviews, setup_intents, subscription_schedule, subscriptions, top_ups, transactions, transfers, accounts, \
             checkout_sessions, credit_notes, early_fraud_warnings, external_account_bank_accounts, \
             external_account_cards, checkout_sessions_line_items, customer_balance_transactions, \
             payout_balance_transactions, setup_attempts, transfer_reversals, payment_methods, persons, \
             application_fees_refunds, bank_accounts, invoice_line_items, subscription_items, usage_records, \
             invoice_payments."
                .into()
        )
    );
    assert_eq!((done.status, done.messages().statuses("employees").last()), (1, Some(&"INCOMPLETE")));
}

/// A stream without a cursor, in the modes that it declares.
struct Items(Vec<SyncMode>);

impl HttpStream for Items {
    fn name(&self) -> &str {
        "items"
    }
    fn url_base(&self) -> &str {
        "http://127.0.0.1:1"
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "items".into()
    }
    fn sync_modes(&self) -> Vec<SyncMode> {
        self.0.clone()
    }
}

#[test]
fn a_mode_or_state_that_a_stream_does_not_have() {
    let incremental_only = connector(|| Box::new(Items(vec![SyncMode::Incremental])));
    let done = incremental_only.streams(&[("items", "full_refresh")]).run("read");
    let message = "The catalog asks to read \"items\" in the mode full_refresh, which it does not support. Choose one \
                   of: incremental.";
    assert_eq!(first_error(&done.messages(), ""), ("config_error".into(), message.into()));

    let done =
        connector(|| Box::new(Items(vec![SyncMode::FullRefresh]))).state(&json!({"items": {"page": 3}})).run("read");
    let message = "\"items\" has no cursor, and its state {\"page\":3} is not from this source. Remove it from the state \
                   file, or reset the stream, to read all of it.";
    assert_eq!(first_error(&done.messages(), ""), ("config_error".into(), message.into()));
}

/// The first message of a stream that fails.
fn stream_error(mock: &StripeMock, change: impl FnOnce(&mut Value)) -> (String, String) {
    let done = read(mock, change, "refunds", "full_refresh");
    assert_eq!(done.status, 1, "{}", done.stdout);
    let messages = done.messages();
    assert_eq!(messages.statuses("refunds").last(), Some(&"INCOMPLETE"));
    assert_eq!(messages.errors()[0].stream.as_deref(), Some("refunds"));
    first_error(&messages, &mock.url())
}

const REQUEST: &str = "GET URL/v1/refunds?limit=100&created%5Bgte%5D=1767225600&created%5Blte%5D=1767225600";

#[test]
fn answers_that_are_no_records() {
    let mock = StripeMock::builder().count("refunds", 2).start();
    for (reply, kind, message) in [
        (
            Reply::json_text(r#"{"error":{"message":"Invalid API Key provided: sk_test_****"}}"#).status(401),
            "config_error",
            "REQUEST answered 401 Unauthorized: Invalid API Key provided: sk_test_****. Check `client_secret` in the \
             config.",
        ),
        (
            Reply::json_text(r#"{"error":{"code":"account_invalid","message":"No access to account 'acct_test'."}}"#)
                .status(403),
            "config_error",
            "REQUEST answered 403 Forbidden: No access to account 'acct_test'. Check `account_id` and `api_url` in the \
             config, and any proxy on the way.",
        ),
        (
            Reply::text("no such page").status(404).header("Request-Id", "req_7"),
            "system_error",
            "REQUEST answered 404 Not Found (text/plain; charset=utf-8, request id req_7) with body starting with: no \
             such page. Check `api_url` and `account_id` in the config.",
        ),
        (
            Reply::shared("text/html", "<html>\n  <title>Sign in</title>".as_bytes()),
            "config_error",
            "The response cannot be read: it is not valid JSON (expected value at line 1 column 1). REQUEST answered \
             200 OK (text/html) with body starting with: <html> <title>Sign in</title>. This is a web page, not an \
             API: check the URL in the config, and any proxy or login on the way.",
        ),
        (
            Reply::json_text(r#"{"object":"list","items":[]}"#),
            "system_error",
            "The response cannot be read: there is nothing at `data`. REQUEST answered 200 OK (application/json) with \
             body starting with: {\"object\":\"list\",\"items\":[]}. The API has changed, or the URL in the config \
             is wrong.",
        ),
        (
            Reply::json_text(r#"{"object":"list","data":[],"has_more":true}"#),
            "system_error",
            "There are more pages after the response to REQUEST, and it has no record with `id` to continue from.",
        ),
    ] {
        mock.fault_next("/v1/refunds", reply);
        let expected = (kind.to_owned(), message.replace("REQUEST", REQUEST));
        assert_eq!(stream_error(&mock, |_| {}), expected);
    }
}

#[test]
fn answers_that_stay_bad_are_given_up_as_transient() {
    let mock = StripeMock::builder().start();
    for _ in 0..6 {
        mock.fault_next("/v1/refunds", Reply::json_text(r#"{"data":[{"id":"re_1""#));
    }
    let message = "The response cannot be read: it is not valid JSON (EOF while parsing an object at line 1 column 21). \
                   REQUEST answered 200 OK (application/json) with body starting with: {\"data\":[{\"id\":\"re_1\". \
                   Gave up after 3 attempts.";
    assert_eq!(stream_error(&mock, |_| {}), ("transient_error".into(), message.replace("REQUEST", REQUEST)));
}

#[test]
fn servers_that_do_not_answer() {
    let mock = StripeMock::builder().start();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = stream_error(&mock, |config| config["api_url"] = json!(format!("http://{free}")));
    let query = REQUEST.strip_prefix("GET URL/v1").unwrap();
    let message = format!(
        "GET http://{free}{query} got no response from {free}: no connection could be opened: connection refused. \
         Check the host and port in the URL, and that they can be reached from here. Gave up after 6 attempts."
    );
    assert_eq!(refused, ("transient_error".into(), message));

    let (kind, message) = stream_error(&mock, |config| config["api_url"] = json!("http://stripe.invalid"));
    assert_eq!(kind, "transient_error");
    let expected = "got no response from stripe.invalid:80: the host name could not be resolved (DNS)";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn no_message_holds_the_key() {
    let mock = StripeMock::builder().start();
    let key = "sk_test_must_not_be_seen";
    let echo = Reply::json_text(format!(r#"{{"error":{{"message":"bad key {key}"}}}}"#)).status(401);
    mock.fault_next("/v1/refunds", echo.header("X-Echo", key));
    let done = read(&mock, |config| config["client_secret"] = json!(key), "refunds", "full_refresh");
    assert!(done.stdout.contains("bad key ****") && !done.stdout.contains(key), "{}", done.stdout);
}
