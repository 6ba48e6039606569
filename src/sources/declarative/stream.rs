//! A stream of a manifest: implements the contract of a stream with the parts built from its components.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};
use url::Url;

use super::async_jobs::Jobs;
use super::decoder::Decoder;
use super::delegation::Delegation;
use super::extractor::Extracted;
use super::file_uploader::FileUploader;
use super::incremental::Incremental;
use super::normalize::PythonTypes;
use super::options::{Injection, RequestOption};
use super::paginator::{self, Next, Paginator};
use super::parents;
use super::query_properties::QueryProperties;
use super::repaging::{Repaging, Spot};
use super::request::{self, Asked, Requester};
use super::router::{FIRST_PAGE, Router};
use super::schema::{Schema, SchemaSource};
use super::selector::{Seen, Selector, without_nulls};
use super::template::{Json, Variable};
use super::windows::AskedWindow;
use crate::http::auth::Authenticator;
use crate::http::budget::RequestBudget;
use crate::http::{Body, HttpRequest, RequestOptions, Response, RetryRules, Undecodable};
use crate::protocol::{Failure, JsonSchema, LogLevel, StreamState};
use crate::streams::{
    Cursor, Delegate, FetchContext, HttpStream, NoCursor, Page, PageToken, ParentStream, Parts, Record, RecordFile,
    Records, RequestContext, SchemaContext, Slice, SliceContext, Slices, Transformed,
};

/// The cursor of a stream without incremental sync.
static STATELESS: NoCursor = NoCursor::stateless();

/// `DeclarativeStream` with a `SimpleRetriever`, or with an `AsyncRetriever`, whose pages are the results of jobs.
pub(super) struct DeclarativeStream {
    pub(super) name: String,
    pub(super) primary_key: Vec<Vec<String>>,
    pub(super) schema: SchemaSource,
    /// Where schema files are.
    pub(super) folder: Option<PathBuf>,
    pub(super) requester: Requester,
    pub(super) paginator: Paginator,
    pub(super) decoder: Decoder,
    pub(super) selector: Arc<Selector>,
    pub(super) router: Option<Router<RequestOption>>,
    pub(super) incremental: Option<Incremental>,
    /// The streams of the router's parents, in order.
    pub(super) parents: Vec<ParentStream>,
    /// Whether requests after the first page omit the router's values.
    pub(super) only_first_page_is_sliced: bool,
    pub(super) use_cache: bool,
    /// The budget for the requests of all streams.
    pub(super) budget: Option<Arc<RequestBudget>>,
    /// The properties that it requests by name.
    pub(super) properties: Option<QueryProperties>,
    /// Reads the complete versions of truncated lists, by the place of the expander.
    pub(super) lists: HashMap<String, DeclarativeStream>,
    /// Repeats refused requests in another form.
    pub(super) repaging: Option<Repaging>,
    /// Runs the jobs whose results are the pages.
    pub(super) jobs: Option<Jobs>,
    /// The stream of the same name that may replace it.
    pub(super) delegation: Option<Delegation<DeclarativeStream>>,
    /// Streams of this group are not read at the same time.
    pub(super) group: Option<String>,
    /// Downloads the file of each record.
    pub(super) files: Option<FileUploader>,
    /// The types that records are cast to.
    pub(super) types: OnceLock<Option<Arc<PythonTypes>>>,
}

impl DeclarativeStream {
    fn token<'c>(&self, cx: &'c RequestContext<'_>) -> Option<Cow<'c, Value>> {
        let token = match &self.repaging {
            Some(_) => Spot::of(cx.page_token).token.map(Cow::Owned),
            None => cx.page_token.map(Cow::Borrowed),
        };
        token.or_else(|| self.paginator.initial().map(Cow::Owned))
    }

    /// The request of a page, for these properties if they are requested by name.
    pub(super) fn request_for(&self, cx: &RequestContext<'_>, names: Option<&[String]>) -> anyhow::Result<HttpRequest> {
        let (slice, token) = (asked(cx.slice).with_properties(names), self.token(cx));
        let token = token.as_deref();
        let path = self.paginator.path(token);
        let size = self.repaging.as_ref().and_then(|_| Spot::of(cx.page_token).size);
        let mut injections = self.paginator.injections(token, size);
        injections.extend(self.slice_injections(cx.slice, token.is_some())?);
        let asked = Asked { slice: &slice, token, path: path.as_deref(), injections: &injections };
        Ok(self.requester.request(&asked)?)
    }

