//! The response cache: the requests it saves and the responses it keeps (`hits`), that no damage to its file changes
//! the records (`file`), and many threads and a full cache (`client`).

mod client;
mod file;
mod hits;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use source_http::http::auth::{Authenticator, NoAuth};
use source_http::http::{Method, RequestBody, RequestOptions, Response, RetryRules, Verdict};
use source_http::json::RecordPath;
use source_http::protocol::Failure;
use source_http::streams::{HttpStream, Page, PageToken, RequestContext};
use source_http_testkit::{Finished, InProcess, Reply, Routes, Server};

use crate::support::TestSource;

/// A list of this many pages that is read through the cache.
struct List {
    name: &'static str,
    url: String,
    pages: u64,
    method: Method,
    body: RequestBody,
    headers: Vec<(String, String)>,
    authenticator: Box<dyn Authenticator>,
    record_path: &'static str,
    params: Vec<(String, String)>,
    /// Fails with a bug after this page.
    panics_after: Option<u64>,
    options: RequestOptions,
    /// Collects the URLs of the responses.
    answered: Option<Arc<Mutex<Vec<String>>>>,
}

impl List {
    fn new(name: &'static str, url: &str) -> Self {
        Self {
            name,
            url: url.to_owned(),
            pages: 1,
            method: Method::GET,
            body: RequestBody::Empty,
            headers: Vec::new(),
            authenticator: Box::new(NoAuth),
            record_path: "data",
            params: Vec::new(),
            panics_after: None,
            options: RequestOptions::default(),
            answered: None,
        }
    }

    fn boxed(self) -> Box<dyn HttpStream> {
        Box::new(self)
    }
}

impl HttpStream for List {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        format!("list/{}", cx.page_token.and_then(PageToken::as_u64).unwrap_or(1))
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new([self.record_path])
    }
    fn http_method(&self) -> Method {
        self.method.clone()
    }
    fn request_body(&self, _: &RequestContext<'_>) -> RequestBody {
        self.body.clone()
    }
    fn request_params(&self, _: &RequestContext<'_>) -> Vec<(String, String)> {
        self.params.clone()
    }
    fn request_headers(&self, _: &RequestContext<'_>) -> Vec<(String, String)> {
        self.headers.clone()
    }
    fn authenticator(&self) -> &dyn Authenticator {
        &*self.authenticator
    }
    fn retry_rules(&self) -> &dyn RetryRules {
        self
    }
    fn use_cache(&self) -> bool {
        true
    }
    fn request_options(&self, _: &RequestContext<'_>) -> RequestOptions {
        self.options.clone()
    }
    fn next_page_token(&self, _: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        let page = cx.page_token.and_then(PageToken::as_u64).unwrap_or(1);
        assert_ne!(self.panics_after, Some(page), "a bug on purpose");
        let next = page + 1;
        Ok((next <= self.pages).then(|| json!(next)))
    }
}

impl RetryRules for List {
    fn max_retries(&self) -> u32 {
        0
    }
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        if let Some(answered) = &self.answered {
            answered.lock().expect("a list").push(response.url().expect("a URL").into());
        }
        Ok(Verdict::for_status(response.status))
    }
}

/// Reads the streams that `make` makes for a server's URL, in order.
fn read(url: &str, make: impl Fn(&str) -> Vec<List> + Send + Sync + 'static) -> InProcess {
    let url = url.to_owned();
    let source = TestSource::new(move |_, _| make(&url).into_iter().map(List::boxed).collect());
    InProcess::new(source).config(&json!({}))
}

fn page(n: usize) -> Reply {
    Reply::json_text(format!(r#"{{"data":[{{"id":{n}}}]}}"#))
}

fn one_page() -> Server {
    Server::start(Routes::new().on("GET", "/list/1", [page(1)]).on("POST", "/list/1", [page(2)]))
}

/// The messages of a run without its log.
fn said(done: &Finished) -> Vec<Value> {
    let lines = done.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("a message"));
    lines.filter(|message| message["type"] != "LOG").collect()
}

fn warnings(done: &Finished) -> Vec<String> {
    let messages = done.messages();
    let logs = messages.logs().into_iter().filter(|(level, _)| *level == "WARN");
    logs.map(|(_, text)| text.to_owned()).collect()
}

/// The files in a directory.
fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.expect("an entry").path()).collect())
        .unwrap_or_default()
}
