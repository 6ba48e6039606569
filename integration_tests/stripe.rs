//! The Stripe source: its requests, sync after sync, and its states.

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{Finished, InProcess, Messages, Reply, Request, Server};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::StripeMock;

use crate::support::binary::config;

pub(crate) const DAY: i64 = 86_400;

/// A sync of one stream, `days` after the mock's beginning.
pub(crate) fn sync(mock: &StripeMock, days: i64, stream: &str, mode: &str, state: &Value) -> Messages {
    let done = try_sync(mock, days, stream, mode, state);
    assert_eq!(done.status, 0, "{}", done.stdout);
    done.messages()
}

/// A sync without anything to read, because its only stream is skipped.
pub(crate) fn skipped(mock: &StripeMock, days: i64, stream: &str, state: &Value) -> Messages {
    let done = try_sync(mock, days, stream, "incremental", state);
    let messages = done.messages();
    assert_eq!((done.status, messages.statuses(stream)), (1, vec!["STARTED", "COMPLETE"]), "{}", done.stdout);
    let errors = messages.errors();
    assert_eq!((errors.len(), errors[0].failure_type.as_deref()), (1, Some("config_error")));
    messages
}

fn try_sync(mock: &StripeMock, days: i64, stream: &str, mode: &str, state: &Value) -> Finished {
    mock.server().take_requests();
    mock.set_now(DEFAULT_NOW + days * DAY);
    let mut config = config(mock);
    let start = jiff::Timestamp::from_second(DEFAULT_NOW - 400 * DAY).unwrap();
    config["start_date"] = format!("{start:.0}").into();
    InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW + days * DAY)
        .config(&config)
        .streams(&[(stream, mode)])
        .state(state)
        .run("read")
}

pub(crate) fn state_of(stream: &str, state: &Value) -> Value {
    json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": state}}])
}

pub(crate) fn resumed(messages: &Messages) -> Value {
    serde_json::from_str(&messages.state_file()).unwrap()
}

#[test]
fn an_answer_with_nothing_in_it_is_no_empty_list() {
    for (reply, told) in [
        (Reply::empty(204), "Stripe never sends an empty response"),
        (Reply::empty(205), "Stripe never sends an empty response"),
        (Reply::json_text(""), "an empty body"),
    ] {
        let mock = StripeMock::builder().count("customers", 3).start();
        let server = Server::start(move |_: &Request| reply.clone());
        let mut config = config(&mock);
        config["api_url"] = server.url().into();
        let done = InProcess::with_registry(Registry::built_in())
            .now(DEFAULT_NOW)
            .config(&config)
            .streams(&[("customers", "incremental")])
            .run("read");
        let error = done.messages().errors().swap_remove(0);
        assert_eq!((done.status, error.failure_type.as_deref()), (1, Some("transient_error")), "{}", done.stdout);
        assert!(error.message.contains(told), "{}", error.message);
        assert!(done.messages().states("customers").is_empty());
    }
}

#[test]
fn a_state_as_airbytes_api_shows_it_is_resumed_from() {
    let mock = StripeMock::builder().count("customers", 3).start();
    let known = json!({"updated": (DEFAULT_NOW - 100).to_string()});
    let state = json!({"stateType": "stream", "connectionId": "c", "streamState": [
        {"streamDescriptor": {"name": "customers"}, "streamState": known},
    ]});
    sync(&mock, 0, "customers", "incremental", &state);
    assert!(mock.server().conversation()[0].starts_with("GET /v1/events?"), "{:?}", mock.server().conversation());

    let misspelt = InProcess::with_registry(Registry::built_in())
        .config(&config(&mock))
        .streams(&[("customers", "incremental")])
        .state(&json!({"custmers": known}))
        .run("read");
    let error = misspelt.messages().errors().swap_remove(0);
    assert_eq!((misspelt.status, error.failure_type.as_deref()), (1, Some("config_error")));
    assert!(error.message.contains("did you mean \"customers\"?"), "{}", error.message);
}

pub(crate) fn field(messages: &Messages, stream: &str, name: &str) -> Vec<Value> {
    let value = |record: &str| serde_json::from_str::<Value>(record).unwrap()[name].clone();
    messages.records(stream).into_iter().map(value).collect()
}