    fn slice_injections(&self, slice: &Slice, has_token: bool) -> Result<Vec<Injection>, Failure> {
        // A job gets its slice when it is created, by templates alone.
        if has_token && self.only_first_page_is_sliced || self.jobs.is_some() {
            return Ok(Vec::new());
        }
        let mut known = HashSet::new();
        let mut by_router = Vec::new();
        let of_routers = match &self.router {
            Some(router) => router.injections(slice.partition())?,
            None => Vec::new(),
        };
        for injections in of_routers {
            let injections = injections.into_iter().map(|(option, value)| option.inject(value));
            // The first of two for the same place counts.
            let injections = injections.filter(|one| known.insert((one.place, Arc::clone(&one.path))));
            by_router.push(injections.collect::<Vec<_>>());
        }
        // In the reference, those of the last router come first.
        by_router.reverse();
        let mut injections = by_router.concat();
        injections.extend(self.incremental.iter().flat_map(|cursor| cursor.injections(slice)));
        Ok(injections)
    }

    /// The slices of the router, before the cursor changes them.
    fn partitions<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        match &self.router {
            // The records of a parent contain its children as they were; a stream with a state has already read them.
            Some(router) if self.incremental.is_some() && !cx.state.is_empty() => {
                let slices = parents::slices(router, &self.parents, cx)?;
                Ok(Box::new(slices.map(|slice| slice.map(|slice| slice.without_extra(FIRST_PAGE)))))
            }
            Some(router) => parents::slices(router, &self.parents, cx),
            None => Ok(Box::new(std::iter::once(Ok(Slice::whole())))),
        }
    }

    /// The types of the stream's schema, if its records are cast.
    pub(super) fn types(&self) -> Result<Option<&Arc<PythonTypes>>, Failure> {
        self.types_of(|| self.schema.load(self.folder.as_deref(), None))
    }

    fn types_of(&self, load: impl FnOnce() -> Result<Schema, Failure>) -> Result<Option<&Arc<PythonTypes>>, Failure> {
        if !self.selector.normalizes {
            return Ok(None);
        }
        if let Some(known) = self.types.get() {
            return Ok(known.as_ref());
        }
        let types = PythonTypes::new(&load()?.schema).map(Arc::new);
        Ok(self.types.get_or_init(|| types).as_ref())
    }

    /// The token of the page after this one of the paginator's.
    pub(super) fn page_after(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        let spot = self.repaging.as_ref().map(|_| Spot::of(cx.page_token)).unwrap_or_default();
        let part = spot.slice(cx.slice);
        let window = AskedWindow { slice: cx.slice, incremental: self.incremental.as_ref() };
        let cx = &RequestContext::new(cx.state, part.as_ref().unwrap_or(cx.slice), cx.page_token);
        let (slice, token) = (asked(cx.slice), self.token(cx));
        let document = self.first_document(page)?;
        let last = page.last();
        let last = last.as_ref().map(Record::text);
        let next = self.paginator.next(&paginator::Page {
            status: page.response.status,
            headers: &page.response.headers,
            body: document.as_deref(),
            last_record: last.as_deref(),
            kept: page.len() as u64,
            found: page.found() as u64,
            token: token.as_deref(),
            size: spot.size,
            slice: &slice,
        });
        // The template is right, as far as it goes.
        let next = next.map_err(|failure| match document.as_deref().map(str::trim) {
            Some("null") => {
                let text = format!("The response is `null`, so the next page is unknown: {}.", page.response.request);
                Failure { message: format!("{text} {}", failure.message), ..failure }
            }
            _ => failure,
        })?;
        let next = match next {
            Next::Page(token) => Some(token),
            Next::End(_) => None,
        };
        match &self.repaging {
            Some(repaging) => Ok(repaging.after(spot, page, next, &window)?.and_then(|spot| spot.token())),
            None => Ok(next),
        }
    }

    /// The records of the documents in a body.
    pub(super) fn records(&self, body: &Body, documents: &[&str], cx: &RequestContext<'_>) -> Records {
        let mut parts = Parts::default();
        if let Err(failure) = self.gather(body, documents, cx, &mut parts) {
            parts.fail(failure);
        }
        Records::of_parts(parts)
    }

    fn gather(
        &self,
        body: &Body,
        documents: &[&str],
        cx: &RequestContext<'_>,
        parts: &mut Parts,
    ) -> Result<(), Failure> {
        let types = self.types()?;
        let mut extracted = Extracted::default();
        self.selector.extractor.of_bodies(documents, &mut extracted)?;
        *parts = Parts::of(extracted.count);
        let place = Place::of(self, cx);
        // Past the first page, some APIs leave out an empty list.
        for warning in extracted.warnings.into_iter().chain(extracted.nowhere.filter(|_| place.token.is_none())) {
            self.selector.warn(warning);
        }
        for item in extracted.items {
            let Some(record) = self.selector.record(item)? else { continue };
            if let Some(record) = self.shaped(record, place.seen(), types, cx)? {
                parts.push(body, record);
            }
        }
        Ok(())
    }

    /// The record after the selector.
    pub(super) fn shaped<'r>(
        &self,
        record: Record<'r>,
        seen: Seen<'_>,
        types: Option<&Arc<PythonTypes>>,
        cx: &RequestContext<'_>,
    ) -> Result<Option<Record<'r>>, Failure> {
        let cursor = self.incremental.as_ref().filter(|cursor| cursor.is_client_side);
        let record = match cursor {
            Some(cursor) => self.selector.select(record, seen, Some(&|record| cursor.keeps(record, cx)))?,
            None => self.selector.select(record, seen, None)?,
        };
        Ok(match types {
            Some(types) => record.map(|record| types.normalize(record)),
            None => record,
        })
    }

    /// The records of a list at a plain path, found in one pass over the body. `None` if there is no such list: the
    /// extractor handles other content.
    pub(super) fn listed(&self, response: &Response, cx: &RequestContext<'_>) -> Option<Result<Records, Undecodable>> {
        let found = Records::at(response, &self.selector.extractor.record_path()?).ok()?;
        // A single record may be an object instead of a list; an empty object is no record.
        if found.len() < 2 {
            return None;
        }
        let types = match self.types() {
            Ok(types) => types,
            Err(failure) => return Some(Ok(failed(failure))),
        };
        let place = Place::of(self, cx);
        Some(found.shape(response, &mut |record| Ok(self.shaped(record, place.seen(), types, cx)?.into())))
    }
}

