//! Gzip within a body. HTTP's content coding is undone before.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::GzDecoder;

use super::encoded::Unpacked;
use super::{Decoder, Decoding, Encoded, Items, broken};

/// The first bytes of every gzip stream.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A body that is a gzip file, such as `orders.csv.gz`. Any other body passes unchanged: some servers unpack it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gzip<D>(D);

impl<D> Gzip<D> {
    /// Passes the content of the file to this decoder.
    pub fn new(inner: D) -> Self {
        Self(inner)
    }
}

impl<D: Decoder> Decoder for Gzip<D> {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        let mut is_gzip = false;
        let mut failed = None;
        let unpacked = encoded.unpacked(|mut reader| {
            let mut start = Vec::new();
            failed = reader.by_ref().take(2).read_to_end(&mut start).err();
            is_gzip = start == MAGIC;
            let whole = Cursor::new(start).chain(reader);
            match is_gzip {
                true => Box::new(Unpacked::new(Members::new(BufReader::with_capacity(64 * 1024, whole)))),
                false => Box::new(whole),
            }
        })?;
        match failed {
            Some(error) => Err(error.into()),
            None => self.0.decode(unpacked, items),
        }
    }
}

/// The members of a gzip file, one after the other. Zeros may pad its end.
struct Members<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    fn new(reader: R) -> Self {
        Self { member: Some(GzDecoder::new(reader)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => io::Error::other(broken("the gzip file in it ends too early")),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                    io::Error::other(broken(format!("the gzip file in it is broken: {error}")))
                }
                _ => error,
            })?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut rest) = self.member.take().map(GzDecoder::into_inner) else { break };
            loop {
                let filled = rest.fill_buf()?;
                let zeros = filled.iter().take_while(|byte| **byte == 0).count();
                if filled.is_empty() {
                    return Ok(0);
                }
                let is_all = zeros == filled.len();
                rest.consume(zeros);
                if !is_all {
                    break;
                }
            }
            self.member = Some(GzDecoder::new(rest));
        }
        Ok(0)
    }
}
