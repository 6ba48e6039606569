//! JSON text in blocks of 64 bytes. For each block, bit masks mark strings, the starts of tokens, and white space
//! between tokens. A reader then jumps from token to token, without reading the bytes between them.
//!
//! The idea is that of Langdale and Lemire, "Parsing Gigabytes of JSON per Second"
//! (<https://arxiv.org/abs/1902.08318>). There is no table of all tokens: a block's are used up before the next block
//! is read.

use wide::u8x16;

use super::fault::Fault;

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;

/// The parser state at the end of a block.
#[derive(Default)]
pub(super) struct Blocks {
    /// Whether the block ends inside a string: every bit, or none.
    in_string: u64,
    /// Whether the block's last byte belongs to a token other than a string or punctuation: the lowest bit.
    in_scalar: u64,
    /// Whether the next block's first byte is escaped.
    escapes_next: bool,
    /// Whether there was a backslash so far.
    pub(super) has_escapes: bool,
}

/// The bit masks of a block: a bit for each byte, the lowest for the first.
pub(super) struct Block {
    /// The first bytes of tokens: brackets, commas and colons, and the first bytes of strings, numbers and words.
    /// Outside of strings, a few other bytes are included, all of them invalid in JSON there.
    pub(super) tokens: u64,
    /// All but the white space between tokens.
    pub(super) kept: u64,
    pub(super) is_ascii: bool,
    /// The fault after the last token. It counts once the tokens are used up: the value may end before.
    pub(super) fault: Option<Fault>,
}

impl Blocks {
    /// Reads the next block. `rest` is the text from it on; `bytes` pads a short last block with blanks. With
    /// `one_line`, a line break between tokens is a fault.
    #[expect(clippy::inline_always, reason = "called for each block, and the compiler would not")]
    #[inline(always)]
    pub(super) fn look(&mut self, bytes: &[u8; BLOCK], rest: &[u8], one_line: bool) -> Block {
        let Marks { mut quotes, punctuation, blanks, breaks, has_backslash, has_control, is_ascii } =
            Marks::of(bytes, !one_line);
        let mut wrong = 0;
        if has_backslash || self.escapes_next {
            wrong = self.escapes(bytes, rest, &mut quotes);
        }
        // A bit is set from an opening quote up to its closing quote, which is not set.
        let strings = parity(quotes) ^ self.in_string;
        self.in_string = 0u64.wrapping_sub(strings >> 63);
        let between = !(strings | quotes);
        let punctuation = punctuation & between;
        let blanks = blanks & between;
        let scalars = between & !punctuation & !blanks;
        let scalar_starts = scalars & !(scalars << 1 | self.in_scalar);
        self.in_scalar = scalars >> 63;
        let tokens = quotes & strings | punctuation | scalar_starts;
        let mut block = Block { tokens, kept: !blanks, is_ascii, fault: None };
        if has_control || wrong | breaks & !between != 0 {
            block.cut(bytes, wrong, between, one_line);
        }
        block
    }

    /// Removes escaped quotes from `quotes`. Returns the backslashes that begin no escape.
    #[cold]
    fn escapes(&mut self, bytes: &[u8; BLOCK], rest: &[u8], quotes: &mut u64) -> u64 {
        let mut wrong = 0;
        let mut left = marks_of(bytes, b'\\');
        if std::mem::take(&mut self.escapes_next) {
            left &= !1;
            *quotes &= !1;
        }
        self.has_escapes = true;
        while left != 0 {
            let backslash = lowest(left);
            if !begins_escape(rest.get(left.trailing_zeros() as usize..).unwrap_or_default()) {
                wrong |= backslash;
            }
            let escaped = backslash << 1;
            self.escapes_next = escaped == 0;
            left &= !(backslash | escaped);
            *quotes &= !escaped;
        }
        wrong
    }
}

impl Block {
    /// Drops the tokens after the first invalid byte, or the one that ends the only line.
    #[cold]
    fn cut(&mut self, bytes: &[u8; BLOCK], mut wrong: u64, between: u64, one_line: bool) {
        let mut breaks = marks_of(bytes, b'\n');
        let others = up_to(bytes, 0x1f) & !breaks;
        // Of control characters, JSON has these three, between tokens.
        if others != 0 {
            let returns = marks_of(bytes, b'\r');
            wrong |= others & !returns & !(marks_of(bytes, b'\t') & between);
            breaks |= returns;
        }
        wrong |= breaks & !between;
        let ends = if one_line { breaks & between } else { 0 };
        let first = lowest(wrong | ends);
        if first != 0 {
            self.fault = Some(if wrong & first == 0 { Fault::LineBreak } else { Fault::Invalid });
            self.tokens &= first - 1;
        }
    }
}

/// Whether the backslash at the start of the text begins an escape, as far as the text goes.
pub(super) fn begins_escape(text: &[u8]) -> bool {
    match text.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') | None => true,
        Some(b'u') => text[2..].iter().take(4).all(u8::is_ascii_hexdigit),
        Some(_) => false,
    }
}

