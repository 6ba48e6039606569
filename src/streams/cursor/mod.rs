//! The object that makes a stream incremental: the cursor field, the slices left for a state, the order of values, the
//! scope of records, and the written state. These were once a dozen methods of the stream, and the read knew two forms
//! of state; another connector's form would have needed a third.
//!
//! [`Cursor`] is the contract, [`CursorState`] the progress of a read with it. [`CursorField`] is the simplest cursor,
//! [`NoCursor`] that of a stream without one.

mod count;
mod cursor_field;
mod datetime;
mod newest;
mod no_cursor;
mod per_partition_state;
mod values;
mod whole_state;

use std::cmp::Ordering;
use std::time::Duration;

use serde_json::Value;

use super::{HttpStream, ParentStream, Record, RequestContext, Slice, SliceContext, Slices};
use crate::protocol::{Failure, StreamState};

pub use count::CountCursor;
pub use cursor_field::CursorField;
pub use datetime::{Clamping, DatetimeCursor, EndOfTime, Moment, PartitionedCursor, Rfc3339, TimeFormat, TimeSpan};
pub use newest::{advance, is_newer, newer};
pub use no_cursor::NoCursor;
pub(crate) use no_cursor::READ_WHOLE;
use per_partition_state::PerPartitionState;
pub use values::{compare, whole_number};
pub(crate) use whole_state::WholeState;

/// Marks a full refresh that has read the stream to its end, or a finished slice of a stream without cursor; Airbyte's
/// platform knows this name.
pub(crate) const COMPLETE: &str = "__ab_full_refresh_sync_complete";

/// Makes a stream incremental. Every method but the first has a default; [`CursorField`] consists of that first one:
///
/// ```
/// use source_http::streams::{Cursor, CursorField, HttpStream, RequestContext};
///
/// static UPDATED: CursorField = CursorField::new("updated_at");
///
/// struct Orders;
///
/// impl HttpStream for Orders {
/// #   fn name(&self) -> &str { "orders" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
/// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders".into() }
///     // ...
///     fn cursor(&self) -> &dyn Cursor {
///         &UPDATED
///     }
///     fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
///         let since = cx.state.get("updated_at").and_then(|newest| newest.as_str());
///         since.map(|since| ("updated_since".into(), since.into())).into_iter().collect()
///     }
/// }
/// ```
///
/// A cursor whose values do not sort as texts, and that requests each week separately:
///
/// ```
/// use std::cmp::Ordering;
///
/// use serde_json::Value;
/// use source_http::streams::Cursor;
///
/// /// Days as the API writes them: `31/12/2026`.
/// struct Day;
///
/// impl Cursor for Day {
///     fn cursor_field(&self) -> Vec<String> {
///         vec!["day".into()]
///     }
///     fn compare(&self, one: &Value, other: &Value) -> Option<Ordering> {
///         let parts = |day: &Value| day.as_str().map(|day| day.rsplit('/').map(str::to_owned).collect::<Vec<_>>());
///         parts(one)?.partial_cmp(&parts(other)?)
///     }
/// }
/// ```
pub trait Cursor: Send + Sync {
    /// Path of the cursor field. Empty if the stream has none, or its user chooses it without a suggestion.
    fn cursor_field(&self) -> Vec<String>;

    /// Whether the cursor field is fixed. If not, the user chooses it in the catalog. Default: true.
    fn source_defined_cursor(&self) -> bool {
        true
    }

