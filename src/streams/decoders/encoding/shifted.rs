//! Encodings in which sequences of bytes switch between lists of characters: ISO 2022 and HZ.

use super::converter::{Converter, Step, push, push_code};
use super::tables::{EUC_JIS_2004, EUC_JISX0213, EUC_JP, EUC_KR, GB2312, Pairs, of_bytes, push_cell};

/// A kind of ISO 2022: the letters of the lists that it may switch to, besides ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lists {
    /// Those with two bytes a character.
    pub(super) double: &'static str,
    /// Those with one byte a character.
    pub(super) single: &'static str,
    /// Whether control characters switch to a second list, as in Korean.
    pub(super) has_second: bool,
    /// The number of the table for Greek, if a third list is there for single characters.
    pub(super) greek: Option<usize>,
}

const ESCAPE: u8 = 0x1b;
const ASCII: u8 = b'B';
/// Marks the letter of a list with two bytes a character.
const DOUBLE: u8 = 0x80;

/// ISO 2022.
pub(super) struct Iso2022 {
    lists: Lists,
    /// The letters of the first, the second and the third list.
    chosen: [u8; 3],
    /// Whether the second list counts.
    is_second: bool,
    /// Within an unknown escape sequence, which passes unchanged.
    is_unknown: bool,
}

impl Iso2022 {
    pub(super) fn new(lists: Lists) -> Self {
        Self { lists, chosen: [ASCII; 3], is_second: false, is_unknown: false }
    }

    /// Switches to another list.
    fn escape(&mut self, rest: &[u8]) -> Step {
        let mut end = 1;
        loop {
            match rest.get(end) {
                _ if end >= 16 => return Step::Invalid,
                None => return Step::Incomplete,
                Some(b'@'..=b'Z') => break,
                Some(b'&') if !self.lists.has_second && rest.get(end + 1) == Some(&b'@') => end += 3,
                Some(_) => end += 1,
            }
        }
        let (place, list) = match rest.get(1..=end).unwrap_or_default() {
            [b'$', letter] | [b'$', b'(', letter] => (0, letter | DOUBLE),
            [b'$', b')', letter] => (1, letter | DOUBLE),
            [b'(', letter] => (0, *letter),
            [b')', letter] => (1, *letter),
            [b'.', letter] if self.lists.greek.is_some() => (2, *letter),
            // A revision, `&@`, before it. Python does not look at it.
            [_, _, ESCAPE, b'$', b'B'] if !self.lists.has_second => (0, b'B' | DOUBLE),
            _ => return Step::Invalid,
        };
        let letters = if list >= DOUBLE { self.lists.double } else { self.lists.single };
        if list != ASCII && !letters.as_bytes().contains(&(list & !DOUBLE)) {
            return Step::Invalid;
        }
        self.chosen[place] = list;
        Step::Took(end + 1)
    }

    /// A single character of the third list.
    fn third(&self, byte: u8, out: &mut Vec<u8>) -> bool {
        let greek = || self.lists.greek.map_or(&[][..], of_bytes);
        match self.chosen[2] {
            ASCII if byte < 0x80 => push_code(byte.into(), out),
            b'A' if byte < 0x80 => push_code(u32::from(byte) + 0x80, out),
            b'F' => greek().get(usize::from(byte ^ 0x80)).is_some_and(|cell| push_cell(*cell, out)),
            _ => false,
        }
    }
}

impl Converter for Iso2022 {
    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        let first = rest[0];
        if self.is_unknown {
            push(first.into(), out);
            self.is_unknown = !matches!(first, b'@'..=b'Z');
            return Step::Took(1);
        }
        match (first, rest.get(1)) {
            (ESCAPE, None) => return Step::Incomplete,
            (ESCAPE, Some(b'(' | b')' | b'$' | b'.' | b'&')) => return self.escape(rest),
            (ESCAPE, Some(b'N')) if self.lists.greek.is_some() => {
                return match rest.get(2) {
                    Some(byte) if self.third(*byte, out) => Step::Took(3),
                    Some(_) => Step::Invalid,
                    None => Step::Incomplete,
                };
            }
            (ESCAPE, Some(_)) => self.is_unknown = true,
            (0x0e | 0x0f, _) if self.lists.has_second => {
                self.is_second = first == 0x0e;
                return Step::Took(1);
            }
            (b'\n', _) => self.is_second = false,
            (0x80.., _) => return Step::Invalid,
            (0x20.., second) => {
                let list = self.chosen[usize::from(self.is_second)];
                let is_character = match (list, second) {
                    (ASCII, _) => push_code(first.into(), out),
                    (DOUBLE.., None) => return Step::Incomplete,
                    (DOUBLE.., Some(second)) => push_cell(double(list, first, *second), out),
                    _ => single(list, first).is_some_and(|code| push_code(code, out)),
                };
                return match is_character {
                    true if list >= DOUBLE => Step::Took(2),
                    true => Step::Took(1),
                    false => Step::Invalid,
                };
            }
            _ => {}
        }
        out.push(first);
        Step::Took(1)
    }
}

/// The character of a byte in a list.
fn single(list: u8, byte: u8) -> Option<u32> {
    match (list, byte) {
        (b'J', b'\\') => Some('¥'.into()),
        (b'J', b'~') => Some('‾'.into()),
        (b'J', _) => Some(byte.into()),
        (b'I', 0x21..=0x5f) => Some(0xff40 + u32::from(byte)),
        _ => None,
    }
}

/// The cell of two bytes in a list.
fn double(list: u8, first: u8, second: u8) -> u32 {
    let is_inside = |byte: u8| (0x21..=0x7e).contains(&byte);
    if !is_inside(first) || !is_inside(second) {
        return 0;
    }
    let (high, low) = (first | 0x80, second | 0x80);
    match (list & !DOUBLE, first, second) {
        (b'O' | b'Q', 0x22, 0x32) => u32::from(b'~') + 1,
        (b'C', 0x24, 0x54) => 0x3164 + 1,
        (b'A', ..) => Pairs::of(GB2312).of_two(high, low),
        (b'C', ..) => Pairs::of(EUC_KR).of_two(high, low),
        (b'D', ..) => Pairs::of(EUC_JP).of_three(high, low),
        (b'O', ..) => Pairs::of(EUC_JISX0213).of_two(high, low),
        // The table has the characters of another list in between.
        (b'P', ..) if Pairs::of(EUC_JP).of_three(high, low) == 0 => Pairs::of(EUC_JIS_2004).of_three(high, low),
        (b'P', ..) => 0,
        (b'Q', ..) => Pairs::of(EUC_JIS_2004).of_two(high, low),
        _ => Pairs::of(EUC_JP).of_two(high, low),
    }
}

/// HZ: GB 2312 between `~{` and `~}`, otherwise ASCII.
#[derive(Default)]
pub(super) struct Hz {
    is_chinese: bool,
}

impl Converter for Hz {
    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        match (rest, self.is_chinese) {
            ([b'~'], _) => return Step::Incomplete,
            ([b'~', b'~', ..], false) => out.push(b'~'),
            ([b'~', b'{', ..], false) => self.is_chinese = true,
            ([b'~', b'\n', ..], false) => {}
            ([b'~', b'}', ..], true) => self.is_chinese = false,
            ([b'~' | 0x80.., ..], _) => return Step::Invalid,
            ([first, ..], false) => {
                out.push(*first);
                return Step::Took(1);
            }
            ([_], true) => return Step::Incomplete,
            ([first, second, ..], true) if push_cell(double(b'A' | DOUBLE, *first, *second), out) => {}
            _ => return Step::Invalid,
        }
        Step::Took(2)
    }
}
