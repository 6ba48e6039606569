//! A list of pages, for tests of several streams and their interaction.

use std::sync::Arc;

use source_http::http::{ResponseAction, ResponseRule, RetryRules};
use source_http::json::RecordPath;
use source_http::streams::pager::{PageNumber, Pager};
use source_http::streams::{HttpStream, ParentStream, RequestContext};

/// Records at `data` of numbered pages, with or without a parent list. Status 403 skips it.
pub(crate) struct List {
    name: &'static str,
    url: String,
    parent: Option<ParentStream>,
    cache: bool,
    pager: PageNumber,
    rules: Vec<ResponseRule>,
}

impl List {
    /// The list at `/NAME?page=1`.
    pub(crate) fn new(name: &'static str, url: &str) -> Self {
        let rule = ResponseRule::new(ResponseAction::SkipStream).status(403).hint("Give the token the scope read.");
        let pager = PageNumber::new("page");
        Self { name, url: url.to_owned(), parent: None, cache: false, pager, rules: vec![rule] }
    }

    /// One list, at `/NAME/ID?page=1`, for each record of the parent.
    pub(crate) fn below(self, parent: Self) -> Self {
        Self { parent: Some(ParentStream::new(Arc::new(parent), ["id"])), ..self }
    }

    /// The first rule about responses.
    pub(crate) fn rule(mut self, rule: ResponseRule) -> Self {
        self.rules.insert(0, rule);
        self
    }

    /// Its pages are kept in the response cache.
    pub(crate) fn cached(self) -> Self {
        Self { cache: true, ..self }
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
        if self.parent.is_some() { format!("{}/{}", self.name, cx.path_segment("id")) } else { self.name.to_owned() }
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn parents(&self) -> &[ParentStream] {
        self.parent.as_slice()
    }
    fn use_cache(&self) -> bool {
        self.cache
    }
    fn pager(&self) -> &dyn Pager {
        &self.pager
    }
    fn retry_rules(&self) -> &dyn RetryRules {
        &self.rules
    }
}