    /// The slices left for a state, made as they are read. `parents` is [`super::HttpStream::parents`]. Default: one
    /// for each record of each parent, or one, the whole stream.
    ///
    /// # Errors
    /// A config failure if the state is invalid.
    fn stream_slices<'a>(&'a self, parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        match parents {
            [] => Ok(Box::new(std::iter::once(Ok(Slice::whole())))),
            [parent] => parent.slices(cx),
            parents => {
                let cx = *cx;
                Ok(Box::new(parents.iter().flat_map(move |parent| match parent.slices(&cx) {
                    Ok(slices) => slices,
                    Err(error) => Box::new(std::iter::once(Err(error))),
                })))
            }
        }
    }

    /// Whether the slices move one state in their order, such as spans of the cursor, oldest first. Otherwise each
    /// partition has a state of its own, so that no partition counts as read because of another. Default: false. It
    /// makes no difference to a stream with one slice.
    fn slices_in_order(&self) -> bool {
        false
    }

    /// Whether a member of a slice is part of its span. States store partition and span in one object; this separates
    /// them again. Default: no member is.
    fn is_of_span(&self, _member: &str) -> bool {
        false
    }

    /// The order of two cursor values; `None` if they cannot be compared. A value that cannot be compared with itself
    /// is not a cursor value: the record is written, and does not move the state. Default: see [`compare`].
    fn compare(&self, one: &Value, other: &Value) -> Option<Ordering> {
        compare(one, other)
    }

    /// Whether to call [`Cursor::scope`]. Default: false.
    fn has_scope(&self) -> bool {
        false
    }

    /// Whether this read wants a record, after [`super::HttpStream::transform`]: for APIs that cannot filter by the
    /// cursor. `cursor_field` is the cursor in force, which the user may have chosen. Default: all are wanted.
    fn scope(&self, _record: &Record<'_>, _cx: &RequestContext<'_>, _cursor_field: &[String]) -> Scope {
        Scope::In
    }

    /// Whether a page whose last record is [`Scope::Past`] is the last one. If false, all of its records must be, for
    /// an API whose records are not quite in order. Default: true.
    fn ends_with_last(&self) -> bool {
        true
    }

    /// Converts a given state into the form of this cursor, from older versions or other connectors with the same
    /// stream (a state migration in the Python framework). Default: unchanged.
    ///
    /// # Errors
    /// A config failure if the state is invalid.
    fn migrate_state(&self, state: StreamState) -> Result<StreamState, Failure> {
        Ok(state)
    }

    /// Advances a state past a slice that was read to its end: the stream's state, or the partition's if each has one.
    /// `newest` is the newest cursor value of the slice's records, `cursor_field` the cursor in force. Default: the
    /// state's cursor value becomes the newest one seen.
    fn get_updated_state(
        &self,
        state: &mut StreamState,
        _slice: &Slice,
        newest: Option<&Value>,
        cursor_field: &[String],
    ) {
        advance(self, state, newest, cursor_field);
    }

    /// The number of records of a slice after which a state is written within it. Only for a stream whose records come
    /// in ascending order of the cursor field, and which requests records at or after its state's cursor, so that
    /// nothing is skipped. Such a state moves only the cursor field; a stream with a state for each partition has none.
    /// Default: `None`, after each slice and, with [`super::HttpStream::is_resumable`], each page.
    fn state_checkpoint_interval(&self) -> Option<u64> {
        None
    }

    /// How long before its newest record each incremental read begins, for an API that shows records later than their
    /// timestamps. The requests are the stream's own; records already written within that time are dropped, if the
    /// stream has a primary key and its cursor is a moment: see [`super::Recent`]. Default: zero.
    fn overlap(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether a state says that a full refresh has read the stream to its end, so that nothing is left. Default: if it
    /// is one of [`Cursor::complete`].
    fn is_complete(&self, state: &StreamState) -> bool {
        says_complete(state)
    }

    /// The last state of a full refresh; `state` is empty if the stream has no cursor. Default: that state and
    /// `__ab_full_refresh_sync_complete`.
    fn complete(&self, state: StreamState) -> StreamState {
        completed(state)
    }

    /// Whether states may contain members of the read itself: the places of begun or refused slices (`__resume`,
    /// `__refused`), for the next read to resume at, and the mark of an unfinished full refresh (`__full_refresh`).
    /// False for a form in which another connector would keep them forever; then a full refresh resumes from any state.
    /// Default: true.
    fn keeps_places(&self) -> bool {
        true
    }

    /// Whether the other slices are read when one has failed. The stream still fails after them, after its last state,
    /// so [`CursorState::state`] must not go past a slice that was opened and not closed. Default: false, the first
    /// failure ends the stream.
    fn reads_on_after_failure(&self) -> bool {
        false
    }

    /// Inspects the cursor's value in a written record; `None` if the record has none. Returns a warning, which is
    /// reported once a stream. Default: none.
    ///
    /// # Errors
    /// If the slice cannot be read with such a value in it. The record is already written.
    fn note(&self, _value: Option<&Value>) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    /// The progress of a read, which makes its states. Default: one state for the stream with
    /// [`Cursor::slices_in_order`] or slices without partition; otherwise a state for each partition.
    ///
    /// # Errors
    /// A config failure if the given state has no supported form.
    fn begin<'a>(&'a self, read: CursorRead<'_>) -> Result<Box<dyn CursorState + 'a>, Failure> {
        let has_partitions = read.first.is_some_and(|first| !first.partition().is_empty() || first.is_marker());
        Ok(match has_partitions && !self.slices_in_order() {
            true => Box::new(PerPartitionState::new(self, read)?),
            false => Box::new(WholeState::new(self, read)?),
        })
    }
}

