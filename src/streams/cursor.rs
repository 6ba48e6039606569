//! Comparing cursor values. APIs write them as numbers, as texts of numbers, and as dates; the newest is the largest
//! in that order.

use std::cmp::Ordering;

use serde_json::Value;

use crate::protocol::StreamState;

/// The newer of what is known and what was seen. A null is never newer.
#[must_use]
pub fn newer(known: Option<Value>, seen: Value) -> Option<Value> {
    match known {
        None => (!seen.is_null()).then_some(seen),
        Some(known) if is_newer(&seen, &known) => Some(seen),
        known => known,
    }
}

/// Moves a state's cursor to the newest value seen, and never back.
pub fn advance(state: &mut StreamState, newest: Option<&Value>, cursor_field: &[String]) {
    if let (Some(name), Some(newest)) = (cursor_field.last(), newest) {
        let known = state.remove(name);
        state.insert(name.clone(), newer(known, newest.clone()).unwrap_or_default());
    }
}

/// Whether a cursor value is newer than another: numbers, and texts that are whole numbers, by value, other texts by
/// their characters, which is the order of dates in ISO 8601 with the same offset. Values that cannot be compared are
/// not newer.
#[must_use]
pub fn is_newer(value: &Value, than: &Value) -> bool {
    let order = match (whole_number(value), whole_number(than)) {
        (Some(value), Some(than)) => Some(value.cmp(&than)),
        _ => match (value, than) {
            (Value::Number(value), Value::Number(than)) => value.as_f64().partial_cmp(&than.as_f64()),
            (Value::String(value), Value::String(than)) => Some(value.cmp(than)),
            _ => None,
        },
    };
    order == Some(Ordering::Greater)
}

/// A whole number, written as a number or as a text.
#[must_use]
pub fn whole_number(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cursor_values_compare_by_value_whatever_they_are_written_as() {
        for (value, than, newer) in [
            (json!(10), json!(9), true),
            (json!("10"), json!("9"), true),
            (json!("10"), json!(9), true),
            (json!(1.5), json!(1), true),
            (json!(u64::MAX), json!(i64::MAX), true),
            (json!("2024-01-02"), json!("2024-01-01T23:00:00Z"), true),
            (json!(9), json!(9), false),
            (json!("a"), json!(9), false),
            (json!(null), json!(9), false),
        ] {
            assert_eq!(is_newer(&value, &than), newer, "{value} after {than}");
        }
    }

    #[test]
    fn the_newest_of_a_sequence_is_kept_and_nulls_do_not_count() {
        let seen = [json!(null), json!(3), json!(null), json!(7), json!(5)];
        assert_eq!(seen.into_iter().fold(None, newer), Some(json!(7)));
        assert_eq!(newer(None, json!(null)), None);
    }
}
