//! Places that belong to another state. A state that was written within a slice has the place beside the cursor, and
//! another connector that reads the stream in turn moves the cursor and carries the place along, for a year if it has to.
//! What came since then may be on the pages before the place, so each state says which one its places were written with.

use serde_json::Value;

use super::position::{KEY, NEWEST, OF, OF_THE_READ, TOKEN};
use crate::protocol::StreamState;
use crate::streams::stable_hash;

/// Removes begun slices that belong to another state, and returns true if there were any. Those without a fingerprint
/// are from an older version, and stay.
pub(in crate::sync) fn forget_stale(state: &mut StreamState) -> bool {
    let is_stale = state.get(OF).is_some_and(|of| *of != Value::String(fingerprint(state)));
    is_stale && state.remove(KEY).is_some()
}

/// Adds the fingerprint of the state to its begun slices, if there are any.
pub(in crate::sync) fn seal(state: &mut StreamState) {
    if state.contains_key(KEY) {
        let of = fingerprint(state).into();
        state.insert(OF.to_owned(), of);
    }
}

/// A fingerprint of the stream's own members of a state, whatever their order.
fn fingerprint(state: &StreamState) -> String {
    let mut text = String::new();
    let own = state.iter().filter(|(name, _)| !OF_THE_READ.contains(&name.as_str()));
    write_sorted(own, &mut text);
    format!("{:016x}", stable_hash(text.as_bytes()))
}

fn write_sorted<'m>(members: impl Iterator<Item = (&'m String, &'m Value)>, text: &mut String) {
    let mut members: Vec<_> = members.collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    for (name, value) in members {
        text.push_str(name);
        write_value(value, text);
    }
    text.push('}');
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        // A place whose token has a secret is removed before the state is written.
        Value::Object(members) => {
            let has_token = members.contains_key(TOKEN);
            let is_place = |name: &str| has_token && [TOKEN, NEWEST].contains(&name);
            write_sorted(members.iter().filter(|(name, _)| !is_place(name)), text);
        }
        Value::Array(items) => {
            for item in items {
                write_value(item, text);
            }
            text.push(']');
        }
        value => text.push_str(&value.to_string()),
    }
    text.push(',');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_belong_to_the_state_that_they_were_written_with() {
        let Value::Object(mut state) = json!({
            "n": "7", "parent_progress": {"place": {"slice": {"id": 1}, "next_page_token": "k3y"}, "updated": 3},
            "__resume": [{"slice": {}, "next_page_token": 3}], "__recent": "abc",
        }) else {
            unreachable!()
        };
        let unsealed = state.clone();
        assert!(!forget_stale(&mut state), "an older version wrote no fingerprint");
        assert_eq!(state, unsealed);
        seal(&mut state);
        // The order of members, members of the read and a place that may not be shown are no part of it.
        let mut same = StreamState::new();
        same.extend(state.iter().rev().map(|(name, value)| (name.clone(), value.clone())));
        same.insert("__recent".to_owned(), json!("def"));
        same["parent_progress"] = json!({"updated": 3, "place": {"slice": {"id": 1}}});
        assert!(!forget_stale(&mut same), "{same:?}");
        for (name, value) in [("n", json!("8")), ("n", json!(7)), ("parent_progress", json!({})), ("m", json!(1))] {
            let mut moved = state.clone();
            moved.insert(name.to_owned(), value);
            assert!(forget_stale(&mut moved), "{moved:?}");
            assert_eq!(moved.get("__resume"), None);
        }
    }
}
