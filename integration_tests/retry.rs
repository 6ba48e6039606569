//! Retries: which failures, after which waits, and with which messages.

use std::time::Duration;

use serde_json::json;
use source_http::http::{Outcome, Response, ResponseAction, ResponseRule, RetryRules};
use source_http::json::RecordPath;
use source_http::protocol::Failure;
use source_http::streams::{HttpStream, Page, PageToken, RequestContext};
use source_http_testkit::{InProcess, Items, Reply, Request, Routes, Server};

use crate::support::{TestSource, connector};

fn ok() -> Reply {
    Reply::json_text(r#"{"data":[{"id":1}]}"#)
}

#[test]
fn a_server_error_is_retried_with_jittered_backoff_and_each_wait_is_reported() {
    let failing = Reply::empty(503);
    let server = Server::start(Routes::new().on("GET", "/items", [failing.clone(), failing.clone(), failing, ok()]));
    let done = Items::new(server.url()).read();
    let messages = done.messages();
    assert_eq!((done.status, messages.records("items")), (0, vec![r#"{"id":1}"#]));
    // Half of each bound: the test's random number is always one half.
    assert_eq!(done.sleeps, [250, 500, 1000].map(Duration::from_millis));
    let waits: Vec<_> = messages.logs().into_iter().filter(|(_, text)| text.contains("waiting")).collect();
    assert_eq!(
        waits[0],
        (
            "INFO",
            format!(
                "items: waiting 0.2 s before retry 1 of 5 of GET {}/items: HTTP 503 Service Unavailable \
                 (backoff with full jitter up to 0.5 s).",
                server.url()
            )
            .as_str()
        )
    );
    assert_eq!(server.conversation(), ["GET /items"; 4]);
}

#[test]
fn retries_are_used_up_after_five_and_the_stream_fails_as_transient() {
    let server = Server::start(Routes::new().on("GET", "/items", [Reply::empty(500)]));
    let done = Items::new(server.url()).read();
    let messages = done.messages();
    assert_eq!(done.status, 1);
    assert_eq!(server.requests().len(), 6);
    assert_eq!(messages.statuses("items"), ["STARTED", "INCOMPLETE"]);
    assert!(messages.errors().iter().all(|error| error.failure_type.as_deref() == Some("transient_error")));
}

#[test]
fn a_thousand_requests_to_a_server_that_always_fails_cost_one_attempt_each_and_the_hosts_quota_of_retries() {
    let server = Server::start(|_: &Request| Reply::empty(503));
    let url = server.url();
    // A stream that fails ends there, so each request has a stream of its own.
    let source = TestSource::new(move |_, _| (0..1_000).map(|n| numbered(&url, n)).collect());
    let done = InProcess::new(source).config(&json!({})).run("read");
    // 500 tokens at 5 a retry: 20 requests use all of their five retries, and then no tokens are left.
    let retries = 500 / 5;
    assert_eq!((done.status, done.sleeps.len(), server.requests().len()), (1, retries, 1_000 + retries));
    let errors = done.messages().errors();
    let of_streams: Vec<_> = errors.iter().filter(|error| error.stream.is_some()).collect();
    assert_eq!(of_streams.len(), 1_000);
    for error in of_streams {
        let told = error.message.contains("503") && error.failure_type.as_deref() == Some("transient_error");
        assert!(told, "{error:?}");
    }
}

/// A stream with its own name, and so its own request.
fn numbered(url: &str, n: usize) -> Box<dyn HttpStream> {
    Box::new(Items::new(url).with(|items| {
        items.name = format!("items_{n}");
        items.path = items.name.clone();
    }))
}

#[test]
fn a_status_that_the_rules_call_a_rate_limit_is_waited_for_as_its_reset_header_says() {
    let limited = Reply::empty(403).header("X-RateLimit-Remaining", "0").header("X-RateLimit-Reset", "40");
    let server = Server::start(Routes::new().on("GET", "/items", [limited, ok()]));
    let rules = vec![ResponseRule::new(ResponseAction::RateLimited).status(403)];
    let done = Items::new(server.url()).retry_rules(rules).connector().fraction(0.0).run("read");
    assert_eq!((done.status, done.sleeps), (0, vec![Duration::from_secs(40)]));
}

#[test]
fn jitter_never_pushes_a_wait_that_the_server_requests_past_the_longest_time_of_a_request() {
    let limited = Reply::empty(429).header("Retry-After", "590");
    let server = Server::start(Routes::new().on("GET", "/items", [limited, ok()]));
    let done = Items::new(server.url()).read();
    assert_eq!((done.status, done.sleeps), (0, vec![Duration::from_secs(600)]));
}

#[test]
fn a_request_whose_time_is_used_up_says_so_and_one_whose_wait_is_too_long_says_that() {
    let server = Server::start(|_: &Request| Reply::empty(429).header("Retry-After", "700"));
    let done = Items::new(server.url()).read();
    assert!(done.stdout.contains("because the next attempt would be in 735 s"), "{}", done.stdout);

    // The URL is known only after the clock.
    let url = std::sync::Arc::new(std::sync::OnceLock::new());
    let known = url.clone();
    let connector = connector(move || Box::new(Items::new(known.get().cloned().unwrap_or_default())));
    let clock = connector.clock();
    let server = Server::start(move |_: &Request| {
        clock.advance(Duration::from_secs(601));
        Reply::empty(503)
    });
    url.set(server.url()).expect("set once");
    let done = connector.run("read");
    assert_eq!((done.status, server.requests().len()), (1, 1));
    assert!(done.stdout.contains("because the 600 s limit per request was reached"), "{}", done.stdout);
}

#[test]
fn the_servers_word_is_a_floor_and_nonsense_is_no_word() {
    // 2026-11-01T00:00:00Z, where the test's clock begins.
    for (retry_after, waited) in [
        ("5", 5_250),
        ("Sun, 01 Nov 2026 00:00:30 GMT", 31_500),
        ("0", 250),
        ("-1", 250),
        ("soon", 250),
        ("1e9", 250),
        ("99999999", 250),
        ("Sat, 31 Oct 2026 23:59:59 GMT", 250),
    ] {
        let limited = Reply::empty(429).header("Retry-After", retry_after);
        let server = Server::start(Routes::new().on("GET", "/items", [limited, ok()]));
        let done = Items::new(server.url()).read();
        assert_eq!((done.status, done.sleeps), (0, vec![Duration::from_millis(waited)]), "{retry_after}");
    }
}

#[test]
fn a_wait_that_is_too_long_ends_the_stream_with_its_state_and_the_time_the_quota_comes_back() {
    let limited = Reply::empty(429).header("Retry-After", "3600");
    let page = Reply::json_text(r#"{"data":[{"id":1}],"next":"b"}"#);
    let server = Server::start(Routes::new().once("GET", "/items", [page, limited]));
    let url = server.url();
    let done = connector(move || Box::new(Paged { url: url.clone() })).run("read");
    let messages = done.messages();
    assert_eq!((done.status, done.sleeps.len(), server.requests().len()), (1, 0, 2));
    assert_eq!(messages.statuses("items"), ["STARTED", "RUNNING", "RUNNING", "INCOMPLETE"]);
    assert_eq!(
        **messages.states("items").last().unwrap(),
        json!({"__resume": [{"slice": {}, "next_page_token": "b"}]})
    );
    let reset = (1_793_491_200 + 3_600 + 180) * 1_000_i64;
    assert!(done.stdout.contains(&format!(r#""rate_limited":{{"quota_reset":{reset}}}"#)), "{}", done.stdout);
    assert_eq!(messages.errors()[0].failure_type.as_deref(), Some("transient_error"));
}

/// Says in its own words what is retried, how often, and for how long.
struct Paged {
    url: String,
}

impl HttpStream for Paged {
    fn name(&self) -> &str {
        "items"
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "items".into()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn next_page_token(&self, page: &Page, _: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        Ok(page.get(&["next"]))
    }
    fn retry_rules(&self) -> &dyn RetryRules {
        self
    }
}

#[test]
fn a_stream_says_what_is_retried_how_often_and_after_how_long() {
    let read = |replies: Vec<Reply>| {
        let server = Server::start(Routes::new().on("GET", "/items", replies));
        let url = server.url();
        let done = connector(move || Box::new(Paged { url: url.clone() })).run("read");
        (done.status, done.sleeps.iter().map(Duration::as_secs).collect::<Vec<_>>(), server.requests().len())
    };
    assert_eq!(read(vec![Reply::empty(418), Reply::empty(418), ok()]), (0, vec![10, 20], 3));
    assert_eq!(read(vec![Reply::empty(418)]), (1, vec![10, 20], 3), "two retries and no more");
    assert_eq!(read(vec![Reply::empty(503), ok()]), (1, vec![], 1), "503 is none of its retries");
    assert_eq!(read(vec![Reply::empty(420), ok()]), (1, vec![], 1), "there is no use in waiting");
    let mixed = [429, 418, 429].map(Reply::empty).into_iter().chain([ok()]);
    let (status, _, requests) = read(mixed.collect());
    assert_eq!((status, requests), (1, 3), "all retries are counted together");
}

impl RetryRules for Paged {
    fn should_retry(&self, response: &Response) -> bool {
        matches!(response.status.as_u16(), 418 | 420 | 429)
    }
    fn max_retries(&self) -> u32 {
        2
    }
    fn backoff_time(&self, outcome: Outcome<'_>, failed: u32) -> Result<Option<Duration>, Failure> {
        let status = outcome.response().map_or(0, |response| response.status.as_u16());
        match status {
            418 => Ok(Some(Duration::from_secs(10 * u64::from(failed)))),
            420 => Err(Failure::transient("The quota of the day is used up.")),
            _ => Ok(None),
        }
    }
}

#[test]
fn when_one_request_in_ten_fails_all_succeed() {
    let count = std::sync::atomic::AtomicU64::new(0);
    let server = Server::start(move |_: &Request| {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if n % 10 == 3 { Reply::empty(503) } else { ok() }
    });
    let url = server.url();
    let source = TestSource::new(move |_, _| (0..1_000).map(|n| numbered(&url, n)).collect());
    let done = InProcess::new(source).config(&json!({})).run("read");
    assert_eq!((done.status, done.messages().errors().len()), (0, 0));
}
