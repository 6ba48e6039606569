//! Stdout as a file. Two runs that append to the same file must not spoil each other's lines: a full disk, or a killed
//! run, leaves half a line, and the next line would be glued to it.
//!
//! After a failed write, this run removes its own half line. A half line from before the run stays, because another
//! program may own it; the run begins with a line break.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

/// A file that is written in lines.
pub(crate) struct WholeLines {
    file: File,
    /// Contiguous bytes of this run since the last line break.
    half_line: u64,
    /// Where the last write ended; `None` before the first.
    end: Option<u64>,
    /// Whether the file, or the part before the first write, ends in the middle of a line.
    begins_in_line: bool,
}

impl WholeLines {
    /// A file that is open for writing. `last_byte` is the byte before the first write, if there is one and it is
    /// known.
    pub(crate) fn new(file: File, last_byte: Option<u8>) -> Self {
        let begins_in_line = last_byte.is_some_and(|byte| byte != b'\n');
        Self { file, half_line: 0, end: None, begins_in_line }
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        let end = self.file.stream_position()?;
        let count = u64::try_from(written).unwrap_or(u64::MAX);
        // If others have written in between, the earlier bytes are not the start of this line.
        if self.end != end.checked_sub(count) {
            self.half_line = 0;
        }
        self.half_line = match memchr::memrchr(b'\n', &bytes[..written]) {
            Some(at) => u64::try_from(written - at - 1).unwrap_or(u64::MAX),
            None => self.half_line.saturating_add(count),
        };
        self.end = Some(end);
        Ok(written)
    }

    /// Removes the half line, unless another program has written after it.
    fn cut_back(&mut self) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        if self.half_line == 0 || self.end != Some(length) {
            return Ok(());
        }
        let whole = length.saturating_sub(self.half_line);
        self.file.set_len(whole)?;
        self.half_line = 0;
        self.end = Some(whole);
        self.file.seek(SeekFrom::Start(whole)).map(|_| ())
    }
}

impl Write for WholeLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.begins_in_line && !bytes.is_empty() {
            self.try_write(b"\n")?;
            self.begins_in_line = false;
        }
        self.try_write(bytes).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                // If it cannot be truncated either, the file stays unchanged.
                let _ = self.cut_back();
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The process's stdout, if it is a file. `None` if it is anything else.
#[cfg(unix)]
pub(crate) fn stdout() -> Option<WholeLines> {
    use std::os::fd::AsFd;

    #[expect(clippy::disallowed_methods, reason = "its only writer gets it here")]
    let stdout = io::stdout();
    let mut file = File::from(stdout.as_fd().try_clone_to_owned().ok()?);
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() {
        return None;
    }
    let appends = rustix::fs::fcntl_getfl(&file).is_ok_and(|flags| flags.contains(rustix::fs::OFlags::APPEND));
    let begin = if appends { metadata.len() } else { file.stream_position().ok()? };
    let last_byte = begin.checked_sub(1).and_then(|at| byte_at(&metadata, at));
    Some(WholeLines::new(file, last_byte))
}

/// The process's stdout, if it is a file. `None` if it is anything else, or cannot be determined.
#[cfg(not(unix))]
pub(crate) fn stdout() -> Option<WholeLines> {
    None
}

/// A byte of the file behind stdout, which may be write-only.
#[cfg(unix)]
fn byte_at(stdout: &std::fs::Metadata, at: u64) -> Option<u8> {
    use std::os::unix::fs::{FileExt, MetadataExt};

    // Linux opens the file again there; other systems return the same descriptor, which then cannot be read.
    let file = File::open("/dev/stdout").ok()?;
    let opened = file.metadata().ok()?;
    let mut byte = [0];
    let is_same = (opened.dev(), opened.ino()) == (stdout.dev(), stdout.ino());
    (is_same && file.read_at(&mut byte, at).ok()? == 1).then_some(byte[0])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn open(path: &std::path::Path, appends: bool) -> File {
        File::options().create(true).append(appends).write(true).open(path).unwrap()
    }

    #[test]
    fn only_the_half_line_of_this_run_is_removed() {
        for (appends, before) in [(false, ""), (true, ""), (true, "old\n"), (true, "half")] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out");
            fs::write(&path, before).unwrap();
            let mut lines = WholeLines::new(open(&path, appends), before.bytes().last());
            for bytes in ["one\ntw", "o", "\nthr", "ee"] {
                lines.write_all(bytes.as_bytes()).unwrap();
            }
            lines.cut_back().unwrap();
            let gap = if before == "half" { "\n" } else { "" };
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{before}{gap}one\ntwo\n"));
            lines.write_all(b"four\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{before}{gap}one\ntwo\nfour\n"));
        }
    }

    #[test]
    fn lines_of_other_programs_are_never_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut lines = WholeLines::new(open(&path, true), None);
        lines.write_all(b"one\ntw").unwrap();
        open(&path, true).write_all(b"theirs").unwrap();
        lines.cut_back().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwtheirs");
        lines.write_all(b"x").unwrap();
        lines.cut_back().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwtheirs");
    }
}
