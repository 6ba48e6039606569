//! Writing a JSON text without the white space between its tokens, while it is read.

use super::scan::{CHUNK, Sink};

/// A value on its way to the end of a buffer.
pub(super) struct Compact<'o> {
    /// Longer than what is written, so that whole chunks can be written and the rest of them overwritten.
    out: &'o mut Vec<u8>,
    start: usize,
    end: usize,
    /// The length of the value, at most.
    room: usize,
    /// Where the names of the outermost object's members begin, counted from that of the object.
    names: Option<&'o mut Vec<u32>>,
    has_escaped_name: bool,
}

impl<'o> Compact<'o> {
    /// A value of at most `room` bytes. The places of names are added to `names`.
    pub(super) fn new(out: &'o mut Vec<u8>, room: usize, names: Option<&'o mut Vec<u32>>) -> Self {
        let start = out.len();
        Self { out, start, end: start, room, names, has_escaped_name: false }
    }

    /// The value is written to its end. Whether a name is spelt with escapes.
    pub(super) fn finish(self) -> bool {
        self.out.truncate(self.end);
        self.has_escaped_name
    }

    /// The value has no end: nothing of it stays.
    pub(super) fn abandon(self) {
        self.out.truncate(self.start);
    }

    #[cold]
    fn grow(&mut self) {
        self.out.resize(self.out.len() + self.room + CHUNK, 0);
    }
}

impl Sink for Compact<'_> {
    #[inline]
    fn byte(&mut self, byte: u8) {
        if self.end == self.out.len() {
            self.grow();
        }
        self.out[self.end] = byte;
        self.end += 1;
    }

    #[inline]
    fn chunk(&mut self, chunk: &[u8; CHUNK], used: usize) {
        if self.end + CHUNK > self.out.len() {
            self.grow();
        }
        self.out[self.end..self.end + CHUNK].copy_from_slice(chunk);
        self.end += used;
    }

    #[inline]
    fn name(&mut self, _: usize) {
        if let Some(names) = &mut self.names {
            // A text of 4 GiB is refused before.
            names.push(u32::try_from(self.end - self.start).unwrap_or(u32::MAX));
        }
    }

    fn escaped_name(&mut self) {
        self.has_escaped_name = true;
    }
}
