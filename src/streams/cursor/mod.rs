//! What makes a stream incremental, as one object: which field says how new a record is, which slices are left for a
//! state, how two values compare, which records are in scope, and which state is written. It was a dozen methods of the
//! stream once, and two forms of state that the read knew; a form of another connector would have needed a third.
//!
//! [`Cursor`] is the contract, [`CursorState`] what a read of a stream with it keeps. [`CursorField`] is the simplest
//! one, [`NoCursor`] what a stream without one has.

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

/// Says that a full refresh has read the stream to its end, or a slice of a stream without cursor was; a name Airbyte's
/// platform knows.
pub(crate) const COMPLETE: &str = "__ab_full_refresh_sync_complete";

/// What makes a stream incremental. Every method but the first has a default; [`CursorField`] is that first one alone:
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
/// One whose values are not in the order of their texts, and which asks each week by itself:
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
    /// Path of the field that says how new a record is. Empty for a stream that has none, and for one whose user chooses
    /// it without a suggestion.
    fn cursor_field(&self) -> Vec<String>;

    /// Whether the cursor field is fixed. If not, the user chooses it in the catalog. Default: true.
    fn source_defined_cursor(&self) -> bool {
        true
    }

    /// The slices that are left for a state, made while they are read. `parents` is [`super::HttpStream::parents`].
    /// Default: one for each record of each parent, or one, the whole stream.
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
    /// partition has a state of its own, so that none is taken for read because another one is. Default: false. It makes
    /// no difference to a stream with one slice.
    fn slices_in_order(&self) -> bool {
        false
    }

    /// Whether a member of a slice is part of its span. States have partition and span in one object; this takes them
    /// apart again. Default: no member is.
    fn is_of_span(&self, _member: &str) -> bool {
        false
    }

    /// The order of two values of the cursor; `None` if they cannot be compared. A value that cannot be compared with
    /// itself is none of the cursor's: the record is written, and does not move the state. Default: see [`compare`].
    fn compare(&self, one: &Value, other: &Value) -> Option<Ordering> {
        compare(one, other)
    }

    /// Whether [`Cursor::scope`] is to be asked. Default: false.
    fn has_scope(&self) -> bool {
        false
    }

    /// Whether a record, after [`super::HttpStream::transform`], is one that this read wants: for APIs that cannot be
    /// asked for what is new alone. `cursor_field` is the cursor in force, which the user may have chosen. Default: all
    /// are.
    fn scope(&self, _record: &Record<'_>, _cx: &RequestContext<'_>, _cursor_field: &[String]) -> Scope {
        Scope::In
    }

    /// Whether a page whose last record is [`Scope::Past`] is the last one. Otherwise all of its records have to be, for an
    /// API whose records are not quite in order. Default: true.
    fn ends_with_last(&self) -> bool {
        true
    }

    /// Brings a state that was given into the form this cursor reads: what older versions wrote, or other connectors
    /// with the same stream (the Python framework calls it a state migration). Default: as it is.
    ///
    /// # Errors
    /// A config failure if the state is invalid.
    fn migrate_state(&self, state: StreamState) -> Result<StreamState, Failure> {
        Ok(state)
    }

    /// Advances a state past a slice that was read to its end: the stream's state; where each partition has one, the
    /// partition's. `newest` is the newest cursor value of the slice's records, `cursor_field` the cursor in force.
    /// Default: the cursor field's value in the state becomes the newest seen.
    fn get_updated_state(
        &self,
        state: &mut StreamState,
        _slice: &Slice,
        newest: Option<&Value>,
        cursor_field: &[String],
    ) {
        advance(self, state, newest, cursor_field);
    }

    /// After how many records of a slice a state is written within it. Only for a stream whose records come in
    /// ascending order of the cursor field, and which asks for records at or after its state's cursor, so that nothing
    /// is skipped. Such a state moves the cursor field and nothing else; a stream whose partitions have a state each has
    /// none. Default: `None`, after each slice and, where [`super::HttpStream::is_resumable`], each page.
    fn state_checkpoint_interval(&self) -> Option<u64> {
        None
    }

    /// How long before its newest record each incremental read asks again, for an API that shows records later than it
    /// stamps them. The requests are the stream's own; what it has given already within that time is left out, if it has a
    /// primary key and its cursor is a moment: see [`super::Recent`]. Default: zero.
    fn overlap(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether a state says that a full refresh has read the stream to its end, so that there is nothing left to be
    /// read. Default: if it is one of [`Cursor::complete`].
    fn is_complete(&self, state: &StreamState) -> bool {
        says_complete(state)
    }

    /// The last state of a full refresh; `state` is empty if the stream has no cursor. Default: that state and
    /// `__ab_full_refresh_sync_complete`.
    fn complete(&self, state: StreamState) -> StreamState {
        completed(state)
    }

    /// Whether what the read knows may stand beside the state, under names of its own: the places of slices that were
    /// begun or refused (`__resume`, `__refused`), so that the next read resumes there, and that it is a full refresh that
    /// is not finished (`__full_refresh`). Not in a form that another connector would keep them in forever; a full
    /// refresh then resumes from any state. Default: true.
    fn keeps_places(&self) -> bool {
        true
    }

    /// Whether the other slices are read when one has failed. The stream fails anyway once they are, after its last
    /// state, so [`CursorState::state`] must not go past a slice that was opened and not closed. Default: false, the first
    /// failure ends the stream.
    fn reads_on_after_failure(&self) -> bool {
        false
    }

    /// Looks at the cursor's value in a record that is written; `None` if the record has none. Returns what is odd
    /// about it, which is reported once a stream. Default: nothing is.
    ///
    /// # Errors
    /// If the slice cannot be read with such a value in it. The record has been written by then.
    fn note(&self, _value: Option<&Value>) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    /// What a read keeps, and makes its states of. Default: one state for the stream where
    /// [`Cursor::slices_in_order`] or the slices are of no partition; otherwise a state for each partition.
    ///
    /// # Errors
    /// A config failure if the state that was given is of no form that it can be made of.
    fn begin<'a>(&'a self, read: CursorRead<'_>) -> Result<Box<dyn CursorState + 'a>, Failure> {
        let has_partitions = read.first.is_some_and(|first| !first.partition().is_empty() || first.is_marker());
        Ok(match has_partitions && !self.slices_in_order() {
            true => Box::new(PerPartitionState::new(self, read)?),
            false => Box::new(WholeState::new(self, read)?),
        })
    }
}

