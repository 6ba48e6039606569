//! The characters of each byte, or pair of bytes, of the encodings that are lists of them. `.ci/encodings.py` makes them
//! of Python's codecs.
//!
//! All lists together are one row of cells, which is kept as operations, since most encodings repeat parts of others:
//! as text it would be megabytes. A cell is 0 for no character, a character's number and 1, or two characters, as the
//! halves of a number, and 1. An operation is three bits for its kind and five for a count, and those of larger counts
//! are arguments. The deflated data has the lengths of three parts, and the parts: operations, arguments, and the halves
//! of literals, each the difference to the one before.

use std::io::Read;
use std::sync::OnceLock;

use flate2::read::DeflateDecoder;

use super::converter::push_code;

const PACKED: &[u8] = include_bytes!("tables.bin");

/// Tables with one byte a character, each of 256 cells.
pub(super) const BYTES: usize = 71;
/// Cells of a table with two bytes a character: of a byte alone, then of each pair that begins with 0x80 or more.
const PAIR: usize = 256 + 128 * 256;

// The numbers of tables of pairs. Those with more have it in the tables behind.
pub(super) const EUC_JP: usize = 0;
pub(super) const EUC_JIS_2004: usize = 4;
pub(super) const EUC_JISX0213: usize = 6;
pub(super) const GB2312: usize = 10;
pub(super) const GB18030: usize = 12;
pub(super) const EUC_KR: usize = 18;
const PAIRS: usize = 21;

/// The cells of the table of bytes with this number.
pub(super) fn of_bytes(number: usize) -> &'static [u32] {
    static CELLS: OnceLock<Vec<u32>> = OnceLock::new();
    let cells = CELLS.get_or_init(|| unpack(BYTES * 256));
    cells.get(number * 256..(number + 1) * 256).unwrap_or_default()
}

/// The cells of the table of pairs with this number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pairs(&'static [u32]);

impl Pairs {
    pub(super) fn of(number: usize) -> Self {
        static CELLS: [OnceLock<Vec<u32>>; PAIRS] = [const { OnceLock::new() }; PAIRS];
        let more = match number {
            EUC_JP | EUC_JIS_2004 | EUC_JISX0213 => 1,
            GB18030 => 2,
            _ => 0,
        };
        let unpacked = || {
            let start = BYTES * 256 + number * PAIR;
            unpack(start + (1 + more) * PAIR).split_off(start)
        };
        Self(CELLS.get(number).map_or(&[], |cells| cells.get_or_init(unpacked)))
    }

    fn at(self, place: usize) -> u32 {
        self.0.get(place).copied().unwrap_or_default()
    }

    /// The cell of a byte alone.
    pub(super) fn of_one(self, byte: u8) -> u32 {
        self.at(usize::from(byte))
    }

    /// The cell of a pair.
    pub(super) fn of_two(self, first: u8, second: u8) -> u32 {
        first.checked_sub(0x80).map_or(0, |row| self.at(256 + usize::from(row) * 256 + usize::from(second)))
    }

    /// The cell of a pair after a byte that announces one from elsewhere.
    pub(super) fn of_three(self, second: u8, third: u8) -> u32 {
        second.checked_sub(0x80).map_or(0, |row| self.at(PAIR + 256 + usize::from(row) * 256 + usize::from(third)))
    }

    /// The cell of a number that four bytes make.
    pub(super) fn of_four(self, number: usize) -> u32 {
        self.at(PAIR + number)
    }
}

/// Appends the characters of a cell. None for an empty cell.
pub(super) fn push_cell(cell: u32, out: &mut Vec<u8>) -> bool {
    let Some(code) = cell.checked_sub(1) else { return false };
    match code {
        0..=0x10_ffff => push_code(code, out),
        _ => push_code(code >> 16, out) && push_code(code & 0xffff, out),
    }
}

/// The first cells: this many.
fn unpack(most: usize) -> Vec<u32> {
    let mut packed = Vec::new();
    // It is part of the program, and a test reads all of it.
    let _ = DeflateDecoder::new(PACKED).read_to_end(&mut packed);
    let mut rest = packed.get(12..).unwrap_or_default();
    let mut part = |place: usize| {
        let length = packed.get(place * 4..place * 4 + 4).and_then(|bytes| bytes.try_into().ok());
        let length = u32::from_le_bytes(length.unwrap_or_default()) as usize;
        let (part, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        part.iter().copied()
    };
    let (operations, mut arguments, high) = (part(0), part(1), part(2));
    let mut literals = high.zip(rest).scan(0_u16, |before, (high, low)| {
        let step = u16::from_be_bytes([high, *low]);
        *before = before.wrapping_add((step >> 1) ^ (step & 1).wrapping_neg());
        Some(u32::from(*before))
    });
    let mut argument = || {
        let (mut number, mut shift) = (0, 0);
        for byte in arguments.by_ref() {
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        number
    };
    let mut cells = Vec::with_capacity(most + 256);
    let (mut last, mut copied) = (0_u32, 0_usize);
    for operation in operations {
        if cells.len() >= most {
            break;
        }
        let count = match operation & 31 {
            31 => 32 + argument(),
            count => 1 + usize::from(count),
        };
        match operation >> 5 {
            0 => {
                cells.resize(cells.len() + count, 0);
                continue;
            }
            1 => cells.extend((1..).take(count).map(|step| last + step)),
            2 => {
                let step = argument();
                let back = step & 1 == 1;
                copied = if back { copied.wrapping_sub(step / 2 + 1) } else { copied.wrapping_add(step / 2) };
                for place in copied..copied.saturating_add(count) {
                    cells.push(cells.get(place).copied().unwrap_or_default());
                }
                copied += count;
            }
            3 => cells.extend(literals.by_ref().take(count).map(|code| code + 1)),
            4 => cells.extend(literals.by_ref().take(count).map(|code| code + 0x2_0001)),
            _ => {
                for _ in 0..count {
                    let (first, second) = (literals.next().unwrap_or_default(), literals.next().unwrap_or_default());
                    cells.push(((first << 16) | second) + 1);
                }
            }
        }
        last = cells.last().copied().unwrap_or_default();
    }
    cells.truncate(most);
    cells
}
