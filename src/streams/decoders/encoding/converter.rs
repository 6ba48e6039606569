//! What the code of each encoding has in common: it reads a text step by step, wherever the pieces of it end.

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// These bytes are read.
    Took(usize),
    /// A character may begin here, and more bytes decide.
    Incomplete,
    /// No character begins here.
    Invalid,
}

/// Converts a text of one encoding to UTF-8.
pub(super) trait Converter {
    /// Appends the character, or the few of them, at the beginning of `rest`, which is not empty.
    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step;

    /// Whether a text may end with `rest`, which is empty or incomplete.
    fn end(&mut self, rest: &[u8], _out: &mut Vec<u8>) -> bool {
        rest.is_empty()
    }

    /// Appends the characters of `input`, and returns the number of their bytes. An incomplete character at the end
    /// remains for the next call, unless the text `is_over`.
    ///
    /// # Errors
    /// The place of a byte where no character begins.
    fn convert(&mut self, input: &[u8], is_over: bool, out: &mut Vec<u8>) -> Result<usize, usize> {
        let mut at = 0;
        while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty()) {
            match self.step(rest, out) {
                Step::Took(length) => at += length,
                Step::Incomplete => break,
                Step::Invalid => return Err(at),
            }
        }
        match is_over {
            true if !self.end(&input[at..], out) => Err(at),
            true => Ok(input.len()),
            false => Ok(at),
        }
    }
}

/// Appends a character. Half of a character, or a number beyond all of them, is none.
pub(super) fn push_code(code: u32, out: &mut Vec<u8>) -> bool {
    match char::from_u32(code) {
        Some(char) => push(char, out),
        None => return false,
    }
    true
}

/// Appends a character.
pub(super) fn push(char: char, out: &mut Vec<u8>) {
    match u8::try_from(char) {
        Ok(byte) if byte < 0x80 => out.push(byte),
        _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}
