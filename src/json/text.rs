//! Text that is read from start to end: all of it in memory, or a moving window over it.

use std::io::{self, Read};

use super::scan;

/// The least bytes of a read.
const WINDOW: usize = 128 * 1024;
/// The most bytes of a read.
const MAX_STEP: usize = 4 * 1024 * 1024;

/// A text, as far as it is in memory.
pub(super) trait Text {
    /// The part in memory.
    fn bytes(&self) -> &[u8];

    /// Reads more of it into memory, and drops the part before `from`, which becomes the first byte. False at the end
    /// of the text; then nothing has moved.
    fn more(&mut self, from: usize) -> io::Result<bool>;
}

impl Text for &[u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn more(&mut self, _: usize) -> io::Result<bool> {
        Ok(false)
    }
}

/// A window over a reader. It is as long as the longest value that is read.
pub(super) struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    is_begun: bool,
}

/// The position of a walk in a text.
pub(super) struct Place<T> {
    pub(super) text: T,
    /// The next byte, in the part in memory.
    pub(super) at: usize,
    /// The number of dropped bytes.
    before: usize,
}

impl<T: Text> Place<T> {
    /// The beginning of a text.
    pub(super) fn new(text: T) -> Self {
        Self { text, at: 0, before: 0 }
    }

    /// The next byte other than white space, if there is one.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            self.at = scan::white_space(self.text.bytes(), self.at);
            if let Some(byte) = self.text.bytes().get(self.at) {
                return Ok(Some(*byte));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Reads more of the text into memory. False at its end.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        let more = self.text.more(self.at)?;
        if more {
            self.before += self.at;
            self.at = 0;
        }
        Ok(more)
    }

    /// The next byte, counted from the start of the text.
    pub(super) fn offset(&self) -> usize {
        self.before + self.at
    }
}

/// RFC 8259 lets a parser ignore a byte order mark, and some APIs send one.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A text in memory, without a byte order mark.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

impl<R: Read> Window<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), is_begun: false }
    }
}

impl<R: Read> Text for Window<R> {
    fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    fn more(&mut self, from: usize) -> io::Result<bool> {
        // A value that does not fit is read again from its start, with twice as much of it, up to a limit.
        let wanted = (self.buffer.len() - from).clamp(WINDOW, MAX_STEP);
        let mut rest = self.reader.by_ref().take(wanted as u64);
        if !std::mem::replace(&mut self.is_begun, true) {
            let read = rest.read_to_end(&mut self.buffer)?;
            let mark = read - without_mark(&self.buffer).len();
            self.buffer.drain(..mark);
            return Ok(read > 0);
        }
        // Nothing may move before it is known whether there is more.
        let mut first = [0];
        if rest.read(&mut first)? == 0 {
            return Ok(false);
        }
        self.buffer.drain(..from);
        self.buffer.extend(first);
        rest.read_to_end(&mut self.buffer)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_moves_and_grows_with_the_kept_part() {
        let bytes: Vec<u8> = (0..=255).cycle().take(4 * WINDOW).collect();
        let mut window = Window::new(bytes.as_slice());
        assert!(window.bytes().is_empty() && window.more(0).unwrap());
        assert_eq!(window.bytes(), &bytes[..WINDOW]);
        assert!(window.more(10).unwrap());
        assert_eq!(window.bytes(), &bytes[10..2 * WINDOW]);
        assert!(window.more(0).unwrap());
        assert_eq!(window.bytes(), &bytes[10..4 * WINDOW - 10]);
        assert!(window.more(3 * WINDOW).unwrap());
        assert_eq!(window.bytes(), &bytes[10 + 3 * WINDOW..]);
        assert!(!window.more(5).unwrap());
        assert_eq!(window.bytes(), &bytes[10 + 3 * WINDOW..], "at the end nothing moves");
    }
}
