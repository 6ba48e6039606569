//! What is retried, how long is waited, and what is said about it.

use std::time::Duration;

use source_http::json::RecordPath;
use source_http::streams::{HttpStream, RequestContext};
use source_http::testing::{Reply, Routes, Server};

use crate::support::connector;

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
