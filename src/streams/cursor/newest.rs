//! The newest of the values a cursor has, in the cursor's own order.

use std::cmp::Ordering;

use serde_json::Value;

use super::Cursor;
use crate::protocol::StreamState;

/// The newer of two values, by the cursor's order. A value that cannot be compared, such as a null, is never newer.
pub fn newer<C: Cursor + ?Sized>(cursor: &C, known: Option<Value>, seen: Value) -> Option<Value> {
    match known {
        None => cursor.compare(&seen, &seen).is_some().then_some(seen),
        Some(known) if is_newer(cursor, &seen, &known) => Some(seen),
        known => known,
    }
}

/// Moves a state's cursor to the newest value seen, and never back.
pub fn advance<C: Cursor + ?Sized>(
    cursor: &C,
    state: &mut StreamState,
    newest: Option<&Value>,
    cursor_field: &[String],
) {
    if let (Some(name), Some(newest)) = (cursor_field.last(), newest) {
        let known = state.remove(name);
        state.insert(name.clone(), newer(cursor, known, newest.clone()).unwrap_or_default());
    }
}

/// Whether a cursor value is newer than another, by the cursor's order. Values that cannot be compared are not newer.
pub fn is_newer<C: Cursor + ?Sized>(cursor: &C, value: &Value, than: &Value) -> bool {
    cursor.compare(value, than) == Some(Ordering::Greater)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::streams::READ_WHOLE;

    #[test]
    fn the_newest_of_a_sequence_is_kept_and_nulls_do_not_count() {
        let seen = [json!(null), json!(3), json!(null), json!(7), json!(5)];
        assert_eq!(seen.into_iter().fold(None, |known, seen| newer(&READ_WHOLE, known, seen)), Some(json!(7)));
        assert_eq!(newer(&READ_WHOLE, None, json!(null)), None);
    }
}
