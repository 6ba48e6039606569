//! Scans JSON text: one pass checks a value against RFC 8259 and finds its end. A record never becomes a tree: only its
//! end, the positions of its members, and its form on one line are needed. A [`Sink`] receives these during the check,
//! so every byte is read once; and sixty-four at a time, see [`super::blocks`].
//!
//! Objects and lists are also checked to be UTF-8, but only their blocks that are not ASCII. Strings are accepted
//! unchanged: an escaped lone surrogate is valid JSON.

use super::blocks::{BLOCK, Blocks, begins_escape, below};
use super::fault::Fault;
use super::grammar;

/// Receives the parts of an object or a list while it is checked. By default it ignores them.
pub(super) trait Sink {
    /// Whether a line break between tokens ends the scan with [`Fault::LineBreak`].
    const ONE_LINE: bool = false;

    /// The next bytes: of the block of the text that begins at `at`, those whose bit is set in `kept`, the lowest bit
    /// for the first byte. White space between tokens is excluded.
    fn block(&mut self, _text: &[u8], _at: usize, _kept: u64) {}

    /// The name of a member of the outermost object begins at `at`, with its quote; `kept_before` are the kept bytes of
    /// its block before it, as in [`Sink::block`], which is called at the end of the block.
    fn name(&mut self, _at: usize, _kept_before: u64) {}

    /// At the end: whether there are escapes in it.
    fn end(&mut self, _has_escapes: bool) {}
}

/// Ignores everything: a value is checked and skipped.
pub(super) struct Skip;

impl Sink for Skip {}

/// The open containers, innermost last: a bit each, set for an object.
#[derive(Default)]
struct Open {
    innermost: u64,
    depth: usize,
    /// Outer ones that do not fit, 64 at a time.
    outer: Vec<u64>,
}

impl Open {
    #[inline]
    fn push(&mut self, is_object: bool) {
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.innermost);
        }
        self.innermost = self.innermost << 1 | u64::from(is_object);
        self.depth += 1;
    }

    #[inline]
    fn pop(&mut self) {
        self.innermost >>= 1;
        self.depth -= 1;
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.innermost = self.outer.pop().unwrap_or_default();
        }
    }

    /// The state after a value that has just ended.
    #[inline]
    fn after_value(&self) -> u8 {
        match (self.innermost & 1 == 1, self.depth) {
            (false, _) => grammar::LIST_AFTER,
            (true, 1) => grammar::TOP_AFTER,
            (true, _) => grammar::OBJECT_AFTER,
        }
    }
}

/// The end of the value at `at`, where there is no white space. The sink receives nothing of a value other than an
/// object or list.
pub(super) fn value<S: Sink>(text: &[u8], at: usize, sink: &mut S) -> Result<usize, Fault> {
    match byte(text, at)? {
        first @ (b'{' | b'[') => container(text, at, first == b'{', sink),
        b'"' => string(text, at),
        first => scalar(text, at, first),
    }
}

/// The end of an object or a list.
fn container<S: Sink>(text: &[u8], start: usize, is_object: bool, sink: &mut S) -> Result<usize, Fault> {
    let mut blocks = Blocks::default();
    let mut open = Open::default();
    open.push(is_object);
    let mut state = if is_object { grammar::TOP_FIRST } else { grammar::LIST_FIRST };
    let mut at = start;
    // Its opening bracket was already consumed.
    let mut left = !1;
    // Where the blocks begin that are not ASCII, up to this one.
    let mut unchecked = None;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let mut last;
        let bytes: &[u8; BLOCK] = match rest.first_chunk() {
            Some(bytes) => bytes,
            None if rest.is_empty() => return Err(Fault::Incomplete),
            None => {
                last = [b' '; BLOCK];
                last[..rest.len()].copy_from_slice(rest);
                &last
            }
        };
        let block = blocks.look(bytes, rest, S::ONE_LINE);
        if !block.is_ascii {
            unchecked.get_or_insert(at);
        } else if let Some(from) = unchecked.take() {
            check_utf8(text, from, at)?;
        }
        let mut tokens = block.tokens & left;
        left = u64::MAX;
        while tokens != 0 {
            let bit = tokens.trailing_zeros() as usize;
            tokens &= tokens - 1;
            let token = bytes[bit % BLOCK];
            let next = grammar::next(state, token);
            state = next.state();
            if next.is_go() {
                continue;
            }
            if next.is_scalar() {
                if next.is_wrong() {
                    return Err(Fault::Invalid);
                }
                scalar(text, at + bit, token)?;
            } else if next.is_name() {
                sink.name(at + bit, block.kept & below(bit));
            } else if next.is_open() {
                open.push(token == b'{');
            } else {
                open.pop();
                if open.depth == 0 {
                    if let Some(from) = unchecked {
                        check_utf8(text, from, at + bit)?;
                    }
                    sink.block(text, at, block.kept & below(bit + 1));
                    sink.end(blocks.has_escapes);
                    return Ok(at + bit + 1);
                }
                state = open.after_value();
            }
        }
        if let Some(fault) = block.fault {
            return Err(fault);
        }
        // A text that ends in a string has no blanks after it.
        sink.block(text, at, block.kept & below(rest.len()));
        at += BLOCK;
    }
}

