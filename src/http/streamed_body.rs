//! A request body that is read while it is sent, so an upload need not fit into memory. It is opened again for each
//! attempt.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

type Open = dyn Fn() -> io::Result<(Box<dyn Read>, Option<u64>)> + Send + Sync;

/// A body from a reader, which a function opens for each attempt.
///
/// ```
/// use source_http::http::{RequestBody, StreamedBody};
///
/// let rows = StreamedBody::new(|| Ok(Box::new("a,b\n1,2\n".as_bytes())));
/// let body = RequestBody::Streamed(rows);
/// ```
#[derive(Clone)]
pub struct StreamedBody {
    open: Arc<Open>,
    length: Option<u64>,
}

impl StreamedBody {
    /// A body of everything a reader returns. `open` is called once for each attempt, and must return the same bytes
    /// each time. The body is sent in chunks, unless [`StreamedBody::with_length`] states its length.
    pub fn new(open: impl Fn() -> io::Result<Box<dyn Read>> + Send + Sync + 'static) -> Self {
        Self { open: Arc::new(move || Ok((open()?, None))), length: None }
    }

    /// A file, sent with its length.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let open = move || {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            let file = File::open(&path).map_err(named)?;
            let length = file.metadata().map_err(named)?.len();
            Ok((Box::new(file) as Box<dyn Read>, Some(length)))
        };
        Self { open: Arc::new(open), length: None }
    }

    /// States the length in bytes, for servers that do not accept chunks. Bytes beyond it are not sent.
    #[must_use]
    pub fn with_length(mut self, bytes: u64) -> Self {
        self.length = Some(bytes);
        self
    }

    pub(super) fn open(&self) -> io::Result<OpenBody> {
        let (reader, length) = (self.open)()?;
        let length = self.length.or(length);
        Ok(OpenBody { reader: reader.take(length.unwrap_or(u64::MAX)), length, failure: None })
    }
}

/// Two bodies are equal if one is a clone of the other: their bytes are unknown.
impl PartialEq for StreamedBody {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.open, &other.open) && self.length == other.length
    }
}

impl fmt::Debug for StreamedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamedBody").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A body being sent. It remembers its own failure, which the transport could not distinguish from a network failure.
pub(super) struct OpenBody {
    reader: io::Take<Box<dyn Read>>,
    /// The announced length.
    pub(super) length: Option<u64>,
    /// Why it could not be read to its end.
    pub(super) failure: Option<String>,
}

impl Read for OpenBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = match self.reader.read(buffer) {
            // The transport would wait for the missing bytes forever.
            Ok(0) if self.length.is_some() && self.reader.limit() > 0 && !buffer.is_empty() => {
                let text = format!("it ends {} bytes before its announced length", self.reader.limit());
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
            }
            result => result,
        };
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failure = Some(error.to_string());
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &StreamedBody) -> Result<String, String> {
        let mut open = body.open().map_err(|error| error.to_string())?;
        let mut text = String::new();
        let result = open.read_to_string(&mut text);
        match (result, open.failure) {
            (Ok(_), None) => Ok(text),
            (Err(_), Some(failure)) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_attempt_reads_from_the_start() {
        let body = StreamedBody::new(|| Ok(Box::new("abc".as_bytes())));
        assert_eq!((read(&body), read(&body)), (Ok("abc".into()), Ok("abc".into())));
        assert_eq!(body.open().unwrap().length, None);
        assert_eq!(read(&body.with_length(2)), Ok("ab".into()));
    }

    #[test]
    fn a_body_shorter_than_announced_is_a_failure_of_its_own() {
        let body = StreamedBody::new(|| Ok(Box::new("abc".as_bytes()))).with_length(5);
        assert_eq!(read(&body), Err("it ends 2 bytes before its announced length".into()));
    }

    #[test]
    fn a_file_has_its_length_and_a_missing_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, "1234").unwrap();
        let body = StreamedBody::file(&path);
        assert_eq!((read(&body), body.open().unwrap().length), (Ok("1234".into()), Some(4)));
        assert_eq!(read(&body), Ok("1234".into()));
        std::fs::remove_file(&path).unwrap();
        assert!(read(&body).unwrap_err().contains("rows.csv"));
    }
}
