//! A list whose first page is inside the objects of another list: the lines of invoices, the items of subscriptions.
//! The first time the other list is read, and then the events about its objects.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::api::{Api, VERSION};
use super::api_error;
use super::changed::{Changed, Objects};
use super::event::Event;
use super::feed::{self, EventPages, Seen};
use super::row::Nested;
use super::rules::Rules;
use super::stripe_stream::stripe_stream;
use super::updated_list::{self, UpdatedList, set_updated};
use crate::http::{Response, ResponseAction, Undecodable};
use crate::streams::{
    Cursor, Feed, FetchContext, FirstPage, HttpStream, ListThenEvents, NestedPages, NextPart, Page, PageToken,
    ParentStream, PartEnd, Record, Records, RequestContext,
};

/// In an object with such a list: when an event changed it.
const CHANGED: &str = "changed";
const IS_DELETED: &str = "is_deleted";
/// In such an object: the event.
const EVENT: &str = "event";
/// In such an object that is listed again: listed records are no older than this.
const FLOOR: &str = "floor";

/// A stream of [`Nested`] objects.
pub(super) struct NestedList {
    row: &'static Nested,
    api: Arc<Api>,
    rules: Rules,
    parent: ParentStream,
    cursor: Box<dyn Cursor>,
    changed: Changed,
}

impl NestedList {
    pub(super) fn new(row: &'static Nested, api: Arc<Api>) -> Self {
        let cursor = feed::list_then_events(&api, row.name, row.cursor, row.parent.listing());
        let cursor = Box::new(ListThenEvents { in_global_form: true, ..cursor });
        let parent = ParentStream::new(Arc::new(UpdatedList::new(row.parent, api.clone())), ["id"]);
        let changed = Changed::new(api.clone(), row.name, VERSION, &[], None);
        let rules = Rules::of_objects(api.clone(), vec![feed::EVENTS, row.parent.path], ResponseAction::Success);
        Self { row, api, rules, parent, cursor, changed }
    }

    /// The object's fields that its list's records and requests need.
    fn parent_of(object: &Record<'_>, updated: i64) -> Map<String, Value> {
        let mut parent = Map::new();
        for name in ["id", "created"] {
            if let Some(value) = object.get::<Value>(name) {
                parent.insert(name.to_owned(), value);
            }
        }
        parent.insert(updated_list::CURSOR.to_owned(), json!(updated));
        parent
    }

    /// A record of the inner list. `None` if it is an object of another kind.
    fn inner_record(&self, mut record: Record<'static>, parent: &Map<String, Value>) -> Option<Record<'static>> {
        if record.get::<String>("object").is_some_and(|object| object != self.row.object) {
            return None;
        }
        for (name, of) in self.row.of_parent {
            record.set(name, parent.get(*of));
        }
        if self.row.of_parent.is_empty() {
            if let Some(changed) = parent.get(CHANGED) {
                record.set(self.row.cursor, changed);
            } else {
                let floor = parent.get(FLOOR).and_then(Value::as_i64);
                set_updated(&mut record, parent[updated_list::CURSOR].as_i64().unwrap_or_default(), floor);
            }
        }
        if parent.contains_key(IS_DELETED) {
            record.set(IS_DELETED, true);
        }
        if let Some(event) = parent.get(EVENT).and_then(Value::as_str) {
            record.set_version(event);
        }
        Some(record)
    }

    /// The first page inside an object, and the requests left after it. Also for records that came before a newer
    /// version.
    fn take(
        &self,
        object: &Record<'_>,
        parent: &Map<String, Value>,
        records: &mut Vec<Record<'static>>,
        pages: &mut NestedPages,
        seen: &mut Seen,
    ) {
        let first = FirstPage::of(object, self.row.field);
        // Its own list has objects of one kind; the one inside the object may have others, too.
        let is_listed = |record: &Record<'_>| record.get::<String>("object").as_deref() == Some(self.row.object);
        let unfinished = first.unfinished(is_listed, || parent.clone());
        let new =
            first.records.into_iter().filter(|record| record.get::<String>("id").is_none_or(|id| seen.is_new(&id)));
        let made = new.filter_map(|record| self.inner_record(record.into_owned(), parent));
        records.extend(made);
        if let Some(unfinished) = unfinished
            && !pages.unfinished.iter().any(|known| known.parent.get("id") == unfinished.parent.get("id"))
        {
            pages.unfinished.push(unfinished);
        }
    }

    fn listed(&self, response: &Response, started: i64, floor: Option<i64>) -> Result<Records, Undecodable> {
        let (mut pages, mut last) = (NestedPages::default(), None);
        let records = Records::made_of(response, &self.record_path(), &mut |object, records| {
            last = object.get::<Value>("id");
            let updated = object.get::<i64>(updated_list::CURSOR).or_else(|| object.get("created")).unwrap_or(started);
            let mut parent = Self::parent_of(object, updated.max(floor.unwrap_or(i64::MIN)));
            parent.extend(floor.map(|floor| (FLOOR.to_owned(), json!(floor))));
            self.take(object, &parent, records, &mut pages, &mut Seen::default());
        })?;
        pages.outer = go_on_after(&records, last)?;
        Ok(records.with_rest(pages.token()))
    }

    fn of_events(
        &self,
        response: &Response,
        cx: &RequestContext<'_>,
        objects: &Objects,
    ) -> Result<Records, Undecodable> {
        let mut events = EventPages::of(NestedPages::of(cx.page_token).outer.as_ref());
        let mut pages = NestedPages::default();
        let changed = (&self.changed, objects);
        let records =
            feed::event_records(response, &self.record_path(), &mut events, changed, &mut |event, records, seen| {
                if event.is_about(self.row.object) {
                    records.push(event.record(self.row.cursor));
                } else if event.is_about(self.row.parent.object) {
                    let mut parent = Self::parent_of(&event.object, event.created);
                    parent.insert(CHANGED.to_owned(), json!(event.created));
                    if event.is_deleted && self.row.deleted_with_parent {
                        parent.insert(IS_DELETED.to_owned(), json!(true));
                    }
                    parent.extend(event.version().map(|version| (EVENT.to_owned(), json!(version))));
                    self.take(&event.object, &parent, records, &mut pages, seen);
                }
            })?;
        if has_more(&records) {
            pages.outer = Some(events.token());
        }
        Ok(records.with_rest(pages.token()))
    }

    /// A page of an object's own list. If the object is gone, the list ends.
    fn continued(
        &self,
        response: &Response,
        parent: &Map<String, Value>,
        pages: NestedPages,
    ) -> Result<Records, Undecodable> {
        if api_error::is_vanished(response) {
            return Ok(Records::made(Vec::new()).with_rest(pages.after_inner(None).token()));
        }
        let mut last = None;
        let records = Records::made_of(response, &self.record_path(), &mut |record, records| {
            last = record.get::<String>("id");
            records.extend(self.inner_record(record.clone().into_owned(), parent));
        })?;
        let after = go_on_after(&records, last)?;
        Ok(records.with_rest(pages.after_inner(after).token()))
    }
}

impl HttpStream for NestedList {
    stripe_stream!();

