//! HTML escapes, as in `markupsafe`.

use super::super::error::Result;
use super::super::text::str_of;
use super::super::value::Value;

/// A text with HTML's special characters escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

/// The text of a value, escaped unless it already is.
pub(crate) fn escape_value(value: &Value) -> Result<String> {
    match value {
        Value::Markup(text) => Ok(text.to_string()),
        _ => Ok(escape(&str_of(value)?)),
    }
}

/// `Markup.unescape`, for the entities that `escape` writes, a few more and numbers.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').filter(|end| *end < 12).map(|end| &rest[1..end]);
        let number = entity.and_then(|entity| entity.strip_prefix('#')).and_then(|number| {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        });
        let c = number.or(match entity {
            Some("amp") => Some('&'),
            Some("lt") => Some('<'),
            Some("gt") => Some('>'),
            Some("quot") => Some('"'),
            Some("apos") => Some('\''),
            Some("nbsp") => Some('\u{a0}'),
            _ => None,
        });
        match (c, entity) {
            (Some(c), Some(entity)) => {
                out.push(c);
                rest = &rest[entity.len() + 2..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// `Markup.striptags`: without comments and tags, blanks made one.
pub(crate) fn strip_tags(text: &str) -> String {
    let mut without = text.to_owned();
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        let mut kept = String::with_capacity(without.len());
        let mut rest = without.as_str();
        while let Some(at) = rest.find(open) {
            let Some(end) = rest[at..].find(close) else { break };
            kept.push_str(&rest[..at]);
            rest = &rest[at + end + close.len()..];
        }
        kept.push_str(rest);
        without = kept;
    }
    unescape(&without.split_whitespace().collect::<Vec<_>>().join(" "))
}
