//! The contract of a stream, as a stream of a manifest keeps it: each method asks the component that knows.

use serde_json::Value;
use url::Url;

use super::super::incremental::Incremental;
use super::super::query_properties::QueryProperties;
use super::super::repaging::Spot;
use super::{DeclarativeStream, STATELESS};
use crate::http::auth::Authenticator;
use crate::http::budget::RequestBudget;
use crate::http::{HttpRequest, RequestOptions, Response, RetryRules, Undecodable};
use crate::protocol::{Failure, JsonSchema, LogLevel, StreamState};
use crate::streams::{
    Cursor, Delegate, FetchContext, HttpStream, NextPart, Page, PageToken, ParentStream, PartEnd, Parts, Record,
    RecordFiles, Records, RequestContext, SchemaContext, SchemaUse, SliceContext, Slices, Transformed,
};

impl HttpStream for DeclarativeStream {
    fn name(&self) -> &str {
        &self.name
    }

    /// Requests are built as a whole.
    fn url_base(&self) -> &str {
        ""
    }

    fn path(&self, _: &RequestContext<'_>) -> String {
        String::new()
    }

    fn primary_key(&self) -> Vec<Vec<String>> {
        self.primary_key.clone()
    }

    fn cursor(&self) -> &dyn Cursor {
        self.incremental.as_ref().map_or(&STATELESS, Incremental::cursor)
    }

    fn for_state(&self, state: &StreamState) -> Result<Option<Delegate<'_>>, Failure> {
        let value_in = |stream: &Self, state: &StreamState| stream.incremental.as_ref()?.value_in(state);
        Ok(self.delegation.as_ref().map(|delegation| delegation.choose(self, state, value_in)))
    }

    /// Airbyte's runtime does not resume pages, and its states have no place for one.
    fn is_resumable(&self) -> bool {
        false
    }

    fn json_schema(&self, cx: &SchemaContext<'_>) -> anyhow::Result<JsonSchema> {
        let schema = self.schema.load(self.folder.as_deref(), Some(cx.fetcher))?;
        // A stream that casts records needs no second normalisation.
        let known = schema.schema.clone();
        self.learn_types(|| Ok(schema))?;
        Ok(Value::Object(known).try_into()?)
    }

    fn schema_use(&self) -> SchemaUse {
        if self.schema.is_asked_for() { SchemaUse::default().load_first() } else { SchemaUse::default() }
    }

    fn authenticator(&self) -> &dyn Authenticator {
        &self.requester.authenticator
    }

    fn request(&self, cx: &RequestContext<'_>) -> anyhow::Result<HttpRequest> {
        self.request_for(cx, None)
    }

    fn sends_credentials_to(&self, url: &Url) -> bool {
        self.requester.is_home(url)
    }

    fn request_options(&self, _: &RequestContext<'_>) -> RequestOptions {
        self.requester.travel(RequestOptions::default())
    }

    fn use_cache(&self) -> bool {
        self.use_cache
    }

    fn request_budget(&self) -> Option<&RequestBudget> {
        self.budget.as_deref()
    }

    fn fetch_page(&self, cx: &RequestContext<'_>, fetch: &FetchContext<'_>) -> anyhow::Result<Option<Page>> {
        // Nothing can be requested while a page is split into records.
        self.learn_types(|| self.schema.load(self.folder.as_deref(), Some(fetch.fetcher)))?;
        let page = match &self.jobs {
            Some(jobs) => jobs.page(self, cx, fetch)?,
            None => self.page_at(cx, fetch)?,
        };
        let of_types = self.types().map(|types| types.take_warnings()).unwrap_or_default();
        let of_cursor = self.incremental.as_ref().and_then(Incremental::take_warning);
        let of_properties = self.properties.iter().flat_map(QueryProperties::take_warnings);
        for warning in self.selector.take_warnings().into_iter().chain(of_types).chain(of_cursor).chain(of_properties) {
            fetch.output.log(LogLevel::Warn, &format!("{}: {warning}", self.name))?;
        }
        Ok(page)
    }

    fn clean_up(&self, fetch: &FetchContext<'_>) -> anyhow::Result<()> {
        self.jobs.as_ref().map_or(Ok(()), |jobs| jobs.clean_up(&self.name, fetch))
    }

    fn parse_response(&self, response: &Response, cx: &RequestContext<'_>) -> Result<Records, Undecodable> {
        if response.status.as_u16() >= 400 {
            return Ok(Records::of_parts(Parts::default()));
        }
        self.parse(response, cx)
    }

    fn files(&self) -> Option<&dyn RecordFiles> {
        self.files.as_ref().map(|files| files as _)
    }

    /// As written: without top-level members that are null.
    fn transform<'a>(&self, mut record: Record<'a>, _: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        record.remove_nulls();
        Ok(record.into())
    }

    fn next_page_token(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        if let Some(jobs) = &self.jobs {
            return jobs.next(self, page, cx);
        }
        self.page_after(page, &RequestContext::new(cx.state, cx.slice, place_of(page, cx)))
    }

    fn next_part(&self, end: PartEnd<'_>, cx: &RequestContext<'_>) -> NextPart {
        let next = match end {
            PartEnd::OutOfScope(page) if self.repaging.is_some() => Spot::of(place_of(page, cx)).past(),
            _ => None,
        };
        NextPart { next: next.and_then(|spot| spot.token()), again: None }
    }

    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        match &self.incremental {
            Some(incremental) => incremental.slices(cx, &self.parents, || self.partitions(cx)),
            None => self.partitions(cx),
        }
    }

    fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    fn parents(&self) -> &[ParentStream] {
        &self.parents
    }

    fn retry_rules(&self) -> &dyn RetryRules {
        &self.requester.error_handler
    }
}

/// The token of the place whose page this is. It may be another one than the requested place.
fn place_of<'a>(page: &'a Page, cx: &'a RequestContext<'_>) -> Option<&'a PageToken> {
    if page.note().is_null() { cx.page_token } else { Some(page.note()) }
}