/// A page that ends with a failure before its first record.
pub(super) fn failed(failure: Failure) -> Records {
    let mut parts = Parts::default();
    parts.fail(failure);
    Records::of_parts(parts)
}

/// The place of a page in a stream, for the templates of its records.
pub(super) struct Place {
    slice: request::Slice,
    pub(super) token: Option<Value>,
}

impl Place {
    pub(super) fn of(stream: &DeclarativeStream, cx: &RequestContext<'_>) -> Self {
        let token = stream
            .token(cx)
            .map(|token| Value::Object(Map::from_iter([("next_page_token".to_owned(), token.into_owned())])));
        Self { slice: asked(cx.slice), token }
    }

    pub(super) fn seen(&self) -> Seen<'_> {
        Seen {
            slice: self.slice.variable(),
            next_page_token: self.token.as_ref().map_or(Variable::None, |token| Variable::Json(Json::Tree(token))),
        }
    }
}

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
        self.types_of(|| Ok(schema))?;
        Ok(Value::Object(known).try_into()?)
    }

    fn asks_for_schema(&self) -> bool {
        self.schema.is_asked_for()
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
        self.types_of(|| self.schema.load(self.folder.as_deref(), Some(fetch.fetcher)))?;
        let page = match &self.jobs {
            Some(jobs) => jobs.page(self, cx, fetch)?,
            None => self.page_at(cx, fetch)?,
        };
        let of_types = self.types.get().and_then(Option::as_ref).map(|types| types.take_warnings()).unwrap_or_default();
        let of_cursor = self.incremental.as_ref().and_then(Incremental::take_warning);
        let of_properties = self.properties.iter().flat_map(QueryProperties::take_warnings);
        for warning in self.selector.take_warnings().into_iter().chain(of_types).chain(of_cursor).chain(of_properties) {
            fetch.output.log(LogLevel::Warn, &format!("{}: {warning}", self.name))?;
        }
        Ok(page)
    }

    fn fetch_parent_page(&self, cx: &RequestContext<'_>, fetch: &FetchContext<'_>) -> anyhow::Result<Option<Page>> {
        self.fetch_page(cx, fetch)
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

    fn is_file_based(&self) -> bool {
        self.files.is_some()
    }

    fn fetch_file(
        &self,
        record: &Record<'_>,
        cx: &RequestContext<'_>,
        fetch: &FetchContext<'_>,
    ) -> anyhow::Result<Option<RecordFile>> {
        self.files.as_ref().map_or(Ok(None), |files| files.file(record, cx, fetch))
    }

    /// As written: without top-level members that are null.
    fn transform<'a>(&self, record: Record<'a>, _: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        Ok(without_nulls(record).into())
    }

    fn next_page_token(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        if let Some(jobs) = &self.jobs {
            return jobs.next(self, page, cx);
        }
        // The page may be that of another place than the one requested.
        let here = if page.note().is_null() { cx.page_token } else { Some(page.note()) };
        self.page_after(page, &RequestContext::new(cx.state, cx.slice, here))
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

/// A slice for templates.
pub(super) fn asked(slice: &Slice) -> request::Slice {
    request::Slice {
        partition: Value::Object(slice.partition().clone()),
        cursor_slice: Value::Object(slice.span().clone()),
        extra_fields: Value::Object(slice.extra().clone()),
    }
}
