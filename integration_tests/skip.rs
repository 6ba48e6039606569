//! A stream that cannot be read is skipped: the messages, its state, and when it is a failure after all.

use serde_json::{Value, json};
use source_http::Registry;
use source_http::http::{ResponseAction, ResponseRule};
use source_http::streams::HttpStream;
use source_http_testkit::{InProcess, Reply, Request, Server};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::StripeMock;

use crate::support::binary::config;
use crate::support::{List, TestSource};

/// A connector of users, their posts, and rooms.
fn connector(url: String) -> InProcess {
    let streams = move |_: &_, _: &_| {
        let posts = List::new("posts", &url).below(List::new("users", &url));
        [List::new("users", &url), posts, List::new("rooms", &url)]
            .map(|list| Box::new(list) as Box<dyn HttpStream>)
            .into()
    };
    InProcess::new(TestSource::new(streams)).config(&json!({}))
}

fn full_refresh(streams: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    streams.iter().map(|name| (*name, "full_refresh")).collect()
}

/// Every list has two records on its first page and none on its second; the requests in `refused` get 403.
fn api(refused: &[&'static str]) -> Server {
    let refused = refused.to_vec();
    Server::start(move |request: &Request| {
        if refused.contains(&request.to_string().as_str()) {
            return Reply::json(json!({"error": "no scope"})).status(403);
        }
        let records = if request.param("page") == Some("1") { json!([{"id": 1}, {"id": 2}]) } else { json!([]) };
        Reply::json(json!({ "data": records }))
    })
}

#[test]
fn a_stream_that_cannot_be_read_is_complete_with_one_warning_and_no_state() {
    let server = api(&["GET /users?page=1"]);
    let known = json!([{"type": "STREAM", "stream": {
        "stream_descriptor": {"name": "users"}, "stream_state": {"__resume": {"slice": {}}}}}]);
    for state in [json!([]), known] {
        let done = connector(server.url()).streams(&full_refresh(&["users", "rooms"])).state(&state).run("read");
        let messages = done.messages();
        let warning = format!(
            "users: skipped, and its state stays as it is: GET {}/users?page=1 answered 403 Forbidden: no scope. Give \
             the token the scope read.",
            server.url()
        );
        let status = |name: &str, status: &str| {
            let of = json!({"stream_descriptor": {"name": name}, "status": status});
            json!({"type": "TRACE", "trace": {
                "emitted_at": 1_793_491_200_000_i64, "type": "STREAM_STATUS", "stream_status": of}})
        };
        let said: Vec<Value> = messages.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            said[..3],
            [
                status("users", "STARTED"),
                json!({"type": "LOG", "log": {"level": "WARN", "message": warning}}),
                status("users", "COMPLETE"),
            ]
        );
        assert_eq!(
            messages.outline()[3..],
            [
                "rooms STARTED",
                "rooms RUNNING",
                "rooms 2 records",
                r#"rooms STATE {"__ab_full_refresh_sync_complete":true}"#,
                "LOG INFO",
                "rooms COMPLETE",
            ]
        );
        assert_eq!((done.status, messages.errors()), (0, Vec::new()));
    }
}

#[test]
fn a_stream_that_is_refused_after_its_first_records_fails_because_a_half_must_not_look_whole() {
    let server = api(&["GET /users?page=2"]);
    let done = connector(server.url()).streams(&full_refresh(&["users"])).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.records("users").len()), (1, 2));
    assert_eq!(messages.statuses("users"), ["STARTED", "RUNNING", "INCOMPLETE"]);
    let error = &messages.errors()[0];
    assert_eq!(error.failure_type.as_deref(), Some("config_error"));
    let told =
        format!("GET {}/users?page=2 answered 403 Forbidden: no scope. Give the token the scope read.", server.url());
    assert_eq!(error.message, told);
}

#[test]
fn a_parent_that_cannot_be_read_has_its_children_skipped() {
    let server = api(&["GET /users?page=1"]);
    let done = connector(server.url()).streams(&full_refresh(&["posts", "rooms"])).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.records("rooms").len()), (0, 2));
    assert_eq!((messages.statuses("posts"), messages.states("posts").len()), (vec!["STARTED", "COMPLETE"], 0));
    let warnings: Vec<_> = messages.logs().into_iter().filter(|(level, _)| *level == "WARN").collect();
    let beginning = format!("posts: skipped, and its state stays as it is: GET {}/users?page=1", server.url());
    assert!(warnings.len() == 1 && warnings[0].1.starts_with(&beginning), "{warnings:?}");
}

