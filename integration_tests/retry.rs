//! What is retried, how long is waited, and what is said about it.

use std::time::Duration;

use source_http::http::{ResponseAction, ResponseRule};
use source_http::json::RecordPath;
use source_http::streams::{HttpStream, RequestContext};
use source_http::testing::{InProcess, Reply, Request, Routes, Server};

use crate::support::connector;

#[derive(Clone)]
struct Items {
    url: String,
    rules: Vec<ResponseRule>,
}

impl Items {
    fn new(server: &Server) -> Self {
        Self { url: server.url(), rules: Vec::new() }
    }

    fn connector(self) -> InProcess {
        connector(move || Box::new(self.clone()))
    }
}

impl HttpStream for Items {
    fn name(&self) -> &str {
        "items"
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "items".into()
    }
    fn response_rules(&self) -> &[ResponseRule] {
        &self.rules
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
}

fn ok() -> Reply {
    Reply::json_text(r#"{"data":[{"id":1}]}"#)
}

#[test]
fn a_server_error_is_retried_with_jittered_backoff_and_each_wait_is_told() {
    let failing = Reply::empty(503);
    let server = Server::start(Routes::new().on("GET", "/items", [failing.clone(), failing.clone(), failing, ok()]));
    let done = Items::new(&server).connector().run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.records("items")), (0, vec![r#"{"id":1}"#]));
    // Half of each bound, because the test's chance always draws one half.
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
    let done = Items::new(&server).connector().run("read");
    let messages = done.messages();
    assert_eq!(done.status, 1);
    assert_eq!(server.requests().len(), 6);
    assert_eq!(messages.statuses("items"), ["STARTED", "INCOMPLETE"]);
    assert!(messages.errors().iter().all(|error| error.failure_type.as_deref() == Some("transient_error")));
}

#[test]
fn a_status_that_the_rules_call_a_rate_limit_is_waited_for_as_its_reset_header_says() {
    let limited = Reply::empty(403).header("X-RateLimit-Remaining", "0").header("X-RateLimit-Reset", "40");
    let server = Server::start(Routes::new().on("GET", "/items", [limited, ok()]));
    let rules = vec![ResponseRule::new(ResponseAction::RateLimited).status(403)];
    let done = Items { rules, ..Items::new(&server) }.connector().fraction(0.0).run("read");
    assert_eq!((done.status, done.sleeps), (0, vec![Duration::from_secs(40)]));
}

#[test]
fn jitter_never_pushes_a_wait_that_the_server_asks_for_past_the_longest_time_of_a_request() {
    let limited = Reply::empty(429).header("Retry-After", "590");
    let server = Server::start(Routes::new().on("GET", "/items", [limited, ok()]));
    let done = Items::new(&server).connector().run("read");
    assert_eq!((done.status, done.sleeps), (0, vec![Duration::from_secs(600)]));
}

#[test]
fn a_request_whose_time_is_used_up_says_so_and_one_whose_wait_is_too_long_says_that() {
    let server = Server::start(|_: &Request| Reply::empty(429).header("Retry-After", "700"));
    let done = Items::new(&server).connector().run("read");
    assert!(done.stdout.contains("because the next attempt would be in 735 s"), "{}", done.stdout);

    // The stream is made with a URL that is known only after the clock is.
    let url = std::sync::Arc::new(std::sync::OnceLock::new());
    let known = url.clone();
    let connector =
        connector(move || Box::new(Items { url: known.get().cloned().unwrap_or_default(), rules: Vec::new() }));
    let clock = connector.clock();
    let server = Server::start(move |_: &Request| {
        clock.advance(Duration::from_secs(601));
        Reply::empty(503)
    });
    url.set(server.url()).expect("set once");
    let done = connector.run("read");
    assert_eq!((done.status, server.requests().len()), (1, 1));
    assert!(done.stdout.contains("because the 600 s that one request may take are used up"), "{}", done.stdout);
}
