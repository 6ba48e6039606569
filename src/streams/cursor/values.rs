//! Compares cursor values. APIs write them as numbers, as texts of numbers, and as dates; the newest is the largest in
//! that order.

use std::cmp::Ordering;

use serde_json::Value;

/// The usual order of cursor values: numbers, and texts that are whole numbers, by value; other texts by their
/// characters, which orders ISO 8601 dates with the same offset. `None` if they cannot be compared.
#[must_use]
pub fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    match (whole_number(one), whole_number(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => match (one, other) {
            (Value::Number(one), Value::Number(other)) => one.as_f64().partial_cmp(&other.as_f64()),
            (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
            // Neither is known to be newer, but it is a value.
            _ => (one == other && !one.is_null()).then_some(Ordering::Equal),
        },
    }
}

/// A whole number, as a number or a text.
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
    fn cursor_values_compare_by_value_in_any_notation() {
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
            assert_eq!(compare(&value, &than) == Some(Ordering::Greater), newer, "{value} after {than}");
        }
    }
}
