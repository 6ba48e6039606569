//! Encodings of texts. Their names are those of Python's codecs; the output is UTF-8.

use std::io::{self, Cursor, Read};

use super::encoding_tables::TABLES;
use super::wrong;

/// Bytes that are read at a time.
const CHUNK: u64 = 64 * 1024;

/// An encoding of texts: UTF-8, UTF-16, ASCII, Latin-1 and its relatives, and the code pages of Europe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoding(Kind);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Utf8,
    /// Whether the larger half of a unit comes first, if stated.
    Utf16(Option<bool>),
    Ascii,
    Latin1,
    /// The characters of the bytes from 0x80 on.
    Table(&'static str),
}

impl Encoding {
    /// The encoding of a name, such as `utf-8`, `iso-8859-1` or `windows-1252`. `None` if it is unsupported. A byte
    /// order mark is always removed, so `utf-8-sig` is `utf-8`.
    ///
    /// ```
    /// use source_http::streams::decoders::Encoding;
    ///
    /// assert_eq!(Encoding::named("UTF_8"), Some(Encoding::default()));
    /// assert!(Encoding::named("latin-1").is_some() && Encoding::named("utf-7").is_none());
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let kind = match name.as_str() {
            "utf8" | "u8" | "utf8sig" | "cp65001" => Kind::Utf8,
            "utf16" | "u16" => Kind::Utf16(None),
            "utf16le" => Kind::Utf16(Some(false)),
            "utf16be" => Kind::Utf16(Some(true)),
            "ascii" | "usascii" | "646" => Kind::Ascii,
            "latin1" | "l1" | "iso88591" | "88591" | "8859" | "cp819" | "iso885911987" => Kind::Latin1,
            name => Kind::Table(TABLES.iter().find(|(names, _)| names.contains(&name))?.1),
        };
        Some(Self(kind))
    }

    /// Reads a text as UTF-8, without its mark. A text that should be UTF-8 and is not is read in `otherwise`.
    pub(super) fn to_utf8<'r>(
        &self,
        mut reader: Box<dyn Read + 'r>,
        otherwise: Option<Self>,
    ) -> io::Result<Box<dyn Read + 'r>> {
        let mut start = Vec::new();
        reader.by_ref().take(3).read_to_end(&mut start)?;
        let marked = match start[..] {
            [0xef, 0xbb, 0xbf] => Some((Kind::Utf8, 3)),
            [0xff, 0xfe, ..] => Some((Kind::Utf16(Some(false)), 2)),
            [0xfe, 0xff, ..] => Some((Kind::Utf16(Some(true)), 2)),
            _ => None,
        };
        let is_wide = matches!(self.0, Kind::Utf16(_));
        let (kind, length, is_marked) = match marked {
            // In one byte a character, these are characters.
            Some((kind, length)) if self.0 == Kind::Utf8 || is_wide && kind != Kind::Utf8 => (kind, length, true),
            _ => (self.0.clone(), 0, false),
        };
        start.drain(..length);
        let otherwise = otherwise.map(|encoding| encoding.0).filter(|_| !is_marked);
        let kind = match (kind, &otherwise) {
            (Kind::Utf8, Some(wide @ Kind::Utf16(_))) => wide.clone(),
            (kind, _) => kind,
        };
        let reader = Cursor::new(start).chain(reader);
        Ok(match (&kind, otherwise) {
            (Kind::Utf8, None | Some(Kind::Utf8 | Kind::Ascii | Kind::Utf16(_))) => Box::new(reader),
            (_, otherwise) => Box::new(Recoded {
                reader,
                kind,
                otherwise,
                before: 0,
                input: Vec::new(),
                output: Cursor::default(),
                is_over: false,
            }),
        })
    }
}

/// A text that is converted to UTF-8.
struct Recoded<R> {
    reader: R,
    kind: Kind,
    /// The encoding after the first invalid UTF-8.
    otherwise: Option<Kind>,
    /// The number of bytes already converted.
    before: u64,
    input: Vec<u8>,
    output: Cursor<Vec<u8>>,
    is_over: bool,
}

impl<R: Read> Recoded<R> {
    /// Converts the available input, except an incomplete character at its end.
    fn recode(&mut self) -> io::Result<()> {
        let mut out = Vec::with_capacity(self.input.len() + 16);
        let done = match &self.kind {
            Kind::Utf8 => {
                let (valid, cut) = match std::str::from_utf8(&self.input) {
                    Ok(_) => (self.input.len(), false),
                    Err(error) => (error.valid_up_to(), error.error_len().is_some() || self.is_over),
                };
                out.extend_from_slice(&self.input[..valid]);
                if cut && let Some(otherwise) = self.otherwise.take() {
                    self.kind = otherwise;
                }
                valid
            }
            Kind::Utf16(big) => self.wide(big.unwrap_or(false), &mut out)?,
            Kind::Ascii | Kind::Latin1 | Kind::Table(_) => {
                let table: Vec<char> = match &self.kind {
                    Kind::Table(table) => table.chars().collect(),
                    Kind::Latin1 => ('\u{80}'..='\u{ff}').collect(),
                    _ => Vec::new(),
                };
                for (at, byte) in self.input.iter().enumerate() {
                    match byte.checked_sub(0x80).map(|high| table.get(usize::from(high))) {
                        None => out.push(*byte),
                        Some(Some(char)) if *char != char::REPLACEMENT_CHARACTER => {
                            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                        }
                        Some(_) => return Err(self.no_text(at)),
                    }
                }
                self.input.len()
            }
        };
        self.before += done as u64;
        self.input.drain(..done);
        self.output = Cursor::new(out);
        Ok(())
    }

