//! A list that every object of another list has, and whose own objects have events: read parent by parent the first
//! time, and from the events after that.

use std::sync::Arc;

use super::api::{Api, VERSION};
use super::api_error::Subject;
use super::changed::{Changed, Objects};
use super::event::Event;
use super::feed::{self, EVENTS};
use super::row::UpdatedChild;
use super::stripe_stream::stripe_stream;
use super::updated_list::{CURSOR, set_updated};
use crate::http::{Response, ResponseAction, Undecodable};
use crate::streams::{
    CompletionContext, Cursor, Feed, HttpStream, ListThenEvents, Listing, Page, PageToken, ParentStream, Record,
    Records, RequestContext,
};

/// A stream of [`UpdatedChild`] objects.
pub(super) struct UpdatedChildList {
    row: &'static UpdatedChild,
    api: Arc<Api>,
    parent: ParentStream,
    cursor: Box<dyn Cursor>,
    changed: Changed,
}

impl UpdatedChildList {
    /// A parent that is gone has no children.
    const VANISHED: Option<ResponseAction> = Some(ResponseAction::Ignore);

    pub(super) fn new(row: &'static UpdatedChild, parent: Arc<dyn HttpStream>, api: Arc<Api>) -> Self {
        let cursor = feed::list_then_events(&api, row.name, CURSOR, Listing::Parents);
        let cursor = Box::new(ListThenEvents { in_global_form: true, ..cursor });
        let changed = Changed::new(api.clone(), row.name, VERSION, row.request.params, row.listed_by);
        Self { row, api, parent: ParentStream::keyed(parent, "id", row.key), cursor, changed }
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

    #[expect(clippy::unused_self, reason = "streams of another kind ask for lists of several kinds")]
    fn subject(&self, response: &Response) -> Subject {
        Subject::of(response, &[EVENTS])
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

    fn parent(&self) -> Option<&ParentStream> {
        Some(&self.parent)
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

    fn complete_page(
        &self,
        page: Page,
        cx: &RequestContext<'_>,
        completion: &CompletionContext<'_>,
    ) -> anyhow::Result<Page> {
        if ListThenEvents::feed(cx.slice) != Feed::Events {
            return Ok(page);
        }
        let path = |event: &Event<'_>| event.is_about(self.row.object).then(|| self.row.object_path.to_owned());
        let objects = feed::ask_for(&page, &self.record_path(), cx.page_token, &self.changed, completion, &path)?;
        page.with(&objects, |response| self.of_events(response, cx, &objects))
    }

    fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Option<Record<'a>> {
        if let Feed::List { started, floor } = ListThenEvents::feed(cx.slice) {
            set_updated(&mut record, started, floor);
        }
        Some(record)
    }

    fn next_page_token(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        match ListThenEvents::feed(cx.slice) {
            Feed::Events => Ok(feed::next_page(page)),
            Feed::List { .. } | Feed::Newest { .. } => self.pager().next_page_token(page, cx.page_token),
        }
    }
}
