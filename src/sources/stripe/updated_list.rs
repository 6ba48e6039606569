//! A list of objects that change: read as a list the first time, and from the events about them after that.

use std::sync::Arc;

use super::api::{ACCOUNT_ID, Api};
use super::changed::{Changed, Objects};
use super::event::Event;
use super::feed::{self, EVENTS};
use super::row::Updated;
use super::rules::Rules;
use super::stripe_stream::stripe_stream;
use super::table;
use crate::http::{Response, Undecodable};
use crate::protocol::Failure;
use crate::streams::{
    Cursor, DateWindows, Feed, FetchContext, HttpStream, ListThenEvents, Page, PageToken, Record, Records,
    RequestContext, SliceContext, Slices, Transformed,
};

pub(super) const CURSOR: &str = "updated";

/// A stream of [`Updated`] objects.
pub(super) struct UpdatedList {
    row: &'static Updated,
    api: Arc<Api>,
    rules: Rules,
    cursor: Box<dyn Cursor>,
    changed: Changed,
}

impl UpdatedList {
    pub(super) fn new(row: &'static Updated, api: Arc<Api>) -> Self {
        let cursor = feed::list_then_events(&api, row.name, CURSOR, row.listing());
        let cursor = Box::new(ListThenEvents { list_newest: row.list_newest, ..cursor });
        let changed = Changed::new(api.clone(), row.name, row.version, row.params, None);
        let rules = Rules::of_account(api.clone());
        Self { row, api, rules, cursor, changed }
    }
}

impl UpdatedList {
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

impl HttpStream for UpdatedList {
    stripe_stream!();

    fn path(&self, cx: &RequestContext<'_>) -> String {
        match ListThenEvents::feed(cx.slice) {
            Feed::Events => EVENTS.to_owned(),
            Feed::List { .. } | Feed::Newest { .. } => self.api.fill(self.row.path),
        }
    }

    fn use_cache(&self) -> bool {
        table::has_children(self.row.name)
    }

    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        match ListThenEvents::feed(cx.slice) {
            Feed::Events => feed::event_params(self.row.events, cx),
            Feed::List { .. } | Feed::Newest { .. } => {
                Api::list_params(self.row.params.iter().copied(), DateWindows::of(cx.slice))
            }
        }
    }

    /// An event's object gets the event's time, and a flag if it was deleted.
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
        let path = |event: &Event<'_>| event.is_about(self.row.object).then(|| self.row.object_path());
        let objects = feed::ask_for(&page, &self.record_path(), cx.page_token, &self.changed, fetch, &path)?;
        page.with(&objects, |response| self.of_events(response, cx, &objects)).map(Some)
    }

    /// A listed object gets the time of its last change: its own, if it has one, otherwise its creation time.
    fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        match ListThenEvents::feed(cx.slice) {
            Feed::Events => {}
            Feed::List { started, floor } => set_updated(&mut record, started, floor),
            Feed::Newest { .. } => set_updated(&mut record, self.api.clock.began(), None),
        }
        Ok(record.into())
    }

    fn next_page_token(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        match ListThenEvents::feed(cx.slice) {
            Feed::Events => Ok(feed::next_page(page)),
            Feed::List { .. } | Feed::Newest { .. } => self.pager().next_page_token(page, cx.page_token),
        }
    }

    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        if self.row.path.contains(ACCOUNT_ID) && self.api.config.account_id.is_empty() {
            let text =
                format!("{} is a list of the account in `account_id`, which is empty in the config.", self.row.name);
            return Err(Failure { skips_stream: true, ..Failure::config(text) }.into());
        }
        self.cursor.stream_slices(&[], cx)
    }
}

/// Sets the moment of the last change, unless the object has it: its creation time, or `otherwise`; but no moment
/// before `floor`, from which the destination may have an older version.
pub(super) fn set_updated(record: &mut Record<'_>, otherwise: i64, floor: Option<i64>) {
    let own = record.get::<i64>(CURSOR);
    let updated = own.or_else(|| record.get("created")).unwrap_or(otherwise).max(floor.unwrap_or(i64::MIN));
    if own != Some(updated) {
        record.set(CURSOR, updated);
    }
}
