//! Writing JSON texts without the white space between their tokens, while they are read.

use super::scan::{self, CHUNK, Fault, Sink};

/// Bytes that the buffer grows by. It is made longer before it is written to.
const STEP: usize = 64 * 1024;

/// A buffer of values, each on one line.
#[derive(Default)]
pub(super) struct Compact {
    /// Longer than what is written, so that whole chunks can be written and what is too much be overwritten.
    buffer: Vec<u8>,
    end: usize,
}

impl Compact {
    /// Goes on after what is in a buffer.
    pub(super) fn after(buffer: Vec<u8>) -> Self {
        Self { end: buffer.len(), buffer }
    }

    /// The bytes that are written.
    pub(super) fn len(&self) -> usize {
        self.end
    }

    /// Writes the value that begins at `at` of a text. The places of its members' names, counted from its own, are added
    /// to `names`. Returns where it ends in the text, and whether a name is spelt with escapes.
    ///
    /// # Errors
    /// If it has no end. What there was of it is written.
    pub(super) fn write(
        &mut self,
        text: &[u8],
        at: usize,
        names: Option<&mut Vec<u32>>,
    ) -> Result<(usize, bool), Fault> {
        if self.buffer.capacity() == self.buffer.len() {
            // The rest of the text is no shorter than what is written of it.
            self.buffer.reserve(text.len() - at + STEP);
        }
        let mut value = Value { start: self.end, compact: self, names, has_escaped_name: false };
        let end = scan::value(text, at, &mut value)?;
        Ok((end, value.has_escaped_name))
    }

    /// What is written.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.buffer.truncate(self.end);
        self.buffer
    }

    #[cold]
    fn grow(&mut self) {
        self.buffer.resize(self.buffer.len() + STEP, 0);
    }
}

/// A value on its way into the buffer.
struct Value<'c> {
    compact: &'c mut Compact,
    start: usize,
    names: Option<&'c mut Vec<u32>>,
    has_escaped_name: bool,
}

impl Sink for Value<'_> {
    #[inline]
    fn byte(&mut self, byte: u8) {
        let compact = &mut *self.compact;
        if compact.end == compact.buffer.len() {
            compact.grow();
        }
        compact.buffer[compact.end] = byte;
        compact.end += 1;
    }

    #[inline]
    fn chunk(&mut self, chunk: &[u8; CHUNK], used: usize) {
        let compact = &mut *self.compact;
        if compact.end + CHUNK > compact.buffer.len() {
            compact.grow();
        }
        compact.buffer[compact.end..compact.end + CHUNK].copy_from_slice(chunk);
        compact.end += used;
    }

    #[inline]
    fn name(&mut self, _: usize) {
        if let Some(names) = &mut self.names {
            // A text of 4 GiB is refused before.
            names.push(u32::try_from(self.compact.end - self.start).unwrap_or(u32::MAX));
        }
    }

    fn escaped_name(&mut self) {
        self.has_escaped_name = true;
    }
}
