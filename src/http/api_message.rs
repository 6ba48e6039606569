//! The API's own error message in a response. Every API has its own form; most use one of a few names.

use serde_json::Value;

/// Names under which APIs put their error messages, in the order they are tried.
const NAMES: [&str; 14] = [
    "message",
    "messages",
    "error_description",
    "error_message",
    "error",
    "errors",
    "failures",
    "failure",
    "detail",
    "details",
    "err",
    "msg",
    "reason",
    "status_message",
];
/// How deep the message may be nested.
const DEPTH: usize = 6;

/// The most characters that are reported.
const LENGTH: usize = 1_000;

/// Finds the error message in a JSON document. Several texts are joined; a long one is truncated.
pub(super) fn find(document: &Value) -> Option<String> {
    let mut words = find_within(document, DEPTH)?;
    if let Some((end, _)) = words.char_indices().nth(LENGTH) {
        words.truncate(end);
        words.push('…');
    }
    Some(words)
}

fn find_within(value: &Value, depth: usize) -> Option<String> {
    match value {
        _ if depth == 0 => None,
        Value::String(text) => (!text.trim().is_empty()).then(|| text.trim().to_owned()),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(|item| find_within(item, depth - 1)).collect();
            (!texts.is_empty()).then(|| texts.join(", "))
        }
        Value::Object(members) => {
            NAMES.iter().find_map(|name| members.get(*name).and_then(|member| find_within(member, depth - 1)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_message_is_found_in_the_forms_apis_use() {
        for (document, words) in [
            (json!({"error": {"type": "x", "message": "No such key"}}), Some("No such key")),
            (json!({"error": "invalid_grant", "error_description": "expired"}), Some("expired")),
            (json!({"errors": [{"detail": "a"}, {"detail": "b"}]}), Some("a, b")),
            (json!({"message": "", "error": "boom"}), Some("boom")),
            (json!("plain"), Some("plain")),
            (json!({"code": 7}), None),
            (json!([]), None),
        ] {
            assert_eq!(find(&document).as_deref(), words, "{document}");
        }
    }
}