/// The field of the cursor in force, for a cursor that must be a top-level field: its own, or the catalog's choice.
///
/// # Errors
/// A config failure if that is inside another field.
fn field_in_force<'f>(own: &'f str, cursor_field: &'f [String]) -> Result<&'f str, Failure> {
    match cursor_field {
        [] => Ok(own),
        [field] => Ok(field),
        _ => Err(Failure::config(
            "The catalog chooses a cursor inside another field, and this stream's can only be a field at the top of its \
             records. Choose one of these in `cursor_field`.",
        )),
    }
}

/// Whether a read wants a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// It is written.
    In,
    /// It is dropped.
    Out,
    /// It is dropped, and so are the ones after it: if it is the last record of a page, no further page is requested.
    Past,
}

/// The start of a stream's read.
pub struct CursorRead<'r> {
    /// The stream.
    pub stream: &'r dyn HttpStream,
    /// The cursor in force: [`Cursor::cursor_field`], or the user's choice. Empty without one.
    pub cursor_field: Vec<String>,
    /// The given state, after [`Cursor::migrate_state`].
    pub state: StreamState,
    /// The first slice, if it exists and is known. With [`Cursor::slices_in_order`], it is not.
    pub first: Option<&'r Slice>,
}

/// The progress of a stream, and its states. [`Cursor::begin`] makes one for each read; workers take turns with it. The
/// read itself keeps the places within slices, at which an interrupted read resumes.
pub trait CursorState: Send {
    /// Whether the slices move one state in their order: then slices begun by an earlier read come before all others.
    /// Otherwise each is read when its turn comes, if it still exists.
    fn is_in_order(&self) -> bool;

    /// Whether each of its changes is written as a state, because it changes no more often than states are worth their
    /// bytes. Default: false, a long state is written when records outweigh it.
    fn paces_itself(&self) -> bool {
        false
    }

    /// A slice is next; `made_from` is the state that the slices were made from. Returns the state for requests
    /// ([`RequestContext::state`]), or `None` if there is nothing to read: it was a duplicate, or an earlier read has
    /// read it.
    fn open(&mut self, slice: &Slice, made_from: &StreamState) -> Option<StreamState>;

    /// A slice that was refused earlier is requested again. Returns the state for requests.
    fn reopen(&mut self, slice: &Slice, made_from: &StreamState) -> StreamState;

    /// A slice was read to its end, possibly before earlier ones. Returns whether the state changes, now or once all
    /// slices before it are read.
    fn close(&mut self, slice: &Slice, newest: Option<&Value>) -> bool;

    /// A slice was read to its end, or is a marker, and so were all slices before it. Called after
    /// [`CursorState::close`], unless the slice was refused. Returns whether the state changes.
    fn count(&mut self, slice: &Slice, newest: Option<&Value>) -> bool;

    /// All slices were read. Returns whether they were all that the stream has, so that other entries are no longer
    /// needed.
    fn end(&mut self) -> bool;

    /// The state to be written.
    fn state(&self) -> StreamState;

    /// The state at a cursor value within the first unfinished slice: see [`Cursor::state_checkpoint_interval`].
    /// Default: there is none.
    fn state_within(&self, _newest: Option<&Value>) -> Option<StreamState> {
        None
    }

    /// The approximate bytes of the state, if known without making it. Default: unknown.
    fn bytes(&self) -> Option<usize> {
        None
    }
}

/// Whether a state says that all was read.
fn says_complete(state: &StreamState) -> bool {
    state.get(COMPLETE) == Some(&Value::Bool(true))
}

/// The state that says that all was read.
fn completed(mut state: StreamState) -> StreamState {
    state.insert(COMPLETE.to_owned(), Value::Bool(true));
    state
}
