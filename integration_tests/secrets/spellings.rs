//! How servers repeat a request's texts, and how to find them again. It shares no code with the masking.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// The characters that RFC 3986 allows in a path.
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'?').add(b'#').add(b'%');

/// A text in every spelling, each once.
pub(super) fn spellings(text: &str) -> Vec<String> {
    let percent = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let every_byte = text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let json = in_json(text);
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\'', "&#39;");
    let mut spellings = vec![
        text.to_owned(),
        lower(&percent),
        utf8_percent_encode(&percent, NON_ALPHANUMERIC).to_string(),
        percent,
        every_byte,
        utf8_percent_encode(text, PATH).to_string(),
        lower(&form),
        form,
        json.replace('/', "\\/"),
        in_json(&json),
        json,
        units.to_uppercase().replace("\\U", "\\u"),
        units,
        html,
    ];
    spellings.extend(base64(text).into_iter().map(|(around, _)| around));
    spellings.sort();
    spellings.dedup();
    spellings
}

/// The base64 of texts in which this one begins at each offset in a group of three bytes: the digits that depend on
/// this text only.
fn base64(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for before in ["", "u", "u:"] {
        let around = format!("{before}{text}");
        let first = (8 * before.len()).div_ceil(6);
        let digits = 8 * around.len() / 6;
        for encoded in [BASE64_STANDARD.encode(&around), BASE64_URL_SAFE.encode(&around)] {
            let own = encoded[first..digits].to_owned();
            found.push((encoded, own));
        }
    }
    found
}

fn lower(percent: &str) -> String {
    let mut text = String::new();
    let mut left = 0;
    for character in percent.chars() {
        left = if character == '%' { 3 } else { left };
        text.push(if left > 0 { character.to_ascii_lowercase() } else { character });
        left = i32::max(left - 1, 0);
    }
    text
}

fn in_json(text: &str) -> String {
    let json = Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// The secrets in an output, as they are or in any spelling, in the lines or in a text of one of them.
pub(super) fn found_in<'s>(output: &str, secrets: &'s [String]) -> Option<&'s str> {
    let mut texts = vec![output.to_owned()];
    for line in output.lines() {
        if let Ok(message) = serde_json::from_str::<Value>(line) {
            collect(&message, &mut texts);
        }
    }
    secrets.iter().map(String::as_str).find(|secret| {
        let plain = spellings(secret).into_iter();
        // Short pieces occur in any text.
        let pieces = base64(secret).into_iter().map(|(_, own)| own).filter(|own| own.len() >= 8);
        plain.chain(pieces).any(|spelling| texts.iter().any(|text| text.contains(&spelling)))
    })
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            texts.push(name.clone());
            collect(value, texts);
        }),
        _ => {}
    }
}

#[test]
fn a_secret_is_found_in_each_of_its_spellings() {
    let secret = "s3c\"ret/é <x> & 100%".to_owned();
    for spelling in spellings(&secret) {
        let output = serde_json::json!({"log": {"message": format!("it was {spelling}.")}}).to_string();
        assert_eq!(found_in(&output, std::slice::from_ref(&secret)), Some(secret.as_str()), "{spelling}");
    }
    assert_eq!(found_in(r#"{"log":{"message":"it was ****."}}"#, &[secret]), None);
}
