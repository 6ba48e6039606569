//! A list of every object of another list, whose own objects have events: read parent by parent the first time, and
//! from the events after that.

use std::sync::Arc;

use super::api::{Api, VERSION};
use super::changed::{Changed, Objects};
use super::event::Event;
use super::feed::{self, EVENTS};
use super::row::UpdatedChild;
use super::rules::Rules;
use super::stripe_stream::stripe_stream;
use super::updated_list::{CURSOR, set_updated};
use crate::http::{Response, ResponseAction, Undecodable};
use crate::protocol::Failure;
use crate::streams::{
    Cursor, Feed, FetchContext, HttpStream, ListThenEvents, Listing, Page, PageToken, ParentStream, Record, Records,
    RequestContext, Transformed,
};

/// A stream of [`UpdatedChild`] objects.
pub(super) struct UpdatedChildList {
    row: &'static UpdatedChild,
    api: Arc<Api>,
    rules: Rules,
    parent: ParentStream,
    cursor: Box<dyn Cursor>,
    changed: Changed,
}

impl UpdatedChildList {
    pub(super) fn new(row: &'static UpdatedChild, parent: Arc<dyn HttpStream>, api: Arc<Api>) -> Self {
        let cursor = feed::list_then_events(&api, row.name, CURSOR, Listing::Parents);
        let cursor = Box::new(ListThenEvents { in_global_form: true, ..cursor });
        let changed = Changed::new(api.clone(), row.name, VERSION, row.request.params, row.listed_by);
        let rules = Rules::of_objects(api.clone(), vec![EVENTS], ResponseAction::Ignore);
        Self { row, api, rules, parent: ParentStream::keyed(parent, "id", row.key), cursor, changed }
    }
}

impl UpdatedChildList {
    fn of_events(
        &self,
        response: &Response,
        cx: &RequestContext<'_>,
        objects: &Objects,
    ) -> Result<Records, Undecodable> {
        let changed = (&self.changed, objects);
        feed::objects(response, &self.record_path(), cx.page_token, changed, self.row.object, CURSOR)
    }
}

impl HttpStream for UpdatedChildList {
    stripe_stream!();

    fn path(&self, cx: &RequestContext<'_>) -> String {
        match ListThenEvents::feed(cx.slice) {
            Feed::Events => EVENTS.to_owned(),
            Feed::List { .. } | Feed::Newest { .. } => self.row.request.path(&self.api, cx.slice.partition()),
        }
    }

    fn parents(&self) -> &[ParentStream] {
        std::slice::from_ref(&self.parent)
    }

    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        match ListThenEvents::feed(cx.slice) {
            Feed::Events => feed::event_params(self.row.events, cx),
            Feed::List { .. } | Feed::Newest { .. } => self.row.request.params(cx.slice.partition(), None),
        }
    }

    fn parse_response(&self, response: &Response, cx: &RequestContext<'_>) -> Result<Records, Undecodable> {
        if ListThenEvents::feed(cx.slice) != Feed::Events {
            return Records::at(response, &self.record_path());
        }
        self.of_events(response, cx, &Objects::new())
    }

    fn fetch_page(&self, cx: &RequestContext<'_>, fetch: &FetchContext<'_>) -> anyhow::Result<Option<Page>> {
        let Some(page) = fetch.fetcher.page(self, cx)? else { return Ok(None) };
        if ListThenEvents::feed(cx.slice) != Feed::Events {
            return Ok(Some(page));
        }
        let path = |event: &Event<'_>| event.is_about(self.row.object).then(|| self.row.object_path.to_owned());
        let objects = feed::ask_for(&page, &self.record_path(), cx.page_token, &self.changed, fetch, &path)?;
        page.with(&objects, |response| self.of_events(response, cx, &objects)).map(Some)
    }

    fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        if let Feed::List { started, floor } = ListThenEvents::feed(cx.slice) {
            set_updated(&mut record, started, floor);
        }
        Ok(record.into())
    }

    fn next_page_token(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        match ListThenEvents::feed(cx.slice) {
            Feed::Events => Ok(feed::next_page(page)),
            Feed::List { .. } | Feed::Newest { .. } => self.pager().next_page_token(page, cx.page_token),
        }
    }
}