    fn wide(&self, is_big: bool, out: &mut Vec<u8>) -> io::Result<usize> {
        let mut units = self.input.chunks_exact(2).map(|unit| match is_big {
            true => u16::from_be_bytes([unit[0], unit[1]]),
            false => u16::from_le_bytes([unit[0], unit[1]]),
        });
        let mut done = 0;
        while let Some(first) = units.next() {
            let char = match first {
                0xd800..0xdc00 => match units.next() {
                    // Its other half has not arrived yet.
                    None if !self.is_over => break,
                    second => char::decode_utf16([first, second.unwrap_or_default()]).next(),
                },
                _ => char::decode_utf16([first]).next(),
            };
            let Some(Ok(char)) = char else { return Err(self.no_text(done)) };
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            done += 2 * char.len_utf16();
        }
        match self.is_over && done < self.input.len() {
            true => Err(self.no_text(done)),
            false => Ok(done),
        }
    }

    fn no_text(&self, at: usize) -> io::Error {
        let at = self.before + at as u64;
        io::Error::other(wrong(format!("byte {at} is not a character in its declared encoding")))
    }
}

impl<R: Read> Read for Recoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.output.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.is_over && self.input.is_empty() {
                return Ok(read);
            }
            if !self.is_over {
                let more = self.reader.by_ref().take(CHUNK).read_to_end(&mut self.input)?;
                self.is_over = more == 0;
            }
            let (left, kind) = (self.input.len(), self.kind.clone());
            self.recode()?;
            // Invalid bytes at the end of a text pass unchanged: the code that makes texts of them reports them.
            if self.is_over && self.input.len() == left && self.kind == kind {
                self.output = Cursor::new(std::mem::take(&mut self.input));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(encoding: &str, otherwise: Option<&str>, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let encoding = Encoding::named(encoding).unwrap();
        let otherwise = otherwise.map(|name| Encoding::named(name).unwrap());
        // A byte at a time, so that each character is split somewhere.
        let mut text = Vec::new();
        let mut reader = encoding.to_utf8(Box::new(bytes), otherwise).unwrap();
        let mut byte = [0];
        loop {
            match reader.read(&mut byte) {
                Ok(0) => return Ok(text),
                Ok(_) => text.push(byte[0]),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    #[test]
    fn texts_of_every_encoding_become_utf8() {
        for (encoding, otherwise, bytes, text) in [
            ("utf-8", None, &b"\xef\xbb\xbfa\xc3\xa9"[..], "aé"),
            ("utf-8-sig", None, b"\xef\xbb\xbfa", "a"),
            ("utf-8", None, b"\xff\xfea\0\xe9\0", "aé"),
            ("UTF-16", None, b"a\0\x3d\xd8\x00\xde", "a\u{1f600}"),
            ("utf_16_be", None, b"\xfe\xff\0a", "a"),
            ("latin-1", None, b"\xef\xbb\xbf", "ï»¿"),
            ("iso-8859-1", None, b"\xe9\x80", "é\u{80}"),
            ("windows-1252", None, b"\xe9\x80", "é€"),
            ("cp1251", None, b"\xc6", "Ж"),
            ("utf-8", Some("latin-1"), b"a\xe9b", "aéb"),
            ("utf-8", Some("latin-1"), b"a\xc3\xa9b\xe9", "aébé"),
            ("utf-8", Some("latin-1"), b"a\xc3\xa9", "aé"),
            ("utf-8", Some("latin-1"), b"a\xc3", "aÃ"),
            ("utf-8", Some("utf-16-le"), b"a\0", "a"),
            ("utf-8", None, b"", ""),
            ("utf-8", None, b"\xc3", "\u{0}"),
        ] {
            let expected = if text == "\0" { b"\xc3".to_vec() } else { text.as_bytes().to_vec() };
            assert_eq!(read(encoding, otherwise, bytes), Ok(expected), "{encoding} {bytes:?}");
        }
    }

    #[test]
    fn an_invalid_byte_is_reported_with_its_place() {
        for (encoding, bytes, at) in [
            ("ascii", &b"ab\xe9"[..], 2),
            ("cp1252", b"a\x81", 1),
            ("utf-16-le", b"a\0\x00\xdc", 2),
            ("utf-16-le", b"a\0b", 2),
            ("utf-16-le", b"a\0\x3d\xd8", 2),
        ] {
            let problem = read(encoding, None, bytes).unwrap_err();
            assert!(problem.contains(&format!("byte {at} is not a character")), "{encoding} {problem}");
        }
    }

    #[test]
    fn each_table_has_an_entry_for_each_byte() {
        for (names, table) in TABLES {
            assert_eq!(table.chars().count(), 128, "{names:?}");
            assert!(names.iter().all(|name| Encoding::named(name).is_some()));
        }
    }
}
