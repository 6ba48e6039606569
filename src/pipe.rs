//! The process's stdout, usually a pipe. A pipe holds 64 KiB, less than a page of records: each page would be written in
//! several goes, and the process would wait, and be woken, between them. It is asked to hold more.

use std::io;

/// Bytes that the pipe should hold: what Linux lets any user ask for, unless it is set up otherwise
/// (`/proc/sys/fs/pipe-max-size`).
#[cfg(target_os = "linux")]
const CAPACITY: usize = 1024 * 1024;

/// Stdout, to be handed to its only writer.
#[expect(clippy::disallowed_methods, reason = "this is where its only writer has it from")]
pub(crate) fn stdout() -> io::Stdout {
    let stdout = io::stdout();
    // What is no pipe, or may not be widened, stays as it is.
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(&stdout, CAPACITY);
    stdout
}