/// Checks that a part of a text is UTF-8. It stands between two characters that are ASCII.
#[cold]
fn check_utf8(text: &[u8], from: usize, to: usize) -> Result<(), Fault> {
    let part = text.get(from..to).unwrap_or_default();
    std::str::from_utf8(part).map_or(Err(Fault::NotUtf8), |_| Ok(()))
}

/// The end of a string.
fn string(text: &[u8], start: usize) -> Result<usize, Fault> {
    let mut at = start + 1;
    loop {
        match byte(text, at)? {
            b'"' => return Ok(at + 1),
            b'\\' if begins_escape(&text[at..]) => at += 2,
            0..0x20 | b'\\' => return Err(Fault::Invalid),
            _ => at += 1,
        }
    }
}

/// The first byte from `at` on other than white space, or the end of the text.
#[inline]
pub(super) fn white_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let is_token = |byte: &u8| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    rest.iter().position(is_token).map_or(text.len(), |blanks| at + blanks)
}

/// The end of a number, or of a word such as `true`.
#[expect(clippy::inline_always, reason = "called for every fourth token, and the compiler would not")]
#[inline(always)]
fn scalar(text: &[u8], at: usize, first: u8) -> Result<usize, Fault> {
    let end = match first {
        b'-' | b'0'..=b'9' => number(text, at)?,
        b'n' => word(text, at, b"null")?,
        b't' => word(text, at, b"true")?,
        b'f' => word(text, at, b"false")?,
        _ => return Err(Fault::Invalid),
    };
    // A token cannot follow directly.
    match text.get(end) {
        Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') | None => Ok(end),
        Some(_) => Err(Fault::Invalid),
    }
}

#[inline]
fn word<const N: usize>(text: &[u8], at: usize, wanted: &[u8; N]) -> Result<usize, Fault> {
    let rest = text.get(at..).unwrap_or_default();
    match rest.first_chunk() {
        Some(found) if found == wanted => Ok(at + N),
        _ if wanted.starts_with(rest) => Err(Fault::Incomplete),
        _ => Err(Fault::Invalid),
    }
}

#[inline]
fn number(text: &[u8], mut at: usize) -> Result<usize, Fault> {
    if byte(text, at)? == b'-' {
        at += 1;
    }
    at = if byte(text, at)? == b'0' { at + 1 } else { digits(text, at)? };
    if byte(text, at)? == b'.' {
        at = digits(text, at + 1)?;
    }
    if let b'e' | b'E' = byte(text, at)? {
        at += 1;
        if let b'+' | b'-' = byte(text, at)? {
            at += 1;
        }
        at = digits(text, at)?;
    }
    Ok(at)
}

/// One digit or more.
#[inline]
fn digits(text: &[u8], start: usize) -> Result<usize, Fault> {
    let mut at = start;
    while byte(text, at)?.is_ascii_digit() {
        at += 1;
    }
    if at == start { Err(Fault::Invalid) } else { Ok(at) }
}

#[inline]
fn byte(text: &[u8], at: usize) -> Result<u8, Fault> {
    text.get(at).copied().ok_or(Fault::Incomplete)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    /// The end of the value, as far as the text before its continuation shows.
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
    fn anything_but_json_is_invalid() {
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
            assert_eq!(end(text), Err(Fault::Invalid), "{text}");
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

        #[test]
        fn a_container_is_utf8_wherever_its_blocks_end(
            blanks in 0usize..130,
            valid in "[aé€𝄞]{0,60}",
            any in prop::collection::vec(prop_oneof![Just(b'a'), 0x80u8..=0xff], 0..4),
            letters in 0usize..130,
        ) {
            let (blanks, letters) = (" ".repeat(blanks), "x".repeat(letters));
            let parts = [&b"["[..], blanks.as_bytes(), b"\"", valid.as_bytes(), &any, letters.as_bytes(), b"\"]\xff"];
            let text = parts.concat();
            let length = text.len() - 1;
            let expected = if std::str::from_utf8(&text[..length]).is_ok() { Ok(length) } else { Err(Fault::NotUtf8) };
            prop_assert_eq!(value(&text, 0, &mut Skip), expected);
        }
    }
}
