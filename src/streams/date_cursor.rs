//! A date cursor, for APIs that can filter by a span of time.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::{Cursor, DateSlicer, ParentStream, SliceContext, Slices};
use crate::clock::Clock;

/// A date as the cursor, with spans as slices: a [`DateSlicer`] for the slices, and the clock of
/// [`crate::source::SourceContext`]. One state, `{FIELD: NEWEST}`, covers all of them. Values are compared as moments,
/// with any offsets; an invalid value does not move the state.
///
/// ```
/// use source_http::streams::{Cursor, DateCursor, HttpStream, RequestContext};
///
/// struct Orders {
///     cursor: DateCursor,
/// }
///
/// impl HttpStream for Orders {
/// #   fn name(&self) -> &str { "orders" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
/// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders".into() }
///     // ...
///     fn cursor(&self) -> &dyn Cursor {
///         &self.cursor
///     }
///     fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
///         vec![("from".into(), cx.slice_text("start")), ("to".into(), cx.slice_text("end"))]
///     }
/// }
/// ```
///
/// A stream with a parent has a span for each of the parent's records, and makes these slices itself.
pub struct DateCursor {
    field: String,
    slicer: DateSlicer,
    clock: Arc<dyn Clock>,
}

impl DateCursor {
    /// A cursor on the top-level field of this name, in these slices, up to the clock's time.
    pub fn new(field: impl Into<String>, slicer: DateSlicer, clock: Arc<dyn Clock>) -> Self {
        Self { field: field.into(), slicer, clock }
    }
}

impl Cursor for DateCursor {
    fn cursor_field(&self) -> Vec<String> {
        vec![self.field.clone()]
    }

    fn stream_slices<'a>(&'a self, _parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let slices = self.slicer.slices(cx.state.get(&self.field), self.clock.now())?;
        Ok(Box::new(slices.map(Ok)))
    }

    fn slices_in_order(&self) -> bool {
        true
    }

    fn is_of_span(&self, member: &str) -> bool {
        DateSlicer::MEMBERS.contains(&member)
    }

    fn compare(&self, one: &Value, other: &Value) -> Option<Ordering> {
        let moment = |value| self.slicer.format.parse(value);
        Some(moment(one)?.cmp(&moment(other)?))
    }
}

impl std::fmt::Debug for DateCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DateCursor").field("field", &self.field).field("slicer", &self.slicer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::VirtualClock;
    use crate::streams::DateFormat;
    use crate::streams::cursor::{compare, newer};

    #[test]
    fn dates_are_compared_as_moments_with_any_offsets() {
        let slicer = DateSlicer { format: DateFormat::Rfc3339, ..DateSlicer::new(jiff::Timestamp::UNIX_EPOCH) };
        let cursor = DateCursor::new("at", slicer, Arc::new(VirtualClock::at(0)));
        let (rome, london) = (json!("2026-11-01T09:30:00+01:00"), json!("2026-11-01T09:00:00Z"));
        assert_eq!(cursor.compare(&rome, &london), Some(Ordering::Less));
        assert_eq!(compare(&rome, &london), Some(Ordering::Greater), "as texts");
        let seen = [json!("zzz"), rome, json!(null), london.clone(), json!("zzz")];
        let newest = seen.into_iter().fold(None, |known, seen| newer(&cursor, known, seen));
        assert_eq!(newest, Some(london), "an invalid date does not count");
    }
}
