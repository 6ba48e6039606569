//! A response's body: small ones in memory, large ones in an unnamed temporary file, so that memory does not depend on
//! the API's answers.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use memchr::memmem;

use crate::buffers::Buffer;

/// Bytes kept in memory before a body moves to disk.
pub(super) const MEMORY_LIMIT: usize = 4 * 1024 * 1024;

/// Bytes moved at a time to the temporary file.
const SPOOL_CHUNK: u64 = 256 * 1024;

/// A body that was read to its end.
pub enum Body {
    /// The whole body.
    Memory(Buffer),
    /// An unnamed temporary file, which is gone when it is closed, however the run ends.
    Spooled {
        /// The file.
        file: File,
        /// Its length in bytes.
        length: u64,
    },
}

/// The reason why a body could not be read.
#[derive(Debug)]
pub(super) enum BodyError {
    /// The network's fault.
    Read(io::Error),
    /// This machine's fault: the temporary file.
    Spool(io::Error),
    /// More bytes than allowed.
    TooLong,
}

impl Body {
    /// Reads to the end. `hint` is the announced length: one above `max_bytes` is refused before reading. `buffer` is
    /// empty.
    pub(super) fn read(
        mut buffer: Buffer,
        mut reader: impl Read,
        hint: Option<u64>,
        max_bytes: u64,
    ) -> Result<Self, BodyError> {
        if hint.is_some_and(|length| length > max_bytes) {
            return Err(BodyError::TooLong);
        }
        let hint = hint.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        buffer.reserve(hint.min(MEMORY_LIMIT) + 1);
        let memory = max_bytes.min(MEMORY_LIMIT as u64);
        fill(&mut buffer, &mut reader.by_ref().take(memory + 1)).map_err(BodyError::Read)?;
        if buffer.len() as u64 <= memory {
            return Ok(Self::Memory(buffer));
        }
        if buffer.len() as u64 > max_bytes {
            return Err(BodyError::TooLong);
        }
        let mut file = spool().map_err(BodyError::Spool)?;
        let mut length = 0;
        loop {
            length += buffer.len() as u64;
            if length > max_bytes {
                return Err(BodyError::TooLong);
            }
            file.write_all(&buffer).map_err(BodyError::Spool)?;
            buffer.clear();
            fill(&mut buffer, &mut reader.by_ref().take(SPOOL_CHUNK)).map_err(BodyError::Read)?;
            if buffer.is_empty() {
                return Ok(Self::Spooled { file, length });
            }
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spooled { length, .. } => *length,
        }
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it contains these bytes. It always contains an empty text.
    ///
    /// # Errors
    /// If the temporary file cannot be read.
    pub fn contains(&self, text: &[u8]) -> io::Result<bool> {
        if let Self::Memory(bytes) = self {
            return Ok(memmem::find(bytes, text).is_some());
        }
        let finder = memmem::Finder::new(text);
        let mut reader = self.reader()?;
        let mut window = Vec::new();
        loop {
            let read = reader.by_ref().take(SPOOL_CHUNK).read_to_end(&mut window)?;
            if finder.find(&window).is_some() {
                return Ok(true);
            }
            if read == 0 {
                return Ok(false);
            }
            // The text may begin in this chunk and end in the next one.
            window.drain(..window.len().saturating_sub(text.len()));
        }
    }

    /// Reads the body from any position, first its start.
    ///
    /// # Errors
    /// If the temporary file cannot be read.
    pub(crate) fn seekable(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        match self {
            Self::Memory(bytes) => Ok(Box::new(io::Cursor::new(&**bytes))),
            Self::Spooled { file, .. } => {
                let mut file = file;
                file.seek(SeekFrom::Start(0))?;
                Ok(Box::new(BufReader::with_capacity(64 * 1024, file)))
            }
        }
    }

    /// Reads the body from its start.
    ///
    /// # Errors
    /// If the temporary file cannot be read.
    pub fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        match self {
            Self::Memory(bytes) => Ok(Box::new(&**bytes)),
            Self::Spooled { file, .. } => {
                let mut file = file;
                file.seek(SeekFrom::Start(0))?;
                Ok(Box::new(BufReader::with_capacity(64 * 1024, file)))
            }
        }
    }
}

/// A reader that can seek.
pub(crate) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// Reads to the end. `Read::read_to_end` would first clear the memory each time.
fn fill(buffer: &mut Buffer, reader: &mut impl Read) -> io::Result<()> {
    loop {
        match reader.read(buffer.room(1)) {
            Ok(0) => return Ok(()),
            Ok(read) => buffer.fill(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// An unnamed temporary file. Only the owner can open it, even through `/proc`.
fn spool() -> io::Result<File> {
    let file = tempfile::tempfile()?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

/// Shows its length: it may contain secrets.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if matches!(self, Self::Memory(_)) { "Memory" } else { "Spooled" };
        write!(f, "{kind}({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_body_on_disk_has_no_name_and_only_its_owner_can_read_it() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let Ok(Body::Spooled { file, .. }) = round_trip(MEMORY_LIMIT + 1, u64::MAX) else { panic!("in memory") };
        let metadata = file.metadata().unwrap();
        assert_eq!((metadata.nlink(), metadata.permissions().mode() & 0o777), (0, 0o600));
    }

    fn round_trip(length: usize, max: u64) -> Result<Body, BodyError> {
        let bytes: Vec<u8> = (0..251).cycle().take(length).collect();
        let body = Body::read(Buffer::default(), bytes.as_slice(), None, max)?;
        let mut again = Vec::new();
        body.reader().unwrap().read_to_end(&mut again).unwrap();
        assert!(again == bytes && body.len() == length as u64);
        Ok(body)
    }

    #[test]
    fn a_body_within_the_limit_stays_in_memory_and_a_longer_one_goes_to_disk_whole() {
        for length in [0, 1, MEMORY_LIMIT] {
            assert!(matches!(round_trip(length, u64::MAX), Ok(Body::Memory(_))), "{length}");
        }
        for length in [MEMORY_LIMIT + 1, MEMORY_LIMIT + 200_000] {
            assert!(matches!(round_trip(length, u64::MAX), Ok(Body::Spooled { .. })), "{length}");
        }
    }

    #[test]
    fn a_body_past_the_cap_is_refused() {
        assert!(matches!(round_trip(100, 100), Ok(Body::Memory(_))));
        assert!(matches!(round_trip(101, 100), Err(BodyError::TooLong)));
        let announced = Body::read(Buffer::default(), io::repeat(0), Some(101), 100);
        assert!(matches!(announced, Err(BodyError::TooLong)), "without reading what has no end");
        let cap = MEMORY_LIMIT as u64 + 100;
        assert!(matches!(round_trip(MEMORY_LIMIT + 101, cap), Err(BodyError::TooLong)));
    }

    #[test]
    fn a_text_is_found_in_memory_and_on_disk_wherever_it_is() {
        let chunk = usize::try_from(SPOOL_CHUNK).unwrap();
        for length in [100, MEMORY_LIMIT + 2 * chunk] {
            for at in [0, 50, length - 6, (chunk - 3).min(length - 6), (MEMORY_LIMIT + chunk - 3).min(length - 6)] {
                let mut bytes = vec![b'.'; length];
                bytes[at..at + 6].copy_from_slice(b"needle");
                let body = Body::read(Buffer::default(), bytes.as_slice(), None, u64::MAX).unwrap();
                assert!(body.contains(b"needle").unwrap(), "{length} {at}");
                assert!(!body.contains(b"needle.needle").unwrap() && body.contains(b"").unwrap());
            }
        }
    }
}
