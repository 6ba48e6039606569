//! Reading JSON text: one pass checks a value against RFC 8259 and finds its end. A record is never made into a tree:
//! what has to be known of it is where it ends, where its members stand, and how it reads on one line. A [`Sink`] hears
//! of these while the text is checked, so that every byte is looked at once; in strings, sixteen at a time.
//!
//! That the text is UTF-8 is not checked here. Strings are taken as they are: an escaped lone surrogate is valid JSON.

use std::ops::ControlFlow;

use wide::u8x16;

/// Why a value has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text ends before the value does. A number has to be followed by something: it could go on.
    Incomplete,
    /// The text is not JSON.
    Invalid,
    /// The sink has heard enough.
    Stopped,
}

/// Bytes of a string that are looked at together.
pub(super) const CHUNK: usize = 16;

/// What hears of a value while it is checked. By default it takes no interest.
pub(super) trait Sink {
    /// A byte that is no white space between tokens.
    fn byte(&mut self, _: u8) {}

    /// The next `used` bytes of a string; the rest of the chunk is not part of it.
    fn chunk(&mut self, _: &[u8; CHUNK], _used: usize) {}

    /// A line break between tokens. Breaking off ends the scan with [`Fault::Stopped`].
    fn line_break(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The name of a member of the outermost object begins at `at`, with its quote.
    fn name(&mut self, _at: usize) {}

    /// The name that began last is spelt with escapes.
    fn escaped_name(&mut self) {}
}

/// Hears nothing: a value is checked and skipped.
pub(super) struct Skip;

impl Sink for Skip {}

/// The containers that are open, innermost last: a bit each, set for an object.
#[derive(Default)]
struct Open {
    innermost: u64,
    depth: usize,
    /// Those that do not fit any more, 64 at a time.
    outer: Vec<u64>,
}

impl Open {
    fn push(&mut self, is_object: bool) {
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.innermost);
        }
        self.innermost = self.innermost << 1 | u64::from(is_object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.innermost >>= 1;
        self.depth -= 1;
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.innermost = self.outer.pop().unwrap_or_default();
        }
    }

    fn is_object(&self) -> bool {
        self.innermost & 1 == 1
    }
}

/// The end of the value that begins at `at`, where no white space is.
pub(super) fn value<S: Sink>(text: &[u8], mut at: usize, sink: &mut S) -> Result<usize, Fault> {
    let mut open = Open::default();
    'value: loop {
        let first = byte(text, at)?;
        match first {
            b'"' => {
                sink.byte(first);
                at = string(text, at + 1, sink)?.0;
            }
            b'{' | b'[' => {
                sink.byte(first);
                open.push(first == b'{');
                at = white_space(text, at + 1, sink)?;
                let next = byte(text, at)?;
                // Both kinds of bracket close with the character two after the one they open with.
                if next == first + 2 {
                    sink.byte(next);
                    open.pop();
                    at += 1;
                } else {
                    if first == b'{' {
                        at = name(text, at, open.depth, sink)?;
                    }
                    continue 'value;
                }
            }
            b'-' | b'0'..=b'9' => at = number(text, at, sink)?,
            b'n' => at = literal(text, at, b"null", sink)?,
            b't' => at = literal(text, at, b"true", sink)?,
            b'f' => at = literal(text, at, b"false", sink)?,
            _ => return Err(Fault::Invalid),
        }
        while open.depth > 0 {
            at = white_space(text, at, sink)?;
            let next = byte(text, at)?;
            sink.byte(next);
            at += 1;
            match (next, open.is_object()) {
                (b',', is_object) => {
                    at = white_space(text, at, sink)?;
                    if is_object {
                        at = name(text, at, open.depth, sink)?;
                    }
                    continue 'value;
                }
                (b'}', true) | (b']', false) => open.pop(),
                _ => return Err(Fault::Invalid),
            }
        }
        return Ok(at);
    }
}

