//! ZIP archives.

use std::borrow::Cow;
use std::io::Read;
use std::ops::ControlFlow;

use ::zip::result::ZipError;
use ::zip::{CompressionMethod, ZipArchive};

use super::encoded::Unpacked;
use super::{Decoder, Decoding, Encoded, Items, MAX_UNPACKED, broken, undecodable, wrong};
use crate::http::{ReadSeek, Undecodable};

/// The most bytes back in a file that LZMA may refer to, as its strongest settings do. They are held in memory.
const MAX_WINDOW: u64 = 64 * 1024 * 1024;

/// A body that is a ZIP archive: each file in it goes to the same decoder, in the order of the archive. A file may be
/// stored, or packed with deflate, bzip2 or LZMA. LZMA takes as much memory as the file is long, but at most 64 MiB.
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
            check_method(&mut archive, place)?;
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

/// Fails if a file is packed by a method that is unsupported, or that would take too much memory.
fn check_method(archive: &mut ZipArchive<Box<dyn ReadSeek + '_>>, place: usize) -> anyhow::Result<()> {
    let number = place + 1;
    let unreadable =
        |error: &dyn std::fmt::Display| wrong(format!("file {number} in the ZIP archive cannot be unpacked: {error}"));
    let mut file = archive.by_index_raw(place).map_err(|error| unreadable(&error))?;
    match file.compression() {
        _ if file.encrypted() => Err(unreadable(&"it is encrypted").into()),
        CompressionMethod::Stored | CompressionMethod::Deflated | CompressionMethod::Bzip2 => Ok(()),
        CompressionMethod::Lzma => {
            // Version, length and first byte of the properties, then the window.
            let mut start = [0; 9];
            file.read_exact(&mut start).map_err(|error| unreadable(&error))?;
            let window = u64::from(u32::from_le_bytes([start[5], start[6], start[7], start[8]]));
            match window.min(file.size()) <= MAX_WINDOW {
                true => Ok(()),
                false => {
                    Err(unreadable(&format!("its LZMA needs {} MiB of memory, more than 64", window >> 20)).into())
                }
            }
        }
        other => {
            let supported = "only stored files, deflate, bzip2 and LZMA are supported";
            Err(unreadable(&format!("its method of compression is {other}: {supported}")).into())
        }
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