#[test]
fn a_child_that_is_refused_is_skipped_before_its_first_record_and_fails_after_it() {
    for (refused, status, statuses) in [
        ("GET /posts/1?page=1", 1, &["STARTED", "COMPLETE"][..]),
        ("GET /posts/2?page=1", 1, &["STARTED", "RUNNING", "INCOMPLETE"]),
    ] {
        let server = api(&[refused]);
        let done = connector(server.url()).streams(&full_refresh(&["posts"])).run("read");
        assert_eq!((done.status, done.messages().statuses("posts")), (status, statuses.to_vec()), "{refused}");
    }
}

#[test]
fn a_read_whose_chosen_streams_are_all_skipped_has_failed() {
    let server = api(&["GET /users?page=1", "GET /rooms?page=1"]);
    let done = connector(server.url()).streams(&full_refresh(&["users", "posts", "rooms"])).run("read");
    let messages = done.messages();
    assert_eq!(done.status, 1);
    for name in ["users", "posts", "rooms"] {
        assert_eq!((messages.statuses(name), messages.states(name).len()), (vec!["STARTED", "COMPLETE"], 0), "{name}");
    }
    let [error] = &messages.errors()[..] else { panic!("{:?}", messages.errors()) };
    assert_eq!(error.failure_type.as_deref(), Some("config_error"));
    let beginning = format!(
        "Nothing could be read: all chosen streams were skipped.\nusers: GET {}/users?page=1 answered 403 Forbidden",
        server.url()
    );
    assert!(error.message.starts_with(&beginning) && error.message.contains("\nrooms: GET "), "{}", error.message);
}

#[test]
fn a_stream_that_is_requested_by_name_and_skipped_fails_the_read_and_not_the_others() {
    let server = api(&["GET /users?page=1"]);
    for (names, status) in [("users,rooms", 1), ("rooms", 0)] {
        let done = connector(server.url()).arg("--streams").arg(names).run("read");
        assert_eq!((done.status, done.messages().records("rooms").len()), (status, 2), "{names}");
        assert_eq!(done.messages().statuses("rooms").last(), Some(&"COMPLETE"), "{names}");
    }
    let done = connector(server.url()).arg("--streams").arg("users,rooms").run("read");
    let text = "1 of the 2 streams that --streams names were skipped.\nusers: GET ";
    assert!(done.messages().errors()[0].message.starts_with(text), "{}", done.stdout);
    // It was not chosen by name.
    assert_eq!(connector(server.url()).streams(&full_refresh(&["users", "rooms"])).run("read").status, 0);
}

/// A connector of the posts of three users, for which 403 and 404 are about one user.
fn by_slice(url: String) -> InProcess {
    let streams = move |_: &_, _: &_| -> Vec<Box<dyn HttpStream>> {
        let rule = ResponseRule::new(ResponseAction::SkipSlice).statuses(403..=404);
        vec![Box::new(List::new("posts", &url).below(List::new("users", &url)).rule(rule))]
    };
    InProcess::new(TestSource::new(streams)).config(&json!({}))
}

