//! Encodings that are lists: the character of each byte, or of each pair of bytes; some have rules for a few more.

use super::converter::{Converter, Step, push_code};
use super::tables::{EUC_JIS_2004, EUC_JISX0213, EUC_JP, EUC_KR, GB18030, Pairs, of_bytes, push_cell};

/// One byte a character.
pub(super) struct ByBytes(&'static [u32]);

impl ByBytes {
    /// The encoding with this number.
    pub(super) fn new(number: usize) -> Self {
        Self(of_bytes(number))
    }

    /// Whether the bytes of ASCII mean ASCII.
    pub(super) fn extends_ascii(&self) -> bool {
        (b'0'..=b'z').zip(self.0.get(0x30..).unwrap_or_default()).all(|(byte, cell)| u32::from(byte) + 1 == *cell)
    }
}

impl Converter for ByBytes {
    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        let cell = rest.first().and_then(|byte| self.0.get(usize::from(*byte)));
        match cell.is_some_and(|cell| push_cell(*cell, out)) {
            true => Step::Took(1),
            false => Step::Invalid,
        }
    }
}

/// One or two bytes a character, or more.
pub(super) struct ByPairs {
    number: usize,
    cells: Pairs,
}

impl ByPairs {
    /// The encoding with this number.
    pub(super) fn new(number: usize) -> Self {
        Self { number, cells: Pairs::of(number) }
    }
}

impl Converter for ByPairs {
    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        let took = |is_character, length| if is_character { Step::Took(length) } else { Step::Invalid };
        match *rest {
            [first, ..] if push_cell(self.cells.of_one(first), out) => Step::Took(1),
            [first, second, ..] if push_cell(self.cells.of_two(first, second), out) => Step::Took(2),
            [0x8f, second, ..] if matches!(self.number, EUC_JP | EUC_JIS_2004 | EUC_JISX0213) => match rest.get(2) {
                Some(third) => took(push_cell(self.cells.of_three(second, *third), out), 3),
                None => Step::Incomplete,
            },
            [0x81..=0xfe, b'0'..=b'9', ..] if self.number == GB18030 => match four(rest) {
                Ok(number) if number < LAST_BELOW => took(push_cell(self.cells.of_four(number), out), 4),
                Ok(number) => {
                    let above = number.checked_sub(FIRST_ABOVE).and_then(|above| u32::try_from(above).ok());
                    took(above.is_some_and(|above| push_code(0x1_0000 + above, out)), 4)
                }
                Err(step) => step,
            },
            [0xa4, 0xd4, ..] if self.number == EUC_KR => match rest.get(..8) {
                Some(parts) => took(syllable(parts).is_some_and(|code| push_code(code, out)), 8),
                None => Step::Incomplete,
            },
            [0x80..=0xff] => Step::Incomplete,
            _ => Step::Invalid,
        }
    }
}

/// The number of sequences of four bytes for characters below U+10000.
const LAST_BELOW: usize = 39420;
/// The number of the sequence for U+10000.
const FIRST_ABOVE: usize = 189_000;

/// The number of a sequence of four bytes, or what stands there instead.
fn four(rest: &[u8]) -> Result<usize, Step> {
    let &[first, second, third, fourth, ..] = rest else { return Err(Step::Incomplete) };
    let part = |byte: u8, least: u8, most: u8| match (least..=most).contains(&byte) {
        true => Ok(usize::from(byte - least)),
        false => Err(Step::Invalid),
    };
    let (first, second) = (part(first, 0x81, 0xfe)?, part(second, b'0', b'9')?);
    let (third, fourth) = (part(third, 0x81, 0xfe)?, part(fourth, b'0', b'9')?);
    Ok(((first * 10 + second) * 126 + third) * 10 + fourth)
}

/// The Hangul syllable that a filler, a consonant, a vowel and a consonant or a filler make.
fn syllable(parts: &[u8]) -> Option<u32> {
    // The consonants of U+3131 to U+314e in order, as the first and the last of a syllable.
    const FIRST: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
    const LAST: &str = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
    let &[_, _, 0xa4, first, 0xa4, vowel, 0xa4, last] = parts else { return None };
    let place = |byte: u8, all: &str| {
        let letter = char::from_u32(0x3131 + u32::from(byte.checked_sub(0xa1)?))?;
        u32::try_from(all.chars().position(|one| one == letter)?).ok()
    };
    let vowel = vowel.checked_sub(0xbf).filter(|_| vowel <= 0xd3)?;
    let last = if last == 0xd4 { 0 } else { place(last, LAST)? + 1 };
    Some(0xac00 + place(first, FIRST)? * 588 + u32::from(vowel) * 28 + last)
}
