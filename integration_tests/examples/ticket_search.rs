//! `examples/ticket_search.rs`: a search by POST, a vendor's header with the time of the next request, a schema from
//! the API.

use std::time::Duration;

use serde_json::{Value, json};
use source_http_testkit::conformance::Connector;
use source_http_testkit::{InProcess, Reply, Request, Routes, Server};

use crate::support::binary::Binary;

#[allow(dead_code, reason = "its main is not called here")]
#[path = "../../examples/ticket_search.rs"]
mod example;

fn config(server: &Server) -> Value {
    // The test's clock begins at 2026-11-01T00:00:00Z: there are two windows of a week at most.
    json!({"api_key": "k3y", "start_date": "2026-10-20T00:00:00Z", "api_url": server.url()})
}

fn connector(server: &Server) -> InProcess {
    InProcess::new(example::HelpDesk).config(&config(server))
}

/// Two tickets in the first window, on a page each, and one in the second.
fn api(request: &Request) -> Reply {
    let body: Value = serde_json::from_slice(&request.body).expect("a JSON body");
    let ticket = |id: u64, at: &str| json!([{"id": id, "changed_at": at}]);
    Reply::json(match (body["changed"]["from"].as_str(), body["cursor"].as_str()) {
        (Some("2026-10-20T00:00:00Z"), None) => {
            json!({"tickets": ticket(1, "2026-10-21T10:00:00Z"), "page": {"next": "c2"}})
        }
        (Some("2026-10-20T00:00:00Z"), Some("c2")) => {
            json!({"tickets": ticket(2, "2026-10-22T10:00:00Z"), "page": {}})
        }
        _ => json!({"tickets": ticket(3, "2026-10-30T10:00:00Z"), "page": {"next": null}}),
    })
}

/// The fields that the account has defined.
fn fields() -> Reply {
    Reply::json(json!({"fields": [
        {"name": "id", "kind": "number"},
        {"name": "changed_at", "kind": "time"},
        {"name": "urgent", "kind": "flag"},
        {"name": "subject", "kind": "text"},
        {"name": "watchers", "kind": "people"},
    ]}))
}

fn search(from: &str, to: &str, cursor: Option<&str>) -> Value {
    let mut body = json!({"changed": {"from": from, "to": to}, "limit": 100});
    if let Some(cursor) = cursor {
        body["cursor"] = cursor.into();
    }
    body
}

fn bodies(server: &Server) -> Vec<Value> {
    server.requests().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

#[test]
fn tickets_are_searched_window_by_window_with_the_cursor_in_the_body() {
    let server = Server::start(api);
    let done = connector(&server).streams(&[("tickets", "incremental")]).run("read");
    assert_eq!(server.conversation(), ["POST /tickets/search"; 3]);
    assert!(server.requests().iter().all(|request| request.header("x-api-key") == Some("k3y")));
    assert_eq!(
        bodies(&server),
        [
            search("2026-10-20T00:00:00Z", "2026-10-26T23:59:59Z", None),
            search("2026-10-20T00:00:00Z", "2026-10-26T23:59:59Z", Some("c2")),
            search("2026-10-27T00:00:00Z", "2026-11-01T00:00:00Z", None),
        ]
    );
    let messages = done.messages();
    assert_eq!((done.status, messages.records("tickets").len()), (0, 3));
    let states: Vec<Value> = messages.states("tickets").into_iter().cloned().collect();
    // The cursor of a search does not outlive it, so a window is resumed at its beginning.
    assert_eq!(states, [json!({"changed_at": "2026-10-22T10:00:00Z"}), json!({"changed_at": "2026-10-30T10:00:00Z"})]);
}

#[test]
fn the_next_read_begins_at_the_newest_change() {
    let server = Server::start(api);
    let state = json!({"tickets": {"changed_at": "2026-10-30T10:00:00Z"}});
    let done = connector(&server).streams(&[("tickets", "incremental")]).state(&state).run("read");
    assert_eq!(done.messages().records("tickets").len(), 1, "the newest comes again");
    assert_eq!(bodies(&server), [search("2026-10-30T10:00:00Z", "2026-11-01T00:00:00Z", None)]);
}

#[test]
fn the_vendors_header_says_how_long_to_wait() {
    let busy = |ms: &str| Reply::empty(429).header("X-Retry-In-Ms", ms).header("Retry-After", "60");
    let page = Reply::json(json!({"tickets": [], "page": {}}));
    let replies = [busy("1500"), busy("250"), Reply::empty(503), page];
    let server = Server::start(Routes::new().on("POST", "/tickets/search", replies));
    let done = connector(&server).run("read");
    let messages = done.messages();
    // Without the header, this is the third wait of the backoff: half of two seconds.
    assert_eq!((done.status, &done.sleeps[..]), (0, &[1500, 250, 1000].map(Duration::from_millis)[..]));
    let rules: Vec<_> = messages.logs().into_iter().filter(|(_, text)| text.contains("waiting")).collect();
    assert!(rules[0].1.contains("waiting 1.5 s") && rules[0].1.contains("the stream's own backoff_time"), "{rules:?}");
    assert_eq!(messages.rate_limited("tickets"), 2);
}

#[test]
fn the_schema_is_requested_when_the_streams_are_discovered() {
    let server = Server::start(Routes::new().once("GET", "/tickets/fields", [fields()]));
    let messages = connector(&server).run("discover").messages();
    assert_eq!(server.conversation(), ["GET /tickets/fields"]);
    assert_eq!(server.requests()[0].header("x-api-key"), Some("k3y"));
    let stream = &messages.catalog()["streams"][0];
    assert_eq!(
        stream["json_schema"],
        json!({"type": "object", "properties": {
            "id": {"type": ["null", "number"]},
            "changed_at": {"type": ["null", "string"], "format": "date-time"},
            "urgent": {"type": ["null", "boolean"]},
            "subject": {"type": ["null", "string"]},
            "watchers": {},
        }})
    );
    assert_eq!((&stream["default_cursor_field"], &stream["is_resumable"]), (&json!(["changed_at"]), &json!(true)));
}

#[test]
fn a_start_date_that_is_none_fails_the_check_and_names_the_setting() {
    let config = json!({"api_key": "k3y", "start_date": "soon"});
    let done = InProcess::new(example::HelpDesk).config(&config).run("check");
    let messages = done.messages();
    let (status, message) = messages.connection_status();
    assert!(status == "FAILED" && message.unwrap().contains("`start_date`"), "{message:?}");
    assert_eq!(
        InProcess::new(example::HelpDesk).run("spec").messages().spec()["connectionSpecification"]["required"][1],
        "start_date"
    );
}

#[test]
fn the_built_program_checks_a_config_over_real_sockets() {
    let server = Server::start(api);
    let check = Binary::example("ticket_search", &["check", "--config", "-"]).stdin(config(&server)).run();
    let tried = "Asked for the first page of `tickets`: it can be read.";
    assert_eq!((check.status, check.messages().connection_status()), (Some(0), ("SUCCEEDED", Some(tried))));
    assert_eq!(server.conversation(), ["POST /tickets/search"]);
}

#[test]
fn it_keeps_airbytes_rules_for_connectors() {
    let server = Server::start(|request: &Request| match request.path.as_str() {
        "/tickets/fields" => fields(),
        _ => api(request),
    });
    let report = Connector::new(|| InProcess::new(example::HelpDesk), &config(&server)).assert_conforms();
    assert_eq!(
        (report.records, report.unseen),
        (3, vec!["tickets subject".into(), "tickets urgent".into(), "tickets watchers".into()])
    );
}
