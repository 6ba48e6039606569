//! What is retried, how long is waited, and what is said about it.

use std::time::Duration;

use serde_json::json;
use source_http::json::RecordPath;
use source_http::streams::{HttpStream, RequestContext};
use source_http::testing::{InProcess, Reply, Request, Routes, Server};

use crate::support::{TestSource, connector};

struct Items {
    url: String,
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
    let url = server.url();
    let done = connector(move || Box::new(Items { url: url.clone() })).run("read");
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
    let url = server.url();
    let done = connector(move || Box::new(Items { url: url.clone() })).run("read");
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
    let source = TestSource::new(move |_, _| {
        (0..1_000).map(|n| Box::new(Numbered { name: format!("items_{n}"), url: url.clone() }) as _).collect()
    });
    let done = InProcess::new(source).config(&json!({})).run("read");
    // 500 tokens at 5 a retry: 20 requests use all of their five retries, and then nobody has any.
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

struct Numbered {
    name: String,
    url: String,
}

impl HttpStream for Numbered {
    fn name(&self) -> &str {
        &self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        self.name.clone()
    }
}
