//! A list of pages with paths of their own, for tests of reads that take long or end early.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use source_http::http::budget::RequestBudget;
use source_http::http::{RequestOptions, RetryRules};
use source_http::json::RecordPath;
use source_http::protocol::Failure;
use source_http::streams::{HttpStream, Page, PageToken, Record, RequestContext, Transformed};

/// Records at `data` of the pages `NAME/1`, `NAME/2` and so on. A read resumes at the page where another one stopped.
#[derive(Clone)]
pub(crate) struct Steps {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    /// The number of pages.
    pub(crate) pages: u64,
    pub(crate) budget: Option<Arc<RequestBudget>>,
    pub(crate) max_time: Duration,
    pub(crate) options: RequestOptions,
    /// All records on this side are ignored.
    pub(crate) filtered: bool,
    pub(crate) resumable: bool,
}

impl Steps {
    pub(crate) fn new(name: &'static str, url: impl Into<String>, pages: u64) -> Self {
        Self {
            name,
            url: url.into(),
            pages,
            budget: None,
            max_time: Duration::from_secs(600),
            options: RequestOptions::default(),
            filtered: false,
            resumable: true,
        }
    }

    pub(crate) fn boxed(self) -> Box<dyn HttpStream> {
        Box::new(self)
    }
}

impl HttpStream for Steps {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        format!("{}/{}", self.name, page_number(cx))
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn is_resumable(&self) -> bool {
        self.resumable
    }
    fn request_options(&self, _: &RequestContext<'_>) -> RequestOptions {
        self.options.clone()
    }
    fn request_budget(&self) -> Option<&RequestBudget> {
        self.budget.as_deref()
    }
    fn retry_rules(&self) -> &dyn RetryRules {
        self
    }
    fn transform<'r>(&self, record: Record<'r>, _: &RequestContext<'_>) -> Result<Transformed<'r>, Failure> {
        Ok((!self.filtered).then_some(record).into())
    }
    fn next_page_token(&self, _: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        let next = page_number(cx) + 1;
        Ok((next <= self.pages).then(|| json!(next)))
    }
}

impl RetryRules for Steps {
    fn max_time(&self) -> Duration {
        self.max_time
    }
}

fn page_number(cx: &RequestContext<'_>) -> u64 {
    cx.page_token.and_then(PageToken::as_u64).unwrap_or(1)
}
