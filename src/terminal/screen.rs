//! The one writer of stderr. Lines go above the drawing, and text from outside cannot control the terminal.

use std::io::Write;
use std::sync::{Arc, Mutex};

use console::Style;
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::Terminal;
use super::stderr_term::{Stderr, StderrTerm};
use crate::locks;
use crate::protocol::{Failure, HumanOutput, LogLevel, ONE_OF_ONE, RUN_AGAIN_LATER};

/// Stderr for people. Clones share it.
#[derive(Clone)]
pub(crate) struct Screen(Arc<Shared>);

struct Shared {
    stderr: Stderr,
    terminal: Terminal,
    is_quiet: bool,
    /// Whether a summary will report failures.
    has_summary: bool,
    /// The failures of streams that were reported. That of the run would repeat them.
    told_failures: Mutex<Vec<Told>>,
    /// The current drawing.
    drawn: Mutex<Option<ProgressBar>>,
}

/// The failure of a stream that was reported.
struct Told {
    failure: Failure,
    /// The streams that later ended by the same fault.
    others: Vec<String>,
}

impl Screen {
    /// A writer to `stderr`. In quiet mode, it shows only errors that are reported nowhere else. If a summary will be
    /// shown, it reports the failures.
    pub(crate) fn new(stderr: Box<dyn Write + Send>, terminal: Terminal, is_quiet: bool, has_summary: bool) -> Self {
        Self(Arc::new(Shared {
            stderr: Arc::new(Mutex::new(stderr)),
            has_summary: has_summary && terminal.is_there() && !is_quiet,
            terminal,
            is_quiet,
            told_failures: Mutex::default(),
            drawn: Mutex::default(),
        }))
    }

    /// Its output.
    pub(crate) fn terminal(&self) -> &Terminal {
        &self.0.terminal
    }

    /// Whether a person is watching who wants progress.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.terminal.is_there() && !self.0.is_quiet
    }

    /// A style, if there are colours.
    pub(super) fn style(&self) -> Style {
        Style::new().force_styling(self.0.terminal.has_colours())
    }

    /// Writes whole lines, above the drawing.
    pub(crate) fn write(&self, lines: &str) {
        let write = || {
            let mut stderr = locks::lock(&self.0.stderr);
            // Nobody is left to see it.
            let _ = writeln!(stderr, "{}", lines.trim_end()).and_then(|()| stderr.flush());
        };
        let drawn = locks::lock(&self.0.drawn).clone();
        match drawn {
            Some(drawn) => drawn.suspend(write),
            None => write(),
        }
    }

    /// Writes cursor movements.
    pub(super) fn raw(&self, codes: &str) {
        let mut stderr = locks::lock(&self.0.stderr);
        let _ = stderr.write_all(codes.as_bytes());
    }

    /// Writes an error.
    pub(crate) fn error(&self, text: &str) {
        self.write(&self.line(LogLevel::Error, text));
    }

    /// Begins to draw.
    pub(super) fn draw(&self) -> ProgressBar {
        let stderr_term = StderrTerm::new(self.0.stderr.clone(), self.0.terminal.clone());
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(stderr_term)));
        *locks::lock(&self.0.drawn) = Some(bar.clone());
        bar
    }

    /// Ends the drawing.
    pub(super) fn wipe(&self) {
        let drawn = locks::lock(&self.0.drawn).take();
        if let Some(drawn) = drawn {
            drawn.finish_and_clear();
        }
    }

    /// `warning: TEXT`.
    fn line(&self, level: LogLevel, text: &str) -> String {
        let (word, style) = match level {
            LogLevel::Trace | LogLevel::Debug => ("debug", self.style().dim()),
            LogLevel::Info => ("info", self.style().dim()),
            LogLevel::Warn => ("warning", self.style().yellow()),
            LogLevel::Error | LogLevel::Fatal => ("error", self.style().red()),
        };
        format!("{}: {}", style.apply_to(word), printable(text))
    }
}

impl HumanOutput for Screen {
    fn log(&self, level: LogLevel, text: &str) {
        if !self.0.is_quiet || level >= LogLevel::Error {
            self.write(&self.line(level, text));
        }
    }

    fn failure(&self, failure: &Failure) {
        if self.0.has_summary {
            return;
        }
        let mut told = locks::lock(&self.0.told_failures);
        match &failure.stream {
            Some(stream) => {
                if let Some(same) = told.iter_mut().find(|told| told.failure.has_cause_of(failure)) {
                    same.others.push(stream.name.clone());
                } else {
                    told.push(Told { failure: failure.clone(), others: Vec::new() });
                    self.error(&format!("{}: {}", stream.name, failure.message));
                }
            }
            None => match rest(&failure.message, &told) {
                text if text.is_empty() => {}
                text => self.error(&text),
            },
        }
    }
}

/// The part of a run's failure that goes beyond its streams' reported failures: its first line, the streams that ended
/// by the same faults, and whether to run it again.
fn rest(message: &str, told: &[Told]) -> String {
    if told.is_empty() {
        return message.to_owned();
    }
    let is_news = |line: &&str| *line != ONE_OF_ONE && told.iter().all(|told| told.failure.message != *line);
    let first = message.lines().next().filter(is_news);
    let groups = told.iter().filter(|told| !told.others.is_empty()).map(|same| {
        let name = same.failure.stream.as_ref().map_or("", |stream| stream.name.as_str());
        format!("{}: the same as {name}.", same.others.join(", "))
    });
    let last = message.lines().skip(1).last().filter(|line| line.starts_with(RUN_AGAIN_LATER));
    let lines = first.map(str::to_owned).into_iter().chain(groups).chain(last.map(str::to_owned));
    lines.collect::<Vec<_>>().join("\n")
}