/// Where certain bytes are in a block, inside of strings and outside.
struct Marks {
    quotes: u64,
    /// `{`, `}`, `[`, `]`, `,` and `:`; and `Y`, `_`, `y` and DEL, which are cheaper to include than to exclude.
    punctuation: u64,
    /// Blanks and all control characters.
    blanks: u64,
    /// Line breaks, if they are expected.
    breaks: u64,
    has_backslash: bool,
    /// Whether there are control characters that are not expected.
    has_control: bool,
    is_ascii: bool,
}

impl Marks {
    #[inline]
    fn of(block: &[u8; BLOCK], expects_breaks: bool) -> Self {
        let (mut quotes, mut punctuation, mut blanks, mut breaks) = (0, 0, 0, 0);
        let (mut backslashes, mut controls, mut joined) = (u8x16::splat(0), u8x16::splat(0), u8x16::splat(0));
        for (n, chunk) in block.as_chunks::<16>().0.iter().enumerate() {
            let bytes = u8x16::new(*chunk);
            let is = |byte| bytes.simd_eq(u8x16::splat(byte));
            let up_to = |byte| bytes.min(u8x16::splat(byte)).simd_eq(bytes);
            let place = |found: u8x16| u64::from(found.to_bitmask()) << (16 * n);
            // The common bits of all brackets.
            let bracket = (bytes | u8x16::splat(0x26)).simd_eq(u8x16::splat(0x7f));
            quotes |= place(is(b'"'));
            punctuation |= place(bracket | is(b',') | is(b':'));
            blanks |= place(up_to(b' '));
            backslashes |= is(b'\\');
            let control = up_to(0x1f);
            controls |= if expects_breaks {
                breaks |= place(is(b'\n'));
                control ^ is(b'\n')
            } else {
                control
            };
            joined |= bytes;
        }
        let is_any = |found: u8x16| found.to_bitmask() != 0;
        let (has_backslash, has_control) = (is_any(backslashes), is_any(controls));
        // The mask has the highest bit of each byte.
        Self { quotes, punctuation, blanks, breaks, has_backslash, has_control, is_ascii: !is_any(joined) }
    }
}

/// Where a byte is in a block.
fn marks_of(block: &[u8; BLOCK], byte: u8) -> u64 {
    marks(block, |bytes| bytes.simd_eq(u8x16::splat(byte)))
}

/// Where bytes up to this one are in a block.
fn up_to(block: &[u8; BLOCK], byte: u8) -> u64 {
    marks(block, |bytes| bytes.min(u8x16::splat(byte)).simd_eq(bytes))
}

#[inline]
fn marks(block: &[u8; BLOCK], find: impl Fn(u8x16) -> u8x16) -> u64 {
    let chunks = block.as_chunks::<16>().0.iter().enumerate();
    chunks.fold(0, |marks, (n, chunk)| marks | u64::from(find(u8x16::new(*chunk)).to_bitmask()) << (16 * n))
}

/// Whether the number of bits set up to each place, itself included, is odd.
#[inline]
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The lowest bit that is set.
#[inline]
fn lowest(bits: u64) -> u64 {
    bits & bits.wrapping_neg()
}

/// This many of the lowest bits.
#[inline]
pub(super) fn below(count: usize) -> u64 {
    if count < BLOCK { (1 << count) - 1 } else { u64::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of a text, each with the bytes up to the next one; and the fault after them.
    fn tokens(text: &str) -> (Vec<String>, Option<Fault>) {
        let (mut blocks, mut places, mut fault) = (Blocks::default(), Vec::new(), None);
        for (n, block) in text.as_bytes().chunks(BLOCK).enumerate() {
            let mut bytes = [b' '; BLOCK];
            bytes[..block.len()].copy_from_slice(block);
            let block = blocks.look(&bytes, &text.as_bytes()[n * BLOCK..], false);
            places.extend((0..BLOCK).filter(|bit| block.tokens >> bit & 1 == 1).map(|bit| n * BLOCK + bit));
            fault = block.fault;
            if fault.is_some() {
                break;
            }
        }
        places.push(text.len());
        (places.windows(2).map(|pair| text[pair[0]..pair[1]].to_owned()).collect(), fault)
    }

    #[test]
    fn every_token_is_found_wherever_blocks_end() {
        let expected = ["{", r#""a{\"}\\" "#, ": ", "[", "-12.5e3 ", ",", "true", ",", r#""é\\\" ,""#, "]", "} "];
        for blanks in 0..130 {
            let found = tokens(&format!("{}{}", " ".repeat(blanks), expected.concat()));
            assert_eq!(found, (expected.map(str::to_owned).to_vec(), None), "after {blanks} blanks");
        }
    }

    #[test]
    fn a_fault_counts_after_the_tokens_before_it() {
        for blanks in 0..130 {
            for wrong in ["\u{1}", "\"a\nb\"", r#""\x""#, r#""\u12g4""#, "\"\\\n\"", "\"\t\""] {
                let (found, fault) = tokens(&format!("{}[1]{wrong},[", " ".repeat(blanks)));
                assert_eq!(found[..2], ["[", "1"], "{wrong}");
                assert!(found[2].starts_with(']') && !found.contains(&"[".repeat(2)), "{wrong}");
                assert_eq!(fault, Some(Fault::Invalid), "{wrong}");
            }
        }
    }
}
