//! Where a stream can resume after an interruption. A stream's own state covers finished slices. Positions within
//! slices (the next page, the newest cursor value so far) are kept beside it as a list, under a key of our own: several
//! workers leave several such slices, and finished ones behind an unfinished one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::{Failure, Redactor, StreamState};
use crate::streams::{COMPLETE, HttpStream, PageToken, Slice, sorted_for};

/// The key of the [`SlicePosition`]s in a stream's state.
pub(super) const KEY: &str = "__resume";
/// The key of the fingerprint of the state that the places belong to.
pub(super) const OF: &str = "__resume_of";
/// The key of the places that the API refused by themselves, to be requested again.
pub(super) const REFUSED: &str = "__refused";
/// The members of a place within a slice, here and in [`crate::streams::ParentStream`].
pub(super) const TOKEN: &str = "next_page_token";
pub(super) const NEWEST: &str = "newest";
/// The key of the records written lately: see [`crate::streams::Recent`].
const RECENT: &str = "__recent";

/// The key of a full refresh in progress.
const FULL_REFRESH: &str = "__full_refresh";

/// The members of a state that are the read's and not the stream's.
pub(super) const OF_THE_READ: [&str; 6] = [KEY, OF, REFUSED, RECENT, FULL_REFRESH, COMPLETE];

/// A slice that was begun, and how far it was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::sync) struct SlicePosition {
    /// The slice.
    pub(in crate::sync) slice: Slice,
    /// The next page to request; `None` is the slice's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sync) next_page_token: Option<PageToken>,
    /// The newest cursor value on earlier pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sync) newest: Option<Value>,
    /// Whether it was read to its end while a slice before it was not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::sync) done: bool,
}

impl SlicePosition {
    /// The start of a slice.
    pub(in crate::sync) fn at(slice: Slice) -> Self {
        Self { slice, ..Self::default() }
    }

    /// Whether it says more than the slice alone.
    pub(in crate::sync) fn is_begun(&self) -> bool {
        self.done || self.next_page_token.is_some()
    }
}

/// Takes the begun slices out of a stream's state. A single one may be stored without a list.
pub(in crate::sync) fn take(state: &mut StreamState, stream: &dyn HttpStream) -> Result<Vec<SlicePosition>, Failure> {
    state.remove(OF);
    take_places(state, stream, KEY)
}

/// Removes all places from a stream's state, unread.
pub(in crate::sync) fn forget(state: &mut StreamState) {
    for key in [KEY, OF, REFUSED] {
        state.remove(key);
    }
}

/// Takes the refused places out of a stream's state.
pub(in crate::sync) fn take_refused(
    state: &mut StreamState,
    stream: &dyn HttpStream,
) -> Result<Vec<SlicePosition>, Failure> {
    take_places(state, stream, REFUSED)
}

fn take_places(state: &mut StreamState, stream: &dyn HttpStream, key: &str) -> Result<Vec<SlicePosition>, Failure> {
    let begun = match state.remove(key) {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(single) => vec![single],
    };
    let place = |value| {
        let place: SlicePosition = serde_json::from_value(value)?;
        Ok(SlicePosition { slice: sorted_for(stream, place.slice), ..place })
    };
    begun.into_iter().map(place).collect::<Result<_, serde_json::Error>>().map_err(|error| {
        Failure::config(format!(
            "The member `{key}` of the state is damaged ({error}). Remove the stream's state to read all of it again."
        ))
    })
}

/// The state with the begun slices added, if there are any.
pub(in crate::sync) fn put(mut state: StreamState, begun: &[&SlicePosition]) -> StreamState {
    if !begun.is_empty() {
        // Slices and tokens are JSON values: this cannot fail.
        state.insert(KEY.to_owned(), serde_json::to_value(begun).unwrap_or_default());
    }
    state
}

/// The state with the refused places added, if there are any.
pub(in crate::sync) fn put_refused(mut state: StreamState, refused: &[SlicePosition]) -> StreamState {
    if !refused.is_empty() {
        // As above.
        state.insert(REFUSED.to_owned(), serde_json::to_value(refused).unwrap_or_default());
    }
    state
}

/// Takes the records written lately out of a state.
pub(in crate::sync) fn take_recent(state: &mut StreamState) -> Option<Value> {
    state.remove(RECENT)
}

/// Puts the records written lately into a state.
pub(in crate::sync) fn put_recent(state: &mut StreamState, recent: Option<Value>) {
    if let Some(recent) = recent {
        state.insert(RECENT.to_owned(), recent);
    }
}

