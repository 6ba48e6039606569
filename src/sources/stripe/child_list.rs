//! A list inside every object of another list: the balance transactions of each customer. The parents are read with a
//! state of their own, so that later reads only request the children of changed parents.

use std::sync::Arc;

use super::api::Api;
use super::row::{Child, ChildCursor};
use super::rules::Rules;
use super::stripe_stream::stripe_stream;
use super::updated_list;
use crate::http::ResponseAction;
use crate::protocol::Failure;
use crate::streams::{
    Cursor, GlobalCursor, HttpStream, ParentCursor, ParentStream, Record, RequestContext, Transformed, epoch_cursor,
    is_future,
};

/// A stream of [`Child`] objects.
pub(super) struct ChildList {
    row: &'static Child,
    api: Arc<Api>,
    rules: Rules,
    parent: ParentStream,
    cursor: Box<dyn Cursor>,
}

impl ChildList {
    pub(super) fn new(row: &'static Child, parent: Arc<dyn HttpStream>, api: Arc<Api>) -> Self {
        let cursor: Box<dyn Cursor> = match row.cursor.field() {
            // It is always read whole; its state is how far the parents were read.
            None => Box::new(ParentCursor::default().under("parent_progress")),
            Some(cursor_field) => Box::new(GlobalCursor {
                stream: row.name.to_owned(),
                cursor_field: cursor_field.to_owned(),
                parent: parent.name().to_owned(),
                parent_cursor_field: updated_list::CURSOR.to_owned(),
                per_partition: row.cursor.is_per_parent(),
                lookback: api.config.lookback,
            }),
        };
        let parent = ParentStream::keyed(parent, "id", row.key).extra_fields(row.extra_fields.iter().copied());
        let rules = Rules::of_objects(api.clone(), Vec::new(), ResponseAction::Ignore);
        Self { row, api, rules, parent, cursor }
    }
}

impl HttpStream for ChildList {
    stripe_stream!();

    fn path(&self, cx: &RequestContext<'_>) -> String {
        self.row.request.path(&self.api, cx.slice.partition())
    }

    fn parents(&self) -> &[ParentStream] {
        std::slice::from_ref(&self.parent)
    }

    /// A parent with a cursor of its own is read from there; any other one completely.
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let now = self.api.clock.began();
        let known = match self.row.cursor {
            ChildCursor::PerParent(field) => cx.state.get(field).and_then(epoch_cursor::seconds),
            ChildCursor::Global(_) | ChildCursor::None => None,
        };
        // A cursor in the future is ignored.
        let known = known.filter(|known| !is_future(*known, now));
        let window = known.map(|known| (known.saturating_sub(self.api.config.lookback).min(now), now));
        self.row.request.params(cx.slice.partition(), window)
    }

    fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        for (name, of) in self.row.of_parent {
            record.set(name, cx.slice.get(of));
        }
        Ok(record.into())
    }
}