/// From the name of a member to its value.
#[inline]
fn name<S: Sink>(text: &[u8], at: usize, depth: usize, sink: &mut S) -> Result<usize, Fault> {
    if byte(text, at)? != b'"' {
        return Err(Fault::Invalid);
    }
    if depth == 1 {
        sink.name(at);
    }
    sink.byte(b'"');
    let (at, is_escaped) = string(text, at + 1, sink)?;
    if is_escaped && depth == 1 {
        sink.escaped_name();
    }
    let at = white_space(text, at, sink)?;
    if byte(text, at)? != b':' {
        return Err(Fault::Invalid);
    }
    sink.byte(b':');
    white_space(text, at + 1, sink)
}

#[inline]
fn byte(text: &[u8], at: usize) -> Result<u8, Fault> {
    text.get(at).copied().ok_or(Fault::Incomplete)
}

/// The first byte from `at` on that is no white space, or the end of the text.
#[inline]
pub(super) fn white_space<S: Sink>(text: &[u8], at: usize, sink: &mut S) -> Result<usize, Fault> {
    let is_token = |at| text.get(at).is_some_and(|byte| *byte > b' ');
    if is_token(at) {
        return Ok(at);
    }
    // A single blank, as between a name and its value.
    if text.get(at) == Some(&b' ') && is_token(at + 1) {
        return Ok(at + 1);
    }
    lines(text, at, sink)
}

/// White space of any length, as pretty-printed JSON has it.
fn lines<S: Sink>(text: &[u8], mut at: usize, sink: &mut S) -> Result<usize, Fault> {
    const INDENT: [u8; 8] = [b' '; 8];
    loop {
        match text.get(at) {
            Some(b'\n' | b'\r') => {
                if sink.line_break().is_break() {
                    return Err(Fault::Stopped);
                }
                at += 1;
                while text.get(at..).is_some_and(|rest| rest.starts_with(&INDENT)) {
                    at += INDENT.len();
                }
            }
            Some(b' ' | b'\t') => at += 1,
            _ => return Ok(at),
        }
    }
}

/// The end of a string whose opening quote was before `at`, its closing quote included; and whether it has escapes.
#[inline]
fn string<S: Sink>(text: &[u8], mut at: usize, sink: &mut S) -> Result<(usize, bool), Fault> {
    let mut has_escapes = false;
    loop {
        if let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk()) {
            let plain = plain(*chunk);
            sink.chunk(chunk, plain);
            at += plain;
            if plain == CHUNK {
                continue;
            }
        }
        match byte(text, at)? {
            b'"' => {
                sink.byte(b'"');
                return Ok((at + 1, has_escapes));
            }
            b'\\' => {
                has_escapes = true;
                at = escape(text, at, sink)?;
            }
            0..0x20 => return Err(Fault::Invalid),
            // One of the last few bytes of the text.
            plain => {
                sink.byte(plain);
                at += 1;
            }
        }
    }
}

/// How many bytes of a chunk stand before a quote, a backslash or a control character.
#[inline]
fn plain(chunk: [u8; CHUNK]) -> usize {
    let bytes = u8x16::new(chunk);
    let special = bytes.simd_eq(u8x16::splat(b'"'))
        | bytes.simd_eq(u8x16::splat(b'\\'))
        | bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    (special.to_bitmask() | 1 << CHUNK).trailing_zeros() as usize
}

/// The end of the escape that begins at `at`.
fn escape<S: Sink>(text: &[u8], at: usize, sink: &mut S) -> Result<usize, Fault> {
    let kind = byte(text, at + 1)?;
    let digits = match kind {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 0,
        b'u' => 4,
        _ => return Err(Fault::Invalid),
    };
    sink.byte(b'\\');
    sink.byte(kind);
    for at in at + 2..at + 2 + digits {
        let digit = byte(text, at)?;
        if !digit.is_ascii_hexdigit() {
            return Err(Fault::Invalid);
        }
        sink.byte(digit);
    }
    Ok(at + 2 + digits)
}

#[inline]
fn literal<S: Sink, const N: usize>(text: &[u8], at: usize, wanted: &[u8; N], sink: &mut S) -> Result<usize, Fault> {
    let rest = text.get(at..).unwrap_or_default();
    if rest.first_chunk() != Some(wanted) {
        return Err(if wanted.starts_with(rest) { Fault::Incomplete } else { Fault::Invalid });
    }
    for byte in wanted {
        sink.byte(*byte);
    }
    Ok(at + N)
}

