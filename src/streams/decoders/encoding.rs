//! Encodings of texts: those of Python's codecs, with their names. The output is UTF-8.

mod converter;
mod listed;
mod shifted;
mod tables;
#[cfg(test)]
mod tests;
mod unicode;

use std::io::{self, Cursor, Read};

use self::converter::Converter;
use self::listed::{ByBytes, ByPairs};
use self::shifted::{Hz, Iso2022, Lists};
use self::unicode::{Escapes, Utf7, Utf16, Utf32};
use super::wrong;

/// Bytes that are read at a time.
const CHUNK: u64 = 64 * 1024;

/// The names of encodings with one byte a character: a line for each table.
const BYTES: &str = include_str!("encoding/bytes.txt");
/// The names of encodings with two bytes a character, or more: a line for each table.
const PAIRS: &str = include_str!("encoding/pairs.txt");

/// An encoding of texts: any that Python knows, from UTF-8 to the code pages of mainframes and East Asia.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoding(Kind);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Utf8,
    /// Whether the larger half of a unit comes first, if stated.
    Utf16(Option<bool>),
    /// Whether the largest byte comes first, if stated.
    Utf32(Option<bool>),
    Utf7,
    /// Python's escapes, and whether there are only those of Unicode.
    Escapes(bool),
    Hz,
    Iso2022(Lists),
    /// The number of a table.
    Bytes(usize),
    /// The number of a table.
    Pairs(usize),
}

impl Kind {
    /// The code that reads it. Those of no stated order have the smaller half first.
    fn converter(self) -> Option<Box<dyn Converter>> {
        Some(match self {
            Self::Utf8 => return None,
            Self::Utf16(is_big) => Box::new(Utf16 { is_big: is_big.unwrap_or(false) }),
            Self::Utf32(is_big) => Box::new(Utf32 { is_big: is_big.unwrap_or(false) }),
            Self::Utf7 => Box::new(Utf7::default()),
            Self::Escapes(is_raw) => Box::new(Escapes { is_raw }),
            Self::Hz => Box::new(Hz::default()),
            Self::Iso2022(lists) => Box::new(Iso2022::new(lists)),
            Self::Bytes(table) => Box::new(ByBytes::new(table)),
            Self::Pairs(table) => Box::new(ByPairs::new(table)),
        })
    }

    /// Whether a text that begins as UTF-8 can be one of these: bytes of ASCII mean ASCII.
    fn extends_ascii(self) -> bool {
        match self {
            // The first table is ASCII itself, which adds nothing.
            Self::Bytes(table) => table > 0 && ByBytes::new(table).extends_ascii(),
            kind => matches!(kind, Self::Pairs(_)),
        }
    }
}

