//! Writes JSON texts without the white space between their tokens, while reading them.

use super::blocks::BLOCK;
use super::fault::Fault;
use super::scan::{self, Sink};
use crate::buffers::Buffer;

/// Bytes that are copied at a time.
const CHUNK: usize = 16;
/// A block, and what is copied beyond its end.
const WINDOW: usize = BLOCK + CHUNK;

/// Appends the object or list that begins at `at` of a text to a buffer, on one line. `names` gets the positions of its
/// members' names, relative to its own. Returns its end in the text, and whether it has escapes.
///
/// # Errors
/// If it has no end. A part of it has been written.
pub(super) fn write(
    out: &mut Buffer,
    text: &[u8],
    at: usize,
    names: Option<&mut Vec<u32>>,
) -> Result<(usize, bool), Fault> {
    if out.is_empty() {
        // The output is no longer than the rest of the text.
        out.reserve(text.len() - at + WINDOW);
    }
    let mut value = Compact { start: out.len(), out, names, has_escapes: false };
    let end = scan::value(text, at, &mut value)?;
    Ok((end, value.has_escapes))
}

/// A value being written to the buffer.
struct Compact<'o> {
    out: &'o mut Buffer,
    start: usize,
    names: Option<&'o mut Vec<u32>>,
    has_escapes: bool,
}

impl Sink for Compact<'_> {
    #[inline]
    fn block(&mut self, text: &[u8], at: usize, mut kept: u64) {
        let rest = text.get(at..).unwrap_or_default();
        let mut last;
        let bytes: &[u8; WINDOW] = if let Some(bytes) = rest.first_chunk() {
            bytes
        } else {
            last = [b' '; WINDOW];
            last[..rest.len()].copy_from_slice(rest);
            &last
        };
        let Some(room) = self.out.room(WINDOW).first_chunk_mut::<WINDOW>() else { return };
        let mut written = 0;
        while kept != 0 {
            let skipped = kept.trailing_zeros() as usize;
            let length = (kept >> skipped).trailing_ones() as usize;
            let mut copied = 0;
            // Copies sixteen bytes at a time; the next copy overwrites the surplus.
            while copied < length {
                // Both are in the block. The remainders only show that no check of bounds is needed.
                let (from, to) = ((skipped + copied) % BLOCK, (written + copied) % BLOCK);
                room[to..to + CHUNK].copy_from_slice(&bytes[from..from + CHUNK]);
                copied += CHUNK;
            }
            written += length;
            // A bit added to the lowest run of bits is carried past its end.
            kept &= kept.wrapping_add(1 << skipped);
        }
        self.out.fill(written);
    }

    #[inline]
    fn name(&mut self, _: usize, kept_before: u64) {
        if let Some(names) = &mut self.names {
            let place = self.out.len() - self.start + kept_before.count_ones() as usize;
            // A text of 4 GiB is refused before.
            names.push(u32::try_from(place).unwrap_or(u32::MAX));
        }
    }

    fn end(&mut self, has_escapes: bool) {
        self.has_escapes = has_escapes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line, its end in the text, the positions of names.
    fn written(text: &str) -> Result<(String, usize, Vec<u32>), Fault> {
        let (mut out, mut names) = (Buffer::default(), Vec::new());
        let (end, _) = write(&mut out, text.as_bytes(), 0, Some(&mut names))?;
        Ok((String::from_utf8(out.into_vec()).unwrap(), end, names))
    }

    #[test]
    fn names_are_found_in_what_was_written_wherever_blocks_end() {
        for blanks in 0..140 {
            let text = format!("{{\n{:blanks$}\"a\": [1,\n 2 ],\r\n\t\"bc\" : \"{{ \\\" }}\" \n }} , {{", "");
            let line = r#"{"a":[1,2],"bc":"{ \" }"}"#;
            assert_eq!(written(&text), Ok((line.to_owned(), text.len() - 4, vec![1, 11])), "{text}");
        }
    }

    #[test]
    fn a_text_truncated_anywhere_has_no_end() {
        let text = format!("{{\n \"name\" : \"{0}\\n{0}\",\n \"n\": [ -1.5e7, null ]\n}}", "a long string ".repeat(5));
        assert_eq!(written(&text).unwrap().1, text.len());
        for cut in 1..text.len() {
            assert_eq!(written(&text[..cut]), Err(Fault::Incomplete), "{}", &text[..cut]);
        }
    }
}
