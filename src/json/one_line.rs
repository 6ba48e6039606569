//! One record, one line: removes line breaks from a JSON text without other changes.

use memchr::memchr2;

use super::compact;
use super::scan;
use crate::buffers::Buffer;

/// Appends a valid JSON text to `out` as one line. A one-line text is copied unchanged; from any other, the white space
/// between tokens is removed. Tokens do not change: numbers keep their digits, strings their escapes.
pub fn write_one_line(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if memchr2(b'\n', b'\r', bytes).is_none() {
        out.extend_from_slice(bytes);
        return;
    }
    let start = scan::white_space(bytes, 0);
    let written = out.len();
    let mut buffer = Buffer::from(std::mem::take(out));
    let is_container = matches!(bytes.get(start), Some(b'{' | b'['));
    let is_written = is_container && compact::write(&mut buffer, bytes, start, None).is_ok();
    *out = buffer.into_vec();
    if !is_written {
        // A single token with line breaks around it, or invalid JSON, is put on one line in any case.
        out.truncate(written);
        out.extend(text.trim().bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
    }
}

/// An object or a list on one line, without the white space between its tokens. `None` if it is neither, or not JSON.
pub(crate) fn compacted(text: &str) -> Option<String> {
    let start = scan::white_space(text.as_bytes(), 0);
    let mut buffer = Buffer::default();
    let is_container = matches!(text.as_bytes().get(start), Some(b'{' | b'['));
    let (end, _) = is_container.then(|| compact::write(&mut buffer, text.as_bytes(), start, None).ok()).flatten()?;
    // Nothing may follow it.
    let is_whole = scan::white_space(text.as_bytes(), end) == text.len();
    String::from_utf8(buffer.into_vec()).ok().filter(|_| is_whole)
}

/// Appends a text as a JSON string.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    // A Vec accepts every byte and a str is always a valid JSON string: this cannot fail.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn one_line(text: &str) -> String {
        let mut out = Vec::new();
        write_one_line(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_one_line_text_is_copied_unchanged() {
        assert_eq!(one_line(r#"{"a": 1, "b":  [ 2 ]}"#), r#"{"a": 1, "b":  [ 2 ]}"#);
    }

    #[test]
    fn white_space_between_tokens_is_removed_and_tokens_stay() {
        assert_eq!(
            one_line("{\r\n\t\"a b\": 1.10,\n \"c\\\"  \\\\\": [1e400, null, 123456789012345678901234567890]\n}"),
            r#"{"a b":1.10,"c\"  \\":[1e400,null,123456789012345678901234567890]}"#
        );
    }

    #[test]
    fn only_an_object_or_a_list_is_made_compact() {
        assert_eq!(compacted(" {\"a\": [1, {}]}\n ").as_deref(), Some(r#"{"a":[1,{}]}"#));
        for text in ["", "1", "{", "{} {}", "{]"] {
            assert_eq!(compacted(text), None, "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ \\n\\t\"\\\\a-c{}\\[\\]:,é]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[ \"\\\\a-c\\n]{0,5}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn pretty_printed_json_becomes_what_compact_printing_gives(value in any_json()) {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let line = one_line(&pretty.replace('\n', "\r\n"));
            let compact = serde_json::to_string(&value).unwrap();
            // Without a line break there is nothing to remove.
            if pretty.contains('\n') { prop_assert_eq!(line, compact); } else { prop_assert_eq!(line, pretty); }
        }
    }
}
