//! The input of a decoder: the bytes of a body, or a part of one, and their known encoding.

use std::fmt;
use std::io::{self, Cursor, Read};

use super::{Encoding, MAX_UNPACKED, wrong};
use crate::http::{Body, ReadSeek, Response};

/// Longest archive inside another archive, in bytes: it is held in memory.
const MAX_INNER: u64 = 64 * 1024 * 1024;

/// The bytes to decode.
pub struct Encoded<'r> {
    source: Source<'r>,
    charset: Option<Encoding>,
}

enum Source<'r> {
    Body(&'r Body),
    Reader(Box<dyn Read + 'r>),
}

impl<'r> Encoded<'r> {
    /// The body of a response. Content codings are already undone. The header states its encoding.
    #[must_use]
    pub fn of(response: &'r Response) -> Self {
        Self { source: Source::Body(&response.body), charset: charset(response) }
    }

    /// These bytes.
    pub fn of_bytes(bytes: impl Read + 'r) -> Self {
        Self { source: Source::Reader(Box::new(bytes)), charset: None }
    }

    pub(crate) fn of_body(body: &'r Body, charset: Option<Encoding>) -> Self {
        Self { source: Source::Body(body), charset }
    }

    /// The content of a coding that was undone: other bytes, in the same encoding.
    pub(super) fn unpacked(self, unpack: impl FnOnce(Box<dyn Read + 'r>) -> Box<dyn Read + 'r>) -> io::Result<Self> {
        let charset = self.charset.clone();
        Ok(Self { source: Source::Reader(unpack(self.bytes()?)), charset })
    }

    /// The encoding in the response's header, if it is supported.
    #[must_use]
    pub fn charset(&self) -> Option<&Encoding> {
        self.charset.as_ref()
    }

    /// The bytes, from the first one.
    ///
    /// # Errors
    /// If the body is on disk and cannot be read.
    pub fn bytes(self) -> io::Result<Box<dyn Read + 'r>> {
        match self.source {
            Source::Body(body) => body.reader(),
            Source::Reader(reader) => Ok(reader),
        }
    }

    /// The text, as UTF-8 and without a byte order mark. It is in `encoding`, otherwise in that of a byte order mark,
    /// otherwise in UTF-8; if it turns out not to be UTF-8, in that of the header. Invalid UTF-8 passes unchanged, and
    /// the code that makes texts of it reports it.
    ///
    /// # Errors
    /// If the body is on disk and cannot be read.
    pub fn text(self, encoding: Option<&Encoding>) -> io::Result<Box<dyn Read + 'r>> {
        let charset = self.charset.clone();
        encoding.cloned().unwrap_or_default().to_utf8(self.bytes()?, charset.filter(|_| encoding.is_none()))
    }

    /// The bytes, readable from any position.
    pub(super) fn seekable(self) -> anyhow::Result<Box<dyn ReadSeek + 'r>> {
        match self.source {
            Source::Body(body) => Ok(body.seekable()?),
            Source::Reader(reader) => {
                let mut bytes = Vec::new();
                reader.take(MAX_INNER + 1).read_to_end(&mut bytes)?;
                match bytes.len() as u64 <= MAX_INNER {
                    true => Ok(Box::new(Cursor::new(bytes))),
                    false => Err(wrong("an archive within another coding is longer than 64 MiB").into()),
                }
            }
        }
    }
}

impl fmt::Debug for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded").field("charset", &self.charset).finish_non_exhaustive()
    }
}

/// The encoding of a response's text, by its header.
pub(crate) fn charset(response: &Response) -> Option<Encoding> {
    let kind = response.header("content-type")?;
    let charset = kind.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    Encoding::named(charset?)
}

/// Fails if a compressed body has no end.
pub(super) struct Unpacked<R> {
    reader: R,
    left: u64,
}

impl<R> Unpacked<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, left: MAX_UNPACKED }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(wrong(format!("it is longer than {} GiB when it is unpacked", MAX_UNPACKED >> 30)))
        })?;
        Ok(read)
    }
}
