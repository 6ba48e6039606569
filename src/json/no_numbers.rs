//! `NaN` and `Infinity`: numbers in Python, but not in JSON.

/// The words, longest first.
const NO_NUMBERS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// A text with `NaN` and `Infinity` replaced by null. `None` if it has none outside of texts.
pub(crate) fn without_no_numbers(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut found) = (text, false);
    while let Some(at) = rest.find(['"', 'N', 'I', '-']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = if rest.starts_with('"') { text_length(rest)? } else { 0 };
        if length > 0 {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        } else if let Some(word) = NO_NUMBERS.iter().find(|word| rest.starts_with(**word)) {
            out.push_str("null");
            (rest, found) = (&rest[word.len()..], true);
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    found.then_some(out)
}

/// The length of the text in quotes that begins here.
fn text_length(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_infinity_become_null_outside_of_texts() {
        for (text, mended) in [
            (r#"{"a": NaN, "b": [-Infinity, Infinity]}"#, Some(r#"{"a": null, "b": [null, null]}"#)),
            (r#"{"NaN": "a \" NaN", "b": -1, "c": NaN}"#, Some(r#"{"NaN": "a \" NaN", "b": -1, "c": null}"#)),
            (r#"{"a": "NaN"}"#, None),
            (r#"{"a": NaN, "b": "cut"#, None),
        ] {
            assert_eq!(without_no_numbers(text).as_deref(), mended, "{text}");
        }
    }
}
