//! The cursor of a child whose state is its parent's progress.

use serde_json::Value;

use super::{Cursor, ParentStream, Slice, SliceContext, Slices};
use crate::protocol::{Failure, NO_CURSOR_STATE, StreamState};

/// A cursor that reads the stream's parent with a state of the parent's own, which is also the stream's: only the
/// children of parents that have changed are requested. See [`ParentStream::slices_from`].
///
/// ```
/// use source_http::streams::{Cursor, HttpStream, ParentCursor, ParentStream, RequestContext};
///
/// struct Orders {
///     customers: ParentStream,
///     cursor: ParentCursor,
/// }
///
/// impl HttpStream for Orders {
/// #   fn name(&self) -> &str { "orders" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
///     // ...
///     fn path(&self, cx: &RequestContext<'_>) -> String {
///         format!("customers/{}/orders", cx.path_segment("id"))
///     }
///     fn parents(&self) -> &[ParentStream] {
///         std::slice::from_ref(&self.customers)
///     }
///     fn cursor(&self) -> &dyn Cursor {
///         &self.cursor
///     }
/// }
///
/// let cursor = ParentCursor::new(["created"]);
/// # drop(cursor);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ParentCursor {
    cursor_field: Vec<String>,
    member: Option<&'static str>,
}

impl ParentCursor {
    /// The stream's own cursor field, at this path. Empty without one: then each read is a full refresh, which resumes
    /// after an interruption.
    pub fn new<N: Into<String>>(cursor_field: impl IntoIterator<Item = N>) -> Self {
        Self { cursor_field: cursor_field.into_iter().map(Into::into).collect(), member: None }
    }

    /// Keeps the parent's state in a member of the stream's. Default: it is the whole state.
    #[must_use]
    pub fn under(mut self, member: &'static str) -> Self {
        self.member = Some(member);
        self
    }
}

impl Cursor for ParentCursor {
    fn cursor_field(&self) -> Vec<String> {
        self.cursor_field.clone()
    }

    /// For a stream without a parent: one, the whole stream.
    fn stream_slices<'a>(&'a self, parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let Some(parent) = parents.first() else { return Ok(Box::new(std::iter::once(Ok(Slice::whole())))) };
        let progress = match self.member {
            Some(member) => cx.state.get(member).and_then(Value::as_object).cloned().unwrap_or_default(),
            None => cx.state.clone(),
        };
        parent.slices_from(cx, progress)
    }

    /// The state is the parent's, which moves when all slices before a marker are read.
    fn slices_in_order(&self) -> bool {
        true
    }

    fn migrate_state(&self, mut state: StreamState) -> Result<StreamState, Failure> {
        // It has no content.
        state.remove(NO_CURSOR_STATE);
        Ok(state)
    }

    fn get_updated_state(&self, state: &mut StreamState, slice: &Slice, _: Option<&Value>, _: &[String]) {
        match (slice.progress(), self.member) {
            (Some(progress), Some(member)) => {
                state.insert(member.to_owned(), progress.clone().into());
            }
            (Some(progress), None) => state.clone_from(progress),
            (None, _) => {}
        }
    }
}