/// The field of the cursor in force, for a cursor that can only be a field at the top: its own, or the one that the catalog
/// chooses.
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

/// Whether a record is one that a read wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// It is written.
    In,
    /// It is left out.
    Out,
    /// It is left out, and so is what comes after it: if it is the last record of a page, no further page is requested.
    Past,
}

/// What a read of a stream begins with.
pub struct CursorRead<'r> {
    /// The stream.
    pub stream: &'r dyn HttpStream,
    /// The cursor in force: [`Cursor::cursor_field`], or the one that the user chose. Empty if there is none.
    pub cursor_field: Vec<String>,
    /// The state that was given, as [`Cursor::migrate_state`] left it.
    pub state: StreamState,
    /// The first slice, if there is one and it is known. Where [`Cursor::slices_in_order`], it is not.
    pub first: Option<&'r Slice>,
}

/// How far a stream was read, and the states that say so. One is made for each read, by [`Cursor::begin`]; workers take
/// turns with it. The places within slices, at which a read that was interrupted resumes, are kept beside it by the read.
pub trait CursorState: Send {
    /// Whether the slices move one state in their order: then those that an earlier read has begun are read before all
    /// others. Otherwise each is when its turn comes, if it still does.
    fn is_in_order(&self) -> bool;

    /// Whether each of its changes is written as a state, because it changes no more often than states are worth their
    /// bytes. Default: false, a long state is written when records outweigh it.
    fn paces_itself(&self) -> bool {
        false
    }

    /// A slice is next; `made_from` is the state that the slices were made from. Returns what requests get as
    /// [`RequestContext::state`], or `None` if there is nothing to read: it came before, or was read by an earlier read.
    fn open(&mut self, slice: &Slice, made_from: &StreamState) -> Option<StreamState>;

    /// A slice that an earlier read was refused is requested again. Returns what requests get.
    fn reopen(&mut self, slice: &Slice, made_from: &StreamState) -> StreamState;

    /// A slice was read to its end; others before it may not have been. Returns whether the state says more than before,
    /// or will do so once all slices before it are read.
    fn close(&mut self, slice: &Slice, newest: Option<&Value>) -> bool;

    /// A slice was read to its end, or is a marker, and all slices before it were read, too. It comes after
    /// [`CursorState::close`], unless the slice was refused. Returns whether the state says more than before.
    fn count(&mut self, slice: &Slice, newest: Option<&Value>) -> bool;

    /// All slices were read. Returns whether they were all that the stream has, so that what is known of others is of
    /// no use any more.
    fn end(&mut self) -> bool;

    /// The state to be written.
    fn state(&self) -> StreamState;

    /// The state at a cursor value within the first slice that is not read to its end: see
    /// [`Cursor::state_checkpoint_interval`]. Default: there is none.
    fn state_within(&self, _newest: Option<&Value>) -> Option<StreamState> {
        None
    }

    /// About how many bytes the state has, if that is known without making it. Default: it is not.
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
