//! Reads the lines of a text, one in memory at a time.

use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memchr2};

use super::{MAX_ITEM, broken, wrong};
use crate::http::Undecodable;

/// Bytes that are read at a time.
const CHUNK: usize = 128 * 1024;

/// The lines of a reader.
#[allow(clippy::struct_excessive_bools, reason = "each is about another thing")]
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    at: usize,
    /// Whether a carriage return alone ends a line, too.
    has_returns: bool,
    /// The previous line ended with a carriage return: a following line feed belongs to it.
    is_returned: bool,
    is_over: bool,
    /// The number of the last line, from 1.
    pub(super) number: u64,
    /// Whether it had an end.
    pub(super) is_ended: bool,
}

impl<R: Read> Lines<R> {
    /// Lines that end with a line feed.
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            at: 0,
            has_returns: false,
            is_returned: false,
            is_over: false,
            number: 0,
            is_ended: true,
        }
    }

    /// Lines that end with a line feed, a carriage return, or both.
    pub(super) fn with_returns(reader: R) -> Self {
        Self { has_returns: true, ..Self::new(reader) }
    }

    /// The next line, without its end. `None` at the end of the text.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<&str>> {
        let Some(place) = self.find()? else { return Ok(None) };
        self.number += 1;
        let line = self.buffer.get(place).unwrap_or_default();
        match std::str::from_utf8(line) {
            Ok(line) => Ok(Some(line)),
            Err(_) => Err(wrong(format!("line {} is not UTF-8", self.number)).into()),
        }
    }

    fn find(&mut self) -> anyhow::Result<Option<Range<usize>>> {
        let mut looked = self.at;
        loop {
            if self.is_returned && self.at < self.buffer.len() {
                self.is_returned = false;
                if self.buffer[self.at] == b'\n' {
                    self.at += 1;
                    looked = self.at;
                }
            }
            let rest = self.buffer.get(looked..).unwrap_or_default();
            let end = if self.has_returns { memchr2(b'\n', b'\r', rest) } else { memchr(b'\n', rest) };
            if let Some(end) = end.map(|end| looked + end) {
                let place = self.at..end;
                self.is_returned = self.buffer[end] == b'\r';
                self.at = end + 1;
                self.is_ended = true;
                return Ok(Some(place));
            }
            looked = self.buffer.len();
            if self.is_over {
                let place = self.at..looked;
                self.at = looked;
                self.is_ended = false;
                return Ok(Some(place).filter(|place| !place.is_empty()));
            }
            if looked - self.at > MAX_ITEM {
                let most = MAX_ITEM / (1024 * 1024);
                return Err(wrong(format!("line {} is longer than {most} MiB", self.number + 1)).into());
            }
            looked -= self.at;
            self.fill().map_err(|error| unreadable(error, self.number))?;
        }
    }

    /// Reads more of the text into memory, and drops the handed out part.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.is_over = read_more(&mut self.reader, &mut self.buffer)? == 0;
        Ok(())
    }
}

/// Appends what one read gives, and returns the number of its bytes: 0 at the end.
pub(super) fn read_more(reader: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let length = buffer.len();
    buffer.resize(length + CHUNK, 0);
    let read = loop {
        match reader.read(&mut buffer[length..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    buffer.truncate(length + read.as_ref().copied().unwrap_or_default());
    read
}

/// The failure to read a text after this many lines.
pub(super) fn unreadable(error: io::Error, lines: u64) -> anyhow::Error {
    if error.get_ref().and_then(|inner| inner.downcast_ref::<Undecodable>()).is_some() {
        return error.into();
    }
    broken(format!("it cannot be read after line {lines}: {error}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut lines: Lines<impl Read>) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(line.to_owned());
        }
        all
    }

    /// Returns one byte at a time.
    struct Drops<'t>(&'t [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(1);
            self.0.read(&mut buffer[..length])
        }
    }

    #[test]
    fn lines_are_found_wherever_the_text_is_split() {
        for (text, feeds, returns) in [
            ("a\nb\r\n\nlast", &["a", "b\r", "", "last"][..], &["a", "b", "", "last"][..]),
            ("a\rb\r\r\nc\n", &["a\rb\r\r", "c"], &["a", "b", "", "c"]),
            ("", &[], &[]),
            ("\n", &[""], &[""]),
            ("\r\n", &["\r"], &[""]),
        ] {
            assert_eq!(lines(Lines::new(text.as_bytes())), feeds, "{text:?}");
            assert_eq!(lines(Lines::new(Drops(text.as_bytes()))), feeds, "{text:?}");
            assert_eq!(lines(Lines::with_returns(text.as_bytes())), returns, "{text:?}");
            assert_eq!(lines(Lines::with_returns(Drops(text.as_bytes()))), returns, "{text:?}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let error = Lines::new(io::repeat(b'x')).next().unwrap_err().to_string();
        assert_eq!(error, "line 1 is longer than 32 MiB");
        let error = Lines::new(&b"a\n\xff\n"[..]);
        let mut lines = error;
        assert_eq!(lines.next().unwrap(), Some("a"));
        assert_eq!(lines.next().unwrap_err().to_string(), "line 2 is not UTF-8");
    }
}
