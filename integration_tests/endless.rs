//! APIs whose lists never end: with each way of paging, and with each stream of Stripe. A read ends anyway, after a
//! known number of requests; and where only the API can end it, `--limit` does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use source_http::Registry;
use source_http::streams::pager::{BodyCursor, LastRecord, LinkHeader, NextUrl, Offset, PageNumber, Pager};
use source_http_testkit::{Finished, InProcess, Items, Reply, Request, Server};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::StripeMock;

use crate::support::binary::config;

/// The most requests of a stream before it is known to be endless.
const MOST: usize = 1_000;

type MakePager = fn() -> Arc<dyn Pager>;

/// Every pager that requests more than one page.
const PAGERS: [(&str, MakePager); 9] = [
    ("BodyCursor", || Arc::new(BodyCursor::new("token", "cursor"))),
    ("LastRecord", || Arc::new(LastRecord::new("id", "after").has_more("more"))),
    ("PageNumber", || Arc::new(PageNumber::new("page"))),
    ("PageNumber with a total", || Arc::new(PageNumber::new("page").total_pages("total"))),
    ("PageNumber with a sign", || Arc::new(PageNumber::new("page").has_more("more"))),
    ("Offset", || Arc::new(Offset::new("offset", "limit", 2).unwrap())),
    ("Offset with a total", || Arc::new(Offset::new("offset", "limit", 2).unwrap().total("total"))),
    ("NextUrl", || Arc::new(NextUrl::new("url"))),
    ("LinkHeader", || Arc::new(LinkHeader::new())),
];

/// A page that promises another one, in every way.
fn promising(records: &[u64], token: u64) -> Reply {
    let records: Vec<Value> = records.iter().map(|id| json!({ "id": id })).collect();
    let url = format!("/items?token={token}");
    let link = format!("<{url}>; rel=\"next\"");
    let page =
        json!({"data": records, "more": true, "total": 9_000_000_000_u64, "token": token.to_string(), "url": url});
    Reply::json(page).header("Link", link)
}

/// Reads an API whose n-th answer, counted from 0, is this.
fn read(pager: MakePager, answer: impl Fn(u64) -> Reply + Send + Sync + 'static, args: &[&str]) -> (Finished, usize) {
    let count = AtomicU64::new(0);
    let server = Server::start(move |_: &Request| match count.fetch_add(1, Ordering::SeqCst) {
        // A broken guard shows as a complete stream, not as a test that never ends.
        n if n < 3 * MOST as u64 => answer(n),
        _ => Reply::json(json!({"data": []})),
    });
    let items = Items::new(server.url()).with(|items| {
        items.primary_key = Some("id".into());
        items.pager = pager();
    });
    let connector = items.connector();
    let done = args.iter().fold(connector, InProcess::arg).run("read");
    (done, server.requests().len())
}

#[test]
fn the_same_page_forever_is_a_failure_with_every_pager() {
    for (name, pager) in PAGERS {
        let (done, requests) = read(pager, |_| promising(&[1, 2], 7), &[]);
        assert_eq!((done.status, done.messages().statuses("items").last()), (1, Some(&"INCOMPLETE")), "{name}");
        let error = &done.messages().errors()[0];
        assert_eq!(error.failure_type.as_deref(), Some("system_error"), "{name}");
        assert!(error.message.starts_with("Pagination of \"items\" "), "{name}: {}", error.message);
        assert!(requests <= 4, "{name}: {requests} requests");
    }
}

#[test]
fn the_same_records_under_ever_new_tokens_are_a_failure_with_every_pager() {
    for (name, pager) in PAGERS {
        let (done, requests) = read(pager, |n| promising(&[1, 2], n), &[]);
        let error = &done.messages().errors()[0];
        assert!(error.message.starts_with("Pagination of \"items\" "), "{name}: {}", error.message);
        assert_eq!((done.status, requests <= 4), (1, true), "{name}: {requests} requests");
    }
}

#[test]
fn empty_pages_forever_end_with_every_pager() {
    for (name, pager) in PAGERS {
        let (done, requests) = read(pager, |n| promising(&[], n), &[]);
        // A number or an offset ends at an empty page; a pager that sees a promise of more continues, and then gives
        // up.
        let ends = ["PageNumber", "Offset"].contains(&name);
        assert_eq!(done.status, u8::from(!ends), "{name}: {}", done.stdout);
        assert!(requests <= MOST, "{name}: {requests} requests");
    }
}

