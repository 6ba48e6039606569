//! A stream of a manifest: implements the contract of a stream with the parts built from its components.

mod contract;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

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
use super::response_view::{ResponseView, no_next_page};
use super::router::{FIRST_PAGE, Router};
use super::schema::{Schema, SchemaSource};
use super::selector::{Seen, Selector};
use super::template::{Json, Variable};
use super::windows::AskedWindow;
use crate::http::budget::RequestBudget;
use crate::http::{Body, HttpRequest, Response, Undecodable};
use crate::protocol::Failure;
use crate::streams::{
    NoCursor, Page, PageToken, ParentStream, Parts, Record, Records, RequestContext, Slice, SliceContext, Slices,
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
        let (slice, token) = (request::Slice::of(cx.slice).with_properties(names), self.token(cx));
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

    /// The types of the stream's schema, if its records are cast. They are known from the stream's first page on.
    pub(super) fn types(&self) -> Option<&Arc<PythonTypes>> {
        self.types.get().and_then(Option::as_ref)
    }

    fn learn_types(&self, load: impl FnOnce() -> Result<Schema, Failure>) -> Result<(), Failure> {
        if self.selector.normalizes && self.types.get().is_none() {
            let types = PythonTypes::new(&load()?.schema).map(Arc::new);
            self.types.get_or_init(|| types);
        }
        Ok(())
    }

    /// The token of the page after this one of the paginator's.
    pub(super) fn page_after(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        let spot = self.repaging.as_ref().map(|_| Spot::of(cx.page_token)).unwrap_or_default();
        let part = spot.slice(cx.slice);
        let window = AskedWindow::new(cx.slice, self.incremental.as_ref());
        let cx = &RequestContext::new(cx.state, &part, cx.page_token);
        let (slice, token) = (request::Slice::of(cx.slice), self.token(cx));
        let document = self.first_document(page)?;
        let last = page.last();
        let last = last.as_ref().map(Record::text);
        let next = self.paginator.next(&paginator::Page {
            status: page.response.status,
            headers: &page.response.headers,
            body: document.as_ref().map(ResponseView::json),
            last_record: last.as_deref(),
            kept: page.len() as u64,
            found: page.found() as u64,
            token: token.as_deref(),
            size: spot.size,
            slice: &slice,
        });
        if let Some(problem) = document.as_ref().and_then(ResponseView::problem) {
            return Err(no_next_page(&page.response, problem).into());
        }
        // The template is right, as far as it goes.
        let next = next.map_err(|failure| match &document {
            Some(document) if document.is_null() => {
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
        let types = self.types();
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

    /// The records of a list at a plain path, which are found in one pass over the body. `None` if there is no such list:
    /// what else may be there is the extractor's to tell. `is_list` says that the body is a list.
    pub(super) fn listed(
        &self,
        response: &Response,
        cx: &RequestContext<'_>,
        is_list: bool,
    ) -> Option<Result<Records, Undecodable>> {
        let path = self.selector.extractor.record_path()?;
        // Of a list, each item is a response of its own, in which the path begins.
        if is_list && path.plain_names().is_some() {
            return None;
        }
        let found = Records::at(response, &path).ok()?;
        // One record may be an object in place of a list, of which an empty one is none. So are the empty ones of a list
        // of responses.
        if found.len() < 2 || is_list && found.any_is_empty(&response.body) {
            return None;
        }
        let (types, place) = (self.types(), Place::of(self, cx));
        Some(found.shape(response, &mut |record| Ok(self.shaped(record, place.seen(), types, cx)?.into())))
    }
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
        Self { slice: request::Slice::of(cx.slice), token }
    }

    pub(super) fn seen(&self) -> Seen<'_> {
        Seen {
            slice: self.slice.variable(),
            next_page_token: self.token.as_ref().map_or(Variable::None, |token| Variable::Json(Json::Tree(token))),
        }
    }
}
