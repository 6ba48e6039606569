//! ZIP archives.

use std::borrow::Cow;
use std::io::Read;
use std::ops::ControlFlow;

use ::zip::ZipArchive;
use ::zip::result::ZipError;

use super::encoded::Unpacked;
use super::{Decoder, Decoding, Encoded, Items, MAX_UNPACKED, broken, undecodable, wrong};
use crate::http::Undecodable;

/// A body that is a ZIP archive: each file in it goes to the same decoder, in the order of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zip<D>(D);

impl<D> Zip<D> {
    /// Passes the content of each file to this decoder.
    pub fn new(inner: D) -> Self {
        Self(inner)
    }
}

impl<D: Decoder> Decoder for Zip<D> {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        let mut archive = ZipArchive::new(encoded.seekable()?).map_err(|error| match error {
            ZipError::Io(error) => broken(format!("it is not a ZIP archive, or is truncated: {error}")),
            error => broken(format!("it is not a ZIP archive: {error}")),
        })?;
        let mut unpacked = 0;
        for place in 0..archive.len() {
            let file = archive
                .by_index(place)
                .map_err(|error| wrong(format!("file {} in the ZIP archive cannot be unpacked: {error}", place + 1)))?;
            if file.is_dir() {
                continue;
            }
            let name = file.name().map(Cow::into_owned).unwrap_or_default();
            let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
            let mut counted = Counted { reader: Unpacked::new(file), read: 0 };
            let flow = self.0.decode(Encoded::of_bytes(&mut counted), items);
            let flow = flow.map_err(|error| of_file(&name, error))?;
            if flow.is_break() {
                return Ok(flow);
            }
            unpacked += counted.read;
            if unpacked > MAX_UNPACKED {
                return Err(wrong(format!("it is longer than {} GiB when it is unpacked", MAX_UNPACKED >> 30)).into());
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// A failure that names the file in the archive. Failures that do not concern its content stay unchanged.
fn of_file(name: &str, error: anyhow::Error) -> anyhow::Error {
    let is_content = error.is::<Undecodable>() || error.is::<std::io::Error>();
    match is_content {
        true => {
            let Undecodable { problem, retry } = undecodable(error);
            Undecodable { problem: format!("the file `{name}` in the ZIP archive cannot be read: {problem}"), retry }
                .into()
        }
        false => error,
    }
}

/// Counts the bytes that are read.
struct Counted<R> {
    reader: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}
