//! A writer that stops for good at its first failure. Otherwise, later output would look complete: on a disk that is
//! full for a moment, a state would follow records that were lost.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

/// A writer that fails forever once it has failed, with the same error.
pub(crate) struct FusedWriter<W> {
    writer: W,
    failure: WriteFailure,
}

/// The failure of a [`FusedWriter`], for readers. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct WriteFailure(Arc<OnceLock<(io::ErrorKind, Option<i32>)>>);

impl WriteFailure {
    /// The error, if there was one.
    pub(crate) fn error(&self) -> Option<io::Error> {
        match *self.0.get()? {
            (_, Some(code)) => Some(io::Error::from_raw_os_error(code)),
            (kind, None) => Some(kind.into()),
        }
    }
}

impl<W: Write> FusedWriter<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { writer, failure: WriteFailure::default() }
    }

    pub(crate) fn failure(&self) -> WriteFailure {
        self.failure.clone()
    }

    fn attempt<T>(&mut self, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        self.failure.error().map_or(Ok(()), Err)?;
        write(&mut self.writer).inspect_err(|error| {
            // An interrupted write is retried, and loses nothing.
            if error.kind() != io::ErrorKind::Interrupted {
                let _ = self.failure.0.set((error.kind(), error.raw_os_error()));
            }
        })
    }
}

impl<W: Write> Write for FusedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(|writer| writer.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt(W::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails once.
    struct FullForAMoment(Option<io::Error>, Vec<u8>);

    impl Write for FullForAMoment {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.take().map_or(Ok(()), Err)?;
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_is_written_after_a_failure() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let mut writer = FusedWriter::new(FullForAMoment(Some(full), Vec::new()));
        assert!(writer.failure().error().is_none());
        for _ in 0..2 {
            assert_eq!(writer.write_all(b"record\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
            assert_eq!(writer.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
        assert_eq!((writer.writer.1.len(), writer.failure().error().unwrap().kind()), (0, io::ErrorKind::StorageFull));
    }

    #[test]
    fn an_interruption_is_not_a_failure() {
        let interrupted = io::Error::from(io::ErrorKind::Interrupted);
        let mut writer = FusedWriter::new(FullForAMoment(Some(interrupted), Vec::new()));
        writer.write_all(b"record\n").unwrap();
        writer.flush().unwrap();
        assert_eq!(writer.writer.1, b"record\n");
    }
}
