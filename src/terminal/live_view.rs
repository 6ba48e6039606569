//! Draws the progress of a command, several times a second, from its own thread. It only reads counters, so nobody
//! waits for it.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use console::{measure_text_width, truncate_str};
use indicatif::ProgressStyle;

use super::Screen;

/// A faster command shows nothing. By then the other commands of a pipeline have begun, too.
const DELAY: Duration = Duration::from_millis(500);
/// Time between two drawings.
const TICK: Duration = Duration::from_millis(200);

/// A drawing.
pub(crate) trait View: Send + 'static {
    /// The lines to draw now, at most this many. They are truncated to the width of the terminal.
    fn lines(&mut self, screen: &Screen, rows: usize) -> Vec<String>;
}

/// A drawing that continues until this is dropped, which erases it.
pub(crate) struct LiveView {
    screen: Screen,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl LiveView {
    /// Draws a view, if there is an observer, the terminal supports it, and stdout goes elsewhere.
    pub(crate) fn start(screen: &Screen, view: impl View) -> Self {
        Self::start_after(DELAY, screen, view)
    }

    fn start_after(delay: Duration, screen: &Screen, mut view: impl View) -> Self {
        let mut progress = Self { screen: screen.clone(), thread: None };
        if !screen.is_watched() || !screen.terminal().has_cursor() || screen.terminal().has_stdout() {
            return progress;
        }
        let (over, is_over) = mpsc::channel::<()>();
        let screen = screen.clone();
        let draw = move || {
            let goes_on = |time| is_over.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
            if !goes_on(delay) || screen.terminal().shows_stdout() {
                return;
            }
            let bar = screen.draw();
            // The template is a constant and valid.
            bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
            let mut drawn = (0, Vec::new());
            loop {
                let (columns, rows) = screen.terminal().size();
                if columns != drawn.0 {
                    unwrap(&screen, &drawn.1, columns.into());
                }
                drawn.0 = columns;
                // Some terminals wrap after a full line.
                let columns = usize::from(columns).saturating_sub(1);
                let lines = view.lines(&screen, usize::from(rows).saturating_sub(1).max(1));
                let lines: Vec<_> = lines.iter().map(|line| truncate_str(line, columns, "…")).collect();
                drawn.1 = lines.iter().map(|line| measure_text_width(line)).collect();
                bar.set_message(lines.join("\n"));
                if !goes_on(TICK) {
                    break;
                }
            }
        };
        // Without a thread nothing is drawn, and nothing is lost.
        progress.thread = thread::Builder::new().spawn(draw).ok().map(|thread| (over, thread));
        progress
    }
}

/// After narrowing, the terminal has wrapped the drawn lines, given their widths: erases them, and leaves the cursor in
/// as many lines as without wrapping.
fn unwrap(screen: &Screen, widths: &[usize], columns: usize) {
    let rows: usize = widths.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum();
    if rows > widths.len() {
        let below = widths.len() - 1;
        let down = if below > 0 { format!("\x1b[{below}B") } else { String::new() };
        screen.raw(&format!("\x1b[{}A\r\x1b[J{down}", rows - 1));
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        if let Some((over, thread)) = self.thread.take() {
            drop(over);
            let _ = thread.join();
        }
        self.screen.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Terminal;
    use super::super::screen::tests::Seen;
    use super::*;

    /// Reports that it was drawn.
    struct Drawn(Sender<usize>);

    impl View for Drawn {
        fn lines(&mut self, _: &Screen, rows: usize) -> Vec<String> {
            let _ = self.0.send(rows);
            vec!["one line that is too long".to_owned(), "two".to_owned()]
        }
    }

    /// What is on stderr after a view was drawn, or could have been; and the rows it was given.
    fn draw(terminal: Terminal, is_quiet: bool, is_drawn: bool) -> (String, Option<usize>) {
        let seen = Seen::default();
        let screen = Screen::new(Box::new(seen.clone()), terminal, is_quiet, true);
        let (told, drawn) = mpsc::channel();
        let progress = LiveView::start_after(Duration::ZERO, &screen, Drawn(told));
        // Without a drawing, the sender is gone soon.
        let rows = drawn.recv().ok();
        let again = drawn.recv().ok();
        assert_eq!((rows.is_some(), again.is_some()), (is_drawn, is_drawn));
        drop(progress);
        (seen.text(), rows)
    }

    #[test]
    fn a_view_fits_the_terminal_and_is_erased_at_the_end() {
        let (text, rows) = draw(Terminal::of_size(12, 5), false, true);
        assert_eq!(rows, Some(4));
        assert!(text.starts_with("one line t…\x1b[K\r\ntwo\x1b[K\x1b[1A"), "{text:?}");
        let last = text.rfind("two").unwrap();
        assert_eq!(text[last..].matches("\x1b[2K").count(), 2, "{text:?}");
    }

    #[test]
    fn lines_that_a_narrower_terminal_has_wrapped_are_erased() {
        let seen = Seen::default();
        let screen = Screen::new(Box::new(seen.clone()), Terminal::of_size(40, 24), false, true);
        unwrap(&screen, &[30, 40], 40);
        unwrap(&screen, &[], 40);
        assert_eq!(seen.text(), "");
        unwrap(&screen, &[79, 30], 40);
        unwrap(&screen, &[79], 20);
        assert_eq!(seen.text(), "\x1b[2A\r\x1b[J\x1b[1B\x1b[3A\r\x1b[J");
    }

    #[test]
    fn nothing_is_drawn_without_an_observer_or_over_other_output() {
        let terminal = || Terminal::of_size(80, 24);
        for (terminal, is_quiet) in [
            (Terminal::none(), false),
            (terminal(), true),
            (terminal().with_stdout(), false),
            (terminal().with_vars(|_| Some("dumb".into())), false),
        ] {
            assert_eq!(draw(terminal, is_quiet, false), (String::new(), None));
        }
    }
}
