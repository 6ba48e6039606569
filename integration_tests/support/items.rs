//! The result of a read of the kit's stream `items`.

use serde_json::json;
use source_http_testkit::{ErrorTrace, Finished, Reply};

/// A page of three records.
pub(crate) fn page() -> Reply {
    Reply::json(json!({"data": [{"id": 1}, {"id": 2}, {"id": 3}]}))
}

/// The run read that page, each record once.
#[track_caller]
pub(crate) fn assert_page(done: &Finished) {
    let messages = done.messages();
    assert_eq!((done.status, messages.records("items")), (0, vec![r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]));
    assert_eq!(messages.statuses("items").last(), Some(&"COMPLETE"));
}

/// The run failed without a record. Returns the stream's error message.
#[track_caller]
pub(crate) fn failure(done: &Finished, kind: &str, retries: usize) -> String {
    let messages = done.messages();
    assert_eq!((done.status, messages.record_count()), (1, 0));
    let error: ErrorTrace = messages.errors().into_iter().find(|error| error.stream.is_some()).unwrap();
    assert_eq!((error.failure_type.as_deref(), done.sleeps.len()), (Some(kind), retries), "{}", done.stdout);
    error.message
}
