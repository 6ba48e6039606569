//! A list that every object of another list has: the balance transactions of each customer. The parents are read with a
//! state of their own, so that later on only those are asked for their children that have changed.

use std::sync::Arc;

use serde_json::Value;

use super::api::Api;
use super::row::{Child, ChildCursor};
use super::rules::Rules;
use super::stripe_stream::stripe_stream;
use super::updated_list;
use crate::http::ResponseAction;
use crate::protocol::{Failure, StreamState};
use crate::streams::{
    GlobalCursor, HttpStream, ParentStream, Record, RequestContext, Slice, SliceContext, Slices, Transformed,
    epoch_cursor, is_future,
};

/// What the Python framework writes for a stream without a cursor, and says nothing.
const NO_CURSOR: &str = "__ab_no_cursor_state_message";
/// In a state of a stream without a cursor: how far the parent was read.
const PARENT_PROGRESS: &str = "parent_progress";
/// In a partition: the slice of the parent, which is empty, for its records come in no partitions.
const PARENT_SLICE: &str = "parent_slice";

/// A stream of [`Child`] objects.
pub(super) struct ChildList {
    row: &'static Child,
    api: Arc<Api>,
    rules: Rules,
    parent: ParentStream,
    /// `None` for a stream without a cursor, which is always read whole.
    cursor: Option<GlobalCursor>,
}

impl ChildList {
    pub(super) fn new(row: &'static Child, parent: Arc<dyn HttpStream>, api: Arc<Api>) -> Self {
        let cursor = row.cursor.field().map(|cursor_field| GlobalCursor {
            stream: row.name.to_owned(),
            cursor_field: cursor_field.to_owned(),
            parent: parent.name().to_owned(),
            parent_cursor_field: updated_list::CURSOR.to_owned(),
            per_partition: row.cursor.is_per_parent(),
        });
        let parent = ParentStream::keyed(parent, "id", row.key).extra_fields(row.extra_fields.iter().copied());
        let rules = Rules::of_objects(api.clone(), Vec::new(), ResponseAction::Ignore);
        Self { row, rules, api, parent, cursor }
    }
}

impl HttpStream for ChildList {
    stripe_stream!();

    fn path(&self, cx: &RequestContext<'_>) -> String {
        self.row.request.path(&self.api, cx.slice)
    }

    fn cursor_field(&self) -> Vec<String> {
        self.row.cursor.field().map(str::to_owned).into_iter().collect()
    }

    /// Between the slices stand markers; the state of a parent's own cursor does not depend on their order.
    fn slices_in_order(&self) -> bool {
        !self.row.cursor.is_per_parent()
    }

    fn is_marker(&self, slice: &Slice) -> bool {
        ParentStream::progress(slice).is_some()
    }

    fn parent(&self) -> Option<&ParentStream> {
        Some(&self.parent)
    }

    /// A parent with a cursor of its own is asked for what is new since then; any other one for everything.
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let (config, now) = (&self.api.config, self.api.now());
        let known = match self.row.cursor {
            ChildCursor::PerParent(field) => cx.state.get(field).and_then(epoch_cursor::seconds),
            ChildCursor::Global(_) | ChildCursor::None => None,
        };
        // A cursor of the future tells nothing.
        let known = known.filter(|known| !is_future(*known, now));
        let window = known.map(|known| (config.read_again_from(known).min(now), now));
        self.row.request.params(cx.slice, window)
    }

    fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        for (name, of) in self.row.of_parent {
            record.set(name, cx.slice.get(*of));
        }
        Ok(record.into())
    }

    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let progress = match &self.cursor {
            Some(cursor) => cursor.parent_progress(cx.state),
            None => cx.state.get(PARENT_PROGRESS).and_then(Value::as_object).cloned().unwrap_or_default(),
        };
        let slices = self.parent.slices_from(cx, progress)?;
        if !self.row.cursor.is_per_parent() {
            return Ok(slices);
        }
        Ok(Box::new(slices.map(|slice| {
            slice.map(|mut slice| {
                if !self.is_marker(&slice) {
                    slice.insert(PARENT_SLICE.to_owned(), Slice::new().into());
                }
                slice
            })
        })))
    }

    fn migrate_state(&self, mut state: StreamState) -> Result<StreamState, Failure> {
        state.remove(NO_CURSOR);
        match &self.cursor {
            Some(cursor) => cursor.migrate(state),
            None => Ok(state),
        }
    }

    fn get_updated_state(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>, _: &[String]) {
        match (&self.cursor, self.row.cursor) {
            (Some(_), ChildCursor::PerParent(field)) if !self.is_marker(slice) => {
                epoch_cursor::advance(state, field, self.row.name, 0, newest);
            }
            (Some(cursor), _) => cursor.update(state, slice, newest),
            (None, _) => {
                if let Some(progress) = ParentStream::progress(slice) {
                    state.insert(PARENT_PROGRESS.to_owned(), progress.clone().into());
                }
            }
        }
    }
}