#[test]
fn a_limit_ends_what_only_the_api_could_end_with_every_pager() {
    for (name, pager) in PAGERS {
        let (done, requests) = read(pager, |n| promising(&[2 * n, 2 * n + 1], n), &["--limit", "51"]);
        assert_eq!((done.status, done.messages().records("items").len(), requests), (0, 51, 26), "{name}");
        assert_eq!(done.messages().statuses("items").last(), Some(&"COMPLETE"), "{name}");
    }
}

fn stripe(mock: &StripeMock) -> InProcess {
    let mut config = config(mock);
    config["start_date"] = json!("2026-01-01T00:00:00Z");
    InProcess::with_registry(Registry::built_in()).now(DEFAULT_NOW).config(&config)
}

/// The names of Stripe's streams.
fn streams() -> Vec<String> {
    let mock = StripeMock::builder().start();
    let done = stripe(&mock).run("discover").messages();
    let streams = done.catalog()["streams"].as_array().unwrap();
    streams.iter().map(|stream| stream["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn lists_that_promise_more_forever_and_hold_nothing_end_for_every_stream_of_stripe() {
    let server = Server::start(|_: &Request| Reply::json(json!({"object": "list", "data": [], "has_more": true})));
    let config = json!({
        "client_secret": "sk_test_x", "account_id": "acct_1", "api_url": format!("{}/v1", server.url()),
        "start_date": "2026-01-01T00:00:00Z", "num_workers": 1, "call_rate_limit": 1_000_000,
    });
    let names = streams();
    for name in &names {
        server.take_requests();
        let connector = InProcess::with_registry(Registry::built_in()).now(DEFAULT_NOW).config(&config);
        let done = connector.arg("--streams").arg(name).run("read");
        assert!(server.requests().len() <= 2, "{name}: {:?}", server.conversation());
        assert_eq!(done.messages().statuses(name).last(), Some(&"INCOMPLETE"), "{name}");
        let message = &done.messages().errors()[0].message;
        assert!(message.contains("has no record with `id` to continue from"), "{name}: {message}");
    }
    assert!(names.len() >= 48);
}

#[test]
fn an_objects_own_list_that_promises_more_and_holds_nothing_is_a_failure_and_no_silent_gap() {
    let server = Server::start(|request: &Request| {
        let lines = json!({"data": [{"id": "il_1", "object": "line_item"}], "has_more": true});
        let invoice = json!({"id": "in_1", "object": "invoice", "created": DEFAULT_NOW - 60, "lines": lines});
        match request.path.as_str() {
            "/v1/invoices" => Reply::json(json!({"object": "list", "data": [invoice], "has_more": false})),
            _ => Reply::json(json!({"object": "list", "data": [], "has_more": true})),
        }
    });
    let config = json!({
        "client_secret": "sk_test_x", "account_id": "acct_1", "api_url": format!("{}/v1", server.url()),
        "start_date": "2026-01-01T00:00:00Z", "num_workers": 1,
    });
    let connector = InProcess::with_registry(Registry::built_in()).now(DEFAULT_NOW).config(&config);
    let done = connector.arg("--streams").arg("invoice_line_items").run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.records("invoice_line_items").len()), (1, 1), "{}", done.stdout);
    assert_eq!(messages.statuses("invoice_line_items").last(), Some(&"INCOMPLETE"));
    let message = &messages.errors()[0].message;
    assert!(message.contains("there are more pages, and it has no record with `id` to continue from"), "{message}");
}

#[test]
fn a_limit_holds_to_the_record_for_every_stream_of_stripe_and_nothing_is_skipped_after_it() {
    let mock = StripeMock::builder().everything(4, 2).start();
    let read = |name: &str, state: Option<&Value>, limit: Option<usize>| {
        let connector = stripe(&mock).arg("--streams").arg(name);
        let connector = state.into_iter().fold(connector, InProcess::state);
        let limited =
            limit.into_iter().fold(connector, |connector, limit| connector.arg("--limit").arg(limit.to_string()));
        let done = limited.run("read");
        let messages = done.messages();
        assert_eq!((done.status, messages.statuses(name).last()), (0, Some(&"COMPLETE")), "{name}: {}", done.stdout);
        let records: Vec<String> = messages.records(name).into_iter().map(str::to_owned).collect();
        (records, serde_json::from_str::<Value>(&messages.state_file()).unwrap())
    };
    let set = |records: &[String]| records.iter().cloned().collect::<BTreeSet<_>>();
    for name in streams() {
        let (all, _) = read(&name, None, None);
        for limit in [1, 3] {
            let (first, state) = read(&name, None, Some(limit));
            assert_eq!(first.len(), all.len().min(limit), "{name} {limit}");
            let (rest, _) = read(&name, Some(&state), None);
            assert_eq!(&set(&first) | &set(&rest), set(&all), "{name} {limit}");
        }
    }
}