/// Three users with two posts each; the requests in `refused` get 403.
fn three_users(refused: &[&'static str]) -> Server {
    let refused = refused.to_vec();
    Server::start(move |request: &Request| {
        if refused.contains(&request.to_string().as_str()) {
            return Reply::json(json!({"error": "private"})).status(403);
        }
        let records = match (request.path.as_str(), request.param("page")) {
            ("/users", Some("1")) => json!([{"id": 1}, {"id": 2}, {"id": 3}]),
            (_, Some("1")) => json!([{"id": 1}, {"id": 2}]),
            _ => json!([]),
        };
        Reply::json(json!({ "data": records }))
    })
}

#[test]
fn a_parent_that_is_refused_by_a_rule_is_left_out_with_one_line_and_the_others_are_read() {
    for (refused, records, lines) in [
        (&["GET /posts/1?page=1"][..], 4, 1),
        (&["GET /posts/2?page=1"], 4, 1),
        // The rest of its list.
        (&["GET /posts/3?page=2"], 6, 1),
        (&["GET /posts/1?page=1", "GET /posts/3?page=1"], 2, 2),
    ] {
        let done = by_slice(three_users(refused).url()).streams(&full_refresh(&["posts"])).run("read");
        let messages = done.messages();
        assert_eq!((done.status, messages.records("posts").len()), (0, records), "{refused:?}");
        assert_eq!(messages.statuses("posts"), ["STARTED", "RUNNING", "COMPLETE"], "{refused:?}");
        let warnings: Vec<_> = messages.logs().into_iter().filter(|(level, _)| *level == "WARN").collect();
        assert_eq!(warnings.len(), lines, "{refused:?}: {warnings:?}");
        let beginning = "posts: one parent is refused and skipped; the next read asks for it again: GET ";
        assert!(warnings[0].1.starts_with(beginning) && warnings[0].1.contains("private"), "{warnings:?}");
    }
}

#[test]
fn a_stream_whose_parents_are_all_refused_by_a_rule_is_skipped_with_one_line() {
    let refused = ["GET /posts/1?page=1", "GET /posts/2?page=1", "GET /posts/3?page=1"];
    let done = by_slice(three_users(&refused).url()).streams(&full_refresh(&["posts"])).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.statuses("posts")), (1, vec!["STARTED", "COMPLETE"]));
    assert_eq!(messages.logs().into_iter().filter(|(level, _)| *level == "WARN").count(), 1);
    assert!(messages.errors()[0].message.contains("All 3 slices that were requested were refused."));
}

#[test]
fn a_check_requests_the_next_parent_when_one_is_refused_as_a_read_does() {
    for (refused, answer) in [
        (&["GET /posts/1?page=1", "GET /posts/2?page=1"][..], "SUCCEEDED"),
        (&["GET /posts/1?page=1", "GET /posts/2?page=1", "GET /posts/3?page=1"], "FAILED"),
    ] {
        let done = by_slice(three_users(refused).url()).run("check");
        assert_eq!(done.messages().connection_status().0, answer, "{refused:?}");
    }
}

#[test]
fn a_summary_counts_the_parents_that_were_refused_and_names_what_was_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("summary.json");
    let summary = |refused: &[&'static str]| -> Value {
        by_slice(three_users(refused).url()).arg("--summary").arg(file.to_str().unwrap()).run("read");
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap()
    };
    let one = summary(&["GET /posts/2?page=1"]);
    let stream = &one["streams"][0];
    assert_eq!((&one["exit_code"], &stream["status"], &stream["refused"]), (&json!(0), &json!("complete"), &json!(1)));
    let all = summary(&["GET /posts/1?page=1", "GET /posts/2?page=1", "GET /posts/3?page=1"]);
    assert_eq!((&all["exit_code"], &all["error"]["kind"]), (&json!(1), &json!("config_error")));
    assert_eq!((&all["streams"][0]["status"], &all["streams"][0]["refused"]), (&json!("skipped"), &json!(3)));
}

#[test]
fn a_check_does_not_ignore_it() {
    let server = api(&["GET /users?page=1"]);
    let done = connector(server.url()).run("check");
    let message =
        format!("GET {}/users?page=1 answered 403 Forbidden: no scope. Give the token the scope read.", server.url());
    assert_eq!(done.messages().connection_status(), ("FAILED", Some(message.as_str())));
}

const DAY: i64 = 86_400;

/// A Stripe connector of these streams, `days` after the mock's beginning.
fn stripe(mock: &StripeMock, days: i64, streams: &[(&str, &str)], state: &Value) -> InProcess {
    mock.set_now(DEFAULT_NOW + days * DAY);
    InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW + days * DAY)
        .config(&config(mock))
        .streams(streams)
        .state(state)
}

fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(json!({"error": {"message": message, "type": "invalid_request_error"}})).status(status)
}

