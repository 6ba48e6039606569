//! The progress of a read: a line for each active stream, and one for all of them. A wait shows its reason and its
//! remaining time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use console::{measure_text_width, pad_str, truncate_str};

use super::Screen;
use super::live_view::View;
use super::quantity::{bytes, count, countdown};
use super::screen::printable;
use crate::clock::Clock;
use crate::sync::{StreamTally, Tally};

/// Streams shown at once. Others follow when these end.
const MOST: usize = 12;
/// Columns of the longest name that is shown whole.
const LONGEST_NAME: usize = 28;
/// Columns of the numbers of records, so that they do not move with each digit.
const SHORTEST_COUNT: usize = 7;
/// The time over which a rate is computed: long enough to be steady, short enough to show changes.
const WINDOW: Duration = Duration::from_secs(3);

/// A read, for drawing.
pub(crate) struct ReadView {
    tally: Tally,
    clock: Arc<dyn Clock>,
    /// The records of each stream, at readings of the clock within the window.
    before: VecDeque<(Duration, Vec<u64>)>,
}

impl ReadView {
    pub(crate) fn new(tally: &Tally, clock: &Arc<dyn Clock>) -> Self {
        Self { tally: tally.clone(), clock: clock.clone(), before: VecDeque::new() }
    }

    /// Records a second of each stream, and of all.
    fn rates(&mut self, now: Duration, streams: &[StreamTally]) -> (Vec<u64>, u64) {
        let records: Vec<u64> = streams.iter().map(StreamTally::records).collect();
        // One reading from before the window is kept.
        while self.before.get(1).is_some_and(|(at, _)| *at + WINDOW <= now) {
            self.before.pop_front();
        }
        let (since, before) = self.before.front().cloned().unwrap_or_default();
        let millis = u64::try_from(now.saturating_sub(since).as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = |more: u64| more.saturating_mul(1_000) / millis;
        let more = |(n, now): (usize, &u64)| now.saturating_sub(before.get(n).copied().unwrap_or_default());
        let more: Vec<u64> = records.iter().enumerate().map(more).collect();
        self.before.push_back((now, records));
        let all = rate(more.iter().sum());
        (more.into_iter().map(rate).collect(), all)
    }
}

impl View for ReadView {
    fn lines(&mut self, screen: &Screen, rows: usize) -> Vec<String> {
        let now = self.clock.elapsed();
        let streams = self.tally.streams();
        let (rates, rate) = self.rates(now, &streams);
        let running: Vec<(&StreamTally, u64)> =
            streams.iter().zip(rates).filter(|(stream, _)| stream.is_running()).collect();
        let shown = &running[..running.len().min(MOST).min(rows.saturating_sub(1))];
        let names = shown.iter().map(|(stream, _)| measure_text_width(&printable(stream.name())));
        let half = usize::from(screen.terminal().size().0) / 2;
        let name = names.max().unwrap_or_default().min(LONGEST_NAME).min(half);
        let records = shown.iter().map(|(stream, _)| count(stream.records()).len()).max().unwrap_or_default();
        let widths = (name, records.max(SHORTEST_COUNT));
        let mut lines: Vec<String> =
            shown.iter().map(|(stream, rate)| line(screen, stream, *rate, now, widths)).collect();
        lines.push(total(screen, &streams, running.len() - shown.len(), rate, self.tally.elapsed(now)));
        lines
    }
}

/// `charges 12,300 records 1,024/s 45.20 MB`, or the reason for waiting.
fn line(
    screen: &Screen,
    stream: &StreamTally,
    rate: u64,
    now: Duration,
    (name_width, records_width): (usize, usize),
) -> String {
    let name = printable(stream.name());
    let name = pad_str(&name, name_width, console::Alignment::Left, None);
    let name = screen.style().cyan().apply_to(truncate_str(&name, name_width, "…").into_owned());
    let records = format!("{:>records_width$} records", count(stream.records()));
    let Some(wait) = stream.waiting(now) else {
        if let Some(silence) = silence(screen, stream, now) {
            return format!("{name} {records}  {silence}");
        }
        let rate = format!("{}/s", count(rate));
        return format!("{name} {records} {rate:>11} {:>10}", bytes(stream.bytes()));
    };
    let left = countdown(wait.until.saturating_sub(now));
    let reason = printable(&wait.reason).replace('\n', " ");
    format!("{name} {records}  {}: {reason}", screen.style().yellow().apply_to(format!("waiting {left}")))
}

/// `waiting for an answer from api.stripe.com, 4 s`, if that has taken a while.
pub(super) fn silence(screen: &Screen, stream: &StreamTally, now: Duration) -> Option<String> {
    let (host, since) = stream.unanswered(now)?;
    let waiting = screen.style().yellow().apply_to("waiting for an answer");
    Some(format!("{waiting} from {}, {} s", printable(&host), since.as_secs()))
}

/// `3 of 48 streams, 12,300 records, 1,024/s, 45.20 MB, 0:12`.
fn total(screen: &Screen, streams: &[StreamTally], hidden: usize, rate: u64, elapsed: Duration) -> String {
    let ended = streams.iter().filter(|stream| stream.has_ended()).count();
    let records = count(streams.iter().map(StreamTally::records).sum());
    let bytes = bytes(streams.iter().map(StreamTally::bytes).sum());
    let seconds = elapsed.as_secs();
    let at_work = if hidden > 0 { format!(", {hidden} more active") } else { String::new() };
    let text = format!(
        "{ended} of {} streams done, {records} records, {}/s, {bytes}, {}:{:02}{at_work}",
        streams.len(),
        count(rate),
        seconds / 60,
        seconds % 60
    );
    screen.style().bold().apply_to(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::Terminal;
    use super::*;
    use crate::clock::VirtualClock;
    use crate::http::Activity;
    use crate::sync::StreamEnd;

    struct Bench {
        clock: Arc<VirtualClock>,
        tally: Tally,
        view: ReadView,
        screen: Screen,
    }

    impl Bench {
        fn new(names: &[&str]) -> Self {
            let (clock, tally) = (Arc::new(VirtualClock::at(0)), Tally::default());
            tally.begin(Duration::ZERO, names.iter().copied());
            let view = ReadView::new(&tally, &(clock.clone() as Arc<dyn Clock>));
            let terminal = Terminal::of_size(80, 24).with_vars(|_| None);
            Self { clock, tally, view, screen: Screen::new(Box::new(io::sink()), terminal, false, true) }
        }

        fn lines(&mut self, rows: usize) -> Vec<String> {
            self.view.lines(&self.screen, rows)
        }
    }

    #[test]
    fn active_streams_have_a_line_each_with_records_rate_and_bytes() {
        let mut bench = Bench::new(&["charges", "refunds", "events"]);
        let streams = bench.tally.streams();
        assert_eq!(bench.lines(10), ["0 of 3 streams done, 0 records, 0/s, 0 B, 0:00"]);
        streams[0].begin(Duration::ZERO);
        streams[1].begin(Duration::ZERO);
        for _ in 0..5 {
            bench.clock.advance(Duration::from_secs(1));
            streams[0].add_records(1_000);
            streams[0].note(Activity::Received { bytes: 2_500_000 });
            bench.lines(10);
        }
        bench.clock.advance(Duration::from_secs(1));
        streams[0].add_records(4_000);
        streams[1].end(Duration::from_secs(6), StreamEnd::Complete);
        assert_eq!(
            bench.lines(10),
            [
                "charges   9,000 records     2,000/s   12.50 MB",
                "1 of 3 streams done, 9,000 records, 2,000/s, 12.50 MB, 0:06",
            ]
        );
    }

    #[test]
    fn a_wait_shows_its_reason_and_counts_down() {
        let mut bench = Bench::new(&["charges"]);
        let stream = &bench.tally.streams()[0];
        stream.begin(Duration::ZERO);
        stream.add_records(7);
        stream.wait("HTTP 429 Too Many Requests\n(retry 1 of 5)".to_owned(), Duration::from_millis(8_400));
        let begins = "charges       7 records  waiting";
        assert_eq!(bench.lines(10)[0], format!("{begins} 9 s: HTTP 429 Too Many Requests (retry 1 of 5)"));
        bench.clock.advance(Duration::from_secs(6));
        assert_eq!(bench.lines(10)[0], format!("{begins} 3 s: HTTP 429 Too Many Requests (retry 1 of 5)"));
        stream.note(Activity::Waited(Duration::from_secs(6)));
        assert_eq!(bench.lines(10)[0], "charges       7 records         0/s        0 B");
    }

    #[test]
    fn a_silent_host_is_named_after_three_seconds() {
        let mut bench = Bench::new(&["charges"]);
        let stream = &bench.tally.streams()[0];
        stream.begin(Duration::ZERO);
        stream.ask(Some("127.0.0.1:36227"), Duration::ZERO);
        bench.clock.advance(Duration::from_secs(2));
        assert_eq!(bench.lines(10)[0], "charges       0 records         0/s        0 B");
        bench.clock.advance(Duration::from_secs(2));
        assert_eq!(bench.lines(10)[0], "charges       0 records  waiting for an answer from 127.0.0.1:36227, 4 s");
        bench.tally.streams()[0].ask(None, Duration::from_secs(4));
        assert_eq!(bench.lines(10)[0], "charges       0 records         0/s        0 B");
    }

    #[test]
    fn there_are_never_more_lines_than_rows_and_the_rest_is_counted() {
        let names: Vec<String> = (0..20).map(|n| format!("stream_{n}")).collect();
        let mut bench = Bench::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for stream in bench.tally.streams().iter() {
            stream.begin(Duration::ZERO);
        }
        for (rows, lines, left_out) in [(24, 13, "8 more"), (5, 5, "16 more"), (1, 1, "20 more")] {
            let drawn = bench.lines(rows);
            assert_eq!(drawn.len(), lines);
            assert!(drawn.last().unwrap().ends_with(&format!(", {left_out} active")), "{drawn:?}");
        }
    }

    #[test]
    fn a_long_name_is_truncated_and_cannot_affect_the_terminal() {
        let mut bench = Bench::new(&["a_stream_with_a_name_that_goes_on_and_on", "x\x1b[2J"]);
        bench.tally.streams().iter().for_each(|stream| stream.begin(Duration::ZERO));
        let lines = bench.lines(10);
        assert!(lines[0].starts_with("a_stream_with_a_name_that_g…       0 records "), "{lines:?}");
        assert!(lines[1].starts_with("x\u{fffd}[2J "), "{lines:?}");
    }
}
