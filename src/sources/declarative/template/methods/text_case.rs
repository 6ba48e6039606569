//! The case and the classes of characters.

use super::super::number::{is_space, unicode_digit};

fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || is_title(c)
}

/// Digraphs that have a form for titles.
fn is_title(c: char) -> bool {
    matches!(u32::from(c), 0x1c5 | 0x1c8 | 0x1cb | 0x1f2 | 0x1f88..=0x1f8f | 0x1f98..=0x1f9f | 0x1fa8..=0x1faf | 0x1fbc | 0x1fcc | 0x1ffc)
}

/// The first character of a word: only the first of its upper-case characters stays upper case.
fn push_title(out: &mut String, c: char) {
    match u32::from(c) {
        0x1c4..=0x1c6 => out.push('\u{1c5}'),
        0x1c7..=0x1c9 => out.push('\u{1c8}'),
        0x1ca..=0x1cc => out.push('\u{1cb}'),
        0x1f1..=0x1f3 => out.push('\u{1f2}'),
        _ => {
            let mut upper = c.to_uppercase();
            out.extend(upper.next());
            out.extend(upper.flat_map(char::to_lowercase));
        }
    }
}

/// `str.capitalize`
pub(crate) fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let mut out = String::with_capacity(text.len());
    if let Some(first) = characters.next() {
        push_title(&mut out, first);
        out.push_str(&characters.as_str().to_lowercase());
    }
    out
}

/// `str.title`
pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            push_title(&mut out, c);
        }
        inside = is_cased(c);
    }
    out
}

/// `str.swapcase`
pub(super) fn swapcase(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_uppercase() {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
    }
    out
}

/// `str.casefold`, as far as it differs from lower case in written language.
pub(super) fn casefold(text: &str) -> String {
    text.to_lowercase().replace('ß', "ss").replace('ς', "σ").replace('ſ', "s")
}

/// `\w` of a regular expression.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
        || unicode_digit(c).is_some()
        || matches!(u32::from(c), 0xb2 | 0xb3 | 0xb9 | 0x2070 | 0x2074..=0x2079 | 0x2080..=0x2089 | 0x2460..=0x2468)
}

/// `str.istitle`: capitals begin words and nothing else does.
fn is_titled(text: &str) -> bool {
    let (mut any, mut before) = (false, false);
    for c in text.chars() {
        if c.is_uppercase() || is_title(c) {
            if before {
                return false;
            }
            (any, before) = (true, true);
        } else if c.is_lowercase() {
            if !before {
                return false;
            }
        } else {
            before = false;
        }
    }
    any
}

/// `str.isalpha` and its like.
pub(super) fn is(text: &str, name: &str) -> bool {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    match name {
        "isascii" => text.is_ascii(),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isdecimal" => all(|c| c.is_ascii_digit() || unicode_digit(c).is_some()),
        "isdigit" => all(is_digit),
        "isnumeric" => all(char::is_numeric),
        "isspace" => all(is_space),
        "isprintable" => text.chars().all(super::super::text::is_printable),
        "isidentifier" => {
            let first = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
            first && text.chars().all(is_word)
        }
        "islower" => text.chars().any(char::is_lowercase) && !text.chars().any(|c| c.is_uppercase() || is_title(c)),
        "isupper" => text.chars().any(char::is_uppercase) && !text.chars().any(|c| c.is_lowercase() || is_title(c)),
        _ => is_titled(text),
    }
}