    fn path(&self, cx: &RequestContext<'_>) -> String {
        match (NestedPages::of(cx.page_token).inner(), ListThenEvents::feed(cx.slice)) {
            (Some(inner), _) => self.row.request.path(&self.api, &inner.parent),
            (None, Feed::Events) => feed::EVENTS.to_owned(),
            (None, _) => self.parent.stream().path(cx),
        }
    }

    /// The other list's stream, and its other children, read the same pages.
    fn use_cache(&self) -> bool {
        true
    }

    fn parents(&self) -> &[ParentStream] {
        std::slice::from_ref(&self.parent)
    }

    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        match (NestedPages::of(cx.page_token).inner(), ListThenEvents::feed(cx.slice)) {
            (Some(inner), _) => self.row.request.params(&inner.parent, None),
            (None, Feed::Events) => feed::event_params(self.row.events, cx),
            (None, _) => self.parent.stream().request_params(cx),
        }
    }

    fn parse_response(&self, response: &Response, cx: &RequestContext<'_>) -> Result<Records, Undecodable> {
        let pages = NestedPages::of(cx.page_token);
        if let Some(parent) = pages.inner().map(|inner| inner.parent.clone()) {
            return self.continued(response, &parent, pages);
        }
        match ListThenEvents::feed(cx.slice) {
            Feed::List { started, floor } => self.listed(response, started, floor),
            Feed::Newest { .. } | Feed::Events => self.of_events(response, cx, &Objects::new()),
        }
    }

    fn next_part(&self, end: PartEnd<'_>, cx: &RequestContext<'_>) -> NextPart {
        match end {
            PartEnd::Refused => NestedPages::refused(cx.page_token),
            _ => NextPart::default(),
        }
    }

    /// A changed object's current list is wanted.
    fn fetch_page(&self, cx: &RequestContext<'_>, fetch: &FetchContext<'_>) -> anyhow::Result<Option<Page>> {
        let Some(page) = fetch.fetcher.page(self, cx)? else { return Ok(None) };
        let pages = NestedPages::of(cx.page_token);
        if pages.inner().is_some() || ListThenEvents::feed(cx.slice) != Feed::Events {
            return Ok(Some(page));
        }
        let path = |event: &Event<'_>| match event.is_about(self.row.object) {
            true => self.row.object_path.map(str::to_owned),
            false => event.is_about(self.row.parent.object).then(|| self.row.parent.object_path()),
        };
        let (records, token) = (self.record_path(), pages.outer.as_ref());
        let objects = feed::ask_for(&page, &records, token, &self.changed, fetch, &path)?;
        page.with(&objects, |response| self.of_events(response, cx, &objects)).map(Some)
    }

    fn next_page_token(&self, page: &Page, _: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        Ok(Some(page.rest().clone()).filter(|rest| !rest.is_null()))
    }
}

/// The last id of a page that is not the last. Ending at a page without one would be a silent gap.
fn go_on_after<T>(records: &Records, last: Option<T>) -> Result<Option<T>, Undecodable> {
    match has_more(records) {
        true if last.is_none() => {
            let problem = "there are more pages, and it has no record with `id` to continue from".to_owned();
            Err(Undecodable { problem, retry: false })
        }
        more => Ok(last.filter(|_| more)),
    }
}

fn has_more(records: &Records) -> bool {
    records.get(&["has_more"]) == Some(true)
}
