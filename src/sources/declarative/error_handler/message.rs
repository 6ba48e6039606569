//! The message of an error response for `error_message_contains`: searched under the names and in the order of
//! Airbyte's runtime, which differs from the order for people.

use serde_json::Value;

const NAMES: [&str; 12] = [
    "message",
    "messages",
    "error",
    "errors",
    "failures",
    "failure",
    "detail",
    "err",
    "error_message",
    "msg",
    "reason",
    "status_message",
];

/// The message in a body; the whole body if it is not JSON. Empty if there is none.
pub(super) fn find(text: &str, is_json: bool) -> String {
    if !is_json {
        return text.to_owned();
    }
    serde_json::from_str(text).ok().and_then(|body| within(&body, 0)).unwrap_or_default()
}

fn within(value: &Value, depth: usize) -> Option<String> {
    match value {
        _ if depth > 100 => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            Some(items.iter().filter_map(|item| within(item, depth + 1)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let found = NAMES.iter().find_map(|name| members.get(*name).filter(|value| is_truthy(value)));
            found.and_then(|value| within(value, depth + 1))
        }
        _ => None,
    }
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_non_empty_name_counts() {
        for (body, message) in [
            (r#"{"error": {"message": "quota"}, "msg": "x"}"#, "quota"),
            (r#"{"message": "", "errors": [{"detail": "a"}, "b", 3]}"#, "a, b"),
            (r#""plain""#, "plain"),
            (r#"{"code": 7}"#, ""),
            ("[]", ""),
        ] {
            assert_eq!(find(body, true), message, "{body}");
        }
        assert_eq!(find("<html>busy", false), "<html>busy");
    }
}
