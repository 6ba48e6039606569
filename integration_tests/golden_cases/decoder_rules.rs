//! Where the records of a body differ on purpose: rules of [`super::request_rules`] over decoders.

use serde_json::Value;

use super::shown::Shown;

/// A body begins with a byte order mark, or is in the charset that its header says.
pub(super) fn other_text(shown: &Shown<'_>) -> bool {
    let has_mark = shown.bodies().iter().any(|body| body.starts_with(b"\xef\xbb\xbf"));
    let has_charset = shown.headers().iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.to_ascii_lowercase().contains("charset=")
    });
    let is_other = has_charset && shown.bodies().iter().any(|body| std::str::from_utf8(body).is_err());
    let of_golden = |text: &str| text.trim_start_matches('\u{feff}').to_owned();
    let same_but_for_marks =
        shown.golden_records.iter().map(|value| texts(value, &of_golden)).eq(shown.records.clone());
    // UTF-8 that was read as Latin-1.
    let bytes = |text: &str| text.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>();
    let as_utf8 = |text: &str| bytes(text).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(text.to_owned());
    let was_latin1 = !shown.components("XmlDecoder").is_empty()
        && !has_charset
        && shown.golden_records.iter().map(|value| texts(value, &as_utf8)).eq(shown.records.clone());
    let reads_more = (has_mark || is_other) && shown.ends_later();
    (reads_more || has_mark && same_but_for_marks || was_latin1) && shown.ran.errors.is_empty()
}

/// A value whose texts and names are changed by the closure.
fn texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => change(text).into(),
        Value::Array(items) => items.iter().map(|item| texts(item, change)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (change(name), texts(value, change))).collect::<Value>()
        }
        other => other.clone(),
    }
}

/// A body breaks off, or its decoder cannot read it: the reference fails after the records before that.
pub(super) fn broken_body(shown: &Shown<'_>) -> bool {
    !shown.fields("type").iter().all(|kind| !kind.ends_with("Decoder"))
        && shown.case["error"]["stream"].is_string()
        && shown.fails_with("The response cannot be read")
        && shown.golden_records.starts_with(&shown.records)
        && shown.mine.starts_with(&shown.golden)
}

/// A cursor reads from a gzipped page, which the reference takes for an empty object.
pub(super) fn paged_gzip(shown: &Shown<'_>) -> bool {
    let is_paged = !shown.components("CursorPagination").is_empty() && !shown.components("GzipDecoder").is_empty();
    is_paged && shown.ends_later() && shown.ran.errors.is_empty()
}

/// Null, numbers and texts where records should be. The reference fails.
pub(super) fn odd_items(shown: &Shown<'_>) -> bool {
    let words = ["dictionary update sequence", "is not iterable", "has no len()", "does not support item assignment"];
    words.iter().any(|words| shown.golden_error().contains(words)) && shown.ran.errors.is_empty() && shown.ends_later()
}