#[test]
fn a_created_cursor_stream_is_read_in_windows_and_then_from_its_newest_object() {
    let mock = StripeMock::builder().count("balance_transactions", 150).start();
    let first = sync(&mock, 0, "balance_transactions", "incremental", &json!([]));
    let start = DEFAULT_NOW - 400 * DAY;
    let (end, newest) = (start + 365 * DAY - 1, DEFAULT_NOW);
    let conversation = mock.server().conversation();
    assert_eq!(
        conversation[0],
        format!("GET /v1/balance_transactions?limit=100&created[gte]={start}&created[lte]={end}")
    );
    let next = format!("{}&starting_after=txn_", conversation[0]);
    assert!(conversation[1].starts_with(&next), "{}", conversation[1]);
    assert_eq!(
        conversation[2],
        format!("GET /v1/balance_transactions?limit=100&created[gte]={}&created[lte]={DEFAULT_NOW}", end + 1)
    );
    assert_eq!(conversation.len(), 3);
    assert_eq!(first.states("balance_transactions").last().unwrap()["created"], newest.to_string());

    sync(&mock, 2, "balance_transactions", "incremental", &resumed(&first));
    let (since, until) = (newest - 300, DEFAULT_NOW + 2 * DAY);
    assert_eq!(
        mock.server().conversation(),
        [format!("GET /v1/balance_transactions?limit=100&created[gte]={since}&created[lte]={until}")]
    );
}

