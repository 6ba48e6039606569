//! Draws on stderr instead of indicatif's own terminal, so that a test can read it, and only passed-in handles are
//! used. Each drawing is one write.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use indicatif::TermLike;

use super::Terminal;

use crate::locks;

/// Stderr, shared by all who write to it.
pub(super) type Stderr = Arc<Mutex<Box<dyn Write + Send>>>;

/// A terminal for drawing.
pub(super) struct StderrTerm {
    stderr: Stderr,
    terminal: Terminal,
    buffer: Mutex<Vec<u8>>,
    /// Whether a line was ended: the next text begins another one.
    is_ended: AtomicBool,
}

impl StderrTerm {
    pub(super) fn new(stderr: Stderr, terminal: Terminal) -> Self {
        Self { stderr, terminal, buffer: Mutex::default(), is_ended: AtomicBool::new(false) }
    }

    fn draw(&self, bytes: fmt::Arguments<'_>) -> io::Result<()> {
        self.buffer().write_fmt(bytes)
    }

    fn buffer(&self) -> MutexGuard<'_, Vec<u8>> {
        locks::lock(&self.buffer)
    }
}

/// All current terminals understand ECMA-48.
impl TermLike for StderrTerm {
    fn width(&self) -> u16 {
        self.terminal.size().0
    }
    fn height(&self) -> u16 {
        self.terminal.size().1
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.draw(format_args!("\x1b[{n}A")) }
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.draw(format_args!("\x1b[{n}B")) }
    }
    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.draw(format_args!("\x1b[{n}C")) }
    }
    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.draw(format_args!("\x1b[{n}D")) }
    }
    fn write_line(&self, line: &str) -> io::Result<()> {
        self.draw(format_args!("{line}\n"))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        // indicatif fills the row with blanks, and the next line begins where the terminal wraps. When narrowed, all of
        // them would wrap.
        if text.bytes().all(|byte| byte == b' ') {
            self.is_ended.store(true, Ordering::Relaxed);
            return self.draw(format_args!("\x1b[K"));
        }
        let break_line = if self.is_ended.swap(false, Ordering::Relaxed) && text != "\r" { "\r\n" } else { "" };
        self.draw(format_args!("{break_line}{text}"))
    }
    fn clear_line(&self) -> io::Result<()> {
        self.draw(format_args!("\r\x1b[2K"))
    }
    fn flush(&self) -> io::Result<()> {
        self.is_ended.store(false, Ordering::Relaxed);
        let drawn = std::mem::take(&mut *self.buffer());
        let mut stderr = locks::lock(&self.stderr);
        stderr.write_all(&drawn)?;
        stderr.flush()
    }
}

impl fmt::Debug for StderrTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StderrTerm").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}
