//! The process's stdin and stdout at its start.
//!
//! Stdout is usually a pipe. A pipe holds 64 KiB, less than a page of records: each page would need several writes,
//! with the process waiting and being woken in between. So it is enlarged.
//!
//! A descriptor that is closed when the process begins is open again when `main` does: the standard library opens
//! `/dev/null` instead, for reading and writing, so that the next opened file does not get its number. A shell's `>
//! /dev/null` is write-only, which distinguishes the two.

use std::io::{self, Read, Write};
#[cfg(unix)]
use std::os::fd::AsFd;

/// The wanted size of the pipe, in bytes: the default limit for any Linux user (`/proc/sys/fs/pipe-max-size`).
#[cfg(target_os = "linux")]
const CAPACITY: usize = 1024 * 1024;

/// Stdout, for its only writer. If it is closed, its first flush fails, and it is `/dev/null` after that.
#[expect(clippy::disallowed_methods, reason = "its only writer gets it here")]
pub(crate) fn stdout() -> Box<dyn Write + Send> {
    let stdout = io::stdout();
    #[cfg(unix)]
    if is_closed(&stdout) {
        return Box::new(Closed { is_told: false });
    }
    // Anything but a pipe, or a pipe that may not be enlarged, stays unchanged.
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(&stdout, CAPACITY);
    Box::new(stdout)
}

/// Stdin. If it is closed, it cannot be read; an empty file would be something else.
pub(crate) fn stdin() -> Box<dyn Read + Send> {
    #[cfg(unix)]
    if is_closed(&io::stdin()) {
        return Box::new(Closed { is_told: false });
    }
    Box::new(io::stdin())
}

/// A descriptor that was closed when the process began.
struct Closed {
    is_told: bool,
}

fn closed() -> io::Error {
    io::Error::other("it is closed")
}

impl Read for Closed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(closed())
    }
}

impl Write for Closed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_told, true) { Ok(()) } else { Err(closed()) }
    }
}

/// Whether a descriptor is `/dev/null`, open for reading and writing.
#[cfg(unix)]
fn is_closed(descriptor: &impl AsFd) -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    use rustix::fs::OFlags;

    let is_for_both = rustix::fs::fcntl_getfl(descriptor).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR);
    let device = |file: io::Result<std::fs::Metadata>| {
        file.ok().filter(|file| file.file_type().is_char_device()).map(|file| file.rdev())
    };
    let clone = || Ok(std::fs::File::from(descriptor.as_fd().try_clone_to_owned()?));
    is_for_both
        && device(clone().and_then(|file: std::fs::File| file.metadata()))
            .is_some_and(|found| device(std::fs::metadata("/dev/null")) == Some(found))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn dev_null_for_both_ways_means_a_closed_descriptor_and_nothing_else_does() {
        let open = |path: &str, read, write| OpenOptions::new().read(read).write(write).open(path).unwrap();
        assert!(is_closed(&open("/dev/null", true, true)));
        assert!(!is_closed(&open("/dev/null", false, true)) && !is_closed(&open("/dev/null", true, false)));
        assert!(!is_closed(&open("/dev/zero", true, true)) && !is_closed(&tempfile::tempfile().unwrap()));
    }

    #[test]
    fn a_closed_descriptor_fails_once_for_its_writer_and_always_for_its_reader() {
        let mut closed = Closed { is_told: false };
        assert!(closed.read(&mut [0]).is_err() && closed.read(&mut [0]).is_err());
        assert!(closed.flush().is_err() && closed.write(b"x").is_ok() && closed.flush().is_ok());
    }
}
