//! A stream: the requests for its list and for the events about its objects, and the records in the answers.

use std::sync::Arc;

use super::api::{self, ACCOUNT_ID, Api, EVENTS};
use super::api_error::STARTING_AFTER;
use super::changed::{Changed, Objects};
use super::event::{UPDATED, set_updated};
use super::feed::{self, EVENTS_KEPT, EventPages};
use super::nested_list;
use super::row::Row;
use super::rules::Rules;
use super::schemas::SCHEMAS;
use super::table;
use crate::http::auth::Authenticator;
use crate::http::budget::RequestBudget;
use crate::http::{Response, RetryRules, Undecodable};
use crate::json::RecordPath;
use crate::protocol::Failure;
use crate::streams::pager::Pager;
use crate::streams::{
    CreatedWindows, Cursor, DateWindows, Feed, FetchContext, GlobalCursor, HttpStream, ListThenEvents, Listing,
    NestedPages, NextPart, Page, PageToken, ParentCursor, ParentStream, PartEnd, Record, Records, RequestContext,
    SchemaFolder, SliceContext, Slices, Transformed, Unfinished, epoch_seconds, is_future,
};

/// The stream of a [`Row`].
pub(super) struct List {
    row: &'static Row,
    api: Arc<Api>,
    rules: Rules,
    parent: Option<ParentStream>,
    cursor: Box<dyn Cursor>,
    changed: Changed,
}

/// The list that is requested, with the token of its page.
enum Request {
    List(Option<PageToken>),
    Events(Option<PageToken>),
    /// The rest of the list inside an object.
    Inside(Unfinished),
}

impl List {
    pub(super) fn new(row: &'static Row, api: &Arc<Api>) -> Self {
        let parent = row.parent.map(|parent| {
            let stream = Arc::new(Self::new(parent, api));
            ParentStream::keyed(stream, "id", row.key).extra_fields(row.extra_fields())
        });
        let (rules, changed) = (Rules::of_lists(row, api.clone()), Changed::new(row, api.clone()));
        Self { row, api: api.clone(), rules, parent, cursor: cursor(row, api), changed }
    }

    /// The content of a slice, if there are events.
    fn feed(&self, cx: &RequestContext<'_>) -> Option<Feed> {
        (!self.row.events.is_empty()).then(|| ListThenEvents::feed(cx.slice))
    }

    fn request_for(&self, cx: &RequestContext<'_>) -> Request {
        let pages = NestedPages::of(cx.page_token);
        if let Some(inner) = pages.inner() {
            return Request::Inside(inner.clone());
        }
        let token = pages.outer.or_else(|| cx.page_token.cloned());
        match self.feed(cx) {
            Some(Feed::Events) => Request::Events(token),
            _ => Request::List(token),
        }
    }

    /// The creation times to request. A parent's list with a cursor of its own is read from there; any other one
    /// completely.
    fn window(&self, cx: &RequestContext<'_>) -> Option<(i64, i64)> {
        if !self.row.is_per_parent() {
            return DateWindows::of(cx.slice);
        }
        let now = self.api.clock.began();
        let known = self.row.cursor.and_then(|field| cx.state.get(field)).and_then(epoch_seconds);
        // A cursor in the future is ignored.
        let known = known.filter(|known| !is_future(*known, now));
        known.map(|known| (known.saturating_sub(self.api.config.lookback).min(now), now))
    }

    /// The records of a page of events. `objects` are those that were requested.
    fn of_events(
        &self,
        response: &Response,
        token: Option<&PageToken>,
        objects: &Objects,
    ) -> Result<Records, Undecodable> {
        let (kind, outer) = (self.row.kind(), self.row.outer().map(Row::kind));
        let (mut events, mut pages) = (EventPages::of(token), NestedPages::default());
        let records = feed::event_records(self.row, response, &mut events, objects, &mut |event, records, seen| {
            if event.is_about(&kind) {
                records.push(event.record());
            } else if outer.as_ref().is_some_and(|outer| event.is_about(outer)) {
                nested_list::of_event(self.row, event, records, &mut pages, seen);
            }
        })?;
        let next = feed::has_more(&records).then(|| events.token());
        Ok(records.with_rest(match self.row.inside {
            Some(_) => NestedPages { outer: next, ..pages }.token(),
            None => next.unwrap_or_default(),
        }))
    }
}

/// The slices and the state of a stream.
fn cursor(row: &Row, api: &Api) -> Box<dyn Cursor> {
    let Some(cursor_field) = row.cursor.map(str::to_owned) else {
        // Its state is how far the parents were read.
        return Box::new(ParentCursor::default().under("parent_progress"));
    };
    let (stream, clock, config) = (row.name.to_owned(), api.clock.clone(), &api.config);
    let (start, step, lookback) = (config.start, config.slice_range, config.lookback);
    match row.parent {
        parent if !row.events.is_empty() => Box::new(ListThenEvents {
            stream,
            cursor_field,
            start,
            step,
            lookback,
            events_kept: EVENTS_KEPT,
            list_newest: row.list_newest,
            list: match row.listed() {
                row if row.is_child() => Listing::Parents,
                row if row.windows => Listing::Spans,
                _ => Listing::Whole,
            },
            in_global_form: parent.is_some(),
            clock,
        }),
        None => Box::new(CreatedWindows { stream, cursor_field, start, step, lookback, clock }),
        Some(parent) => Box::new(GlobalCursor {
            stream,
            cursor_field,
            parent: parent.name.to_owned(),
            parent_cursor_field: UPDATED.to_owned(),
            per_partition: row.is_per_parent(),
            lookback,
        }),
    }
}

