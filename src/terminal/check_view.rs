//! The progress of a check while it runs, and at its end which streams can be read, and why others cannot.

use std::sync::Arc;
use std::time::Duration;

use console::{Style, measure_text_width};

use super::Screen;
use super::live_view::View;
use super::quantity::countdown;
use super::read_view::silence;
use super::screen::printable;
use crate::clock::Clock;
use crate::source::{Probe, ProbeEnd, Probes};
use crate::sync::StreamTally;

/// The labels of lists, and the width of the widest one.
const READABLE: &str = "ok";
const NOTHING_TO_ASK: &str = "nothing to ask";
const REFUSED: &str = "not allowed";
const FAILED: &str = "failed";
const NOT_ASKED: &str = "not asked";
const INDENT: usize = NOTHING_TO_ASK.len() + 2;

/// A check, for drawing.
pub(crate) struct CheckView {
    pub(crate) probes: Arc<Probes>,
    pub(crate) waits: Arc<StreamTally>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Streams that may be requested.
    pub(crate) streams: usize,
}

impl View for CheckView {
    fn lines(&mut self, screen: &Screen, _: usize) -> Vec<String> {
        let asked = self.probes.ended().len();
        let now: Duration = self.clock.elapsed();
        let line = format!("checking: asked {asked} of {} streams for their first page", self.streams);
        let Some(wait) = self.waits.waiting(now) else {
            return [line].into_iter().chain(silence(screen, &self.waits, now)).collect();
        };
        let waiting = format!("waiting {}", countdown(wait.until.saturating_sub(now)));
        let reason = printable(&wait.reason).replace('\n', " ");
        vec![line, format!("{}: {reason}", screen.style().yellow().apply_to(waiting))]
    }
}

/// The streams of a source by the results of their probes, with the reason if one cannot be read. `redact` masks
/// secrets. `told` is a reason that is reported elsewhere: that of the whole check.
pub(crate) fn probed(
    screen: &Screen,
    streams: &[String],
    probes: &[Probe],
    redact: &dyn Fn(&str) -> String,
    told: Option<&str>,
) -> String {
    let of = |stream: &String| probes.iter().find(|probe| probe.stream == *stream).map(|probe| &probe.end);
    let named = |wanted: &dyn Fn(Option<&ProbeEnd>) -> bool| -> Vec<&str> {
        streams.iter().filter(|stream| wanted(of(stream))).map(String::as_str).collect()
    };
    let mut text = String::new();
    let mut list = |word: &str, style: Style, found: &[&str], is_whole: bool| {
        if !found.is_empty() {
            let count = format!("{} of {} streams", found.len(), streams.len());
            let list = if is_whole { format!(": {}", found.join(", ")) } else { String::new() };
            text.push_str(&block(screen, word, &style, &(count + &list)));
        }
    };
    list(READABLE, screen.style().green(), &named(&|end| end == Some(&ProbeEnd::Readable)), true);
    list(NOTHING_TO_ASK, screen.style().dim(), &named(&|end| end == Some(&ProbeEnd::NothingToAsk)), true);
    // Nothing is known about them.
    list(NOT_ASKED, screen.style().dim(), &named(&|end| end.is_none()), false);
    for stream in streams {
        let (word, style, why) = match of(stream) {
            Some(ProbeEnd::Refused(failure)) => {
                (REFUSED, screen.style().yellow(), failure.hint.as_deref().unwrap_or(&failure.message))
            }
            Some(ProbeEnd::Failed(failure)) => (FAILED, screen.style().red(), failure.message.as_str()),
            _ => continue,
        };
        let line = if told == Some(why) { stream.clone() } else { format!("{stream}: {}", redact(why)) };
        text.push_str(&block(screen, word, &style, &line));
    }
    text
}

/// A label, and a text beside it, wrapped at words.
fn block(screen: &Screen, word: &str, style: &Style, text: &str) -> String {
    let room = usize::from(screen.terminal().size().0).saturating_sub(INDENT + 1).max(20);
    let mut lines: Vec<String> = vec![String::new()];
    for part in printable(text).split_whitespace() {
        let line = lines
            .last_mut()
            .filter(|line| line.is_empty() || measure_text_width(line) + 1 + measure_text_width(part) <= room);
        match line {
            Some(line) if line.is_empty() => line.push_str(part),
            Some(line) => line.extend([" ", part]),
            None => lines.push(part.to_owned()),
        }
    }
    let padding = " ".repeat(INDENT - word.len());
    format!("{}{padding}{}\n", style.apply_to(word), lines.join(&format!("\n{}", " ".repeat(INDENT))))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::Terminal;
    use super::*;
    use crate::clock::VirtualClock;
    use crate::protocol::Failure;

    fn screen(columns: u16) -> Screen {
        Screen::new(Box::new(io::sink()), Terminal::of_size(columns, 24).with_vars(|_| None), false, false)
    }

    #[test]
    fn streams_are_listed_by_result_within_the_width() {
        let probes = Probes::default();
        for name in ["customers", "charges", "disputes"] {
            probes.note(name, &Ok(true));
        }
        probes.note("persons", &Ok(false));
        let refusal =
            Failure { skips_stream: true, hint: Some("Lacks rak_refund_read.".into()), ..Failure::config("no") };
        probes.note("refunds", &Err(refusal.into()));
        probes.note("accounts", &Err(Failure::transient("GET http://a.com/?key=s3cret answered 500: no.").into()));
        let streams =
            ["charges", "customers", "disputes", "persons", "refunds", "accounts", "plans"].map(str::to_owned);
        let shown = probed(&screen(50), &streams, &probes.ended(), &|text| text.replace("s3cret", "****"), None);
        assert_eq!(
            shown,
            "\
ok              3 of 7 streams: charges,
                customers, disputes
nothing to ask  1 of 7 streams: persons
not asked       1 of 7 streams
not allowed     refunds: Lacks rak_refund_read.
failed          accounts: GET
                http://a.com/?key=**** answered
                500: no.
"
        );
        let told = "GET http://a.com/?key=s3cret answered 500: no.";
        let shown = probed(&screen(50), &streams, &probes.ended(), &str::to_owned, Some(told));
        assert!(shown.ends_with("\nfailed          accounts\n"), "{shown}");
    }

    #[test]
    fn while_it_runs_it_shows_its_progress_and_waits() {
        let (probes, waits) = (Arc::new(Probes::default()), Arc::new(StreamTally::default()));
        let clock = Arc::new(VirtualClock::at(0));
        let mut view = CheckView { probes: probes.clone(), waits: waits.clone(), clock: clock.clone(), streams: 3 };
        probes.note("a", &Ok(true));
        assert_eq!(view.lines(&screen(80), 5), ["checking: asked 1 of 3 streams for their first page"]);
        waits.ask(Some("a.com"), Duration::ZERO);
        clock.advance(Duration::from_secs(3));
        assert_eq!(view.lines(&screen(80), 5)[1], "waiting for an answer from a.com, 3 s");
        waits.ask(None, Duration::from_secs(3));
        waits.wait("HTTP 503".to_owned(), Duration::from_secs(7));
        clock.advance(Duration::from_secs(1));
        assert_eq!(view.lines(&screen(80), 5)[1], "waiting 3 s: HTTP 503");
    }
}
