//! The properties of the terminal behind stderr, as a value: tests pass in a fake one.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::Arc;

#[cfg(unix)]
use super::pipeline;

/// Columns and rows if a terminal does not report them.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// Whether stderr is a terminal, and its features.
#[derive(Clone)]
pub struct Terminal {
    /// `None` if stderr is not a terminal.
    size: Option<Arc<dyn Fn() -> (u16, u16) + Send + Sync>>,
    has_colours: bool,
    has_cursor: bool,
    has_stdout: bool,
    stdout_to: StdoutTo,
    shows_stdout: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// Where stdout leads, and so whether anyone sees errors there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StdoutTo {
    /// A terminal, or the same as stderr.
    #[default]
    Seen,
    /// A pipe: another program reads it.
    Pipe,
    /// A file, or nothing: nobody reads it during the run.
    Elsewhere,
}

impl Terminal {
    /// Stderr is a file, a pipe, or nothing.
    #[must_use]
    pub fn none() -> Self {
        let shows_stdout = Arc::new(|| false);
        let stdout_to = StdoutTo::default();
        Self { size: None, has_colours: false, has_cursor: false, has_stdout: false, stdout_to, shows_stdout }
    }

    /// A terminal of this many columns and rows, with colours and a movable cursor; stdout goes elsewhere.
    #[must_use]
    pub fn of_size(columns: u16, rows: u16) -> Self {
        Self { size: Some(Arc::new(move || (columns, rows))), has_colours: true, has_cursor: true, ..Self::none() }
    }

    /// The process's own. A non-empty `NO_COLOR` turns off colours (<https://no-color.org>); `TERM=dumb`, or no `TERM`,
    /// turns off colours and cursor movement.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "nothing is written")]
    pub fn system() -> Self {
        let stdout_to = stdout_to();
        if !io::stderr().is_terminal() {
            return Self::none().with_stdout_to(stdout_to);
        }
        let stdout_is_terminal = io::stdout().is_terminal();
        Self {
            size: Some(Arc::new(size)),
            has_stdout: stdout_is_terminal,
            stdout_to,
            shows_stdout: Arc::new(move || stdout_is_terminal || ends_at_terminal()),
            ..Self::none()
        }
        .with_vars(|name| std::env::var_os(name))
    }

    /// Adds the settings of these environment variables.
    #[must_use]
    pub fn with_vars(self, var: impl Fn(&str) -> Option<OsString>) -> Self {
        let is_dumb = var("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let is_plain = var("NO_COLOR").is_some_and(|text| !text.is_empty());
        Self { has_colours: !is_dumb && !is_plain, has_cursor: !is_dumb, ..self }
    }

    /// Stdout goes to the same terminal.
    #[must_use]
    pub fn with_stdout(self) -> Self {
        Self { has_stdout: true, shows_stdout: Arc::new(|| true), ..self }
    }

    /// Sets where stdout leads. Default: where it is seen.
    #[must_use]
    pub fn with_stdout_to(self, stdout_to: StdoutTo) -> Self {
        Self { stdout_to, ..self }
    }

    /// Where stdout leads.
    #[must_use]
    pub fn stdout_to(&self) -> StdoutTo {
        self.stdout_to
    }

    /// Whether stderr is a terminal.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.size.is_some()
    }

    /// The current columns and rows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        self.size.as_ref().map_or(USUAL_SIZE, |size| size())
    }

    /// Whether it shows colours, and the user wants them.
    #[must_use]
    pub fn has_colours(&self) -> bool {
        self.has_colours
    }

    /// Whether drawings can be overwritten.
    #[must_use]
    pub fn has_cursor(&self) -> bool {
        self.is_there() && self.has_cursor
    }

    /// Whether stdout is a terminal.
    #[must_use]
    pub fn has_stdout(&self) -> bool {
        self.has_stdout
    }

    /// Whether the output of stdout may end up on the terminal: directly, or through the last command of a pipeline.
    /// Call it after the other commands have had time to begin.
    #[must_use]
    pub fn shows_stdout(&self) -> bool {
        (self.shows_stdout)()
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.size.as_ref().map(|size| size());
        f.debug_struct("Terminal").field("size", &size).field("colours", &self.has_colours).finish_non_exhaustive()
    }
}

#[cfg(unix)]
fn size() -> (u16, u16) {
    let size = rustix::termios::tcgetwinsize(io::stderr());
    // A terminal without a window says 0.
    size.ok().map(|size| (size.ws_col, size.ws_row)).filter(|size| size.0 > 0 && size.1 > 0).unwrap_or(USUAL_SIZE)
}

#[cfg(not(unix))]
fn size() -> (u16, u16) {
    USUAL_SIZE
}

/// Where the process's stdout leads.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "nothing is written")]
fn stdout_to() -> StdoutTo {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    let (stdout, stderr) = (io::stdout(), io::stderr());
    let file = |fd: std::os::fd::BorrowedFd<'_>| File::from(fd.try_clone_to_owned().ok()?).metadata().ok();
    match (stdout.is_terminal(), file(stdout.as_fd()), file(stderr.as_fd())) {
        (true, ..) | (_, None, _) => StdoutTo::Seen,
        (_, Some(out), Some(err)) if (out.dev(), out.ino()) == (err.dev(), err.ino()) => StdoutTo::Seen,
        (_, Some(out), _) if out.file_type().is_fifo() || out.file_type().is_socket() => StdoutTo::Pipe,
        _ => StdoutTo::Elsewhere,
    }
}

#[cfg(not(unix))]
fn stdout_to() -> StdoutTo {
    StdoutTo::default()
}

#[cfg(unix)]
fn ends_at_terminal() -> bool {
    pipeline::ends_at_terminal(std::path::Path::new("/proc"))
}

#[cfg(not(unix))]
fn ends_at_terminal() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_turns_off_colours_and_a_dumb_terminal_the_cursor_too() {
        for (term, no_color, colours, cursor) in [
            (Some("xterm"), None, true, true),
            (Some("xterm"), Some(""), true, true),
            (Some("xterm"), Some("0"), false, true),
            (Some("dumb"), None, false, false),
            (Some(""), None, false, false),
            (None, None, false, false),
        ] {
            let terminal = Terminal::of_size(80, 24).with_vars(|name| match name {
                "TERM" => term.map(Into::into),
                "NO_COLOR" => no_color.map(Into::into),
                _ => None,
            });
            assert_eq!((terminal.has_colours(), terminal.has_cursor()), (colours, cursor), "{term:?} {no_color:?}");
        }
        let none = Terminal::none().with_vars(|_| Some("xterm".into()));
        assert!(!none.is_there() && !none.has_cursor());
    }
}
