//! Decodes bodies: `Content-Encoding` (RFC 9110, section 8.4) and the transfer codings besides `chunked` (RFC 9112,
//! section 7). Names are case-insensitive, and have aliases.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ureq::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use ureq::http::{HeaderMap, HeaderValue};

use super::header_list::items;

/// The value of `Accept-Encoding`.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip");

/// Registered codings that this program does not support, <https://www.iana.org/assignments/http-parameters>. Any other
/// name may be a server's mistake, such as `utf-8`, with a usable body.
const FOREIGN: [&str; 9] = ["br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm"];

/// A supported coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
}

/// Removes the supported codings from the headers. The last one was applied last, so it is undone first; an unknown one
/// blocks those before it.
pub(super) fn take(headers: &mut HeaderMap) -> Vec<Coding> {
    let names = |header: &str| {
        let names = items(headers, header).map(str::to_ascii_lowercase);
        names.filter(|name| !matches!(name.as_str(), "identity" | "chunked")).collect::<Vec<_>>()
    };
    let mut transfer = names(TRANSFER_ENCODING.as_str());
    let mut content = names(CONTENT_ENCODING.as_str());
    let mut codings = undoable(&mut transfer);
    if transfer.is_empty() {
        codings.extend(undoable(&mut content));
    }
    headers.remove(CONTENT_ENCODING);
    if let Ok(left) = HeaderValue::try_from(content.join(", "))
        && !left.is_empty()
    {
        headers.insert(CONTENT_ENCODING, left);
    }
    if !codings.is_empty() {
        // It describes the encoded body.
        headers.remove(CONTENT_LENGTH);
    }
    codings
}

fn undoable(names: &mut Vec<String>) -> Vec<Coding> {
    let mut codings = Vec::new();
    while let Some(coding) = names.last().and_then(|name| known(name)) {
        codings.push(coding);
        names.pop();
    }
    codings
}

fn known(name: &str) -> Option<Coding> {
    match name {
        "gzip" | "x-gzip" => Some(Coding::Gzip),
        "deflate" => Some(Coding::Deflate),
        _ => None,
    }
}

/// The coding that remains on a body, if it changes its bytes.
pub(super) fn foreign(headers: &HeaderMap) -> Option<&'static str> {
    let left = items(headers, CONTENT_ENCODING.as_str());
    left.filter_map(|name| FOREIGN.into_iter().find(|foreign| name.eq_ignore_ascii_case(foreign))).last()
}

/// Decodes a reader, the first coding first.
pub(super) fn undo<'r>(reader: impl Read + 'r, codings: &[Coding]) -> Box<dyn Read + 'r> {
    codings.iter().fold(Box::new(reader), |reader, coding| match coding {
        Coding::Gzip => Box::new(MultiGzDecoder::new(reader)),
        Coding::Deflate => Box::new(Inflate::Unknown(Some(reader))),
    })
}

/// The coding `deflate` is a zlib stream. Some servers send the bare stream inside it (RFC 9110, section 8.4.1.2).
enum Inflate<'r> {
    /// Nothing was read yet.
    Unknown(Option<Box<dyn Read + 'r>>),
    Zlib(ZlibDecoder<Start<'r>>),
    Bare(DeflateDecoder<Start<'r>>),
}

/// The first two bytes, and the rest.
type Start<'r> = io::Chain<io::Cursor<Vec<u8>>, Box<dyn Read + 'r>>;

impl Read for Inflate<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::Unknown(reader) = self
            && let Some(mut reader) = reader.take()
        {
            let mut start = Vec::new();
            reader.by_ref().take(2).read_to_end(&mut start)?;
            // RFC 1950, section 2.2: the method is 8, and both bytes together are a multiple of 31.
            let is_zlib = matches!(start[..], [a, b] if a & 15 == 8 && (u16::from(a) << 8 | u16::from(b)) % 31 == 0);
            let whole = io::Cursor::new(start).chain(reader);
            *self = if is_zlib { Self::Zlib(ZlibDecoder::new(whole)) } else { Self::Bare(DeflateDecoder::new(whole)) };
        }
        match self {
            Self::Unknown(_) => Ok(0),
            Self::Zlib(decoder) => decoder.read(buffer),
            Self::Bare(decoder) => decoder.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn taken(lines: &[(&'static str, &str)]) -> (Vec<Coding>, Option<String>) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let codings = take(&mut headers);
        (codings, headers.get("content-encoding").map(|value| value.to_str().unwrap().to_owned()))
    }

    #[test]
    fn codings_are_known_in_any_case_as_lists_and_by_their_aliases() {
        use Coding::{Deflate, Gzip};
        for (value, codings, left) in [
            ("gzip", &[Gzip][..], None),
            ("GZIP", &[Gzip], None),
            (" X-Gzip ", &[Gzip], None),
            ("gzip, identity", &[Gzip], None),
            ("identity", &[], None),
            ("", &[], None),
            (",", &[], None),
            ("deflate, gzip", &[Gzip, Deflate], None),
            ("br, gzip", &[Gzip], Some("br")),
            ("gzip, br", &[], Some("gzip, br")),
            ("utf-8", &[], Some("utf-8")),
        ] {
            assert_eq!(taken(&[("content-encoding", value)]), (codings.to_vec(), left.map(str::to_owned)), "{value}");
        }
        let lines =
            [("content-encoding", "deflate"), ("content-encoding", "Gzip"), ("transfer-encoding", "X-GZIP, Chunked")];
        assert_eq!(taken(&lines), (vec![Gzip, Gzip, Deflate], None));
        let unknown = [("content-encoding", "gzip"), ("transfer-encoding", "sausages, chunked")];
        assert_eq!(taken(&unknown), (vec![], Some("gzip".to_owned())));
    }

    #[test]
    fn a_remaining_registered_coding_is_foreign_and_a_mistake_is_none() {
        for (value, found) in
            [("br", Some("br")), ("Zstd", Some("zstd")), ("X-Compress", Some("x-compress")), ("utf-8", None)]
        {
            let headers = HeaderMap::from_iter([(CONTENT_ENCODING, value.parse().unwrap())]);
            assert_eq!(foreign(&headers), found, "{value}");
        }
    }

    #[test]
    fn every_coding_is_undone_and_deflate_in_both_of_its_forms() {
        let read = |bytes: &[u8], codings: &[Coding]| {
            let mut text = String::new();
            undo(bytes, codings).read_to_string(&mut text).map(|_| text).map_err(|error| error.to_string())
        };
        let (mut gzip, mut zlib, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        GzEncoder::new(&mut gzip, Compression::fast()).write_all(b"{}").unwrap();
        ZlibEncoder::new(&mut zlib, Compression::fast()).write_all(b"{}").unwrap();
        DeflateEncoder::new(&mut bare, Compression::fast()).write_all(b"{}").unwrap();
        assert_eq!(read(&gzip, &[Coding::Gzip]).as_deref(), Ok("{}"));
        for deflate in [&zlib, &bare] {
            assert_eq!(read(deflate, &[Coding::Deflate]).as_deref(), Ok("{}"));
        }
        let mut both = Vec::new();
        GzEncoder::new(&mut both, Compression::fast()).write_all(&zlib).unwrap();
        assert_eq!(read(&both, &[Coding::Gzip, Coding::Deflate]).as_deref(), Ok("{}"));
        assert_eq!(read(b"{}", &[]).as_deref(), Ok("{}"));
        assert!(read(&zlib[..4], &[Coding::Deflate]).is_err() && read(b"x", &[Coding::Gzip]).is_err());
    }
}
