//! A stream as a value: one endpoint, configured by the test. Tests of an authenticator, a pager or retry rules need
//! not write a stream.

use std::sync::Arc;

use source_http::http::auth::{Authenticator, NoAuth};
use source_http::http::budget::RequestBudget;
use source_http::http::{Method, RequestBody, RequestOptions, RetryRules, UsualRules};
use source_http::json::RecordPath;
use source_http::streams::pager::{Pager, SinglePage};
use source_http::streams::{HttpStream, RequestContext};

use super::{Finished, InProcess};

/// The stream `items` of a server, whose records are at `data` of a JSON document.
///
/// ```
/// use serde_json::json;
/// use source_http::streams::pager::NextUrl;
/// use source_http_testkit::{Items, Routes, Server};
///
/// let last = json!({"data": [{"id": 2}]});
/// let server = Server::start(Routes::new().on("GET", "/more", [last]).on("GET", "/items", [
///     json!({"data": [{"id": 1}], "next": "/more"}),
/// ]));
/// let done = Items::new(server.url()).pager(NextUrl::new("next")).read();
/// assert_eq!(done.messages().records("items"), [r#"{"id":1}"#, r#"{"id":2}"#]);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Items {
    /// Default: `items`.
    pub name: String,
    /// The URL before the path. Default: none.
    pub url: String,
    /// Default: `items`.
    pub path: String,
    /// Default: GET.
    pub method: Method,
    /// The query of each request. Default: none.
    pub params: Vec<(String, String)>,
    /// Headers of each request. Default: none.
    pub headers: Vec<(String, String)>,
    /// Default: none.
    pub body: RequestBody,
    /// Network options.
    pub options: RequestOptions,
    /// The member of a record that is its key. Default: none.
    pub primary_key: Option<String>,
    /// Whether responses are kept in the cache. Default: no.
    pub use_cache: bool,
    /// The request budget.
    pub budget: Option<Arc<RequestBudget>>,
    /// Streams of one group are not read at the same time. Default: none.
    pub group: Option<String>,
    /// Default: none.
    pub authenticator: Arc<dyn Authenticator>,
    /// Default: one page.
    pub pager: Arc<dyn Pager>,
    /// Default: the usual ones.
    pub retry_rules: Arc<dyn RetryRules>,
}

impl Items {
    /// The stream of a server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            name: "items".into(),
            url: url.into(),
            path: "items".into(),
            method: Method::GET,
            params: Vec::new(),
            headers: Vec::new(),
            body: RequestBody::Empty,
            options: RequestOptions::default(),
            primary_key: None,
            use_cache: false,
            budget: None,
            group: None,
            authenticator: Arc::new(NoAuth),
            pager: Arc::new(SinglePage),
            retry_rules: Arc::new(UsualRules),
        }
    }

    /// Changes fields.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Changes the network options.
    pub fn options(mut self, change: impl FnOnce(&mut RequestOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// Sets the credentials.
    pub fn authenticator(self, authenticator: impl Authenticator + 'static) -> Self {
        Self { authenticator: Arc::new(authenticator), ..self }
    }

    /// Sets the pager.
    pub fn pager(self, pager: impl Pager + 'static) -> Self {
        Self { pager: Arc::new(pager), ..self }
    }

    /// Sets the retry rules.
    pub fn retry_rules(self, rules: impl RetryRules + 'static) -> Self {
        Self { retry_rules: Arc::new(rules), ..self }
    }

    /// A connector of this stream.
    pub fn connector(self) -> InProcess {
        InProcess::of(self)
    }

    /// Reads all of it.
    pub fn read(self) -> Finished {
        self.connector().run("read")
    }
}

impl HttpStream for Items {
    fn name(&self) -> &str {
        &self.name
    }

    fn url_base(&self) -> &str {
        &self.url
    }

    fn path(&self, _: &RequestContext<'_>) -> String {
        self.path.clone()
    }

    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }

    fn primary_key(&self) -> Vec<Vec<String>> {
        self.primary_key.iter().map(|key| vec![key.clone()]).collect()
    }

    fn http_method(&self) -> Method {
        self.method.clone()
    }

    fn request_params(&self, _: &RequestContext<'_>) -> Vec<(String, String)> {
        self.params.clone()
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

    fn use_cache(&self) -> bool {
        self.use_cache
    }

    fn request_budget(&self) -> Option<&RequestBudget> {
        self.budget.as_deref()
    }

    fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    fn authenticator(&self) -> &dyn Authenticator {
        &*self.authenticator
    }

    fn pager(&self) -> &dyn Pager {
        &*self.pager
    }

    fn retry_rules(&self) -> &dyn RetryRules {
        &*self.retry_rules
    }
}
