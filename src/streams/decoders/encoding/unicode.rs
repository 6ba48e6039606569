//! Encodings of Unicode other than UTF-8.

use super::converter::{Converter, Step, push, push_code};

/// UTF-16.
pub(super) struct Utf16 {
    /// Whether the larger half of a unit comes first.
    pub(super) is_big: bool,
}

impl Converter for Utf16 {
    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        let unit = |at: usize| {
            let bytes = rest.get(at..at + 2)?.try_into().ok()?;
            Some(if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
        };
        let Some(first) = unit(0) else { return Step::Incomplete };
        let char = match (first, unit(2)) {
            (0xd800..0xdc00, None) => return Step::Incomplete,
            (0xd800..0xdc00, Some(second)) => char::decode_utf16([first, second]).next(),
            _ => char::decode_utf16([first]).next(),
        };
        let Some(Ok(char)) = char else { return Step::Invalid };
        push(char, out);
        Step::Took(2 * char.len_utf16())
    }
}

/// UTF-32.
pub(super) struct Utf32 {
    /// Whether the largest byte comes first.
    pub(super) is_big: bool,
}

impl Converter for Utf32 {
    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        let Some(bytes) = rest.get(..4).and_then(|bytes| bytes.try_into().ok()) else { return Step::Incomplete };
        let code = if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        if push_code(code, out) { Step::Took(4) } else { Step::Invalid }
    }
}

/// UTF-7: ASCII, and UTF-16 in base64 between `+` and anything else.
#[derive(Default)]
pub(super) struct Utf7 {
    base64: Option<Base64>,
}

#[derive(Default)]
struct Base64 {
    /// Bits that make no unit yet.
    bits: u32,
    count: u32,
    /// The first half of a character.
    half: Option<u16>,
}

impl Base64 {
    /// Whether it may end here: less than a letter of zeros is left.
    fn is_whole(&self) -> bool {
        self.count < 6 && self.bits == 0 && self.half.is_none()
    }

    /// Adds a letter. `None` for half of a character without its other half.
    fn add(&mut self, letter: u32, out: &mut Vec<u8>) -> Option<()> {
        self.bits = (self.bits << 6) | letter;
        self.count += 6;
        if let Some(left) = self.count.checked_sub(16) {
            let unit = u16::try_from(self.bits >> left).unwrap_or_default();
            self.bits &= (1 << left) - 1;
            self.count = left;
            match (self.half.take(), unit) {
                (None, 0xd800..0xdc00) => self.half = Some(unit),
                (None, _) => push(char::from_u32(unit.into())?, out),
                (Some(half), _) => push(char::decode_utf16([half, unit]).next()?.ok()?, out),
            }
        }
        Some(())
    }
}

/// The bits of a letter of base64.
fn letter(byte: u8) -> Option<u32> {
    let bits = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(bits.into())
}

impl Converter for Utf7 {
    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        let first = rest[0];
        if let Some(base64) = &mut self.base64 {
            if let Some(letter) = letter(first) {
                return base64.add(letter, out).map_or(Step::Invalid, |()| Step::Took(1));
            }
            if !base64.is_whole() {
                return Step::Invalid;
            }
            self.base64 = None;
            if first == b'-' {
                return Step::Took(1);
            }
        }
        match (first, rest.get(1)) {
            (b'+', None) => Step::Incomplete,
            (b'+', Some(b'-')) => {
                out.push(b'+');
                Step::Took(2)
            }
            (b'+', Some(second)) if letter(*second).is_some() => {
                self.base64 = Some(Base64::default());
                Step::Took(1)
            }
            (b'+' | 0x80.., _) => Step::Invalid,
            _ => {
                out.push(first);
                Step::Took(1)
            }
        }
    }

    fn end(&mut self, rest: &[u8], _: &mut Vec<u8>) -> bool {
        // A `+` at the end begins nothing.
        (rest.is_empty() || rest == b"+") && self.base64.as_ref().is_none_or(Base64::is_whole)
    }
}

/// The escapes in texts of Python. Other bytes are Latin-1.
pub(super) struct Escapes {
    /// Whether there are only `\u` and `\U`.
    pub(super) is_raw: bool,
}

impl Converter for Escapes {
    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        let Some(kind) = rest.strip_prefix(b"\\") else {
            push(rest[0].into(), out);
            return Step::Took(1);
        };
        let Some(kind) = kind.first() else { return Step::Incomplete };
        let number = match (kind, self.is_raw) {
            (b'u', _) => number(&rest[2..], 4, 16),
            (b'U', _) => number(&rest[2..], 8, 16),
            (b'x', false) => number(&rest[2..], 2, 16),
            (b'0'..=b'7', false) => {
                let digits = rest[1..].iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
                match digits < 3 && digits + 1 == rest.len() {
                    true => return Step::Incomplete,
                    false => number(&rest[1..], digits, 8),
                }
            }
            // The names of all characters are not in this program.
            (b'N', false) => return Step::Invalid,
            _ => {
                let meant = match kind {
                    _ if self.is_raw => None,
                    b'\\' | b'\'' | b'"' => Some(*kind),
                    b'a' => Some(7),
                    b'b' => Some(8),
                    b't' => Some(b'\t'),
                    b'n' => Some(b'\n'),
                    b'v' => Some(11),
                    b'f' => Some(12),
                    b'r' => Some(b'\r'),
                    _ => None,
                };
                match meant {
                    Some(meant) => out.push(meant),
                    None if *kind == b'\n' && !self.is_raw => {}
                    None => {
                        out.push(b'\\');
                        push((*kind).into(), out);
                    }
                }
                return Step::Took(2);
            }
        };
        let prefix = if kind.is_ascii_digit() { 1 } else { 2 };
        match number {
            Ok((code, digits)) if push_code(code, out) => Step::Took(prefix + digits),
            Ok(_) => Step::Invalid,
            Err(step) => step,
        }
    }

    fn end(&mut self, rest: &[u8], out: &mut Vec<u8>) -> bool {
        match rest {
            [] => true,
            b"\\" if self.is_raw => {
                out.push(b'\\');
                true
            }
            // One or two digits of an octal number.
            _ => self.step(&[rest, b"\n"].concat(), out) == Step::Took(rest.len()),
        }
    }
}

/// The number that this many digits make, and the count of them.
fn number(rest: &[u8], digits: usize, base: u32) -> Result<(u32, usize), Step> {
    let mut number = 0_u32;
    for place in 0..digits {
        let digit = char::from(*rest.get(place).ok_or(Step::Incomplete)?).to_digit(base).ok_or(Step::Invalid)?;
        number = number.checked_mul(base).ok_or(Step::Invalid)? | digit;
    }
    Ok((number, digits))
}