/// Removes page tokens that contain a secret from a state, including those of parents, and returns true if there were
/// any. The next read then starts that slice from its beginning. Many APIs return the next page as a URL with the
/// access token in it, and states must not hold secrets.
pub(in crate::sync) fn forget_secret_places(state: &mut StreamState, redactor: &Redactor) -> bool {
    let mut found = state.get(TOKEN).is_some_and(|token| redactor.finds(&token.to_string()));
    if found {
        state.remove(TOKEN);
        state.remove(NEWEST);
    }
    for (_, value) in state.iter_mut() {
        found |= forget_within(value, redactor);
    }
    found
}

fn forget_within(value: &mut Value, redactor: &Redactor) -> bool {
    match value {
        Value::Object(members) => forget_secret_places(members, redactor),
        Value::Array(items) => {
            let mut found = false;
            for item in items {
                found |= forget_within(item, redactor);
            }
            found
        }
        _ => false,
    }
}

/// Marks the state of a stream with a cursor as that of an unfinished full refresh. Only this mark distinguishes it
/// from an incremental state, from which a full refresh must not resume.
pub(in crate::sync) fn mark_full_refresh(state: &mut StreamState) {
    state.insert(FULL_REFRESH.to_owned(), Value::Bool(true));
}

/// Removes the full refresh marks from a state. True if a full refresh is unfinished.
pub(in crate::sync) fn take_full_refresh(state: &mut StreamState) -> bool {
    state.remove(COMPLETE);
    state.remove(FULL_REFRESH) == Some(Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::streams::RequestContext;

    struct Items;

    impl HttpStream for Items {
        fn name(&self) -> &'static str {
            "items"
        }
        fn url_base(&self) -> &'static str {
            "http://a.com"
        }
        fn path(&self, _: &RequestContext<'_>) -> String {
            "items".into()
        }
    }

    #[test]
    fn checkpoints_come_back_as_they_were_put_and_leave_the_state_alone() {
        let Value::Object(state) = json!({"updated": "7"}) else { unreachable!() };
        let slice = |from: i64| Slice::of_partition([("from", from)]);
        let open = SlicePosition {
            next_page_token: Some(json!("ch_1")),
            newest: Some(json!(9)),
            ..SlicePosition::at(slice(1))
        };
        let done = SlicePosition { done: true, ..SlicePosition::at(slice(2)) };
        let mut stored = put(state.clone(), &[&open, &done]);
        assert_eq!(
            stored["__resume"],
            json!([{"slice": {"from": 1}, "next_page_token": "ch_1", "newest": 9}, {"slice": {"from": 2}, "done": true}])
        );
        assert_eq!(take(&mut stored, &Items).unwrap(), [open.clone(), done]);
        assert_eq!(stored, state);
        assert_eq!(take(&mut stored, &Items).unwrap(), []);
        assert_eq!(put(state.clone(), &[]), state);

        let mut single = state.clone();
        single.insert("__resume".to_owned(), json!({"slice": {"from": 1}, "next_page_token": "ch_1", "newest": 9}));
        assert_eq!(take(&mut single, &Items).unwrap(), [open], "one that was written without a list");
    }

    #[test]
    fn a_page_token_with_a_secret_is_left_out_and_a_cursor_is_never_changed() {
        let redactor = Redactor::default();
        redactor.add("k3y/abc");
        let Value::Object(mut state) = json!({
            "cursor": "k3y/abc",
            "__resume": [
                {"slice": {"id": "k3y/abc"}, "next_page_token": "http://a.com/?key=k3y%2fabc&page=2", "newest": 7},
                {"slice": {"id": 2}, "next_page_token": {"page": 2}, "newest": 8},
            ],
            "parent_progress": {"place": {"slice": {}, "next_page_token": ["k3y/abc"], "newest": 9}},
        }) else {
            unreachable!()
        };
        assert!(forget_secret_places(&mut state, &redactor));
        assert_eq!(
            Value::Object(state.clone()),
            json!({
                "cursor": "k3y/abc",
                "__resume": [
                    {"slice": {"id": "k3y/abc"}},
                    {"slice": {"id": 2}, "next_page_token": {"page": 2}, "newest": 8},
                ],
                "parent_progress": {"place": {"slice": {}}},
            })
        );
        assert!(!forget_secret_places(&mut state, &redactor), "there is none left");
        assert_eq!(take(&mut state, &Items).unwrap().len(), 2);
    }

    #[test]
    fn a_damaged_checkpoint_is_a_config_failure_that_says_what_to_do() {
        for damaged in [json!(7), json!([{"slice": {}}, 7])] {
            let Value::Object(mut state) = json!({"__resume": damaged}) else { unreachable!() };
            assert!(take(&mut state, &Items).unwrap_err().message.contains("Remove the stream's state"));
        }
    }
}