#[test]
fn a_changing_stream_is_listed_once_and_then_read_from_its_events() {
    let mock = StripeMock::builder().count("customers", 3).start();
    let first = sync(&mock, 0, "customers", "incremental", &json!([]));
    assert_eq!(first.records("customers").len(), 3);
    let newest = DEFAULT_NOW;
    let state = (json!(newest.to_string()), json!(DEFAULT_NOW));
    let known = |messages: &Messages| {
        let state = (**messages.states("customers").last().unwrap()).clone();
        (state["updated"].clone(), state["synced_to"].clone())
    };
    assert_eq!(known(&first), state);

    let at = DEFAULT_NOW + DAY;
    mock.push_event("customer.updated", at, r#"{"id":"cus_1","object":"customer","created":5,"name":"New"}"#);
    mock.push_event("customer.deleted", at + 1, r#"{"id":"cus_2","object":"customer","created":6}"#);
    let second = sync(&mock, 2, "customers", "incremental", &resumed(&first));
    let until = DEFAULT_NOW + 2 * DAY;
    assert_eq!(
        mock.server().conversation(),
        [format!(
            "GET /v1/events?types[]=customer.created&types[]=customer.updated&types[]=customer.deleted&limit=100\
             &created[gte]={}&created[lte]={until}",
            DEFAULT_NOW - 300
        )]
    );
    assert_eq!(
        second.records("customers"),
        [
            format!(r#"{{"id":"cus_2","object":"customer","created":6,"updated":{},"is_deleted":true}}"#, at + 1),
            format!(r#"{{"id":"cus_1","object":"customer","created":5,"name":"New","updated":{at}}}"#),
        ]
    );
    assert_eq!(known(&second), (json!((at + 1).to_string()), json!(until)));
}

#[test]
fn objects_of_another_kind_do_not_leak_out_of_events() {
    let mock = StripeMock::builder().start();
    let at = DEFAULT_NOW + DAY;
    mock.push_event("charge.refund.updated", at, r#"{"id":"re_1","object":"refund","created":5}"#);
    mock.push_event("charge.updated", at, r#"{"id":"ch_1","object":"charge","created":5}"#);
    let state = json!({"updated": DEFAULT_NOW.to_string()});
    let charges = sync(&mock, 2, "charges", "incremental", &state_of("charges", &state));
    assert_eq!(field(&charges, "charges", "id"), ["ch_1"]);
    let refunds = sync(&mock, 2, "refunds", "incremental", &state_of("refunds", &state));
    assert_eq!(field(&refunds, "refunds", "id"), ["re_1"]);
}

#[test]
fn a_state_older_than_the_events_makes_a_list_again_and_says_so() {
    let mock = StripeMock::builder().count("products", 3).start();
    let old = json!({"updated": (DEFAULT_NOW - 31 * DAY).to_string()});
    let messages = sync(&mock, 0, "products", "incremental", &state_of("products", &old));
    assert_eq!(messages.records("products").len(), 3);
    assert!(mock.server().requests().iter().all(|request| request.path == "/v1/products"));
    assert!(messages.logs().iter().any(|(level, text)| *level == "WARN" && text.contains("30 days")));
}

#[test]
fn a_quiet_stream_is_not_listed_again_while_it_was_synced_within_the_events() {
    let mock =
        StripeMock::builder().spread(DEFAULT_NOW - 300 * DAY, DEFAULT_NOW - 200 * DAY).count("products", 3).start();
    let first = sync(&mock, 0, "products", "incremental", &json!([]));
    sync(&mock, 20, "products", "incremental", &resumed(&first));
    let from = DEFAULT_NOW - 300;
    let requests = mock.server().requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].path.as_str(), requests[0].param("created[gte]")),
        ("/v1/events", Some(from.to_string().as_str()))
    );
}

#[test]
fn an_unfinished_first_pass_is_resumed_as_a_list() {
    let mock = StripeMock::builder().count("customers", 3).start();
    let unfinished =
        json!({"updated": "1000", "list_pass": {"started": DEFAULT_NOW - DAY, "next": DEFAULT_NOW - 40 * DAY}});
    let messages = sync(&mock, 0, "customers", "incremental", &state_of("customers", &unfinished));
    assert!(mock.server().conversation()[0].starts_with("GET /v1/customers?limit=100"));
    let state = messages.states("customers").pop().unwrap().clone();
    assert_eq!(state["synced_to"], DEFAULT_NOW - DAY, "what changed during the pass is still to be read");
    assert!(state.get("list_pass").is_none());
}

#[test]
fn a_full_refresh_lists_whatever_the_state_says() {
    let mock = StripeMock::builder().count("customers", 3).start();
    let state = json!({"updated": DEFAULT_NOW.to_string(), "synced_to": DEFAULT_NOW});
    let messages = sync(&mock, 1, "customers", "full_refresh", &state_of("customers", &state));
    assert_eq!(messages.records("customers").len(), 3);
}

#[test]
fn accounts_are_listed_without_windows() {
    let mock = StripeMock::builder().count("accounts", 3).start();
    let messages = sync(&mock, 0, "accounts", "incremental", &json!([]));
    assert_eq!(mock.server().conversation(), ["GET /v1/accounts?limit=100"]);
    assert_eq!(messages.records("accounts").len(), 3);
}

#[test]
fn expansions_are_requested_by_their_parameters() {
    let mock = StripeMock::builder().start();
    sync(&mock, 0, "charges", "full_refresh", &json!([]));
    assert!(
        mock.server().conversation()[0].starts_with("GET /v1/charges?expand[]=data.refunds&limit=100&created[gte]=")
    );
    sync(&mock, 0, "invoices", "full_refresh", &json!([]));
    let expected =
        "GET /v1/invoices?expand[]=data.discounts&expand[]=data.total_tax_amounts.tax_rate&limit=100&created";
    assert!(mock.server().conversation()[0].starts_with(expected));
}

#[test]
fn every_form_of_cursor_in_a_state_is_used() {
    let mock = StripeMock::builder().start();
    let at = DEFAULT_NOW - DAY;
    let date = jiff::Timestamp::from_second(at).unwrap().to_string();
    for cursor in [json!(at), json!(at.to_string()), json!(date)] {
        sync(&mock, 0, "events", "incremental", &state_of("events", &json!({"created": cursor})));
        let from = (at - 300).to_string();
        assert_eq!(mock.server().requests()[0].param("created[gte]"), Some(from.as_str()), "{cursor}");
    }
}

#[test]
fn a_state_in_the_future_has_everything_read_and_does_not_stay() {
    let mock = StripeMock::builder().count("events", 3).start();
    let state = json!({"created": (DEFAULT_NOW + 99 * DAY).to_string()});
    let messages = sync(&mock, 0, "events", "incremental", &state_of("events", &state));
    assert_eq!(messages.records("events").len(), 3);
    assert_eq!(messages.states("events").last().unwrap()["created"], DEFAULT_NOW.to_string());
    let date = jiff::Timestamp::from_second(DEFAULT_NOW + 99 * DAY).unwrap().to_string();
    let told = |text: &str| text.contains("in the future") && text.contains(&date);
    assert!(messages.logs().iter().any(|(level, text)| *level == "WARN" && told(text)));
    assert_eq!(messages.statuses("events").last(), Some(&"COMPLETE"));
}

#[test]
fn a_rate_limit_is_waited_for_as_long_as_stripe_asks_and_reported_to_the_platform() {
    let mock = StripeMock::builder().count("accounts", 3).rate_limit("/v1/accounts", 2, 7).start();
    mock.set_now(DEFAULT_NOW);
    let done = InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW)
        .config(&config(&mock))
        .streams(&[("accounts", "full_refresh")])
        .run("read");
    let messages = done.messages();
    assert_eq!((messages.records("accounts").len(), messages.rate_limited("accounts")), (3, 2));
    // The wait that Stripe asks for, and half of the tenth that jitter may add.
    assert_eq!(done.sleeps.iter().map(std::time::Duration::as_millis).collect::<Vec<_>>(), [7_350, 7_350]);
    let reset = (DEFAULT_NOW + 7) * 1000 + 350;
    assert!(
        done.stdout
            .contains(&format!(r#""reasons":[{{"type":"RATE_LIMITED","rate_limited":{{"quota_reset":{reset}}}}}]"#))
    );
}

#[test]
fn stripes_own_word_on_retries_is_taken() {
    let mock = StripeMock::builder().count("accounts", 1).start();
    let conflict = || source_http_testkit::Reply::json_text("{}").status(409);
    mock.fault_next("/v1/accounts", conflict());
    mock.fault_next(
        "/v1/accounts",
        source_http_testkit::Reply::json_text("{}").status(400).header("Stripe-Should-Retry", "true"),
    );
    assert_eq!(sync(&mock, 0, "accounts", "full_refresh", &json!([])).records("accounts").len(), 1);
    mock.server().take_requests();
    mock.fault_next(
        "/v1/accounts",
        source_http_testkit::Reply::json_text("{}").status(500).header("Stripe-Should-Retry", "false"),
    );
    let done = InProcess::with_registry(Registry::built_in())
        .config(&config(&mock))
        .streams(&[("accounts", "full_refresh")])
        .run("read");
    assert_eq!((done.status, mock.server().requests().len()), (1, 1));
}

#[test]
fn events_that_expired_while_a_slice_was_left_half_read_have_the_list_read_again() {
    let mock = StripeMock::builder().count("customers", 150).start();
    let known = DEFAULT_NOW - 20 * DAY;
    let begun = json!({
        "updated": known.to_string(),
        "synced_to": known,
        "__resume": {"slice": {"from": known, "to": DEFAULT_NOW, "known": known}, "next_page_token": "evt_gone"}
    });
    // Three weeks later: the events of the first days of that slice are deleted.
    let messages = sync(&mock, 21, "customers", "incremental", &state_of("customers", &begun));
    let asked = mock.server().requests();
    assert_eq!(asked[0].path, "/v1/events");
    assert_eq!(asked.last().unwrap().path, "/v1/customers");
    assert_eq!(messages.records("customers").len(), 150);
    assert_eq!(messages.states("customers").last().unwrap()["synced_to"], DEFAULT_NOW + 21 * DAY);
}

#[test]
fn a_state_that_is_nearly_too_old_is_not_trusted_to_last_the_read() {
    let mock = StripeMock::builder().count("customers", 3).start();
    for (days, path) in [(28, "/v1/events"), (29, "/v1/events"), (30, "/v1/customers"), (60, "/v1/customers")] {
        let state = json!({"updated": DEFAULT_NOW.to_string(), "synced_to": DEFAULT_NOW});
        sync(&mock, days, "customers", "incremental", &state_of("customers", &state));
        assert_eq!(mock.server().requests()[0].path, path, "{days} days");
    }
}

#[test]
fn a_list_that_is_resumed_later_still_gets_what_changed_meanwhile() {
    let mock = StripeMock::builder().count("customers", 250).start();
    let first = InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW)
        .config(&config(&mock))
        .streams(&[("customers", "incremental")])
        .arg("--limit")
        .arg("120")
        .run("read")
        .messages();
    let at = DEFAULT_NOW + DAY;
    mock.push_event("customer.updated", at, r#"{"id":"cus_1","object":"customer","created":5,"name":"New"}"#);
    let second = sync(&mock, 2, "customers", "incremental", &resumed(&first));
    let third = sync(&mock, 3, "customers", "incremental", &resumed(&second));
    let names = [field(&second, "customers", "name"), field(&third, "customers", "name")].concat();
    assert!(names.contains(&json!("New")), "the change between the two reads was lost");
}

#[test]
fn a_damaged_mark_of_the_first_pass_is_refused() {
    let mock = StripeMock::builder().start();
    let state = json!({"updated": "5", "list_pass": {"started": "soon"}});
    let done = InProcess::with_registry(Registry::built_in())
        .config(&config(&mock))
        .streams(&[("customers", "incremental")])
        .state(&state_of("customers", &state))
        .run("read");
    assert_eq!((done.status, mock.server().requests().len()), (1, 0));
    assert!(done.messages().errors()[0].message.contains("`list_pass` that is damaged"));
}

#[test]
fn a_start_date_in_the_future_is_an_error_of_the_config() {
    let mock = StripeMock::builder().start();
    let mut wrong = config(&mock);
    wrong["start_date"] = json!("2099-01-01T00:00:00Z");
    let run = |command: &str, config: &Value| {
        let run = InProcess::with_registry(Registry::built_in()).now(DEFAULT_NOW).config(config);
        let run = if command == "read" { run.streams(&[("customers", "incremental")]) } else { run };
        run.run(command)
    };
    let checked = run("check", &wrong).messages();
    let (status, message) = checked.connection_status();
    assert!(status == "FAILED" && message.unwrap().contains("`start_date` 2099-01-01T00:00:00Z is in the future"));
    let read = run("read", &wrong);
    assert!(read.status == 1 && read.messages().errors()[0].message.contains("`start_date`"));
    assert!(read.messages().states("customers").is_empty() && mock.server().requests().is_empty());
    // Clocks differ by minutes.
    wrong["start_date"] = json!(format!("{:.0}", jiff::Timestamp::from_second(DEFAULT_NOW + 240).unwrap()));
    assert_eq!(run("read", &wrong).status, 0);
}

#[test]
fn the_whole_output_of_a_read_is_a_state_file() {
    let mock = StripeMock::builder().count("balance_transactions", 30).start();
    let first = InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW)
        .config(&config(&mock))
        .streams(&[("balance_transactions", "incremental")])
        .run("read");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.jsonl");
    std::fs::write(&file, &first.stdout).unwrap();
    mock.server().take_requests();
    let second = InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW)
        .config(&config(&mock))
        .streams(&[("balance_transactions", "incremental")])
        .arg("--state")
        .arg(&file)
        .run("read");
    assert_eq!((second.status, mock.server().requests().len()), (0, 1));
}

#[test]
fn a_state_in_another_namespace_than_the_catalogs_is_refused() {
    let mock = StripeMock::builder().start();
    let state = json!([{"type": "STREAM", "stream": {
        "stream_descriptor": {"name": "events", "namespace": "eu"}, "stream_state": {"created": "5"}}}]);
    let done = InProcess::with_registry(Registry::built_in())
        .config(&config(&mock))
        .streams(&[("events", "incremental")])
        .state(&state)
        .run("read");
    assert_eq!((done.status, mock.server().requests().len()), (1, 0));
    let message = &done.messages().errors()[0].message;
    assert_eq!(
        message,
        "The state has \"events\" in the namespace \"eu\", and the catalog has it in no namespace. Correct one of \
         them."
    );
}
