//! Writing JSON texts without the white space between their tokens, while they are read.

use super::scan::{self, CHUNK, Fault, Sink};
use crate::buffers::Buffer;

/// Appends the value that begins at `at` of a text to a buffer, on one line. The places of its members' names, counted
/// from its own, are added to `names`. Returns where it ends in the text, and whether a name is spelt with escapes.
///
/// # Errors
/// If it has no end. What there was of it is written.
pub(super) fn write(
    out: &mut Buffer,
    text: &[u8],
    at: usize,
    names: Option<&mut Vec<u32>>,
) -> Result<(usize, bool), Fault> {
    if out.is_empty() {
        // The rest of the text is no shorter than what is written of it.
        out.reserve(text.len() - at + CHUNK);
    }
    let mut value = Compact { start: out.len(), out, names, has_escaped_name: false };
    let end = scan::value(text, at, &mut value)?;
    Ok((end, value.has_escaped_name))
}

/// A value on its way into the buffer.
struct Compact<'o> {
    out: &'o mut Buffer,
    start: usize,
    names: Option<&'o mut Vec<u32>>,
    has_escaped_name: bool,
}

impl Sink for Compact<'_> {
    #[inline]
    fn byte(&mut self, byte: u8) {
        self.out.room(1)[0] = byte;
        self.out.fill(1);
    }

    #[inline]
    fn chunk(&mut self, chunk: &[u8; CHUNK], used: usize) {
        // All of it is written, and what is too much is overwritten by what comes next.
        self.out.room(CHUNK)[..CHUNK].copy_from_slice(chunk);
        self.out.fill(used);
    }

    #[inline]
    fn name(&mut self, _: usize) {
        if let Some(names) = &mut self.names {
            // A text of 4 GiB is refused before.
            names.push(u32::try_from(self.out.len() - self.start).unwrap_or(u32::MAX));
        }
    }

    fn escaped_name(&mut self) {
        self.has_escaped_name = true;
    }
}