/// A screen that shows log lines from a level on. It always shows notices and failures.
pub(crate) struct FromLevel {
    pub(crate) screen: Screen,
    pub(crate) least: LogLevel,
}

impl HumanOutput for FromLevel {
    fn log(&self, level: LogLevel, text: &str) {
        if level >= self.least {
            self.screen.log(level, text);
        }
    }

    fn notice(&self, text: &str) {
        self.screen.log(LogLevel::Warn, text);
    }

    fn failure(&self, failure: &Failure) {
        self.screen.failure(failure);
    }
}

/// A text without control characters. Error messages are an API's own text.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::io;

    use super::*;
    use crate::protocol::StreamDescriptor;

    /// A writer whose output can be read.
    #[derive(Clone, Default)]
    pub(in crate::terminal) struct Seen(Arc<Mutex<Vec<u8>>>);

    impl Seen {
        pub(in crate::terminal) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Seen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn told(terminal: Terminal, is_quiet: bool) -> String {
        let seen = Seen::default();
        let screen = Screen::new(Box::new(seen.clone()), terminal, is_quiet, true);
        screen.log(LogLevel::Info, "read");
        screen.log(LogLevel::Warn, "odd \x1b]0;evil\x07");
        let stream = StreamDescriptor { name: "charges".into(), namespace: None };
        screen.failure(&Failure::config("no").of_stream(&stream));
        screen.failure(&Failure::config("1 of 1 streams failed.\ncharges: no"));
        seen.text()
    }

    #[test]
    fn lines_have_their_level_and_cannot_affect_a_terminal() {
        let text = "info: read\nwarning: odd \u{fffd}]0;evil\u{fffd}\nerror: charges: no\n";
        assert_eq!(told(Terminal::none(), false), text);
        let colours = told(Terminal::of_size(80, 24), false);
        assert_eq!(colours, "\x1b[2minfo\x1b[0m: read\n\x1b[33mwarning\x1b[0m: odd \u{fffd}]0;evil\u{fffd}\n");
    }

    #[test]
    fn streams_that_the_same_fault_has_ended_are_reported_together() {
        let seen = Seen::default();
        let screen = Screen::new(Box::new(seen.clone()), Terminal::none(), false, true);
        let failure = |name: &str, kind, internal: &str| {
            let stream = StreamDescriptor::named(name);
            screen.failure(&Failure::new(kind, "no").with_internal(internal).of_stream(&stream));
        };
        for name in ["a", "b", "c"] {
            failure(name, crate::protocol::FailureKind::Transient, "refused");
            failure(name, crate::protocol::FailureKind::System, "refused");
        }
        screen.failure(&Failure::config("6 of 6 streams failed.\na: no\nRun it again later to see."));
        let told = "error: a: no\nerror: a: no\nerror: b: no\nerror: c: no\n";
        let rest = "error: 6 of 6 streams failed.\nb, c: the same as a.\nRun it again later to see.\n";
        assert_eq!(seen.text(), format!("{told}{rest}"));
    }

    #[test]
    fn a_fault_that_ended_all_streams_and_the_run_is_reported_once() {
        let seen = Seen::default();
        let screen = Screen::new(Box::new(seen.clone()), Terminal::none(), false, true);
        for name in ["a", "b"] {
            screen.failure(&Failure::transient("SIGINT ended this run.").of_stream(&StreamDescriptor::named(name)));
        }
        screen.failure(&Failure::transient("SIGINT ended this run."));
        assert_eq!(seen.text(), "error: a: SIGINT ended this run.\nerror: b: the same as a.\n");
    }

    #[test]
    fn a_notice_is_shown_where_other_warnings_are_not() {
        for (is_quiet, text) in [(false, "warning: fix it\n"), (true, "")] {
            let seen = Seen::default();
            let screen = Screen::new(Box::new(seen.clone()), Terminal::none(), is_quiet, true);
            let people = FromLevel { screen, least: LogLevel::Error };
            people.log(LogLevel::Warn, "odd");
            people.notice("fix it");
            assert_eq!(seen.text(), text);
        }
    }

    #[test]
    fn quiet_shows_only_errors() {
        let text = "error: charges: no\n";
        assert_eq!(told(Terminal::none(), true), text);
        assert_eq!(told(Terminal::of_size(80, 24), true), text.replace("error", "\x1b[31merror\x1b[0m"));
    }

    #[test]
    fn a_line_goes_above_the_drawing_which_is_erased_at_the_end() {
        let seen = Seen::default();
        let screen = Screen::new(Box::new(seen.clone()), Terminal::of_size(80, 24), false, true);
        let bar = screen.draw();
        bar.set_style(indicatif::ProgressStyle::with_template("{msg}").unwrap());
        bar.set_message("half way");
        screen.write("a line");
        screen.wipe();
        screen.write("the end");
        let text = seen.text();
        let places = ["half way", "a line\n", "half way", "\x1b[2K", "the end\n"];
        let mut from = 0;
        for place in places {
            from += text[from..].find(place).unwrap_or_else(|| panic!("{place:?} is not in {text:?}")) + place.len();
        }
        assert!(from == text.len(), "{text:?}");
    }
}
