//! Where a stream can go on after an interruption. A stream's own state knows finished slices; what is known within a
//! slice, the next page and the newest cursor value so far, is kept beside it under one key of our own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::{Failure, StreamState};
use crate::streams::{PageToken, Slice};

/// The key of the [`Checkpoint`] in a stream's state.
const KEY: &str = "__resume";
/// Says that a full refresh has read the stream to its end; a name Airbyte's platform knows. The whole state of a stream
/// without cursor.
const COMPLETE: &str = "__ab_full_refresh_sync_complete";

/// Says that a full refresh is going on.
const FULL_REFRESH: &str = "__full_refresh";

/// A place within a slice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The slice.
    pub(super) slice: Slice,
    /// The page to ask for next; `None` is the slice's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next_page_token: Option<PageToken>,
    /// The newest cursor value on the pages before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) newest: Option<Value>,
}

impl Checkpoint {
    /// The beginning of a slice.
    pub(super) fn at(slice: Slice) -> Self {
        Self { slice, ..Self::default() }
    }

    /// Takes the checkpoint out of a state.
    pub(super) fn take(state: &mut StreamState) -> Result<Option<Self>, Failure> {
        let Some(value) = state.remove(KEY) else { return Ok(None) };
        serde_json::from_value(value).map(Some).map_err(|error| {
            Failure::config(format!(
                "The member `{KEY}` of the state is damaged ({error}). Remove it to read the slice it stands in again."
            ))
        })
    }

    /// The state with the checkpoint in it.
    pub(super) fn put(&self, state: &StreamState) -> StreamState {
        let mut state = state.clone();
        // Slices and tokens are JSON values: this cannot fail.
        state.insert(KEY.to_owned(), serde_json::to_value(self).unwrap_or_default());
        state
    }
}

/// Whether a state says that the stream was read to its end.
pub(super) fn is_complete(state: &StreamState) -> bool {
    state.get(COMPLETE) == Some(&Value::Bool(true))
}

/// The state of a stream that a full refresh has read to its end.
pub(super) fn complete(mut state: StreamState) -> StreamState {
    state.insert(COMPLETE.to_owned(), Value::Bool(true));
    state
}

/// Notes in the state of a stream with a cursor that it is a full refresh that is going on: nothing else tells such a
/// state from one of incremental reads, which a full refresh must not go on from.
pub(super) fn mark_full_refresh(state: &mut StreamState) {
    state.insert(FULL_REFRESH.to_owned(), Value::Bool(true));
}

/// Takes the marks of full refreshes out of a state. True if one is going on.
pub(super) fn take_full_refresh(state: &mut StreamState) -> bool {
    state.remove(COMPLETE);
    state.remove(FULL_REFRESH) == Some(Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_checkpoint_comes_back_as_it_was_put_and_leaves_the_state_alone() {
        let Value::Object(state) = json!({"updated": "7"}) else { unreachable!() };
        let checkpoint = Checkpoint {
            slice: std::iter::once(("from".to_owned(), json!(1))).collect(),
            next_page_token: Some(json!("ch_1")),
            newest: Some(json!(9)),
        };
        let mut stored = checkpoint.put(&state);
        assert_eq!(Checkpoint::take(&mut stored).unwrap(), Some(checkpoint));
        assert_eq!(stored, state);
        assert_eq!(Checkpoint::take(&mut stored).unwrap(), None);
    }

    #[test]
    fn a_damaged_checkpoint_is_a_config_failure_that_says_what_to_do() {
        let Value::Object(mut state) = json!({"__resume": 7}) else { unreachable!() };
        assert!(Checkpoint::take(&mut state).unwrap_err().message.contains("Remove it"));
    }
}