impl HttpStream for List {
    fn name(&self) -> &str {
        self.row.name
    }

    fn url_base(&self) -> &str {
        &self.api.config.api_url
    }

    fn path(&self, cx: &RequestContext<'_>) -> String {
        match self.request_for(cx) {
            Request::List(_) => self.row.listed().path(&self.api, cx.slice.partition()),
            Request::Events(_) => EVENTS.to_owned(),
            Request::Inside(inner) => self.row.path(&self.api, &inner.parent),
        }
    }

    fn record_path(&self) -> RecordPath {
        api::record_path()
    }

    fn primary_key(&self) -> Vec<Vec<String>> {
        self.row.cursor.map(|_| vec!["id".to_owned()]).into_iter().collect()
    }

    fn cursor(&self) -> &dyn Cursor {
        &*self.cursor
    }

    fn schemas(&self) -> Option<SchemaFolder> {
        Some(SCHEMAS)
    }

    fn authenticator(&self) -> &dyn Authenticator {
        &self.api.authenticator
    }

    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let (mut params, after) = match self.request_for(cx) {
            Request::List(token) => {
                (self.row.listed().params(cx.slice.partition(), self.window(cx)), token.and_then(feed::last_id))
            }
            Request::Events(token) => (feed::event_params(self.row.events, cx), token.and_then(feed::last_id)),
            Request::Inside(inner) => (self.row.params(&inner.parent, None), inner.after),
        };
        params.extend(after.map(|id| (STARTING_AFTER.to_owned(), id)));
        params
    }

    fn request_headers(&self, _: &RequestContext<'_>) -> Vec<(String, String)> {
        self.api.headers(self.row.version)
    }

    /// Streams that share a list read the same pages.
    fn use_cache(&self) -> bool {
        self.row.inside.is_some() || table::has_children(self.row)
    }

    fn request_budget(&self) -> Option<&RequestBudget> {
        Some(&self.api.budget)
    }

    fn parse_response(&self, response: &Response, cx: &RequestContext<'_>) -> Result<Records, Undecodable> {
        match (self.request_for(cx), self.feed(cx)) {
            (Request::Events(token), _) => self.of_events(response, token.as_ref(), &Objects::new()),
            (Request::Inside(inner), _) => nested_list::rest(self.row, response, &inner.parent, cx.page_token),
            (Request::List(_), Some(Feed::List { started, floor })) if self.row.inside.is_some() => {
                nested_list::listed(self.row, response, started, floor)
            }
            (Request::List(_), _) => Records::at(response, &self.record_path()),
        }
    }

    /// Requests the objects of a page of events again, as far as the events' versions are not enough. Children need only
    /// an object's id, which is in the event.
    fn fetch_page(&self, cx: &RequestContext<'_>, fetch: &FetchContext<'_>) -> anyhow::Result<Option<Page>> {
        let Some(page) = fetch.fetcher.page(self, cx)? else { return Ok(None) };
        let token = match self.request_for(cx) {
            Request::Events(token) if !fetch.for_children => token,
            _ => return Ok(Some(page)),
        };
        let (mut events, mut wanted) = (EventPages::of(token.as_ref()), Vec::new());
        feed::event_records(self.row, &page.response, &mut events, &Objects::new(), &mut |event, _, _| {
            wanted.extend(self.changed.wanted(event, fetch));
        })?;
        if wanted.is_empty() {
            return Ok(Some(page));
        }
        let objects = self.changed.fetch(self, &wanted, fetch)?;
        let records = self.of_events(&page.response, token.as_ref(), &objects)?;
        Ok(Some(Page::new(page.response, records)))
    }

    /// A listed object gets the time of its last change, and fields of its parent. Those of events and of lists inside
    /// objects have them.
    fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        if self.row.inside.is_some() {
            return Ok(record.into());
        }
        match self.feed(cx) {
            Some(Feed::List { started, floor }) => set_updated(&mut record, started, floor),
            Some(Feed::Newest { .. }) => set_updated(&mut record, self.api.clock.began(), None),
            Some(Feed::Events) | None => {}
        }
        for (name, of) in self.row.of_parent {
            record.set(name, cx.slice.get(of));
        }
        Ok(record.into())
    }

    fn next_page_token(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        match self.request_for(cx) {
            Request::List(_) if self.row.inside.is_none() => self.api.pager.next_page_token(page, cx.page_token),
            _ => Ok(Some(page.rest().clone()).filter(|rest| !rest.is_null())),
        }
    }

    fn next_part(&self, end: PartEnd<'_>, cx: &RequestContext<'_>) -> NextPart {
        match end {
            PartEnd::Refused => NestedPages::refused(cx.page_token),
            _ => NextPart::default(),
        }
    }

    fn parents(&self) -> &[ParentStream] {
        self.parent.as_slice()
    }

    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let is_of_account = self.row.parent.is_none() && self.row.list().contains(ACCOUNT_ID);
        if is_of_account && self.api.config.account_id.is_empty() {
            let text =
                format!("{} is a list of the account in `account_id`, which is empty in the config.", self.row.name);
            return Err(Failure { skips_stream: true, ..Failure::config(text) }.into());
        }
        self.cursor.stream_slices(self.parents(), cx)
    }

    fn retry_rules(&self) -> &dyn RetryRules {
        &self.rules
    }
}