#[inline]
fn number<S: Sink>(text: &[u8], mut at: usize, sink: &mut S) -> Result<usize, Fault> {
    if byte(text, at)? == b'-' {
        sink.byte(b'-');
        at += 1;
    }
    if byte(text, at)? == b'0' {
        sink.byte(b'0');
        at += 1;
    } else {
        at = digits(text, at, sink)?;
    }
    if byte(text, at)? == b'.' {
        sink.byte(b'.');
        at = digits(text, at + 1, sink)?;
    }
    if let exponent @ (b'e' | b'E') = byte(text, at)? {
        sink.byte(exponent);
        at += 1;
        if let sign @ (b'+' | b'-') = byte(text, at)? {
            sink.byte(sign);
            at += 1;
        }
        at = digits(text, at, sink)?;
    }
    Ok(at)
}

/// One digit or more.
#[inline]
fn digits<S: Sink>(text: &[u8], start: usize, sink: &mut S) -> Result<usize, Fault> {
    let mut at = start;
    loop {
        let digit = byte(text, at)?;
        if !digit.is_ascii_digit() {
            return if at == start { Err(Fault::Invalid) } else { Ok(at) };
        }
        sink.byte(digit);
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    /// The end of the value, as far as a text that goes on after it tells.
    fn end(text: &str) -> Result<usize, Fault> {
        value(text.as_bytes(), 0, &mut Skip)
    }

    #[test]
    fn a_value_ends_where_it_ends() {
        for text in [
            r#"{"a":{"b":[1,2,{}],"c":[]},"d":"x\"}\\"}"#,
            "[ 1 , -0.5e+10 , 0, true,false , null ]",
            r#""a quite long string, longer than a chunk, with \u00e9, \ud800 and \/ in it""#,
            "{}",
            "[\r\n\t\n                       ]",
        ] {
            assert_eq!(end(&format!("{text}, 1")), Ok(text.len()), "{text}");
            for cut in 1..text.len() {
                if text.is_char_boundary(cut) {
                    assert_eq!(end(&text[..cut]), Err(Fault::Incomplete), "{}", &text[..cut]);
                }
            }
        }
        assert_eq!(end("-12.5e3,"), Ok(7));
        assert_eq!(end("12"), Err(Fault::Incomplete));
    }

    #[test]
    fn what_is_not_json_is_invalid() {
        for text in [
            "<html>",
            "NaN ",
            "nul!",
            "[1,]",
            "[1 2]",
            "{1:2}",
            "{\"a\" 1}",
            "{\"a\":1,}",
            "{\"a\":}",
            "[}",
            "{]",
            "01 ",
            "-x",
            "1. ",
            "1.e5 ",
            "1e ",
            "+1 ",
            ".5 ",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "'a'",
            "[\u{a0}1]",
            "]",
            "\"a string that is longer than a chunk\u{1}\"",
        ] {
            let found = end(text);
            let expected = if text == "01 " { Ok(1) } else { Err(Fault::Invalid) };
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(end("[01]"), Err(Fault::Invalid));
    }

    #[test]
    fn nesting_is_kept_at_any_depth() {
        let brackets: String = (0..200).map(|n| if n % 3 == 0 { "{\"a\":" } else { "[" }).collect();
        let closing: String = (0..200).rev().map(|n| if n % 3 == 0 { '}' } else { ']' }).collect();
        assert_eq!(end(&format!("{brackets}null{closing}")), Ok(brackets.len() + 4 + closing.len()));
        let wrong = closing.replacen("]]}", "]}]", 1);
        assert_eq!(end(&format!("{brackets}null{wrong}")), Err(Fault::Invalid));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(end(&deep), Ok(200_000));
    }

    proptest! {
        #[test]
        fn a_text_is_json_if_another_parser_says_so(text in r#"([\[\]{},: \n"\\]|"a"|"b{14,18}"|"[a-z\\/u0é\t]{0,20}"|-?[0-9]{0,2}(\.[0-9]?)?(e[0-9+-]{0,2})?|true|false|null|"a": ?){0,12}"#) {
            // In brackets, so that a number at the end has an end.
            let text = format!("[{text}]");
            let ours = end(&text) == Ok(text.len());
            prop_assert_eq!(ours, serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{}", text);
        }
    }
}