#[test]
fn a_list_that_a_stripe_key_cannot_read_is_skipped_and_read_whole_once_it_may() {
    let mock = StripeMock::builder().count("charges", 3).count("customers", 2).start();
    let streams = [("charges", "incremental"), ("customers", "incremental")];
    for (status, words, hint) in [
        (
            403,
            "Having the 'rak_charge_read' permission would allow this request to continue.",
            "The key in `client_secret` lacks rak_charge_read.",
        ),
        (403, "No.", "The key in `client_secret` lacks read permission for /v1/charges."),
        (400, "You have not signed up for charges.", "This account has no such list: leave the stream out."),
    ] {
        mock.fault_next("/v1/charges", refusal(status, words));
        let done = stripe(&mock, 0, &streams, &json!([])).run("read");
        let messages = done.messages();
        assert_eq!((done.status, messages.records("customers").len()), (0, 2), "{}", done.stdout);
        assert_eq!((messages.statuses("charges"), messages.states("charges").len()), (vec!["STARTED", "COMPLETE"], 0));
        let warnings: Vec<_> = messages.logs().into_iter().filter(|(level, _)| *level == "WARN").collect();
        let [(_, text)] = warnings[..] else { panic!("{warnings:?}") };
        assert!(text.starts_with("charges: skipped, and its state stays as it is: GET "), "{text}");
        assert!(text.contains("/v1/charges?expand"), "{text}");
        assert!(text.ends_with(&format!(": {words} {hint}")), "{text}");

        // Three months later, when Stripe has deleted the events.
        let state = serde_json::from_str(&messages.state_file()).unwrap();
        let later = stripe(&mock, 90, &streams, &state).run("read");
        assert_eq!((later.status, later.messages().records("charges").len()), (0, 3));
    }
}

#[test]
fn a_stripe_key_without_events_skips_incremental_reads_and_loses_no_change() {
    let mock = StripeMock::builder().count("customers", 2).start();
    let first = stripe(&mock, 0, &[("customers", "incremental")], &json!([])).run("read").messages();
    let state: Value = serde_json::from_str(&first.state_file()).unwrap();
    let at = DEFAULT_NOW + DAY;
    mock.push_event("customer.updated", at, r#"{"id":"cus_1","object":"customer","created":5,"name":"New"}"#);
    mock.fault_next("/v1/events", refusal(403, "No."));
    let second = stripe(&mock, 2, &[("customers", "incremental")], &state).run("read");
    assert_eq!(
        (second.status, &second.messages().outline()[..3]),
        (1, &["customers STARTED", "LOG WARN", "customers COMPLETE"].map(str::to_owned)[..])
    );
    let third = stripe(&mock, 3, &[("customers", "incremental")], &state).run("read").messages();
    assert_eq!(
        third.records("customers"),
        [format!(r#"{{"id":"cus_1","object":"customer","created":5,"name":"New","updated":{at}}}"#)]
    );
}

#[test]
fn a_stripe_list_whose_first_window_was_read_is_not_skipped() {
    let mock = StripeMock::builder().count("charges", 0).fault("/v1/charges", 2, refusal(403, "No.")).start();
    let done = stripe(&mock, 0, &[("charges", "incremental")], &json!([])).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.statuses("charges")), (1, vec!["STARTED", "INCOMPLETE"]));
    assert_eq!(messages.errors()[0].failure_type.as_deref(), Some("config_error"));
    let resumed =
        stripe(&mock, 0, &[("charges", "incremental")], &serde_json::from_str(&messages.state_file()).unwrap());
    mock.server().take_requests();
    let resumed = resumed.run("read");
    assert_eq!(resumed.status, 0);
    assert!(mock.server().requests().iter().all(|request| request.path == "/v1/charges"), "the list is resumed");
}

#[test]
fn a_page_token_that_stripe_no_longer_knows_has_the_slice_read_again_and_skips_nothing() {
    let mock = StripeMock::builder().count("customers", 3).start();
    let slice = json!({"from": 0, "to": DEFAULT_NOW, "list_pass": DEFAULT_NOW, "last": true});
    let begun = json!({"__resume": {"slice": slice, "next_page_token": "cus_gone"}});
    let state = json!([{"type": "STREAM", "stream": {
        "stream_descriptor": {"name": "customers"}, "stream_state": begun}}]);
    let done = stripe(&mock, 0, &[("customers", "incremental")], &state).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.records("customers").len()), (0, 3), "{}", done.stdout);
    assert!(!messages.states("customers").is_empty());
}
