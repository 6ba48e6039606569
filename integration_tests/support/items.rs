//! A stream of one endpoint, `items`, for tests of everything but streams.

use serde_json::json;
use source_http::http::{Method, RequestBody, RequestOptions};
use source_http::json::RecordPath;
use source_http::streams::{HttpStream, RequestContext};
use source_http_testkit::{ErrorTrace, Finished, InProcess, Reply};

use super::connector;

/// Records at `data` of a JSON document.
#[derive(Clone)]
pub(crate) struct Items {
    pub(crate) url: String,
    pub(crate) options: RequestOptions,
    pub(crate) method: Method,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: RequestBody,
}

impl Items {
    /// The stream of a server, read with the default options.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            options: RequestOptions::default(),
            method: Method::GET,
            headers: Vec::new(),
            body: RequestBody::Empty,
        }
    }

    /// Changes the options.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut RequestOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// A connector of this stream.
    pub(crate) fn connector(self) -> InProcess {
        connector(move || Box::new(self.clone()))
    }

    /// Reads the stream.
    pub(crate) fn read(self) -> Finished {
        self.connector().run("read")
    }
}

impl HttpStream for Items {
    fn name(&self) -> &'static str {
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
    fn http_method(&self) -> Method {
        self.method.clone()
    }
    fn request_headers(&self, _: &RequestContext<'_>) -> Vec<(String, String)> {
        self.headers.clone()
    }
    fn request_body(&self, _: &RequestContext<'_>) -> RequestBody {
        self.body.clone()
    }
    fn request_options(&self, _: &RequestContext<'_>) -> RequestOptions {
        self.options.clone()
    }
}

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

/// The run failed without a record. Returns what the stream's error says.
#[track_caller]
pub(crate) fn failure(done: &Finished, kind: &str, retries: usize) -> String {
    let messages = done.messages();
    assert_eq!((done.status, messages.record_count()), (1, 0));
    let error: ErrorTrace = messages.errors().into_iter().find(|error| error.stream.is_some()).unwrap();
    assert_eq!((error.failure_type.as_deref(), done.sleeps.len()), (Some(kind), retries), "{}", done.stdout);
    error.message
}
