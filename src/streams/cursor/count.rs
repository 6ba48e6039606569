//! A cursor that is a growing number, such as a sequence number: the state is the largest one, and a read requests
//! records from there on.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Cursor, CursorRead, CursorState, compare, field_in_force};
use crate::protocol::{Failure, StreamState};
use crate::streams::{ParentStream, Slice, SliceContext, Slices};

/// Makes the slice's span from the number at which it begins.
type Members = dyn Fn(Value) -> Vec<(&'static str, Value)> + Send + Sync;

/// A number as the cursor. The stream is one slice, whose span contains the start.
///
/// ```
/// use source_http::streams::cursor::CountCursor;
///
/// let sequence = CountCursor::new("sequence", 0.into(), |start| vec![("from", start)]);
/// # drop(sequence);
/// ```
pub struct CountCursor {
    field: String,
    start: Number,
    members: Box<Members>,
    is_chosen: bool,
}

impl CountCursor {
    /// A cursor on the top-level field of this name, read from `start` on. `members` makes the span of the slice.
    pub fn new(
        field: impl Into<String>,
        start: Number,
        members: impl Fn(Value) -> Vec<(&'static str, Value)> + Send + Sync + 'static,
    ) -> Self {
        Self { field: field.into(), start, members: Box::new(members), is_chosen: false }
    }

    /// Makes the field a suggestion: the user may choose another one in the catalog. Default: it is fixed.
    #[must_use]
    pub fn or_another(mut self) -> Self {
        self.is_chosen = true;
        self
    }

    /// The number that a read begins at.
    fn base(&self, state: &StreamState, cursor_field: &[String]) -> Result<Number, Failure> {
        let field = field_in_force(&self.field, cursor_field)?;
        // Airbyte's runtime also accepts a list of intervals.
        let slices = state.get("state_type").and(state.get("slices")).and_then(Value::as_array);
        let known = match slices.map(Vec::as_slice) {
            // Values before or between them are not read yet, and a count is read as a whole.
            Some([only]) if !self.is_newer(only.get("start")) => only.get("end"),
            Some(_) => None,
            None => state.get(field),
        };
        match known {
            Some(Value::Number(number)) if self.is_newer(known) => Ok(number.clone()),
            None | Some(Value::Number(_)) => Ok(self.start.clone()),
            Some(_) => Err(Failure::config(format!(
                "The state of the stream cannot be used: its `{field}` is not a number. Correct it, or remove it to read the \
                 stream from its beginning."
            ))),
        }
    }

    /// Whether a number is above the stream's start.
    fn is_newer(&self, value: Option<&Value>) -> bool {
        value.is_some_and(|value| compare(value, &Value::Number(self.start.clone())) == Some(Ordering::Greater))
    }
}

impl Cursor for CountCursor {
    fn cursor_field(&self) -> Vec<String> {
        vec![self.field.clone()]
    }

    fn source_defined_cursor(&self) -> bool {
        !self.is_chosen
    }

    fn stream_slices<'a>(&'a self, _parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let base = self.base(cx.state, cx.cursor_field)?;
        Ok(Box::new(std::iter::once(Ok(Slice::of_span((self.members)(Value::Number(base)))))))
    }

    fn is_of_span(&self, member: &str) -> bool {
        (self.members)(Value::Null).iter().any(|(name, _)| *name == member)
    }

    fn compare(&self, one: &Value, other: &Value) -> Option<Ordering> {
        match (one, other) {
            (Value::Number(_), Value::Number(_)) => compare(one, other),
            _ => None,
        }
    }

    fn is_complete(&self, _state: &StreamState) -> bool {
        false
    }

    fn complete(&self, state: StreamState) -> StreamState {
        state
    }

    fn keeps_places(&self) -> bool {
        false
    }

    fn reads_on_after_failure(&self) -> bool {
        true
    }

    fn note(&self, value: Option<&Value>) -> Result<Option<String>, Failure> {
        match value.filter(|value| !value.is_null()) {
            Some(Value::Number(_)) => Ok(None),
            None => Ok(Some(format!(
                "a record has no `{}`. Such records are written, and do not move the state; this is reported once.",
                self.field
            ))),
            Some(_) => Err(Failure::config(format!(
                "A record's `{}` is not a number, so it cannot be counted. Choose another cursor field, or make it a \
                 number with a transformation.",
                self.field
            ))),
        }
    }

    fn begin<'a>(&'a self, read: CursorRead<'_>) -> Result<Box<dyn CursorState + 'a>, Failure> {
        let base = self.base(&read.state, &read.cursor_field)?;
        let field = field_in_force(&self.field, &read.cursor_field)?.to_owned();
        Ok(Box::new(CountState { field, value: base }))
    }
}

/// The largest number of slices that were read to their ends.
struct CountState {
    field: String,
    value: Number,
}

impl CursorState for CountState {
    fn is_in_order(&self) -> bool {
        false
    }

    fn open(&mut self, _slice: &Slice, _made_from: &StreamState) -> Option<StreamState> {
        Some(self.state())
    }

    fn reopen(&mut self, _slice: &Slice, _made_from: &StreamState) -> StreamState {
        self.state()
    }

    /// A state is due once any number but 0 was seen, as in Airbyte's runtime.
    fn close(&mut self, _slice: &Slice, newest: Option<&Value>) -> bool {
        let Some(newest @ Value::Number(number)) = newest else { return false };
        if compare(newest, &Value::Number(self.value.clone())) == Some(Ordering::Greater) {
            self.value = number.clone();
        }
        number.as_f64() != Some(0.0)
    }

    fn count(&mut self, _slice: &Slice, _newest: Option<&Value>) -> bool {
        false
    }

    fn end(&mut self) -> bool {
        false
    }

    fn state(&self) -> StreamState {
        std::iter::once((self.field.clone(), Value::Number(self.value.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base(state: Value) -> Result<Number, String> {
        let cursor = CountCursor::new("n", 2.into(), |start| vec![("from", start)]);
        let Value::Object(state) = state else { unreachable!() };
        cursor.base(&state, &[]).map_err(|failure| failure.message)
    }

    #[test]
    fn a_count_begins_at_the_state_and_never_after_unread_values() {
        assert_eq!(base(json!({})), Ok(2.into()));
        assert_eq!(base(json!({"n": 1})), Ok(2.into()));
        assert_eq!(base(json!({"n": 7})), Ok(7.into()));
        let intervals = |slices: Value| json!({"state_type": "integer", "slices": slices});
        assert_eq!(base(intervals(json!([{"start": 2, "end": 5}]))), Ok(5.into()));
        assert_eq!(base(intervals(json!([{"start": 4, "end": 5}]))), Ok(2.into()), "2 and 3 were not read");
        assert_eq!(base(intervals(json!([{"start": 2, "end": 5}, {"start": 8, "end": 9}]))), Ok(2.into()));
        assert!(base(json!({"n": "7"})).unwrap_err().contains("its `n` is not a number"));
    }

    #[test]
    fn the_state_is_the_largest_number_seen() {
        let mut state = CountState { field: "n".to_owned(), value: 3.into() };
        assert!(!state.close(&Slice::whole(), None));
        assert!(state.close(&Slice::whole(), Some(&json!(2))));
        assert_eq!(state.value, 3.into());
        assert!(state.close(&Slice::whole(), Some(&json!(5))));
        assert_eq!(Value::Object(state.state()), json!({"n": 5}));
    }
}