impl Encoding {
    /// The encoding of a name, such as `utf-8`, `iso-8859-1` or `shift_jis`: the names and aliases of Python's codecs,
    /// in letters of any case, whatever stands between letters and digits. `None` for any other name, and for those of
    /// Python that are no encoding of a whole text: `idna`, `punycode`, `undefined`. A byte order mark is always
    /// removed, so `utf-8-sig` is `utf-8`. A table for an encoding of East Asia takes 130 to 400 KB once it is used.
    ///
    /// ```
    /// use source_http::streams::decoders::Encoding;
    ///
    /// assert_eq!(Encoding::named("UTF_8"), Some(Encoding::default()));
    /// assert!(Encoding::named("Shift-JIS").is_some() && Encoding::named("rot13").is_none());
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let japanese = |double, single| Lists { double, single, has_second: false, greek: None };
        let kind = match name.as_str() {
            "utf8" | "u8" | "utf" | "utf8sig" | "utf8ucs2" | "utf8ucs4" | "cp65001" => Kind::Utf8,
            "utf16" | "u16" => Kind::Utf16(None),
            "utf16le" | "unicodelittleunmarked" => Kind::Utf16(Some(false)),
            "utf16be" | "unicodebigunmarked" => Kind::Utf16(Some(true)),
            "utf32" | "u32" => Kind::Utf32(None),
            "utf32le" => Kind::Utf32(Some(false)),
            "utf32be" => Kind::Utf32(Some(true)),
            "utf7" | "u7" | "unicode11utf7" => Kind::Utf7,
            "unicodeescape" => Kind::Escapes(false),
            "rawunicodeescape" => Kind::Escapes(true),
            "hz" | "hzgb" | "hzgb2312" => Kind::Hz,
            "iso2022kr" | "csiso2022kr" => Kind::Iso2022(Lists { has_second: true, ..japanese("C", "") }),
            "iso2022jp" | "csiso2022jp" => Kind::Iso2022(japanese("@B", "J")),
            "iso2022jp1" => Kind::Iso2022(japanese("@BD", "J")),
            "iso2022jp2" => Kind::Iso2022(Lists { greek: line(BYTES, "iso88597"), ..japanese("@ABCD", "AFJ") }),
            "iso2022jp2004" => Kind::Iso2022(japanese("BPQ", "")),
            "iso2022jp3" => Kind::Iso2022(japanese("BOP", "")),
            "iso2022jpext" => Kind::Iso2022(japanese("@BD", "IJ")),
            name => match line(BYTES, name) {
                Some(table) => Kind::Bytes(table),
                None => Kind::Pairs(line(PAIRS, name)?),
            },
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
        reader.by_ref().take(4).read_to_end(&mut start)?;
        let own = self.0;
        let marked = match start[..] {
            [0xef, 0xbb, 0xbf, ..] => Some((Kind::Utf8, 3)),
            [0xff, 0xfe, 0, 0] if !matches!(own, Kind::Utf16(_)) => Some((Kind::Utf32(Some(false)), 4)),
            [0, 0, 0xfe, 0xff] => Some((Kind::Utf32(Some(true)), 4)),
            [0xff, 0xfe, ..] => Some((Kind::Utf16(Some(false)), 2)),
            [0xfe, 0xff, ..] => Some((Kind::Utf16(Some(true)), 2)),
            _ => None,
        };
        // In one byte a character, these are characters.
        let counts = |kind| {
            own == Kind::Utf8
                || matches!((own, kind), (Kind::Utf16(_), Kind::Utf16(_)) | (Kind::Utf32(_), Kind::Utf32(_)))
        };
        let (kind, length, is_marked) = match marked.filter(|(kind, _)| counts(*kind)) {
            Some((kind, length)) => (kind, length, true),
            None => (own, 0, false),
        };
        start.drain(..length);
        let otherwise = otherwise.map(|encoding| encoding.0).filter(|_| !is_marked);
        let kind = match (kind, otherwise) {
            (Kind::Utf8, Some(wide @ Kind::Utf16(_))) => wide,
            (kind, _) => kind,
        };
        let reader = Cursor::new(start).chain(reader);
        let otherwise = otherwise.filter(|otherwise| kind == Kind::Utf8 && otherwise.extends_ascii());
        let converter = kind.converter();
        match (&converter, otherwise) {
            (None, None) => Ok(Box::new(reader)),
            _ => Ok(Box::new(Recoded {
                reader,
                converter,
                otherwise,
                before: 0,
                is_begun: false,
                input: Vec::new(),
                output: Cursor::default(),
                is_over: false,
            })),
        }
    }
}

/// The number of the line that has this name.
fn line(lines: &str, name: &str) -> Option<usize> {
    lines.lines().position(|names| names.split(' ').any(|known| known == name))
}

/// A text that is converted to UTF-8.
struct Recoded<R> {
    reader: R,
    /// `None`: the text is UTF-8 so far.
    converter: Option<Box<dyn Converter>>,
    /// The encoding from the first invalid UTF-8 on.
    otherwise: Option<Kind>,
    /// The number of bytes already converted.
    before: u64,
    /// Whether there was a character.
    is_begun: bool,
    input: Vec<u8>,
    output: Cursor<Vec<u8>>,
    is_over: bool,
}

impl<R: Read> Recoded<R> {
    /// Converts the available input, except an incomplete character at its end.
    fn recode(&mut self) -> io::Result<()> {
        let mut out = Vec::with_capacity(self.input.len() + 16);
        let mut done = 0;
        if self.converter.is_none() {
            done = match std::str::from_utf8(&self.input) {
                Ok(_) => self.input.len(),
                Err(error) => {
                    if error.error_len().is_some() || self.is_over {
                        self.converter = self.otherwise.take().and_then(Kind::converter);
                    }
                    error.valid_up_to()
                }
            };
            out.extend_from_slice(&self.input[..done]);
        }
        if let Some(converter) = &mut self.converter {
            let start = done;
            done += converter.convert(&self.input[start..], self.is_over, &mut out).map_err(|at| {
                let at = self.before + (start + at) as u64;
                io::Error::other(wrong(format!("byte {at} is not a character in its declared encoding")))
            })?;
        }
        self.before += done as u64;
        self.input.drain(..done);
        // A byte order mark.
        if !self.is_begun && out.starts_with("\u{feff}".as_bytes()) {
            out.drain(..3);
        }
        self.is_begun |= done > 0;
        self.output = Cursor::new(out);
        Ok(())
    }
}

impl<R: Read> Read for Recoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.output.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.is_over {
                return Ok(read);
            }
            let more = self.reader.by_ref().take(CHUNK).read_to_end(&mut self.input)?;
            self.is_over = more == 0;
            self.recode()?;
        }
    }
}
