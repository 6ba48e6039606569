//! A state that is kept beside the one that is read from. As a tree, a state with an entry for each of many partitions
//! takes some twenty times the bytes of its text, so a long one is kept as text.

use serde_json::Value;

use super::StreamState;

/// Items of a list from which on a state counts as long.
const MANY: usize = 1_000;

/// A state of a stream, in the form that takes less memory.
#[derive(Debug, Clone)]
pub(crate) enum KeptState {
    Tree(StreamState),
    Text(String),
}

impl Default for KeptState {
    fn default() -> Self {
        Self::Tree(StreamState::new())
    }
}

impl From<StreamState> for KeptState {
    fn from(state: StreamState) -> Self {
        if state.values().any(is_long) { Self::Text(text(&state)) } else { Self::Tree(state) }
    }
}

impl KeptState {
    pub(crate) fn of(state: &StreamState) -> Self {
        if state.values().any(is_long) { Self::Text(text(state)) } else { Self::Tree(state.clone()) }
    }

    /// The state itself.
    pub(crate) fn state(&self) -> StreamState {
        match self {
            Self::Tree(state) => state.clone(),
            // It was written by `of`, so it can be read.
            Self::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        }
    }

    /// Whether it has no member.
    pub(crate) fn is_empty(&self) -> bool {
        // A long one has some.
        matches!(self, Self::Tree(state) if state.is_empty())
    }

    /// The state as JSON.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Tree(state) => text(state),
            Self::Text(text) => text.clone(),
        }
    }
}

fn text(state: &StreamState) -> String {
    // Members are named by texts, so it can be written.
    serde_json::to_string(state).unwrap_or_default()
}

impl PartialEq for KeptState {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one == other,
            _ => self.state() == other.state(),
        }
    }
}

/// Whether a member is a list that is worth keeping as text, and comes out of it as it was.
pub(crate) fn is_long(member: &Value) -> bool {
    match member {
        Value::Array(items) => items.len() > MANY && !has_float(member),
        Value::Object(members) => members.values().any(is_long) && !has_float(member),
        _ => false,
    }
}

/// Whether a value has a number with a fraction: some of these change in their last digit when they are read again.
pub(crate) fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(members) => members.values().any(has_float),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(value: Value) -> StreamState {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_long_state_is_text_and_comes_out_as_it_was() {
        let entries: Vec<Value> = (0..=MANY).map(|n| json!({"partition": {"id": n}, "cursor": {"day": "7"}})).collect();
        let long = state(json!({"use_global_cursor": false, "states": entries, "lookback_window": 1}));
        let kept = KeptState::of(&long);
        assert!(matches!(kept, KeptState::Text(_)));
        assert_eq!(serde_json::to_string(&kept.state()).unwrap(), serde_json::to_string(&long).unwrap());
        let within = KeptState::of(&state(json!({"parent_state": {"parents": long}})));
        assert!(matches!(within, KeptState::Text(_)));
        assert!(matches!(KeptState::of(&state(json!({"day": "7", "states": [1, 2]}))), KeptState::Tree(_)));
    }

    #[test]
    fn a_state_with_fractions_stays_as_it_is() {
        let entries: Vec<Value> = (0..=MANY).map(|n| json!([n, 0.1])).collect();
        assert!(matches!(KeptState::of(&state(json!({"states": entries}))), KeptState::Tree(_)));
    }
}
