//! Checks texts before they are sent. Keys pasted from chats and documents often contain invisible blanks and
//! typographic quotation marks; no server can guess the intended key.

use std::fmt;

use crate::protocol::{Failure, Redactor};

/// A character that cannot be sent, or would be lost on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Problem {
    character: char,
    /// Counted from 1.
    position: usize,
}

/// In a header's value: the first character that is not visible ASCII or a blank, or a blank at an end, which the
/// recipient removes (RFC 9110, section 5.5).
pub(crate) fn in_header(value: &str) -> Option<Problem> {
    first(value, |c| !matches!(c, ' '..='~')).or_else(|| at_an_end(value))
}

/// In a key, user name or the like that is sent encoded: the first control or untypable character, or a blank at an
/// end. Letters of any alphabet can be sent.
pub(crate) fn in_credential(value: &str) -> Option<Problem> {
    in_text(value).or_else(|| at_an_end(value))
}

/// In a password or a part of a URL: as [`in_credential`], except for blanks at an end.
pub(crate) fn in_text(value: &str) -> Option<Problem> {
    first(value, |c| c.is_control() || c != ' ' && c.is_whitespace() || is_invisible(c))
}

/// In a URL: characters that are invalid, or ignored by its reader.
pub(crate) fn in_url(value: &str) -> Option<Problem> {
    first(value, |c| {
        c.is_control() || c.is_whitespace() || is_invisible(c) || matches!(c, '"' | '\u{2018}'..='\u{201f}')
    })
}

fn first(value: &str, is_wrong: impl Fn(char) -> bool) -> Option<Problem> {
    value.chars().zip(1..).find(|(c, _)| is_wrong(*c)).map(|(character, position)| Problem { character, position })
}

fn at_an_end(value: &str) -> Option<Problem> {
    let is_blank = |at: Option<char>| at.filter(|c| c.is_whitespace());
    let start = is_blank(value.chars().next()).map(|character| Problem { character, position: 1 });
    let end = || is_blank(value.chars().next_back());
    start.or_else(|| end().map(|character| Problem { character, position: value.chars().count() }))
}

/// Invisible characters that only change the bytes: soft hyphen, zero-width and directional ones.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The character by its number and common name; a raw control character would spoil the line.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.character {
            ' ' => "a blank",
            '\0' => "a NUL",
            '\t' => "a tab",
            '\n' => "a line break",
            '\r' => "a carriage return",
            '\u{a0}' | '\u{2007}' | '\u{202f}' => "a non-breaking space",
            '\u{200b}' => "a zero-width space",
            '\u{feff}' => "a byte order mark",
            '\u{ad}' => "a soft hyphen",
            '"' | '\u{2018}'..='\u{201f}' => "a quotation mark",
            '\u{2010}'..='\u{2015}' => "a dash",
            '\u{2026}' => "an ellipsis",
            c if c.is_control() => "a control character",
            c if is_invisible(c) => "an invisible character",
            c if c.is_alphabetic() => "a letter outside ASCII",
            _ => "a character outside ASCII",
        };
        write!(f, "U+{:04X} ({name}) at position {}", u32::from(self.character), self.position)
    }
}

/// A failure about a text that cannot be sent. `what` names it if no setting contains it.
pub(crate) fn failure(what: &str, problem: Problem) -> Failure {
    let text = format!("{what} has {problem}, which cannot be sent as it is. Type it again at its source.");
    Failure { unsendable: Some(problem.character), ..Failure::config(text) }
}

/// Checks a setting that goes into a header, before anything is sent: a source does so when it reads its config.
///
/// # Errors
/// A config failure that names the setting, the character and its position: one that is not visible ASCII, or a blank
/// at an end. The value itself is not shown.
pub fn check_header_setting(setting: &str, value: &str) -> Result<(), Failure> {
    in_header(value).map_or(Ok(()), |problem| Err(of_setting(setting, problem)))
}

fn of_setting(setting: &str, problem: Problem) -> Failure {
    let text = format!(
        "The config's `{setting}` has {problem}, which cannot be sent as it is. It may have come along when the value \
         was copied: type it again, or copy it from where it was made."
    );
    Failure { unsendable: Some(problem.character), ..Failure::config(text) }
}

/// Names the setting with an unsendable text, if the config has such a character.
pub(crate) fn name_setting(error: anyhow::Error, redactor: &Redactor) -> anyhow::Error {
    match error.downcast::<Failure>() {
        Ok(failure) => named(failure, redactor).into(),
        Err(error) => error,
    }
}

/// As [`name_setting`], for a known failure.
pub(crate) fn named(failure: Failure, redactor: &Redactor) -> Failure {
    let Some(character) = failure.unsendable else { return failure };
    let at = |value: &str| match character {
        ' ' => at_an_end(value).filter(|problem| problem.character == ' '),
        other => first(value, |c| c == other),
    };
    let setting = redactor.setting(&|value| at(value).is_some());
    setting.and_then(|(name, value)| Some(of_setting(&name, at(&value)?))).unwrap_or(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_accepts_visible_ascii_and_blanks_between() {
        assert_eq!(in_header("sk_live_abc ~!"), None);
        for (value, told) in [
            ("sk_live_abc\u{2026}", "U+2026 (an ellipsis) at position 12"),
            ("sk_live_\u{430}bc", "U+0430 (a letter outside ASCII) at position 9"),
            ("sk_live_abc\u{a0}", "U+00A0 (a non-breaking space) at position 12"),
            ("\u{201c}sk\u{201d}", "U+201C (a quotation mark) at position 1"),
            ("s\u{200b}k", "U+200B (a zero-width space) at position 2"),
            ("\u{feff}sk", "U+FEFF (a byte order mark) at position 1"),
            ("s\tk", "U+0009 (a tab) at position 2"),
            ("sk\n", "U+000A (a line break) at position 3"),
            ("s\0k", "U+0000 (a NUL) at position 2"),
            ("s\u{7f}", "U+007F (a control character) at position 2"),
            (" sk", "U+0020 (a blank) at position 1"),
            ("sk ", "U+0020 (a blank) at position 3"),
            ("s\u{1f511}", "U+1F511 (a character outside ASCII) at position 2"),
        ] {
            assert_eq!(in_header(value).map(|problem| problem.to_string()).as_deref(), Some(told), "{value:?}");
        }
    }

    #[test]
    fn encoded_values_may_have_letters_of_any_alphabet_and_nothing_invisible() {
        for value in ["p\u{e4}ss w\u{f6}rd", "\u{43a}\u{43b}\u{44e}\u{447}", "\u{1f511}"] {
            assert_eq!((in_credential(value), in_text(value)), (None, None), "{value}");
        }
        assert!(in_text(" a ").is_none() && in_credential(" a").is_some() && in_credential("a ").is_some());
        for value in ["a\u{a0}", "a\u{200b}b", "a\tb", "a\0", "a\u{2028}b", "\u{feff}a"] {
            assert!(in_credential(value).is_some() && in_text(value).is_some() && in_url(value).is_some(), "{value:?}");
        }
        assert_eq!(in_url("https://b\u{fc}cher.example/caf\u{e9}"), None);
        for value in ["https://a.com/ b", "https://a.com ", "\u{201c}https://a.com\u{201d}", "\"https://a.com\""] {
            assert!(in_url(value).is_some(), "{value:?}");
        }
    }
}
