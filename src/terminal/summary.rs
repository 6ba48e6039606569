//! The summary of a read, as a table: a row for each stream, one for all, and the end. Without enough room, empty
//! columns are dropped first, and then the least important ones.

use console::{Alignment, Style, measure_text_width, pad_str, truncate_str};

use super::Screen;
use super::quantity::{bytes, count, time};
use super::screen::printable;
use crate::protocol::{Failure, FailureKind};
use crate::sync::{Numbers, StreamEnd, StreamSummary};

/// Screen columns between those of the table.
const GAP: &str = "  ";
/// Screen columns for a stream's name before any numbers but the records: Stripe's longest name.
const WHOLE_NAME: usize = 28;
/// The least screen columns for it.
const SHORTEST_NAME: usize = 8;

/// A column of numbers.
struct Column {
    title: &'static str,
    cell: fn(&Numbers) -> String,
    is_nothing: fn(&Numbers) -> bool,
}

/// Without enough room, the last one is dropped first.
const COLUMNS: [Column; 8] = [
    Column { title: "records", cell: |n| count(n.records), is_nothing: |_| false },
    Column { title: "requests", cell: |n| count(n.requests), is_nothing: |_| false },
    Column { title: "refused", cell: |n| count(n.refused), is_nothing: |n| n.refused == 0 },
    Column { title: "retries", cell: |n| count(n.retries), is_nothing: |n| n.retries == 0 },
    Column {
        title: "waits",
        cell: |n| if n.waits == 0 { "0".to_owned() } else { format!("{} ({})", count(n.waits), time(n.waited)) },
        is_nothing: |n| n.waits == 0,
    },
    Column { title: "cached", cell: |n| count(n.cache_hits), is_nothing: |n| n.cache_hits == 0 },
    Column { title: "bytes", cell: |n| bytes(n.bytes), is_nothing: |n| n.bytes == 0 },
    Column { title: "time", cell: |n| time(n.time), is_nothing: |_| false },
];

/// The index of a column that is shown only if it is not empty.
const REFUSED: usize = 2;

/// The order in which columns are dropped: `cached`, `retries`, `bytes`, `time`, `waits`, `requests`, `refused`.
const GO: [usize; 7] = [5, 3, 6, 7, 4, 1, 2];

/// How a read ended.
#[derive(Clone, Copy)]
pub(crate) enum ReadEnd<'a> {
    /// Nothing failed.
    Done,
    /// Something failed.
    Failed(&'a Failure),
    /// It was stopped early from outside.
    Stopped(&'a Failure),
}

impl<'a> ReadEnd<'a> {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Stopped(_) => "stopped",
        }
    }

    fn failure(self) -> Option<&'a Failure> {
        match self {
            Self::Done => None,
            Self::Failed(failure) | Self::Stopped(failure) => Some(failure),
        }
    }
}

/// The table, and below it why the read failed or was stopped, if it was.
pub(crate) fn summary(screen: &Screen, streams: &[StreamSummary], total: &Numbers, end: ReadEnd<'_>) -> String {
    let mut lines = if streams.is_empty() { Vec::new() } else { table(screen, streams, total, end) };
    if let Some(failure) = end.failure() {
        let kind = match failure.kind {
            FailureKind::Transient => "transient",
            FailureKind::System => "system",
            FailureKind::Config => "config",
        };
        let word = screen.style().red().apply_to(format!("error ({kind})"));
        lines.push(format!("{word}: {}", printable(&failure.message)));
    }
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

fn table(screen: &Screen, streams: &[StreamSummary], total: &Numbers, end: ReadEnd<'_>) -> Vec<String> {
    let names: Vec<String> = streams.iter().map(|stream| printable(&stream.stream)).collect();
    let words = streams.iter().map(|stream| stream.end.word());
    let last = end.word();
    let status = words.chain([last, "status"]).map(str::len).max().unwrap_or_default();
    let widths: Vec<usize> = COLUMNS.iter().map(|column| width(column, streams, total)).collect();
    let name = names.iter().map(|name| measure_text_width(name)).chain(["stream".len()]).max().unwrap_or_default();
    let room = usize::from(screen.terminal().size().0);
    let (shown, left_out) = choose(&widths, name.min(WHOLE_NAME) + status, room, total);
    let taken: usize = shown.iter().map(|&at| widths[at] + GAP.len()).sum::<usize>() + GAP.len() + status;
    let name = name.min(room.saturating_sub(taken).max(SHORTEST_NAME));

    let row = |first: &str, style: &Style, cell: &dyn Fn(&Column) -> String, end: &str, end_style: &Style| {
        let mut cells = vec![pad_str(&truncate_str(first, name, "…"), name, Alignment::Left, None).into_owned()];
        cells.extend(
            shown.iter().map(|&at| pad_str(&cell(&COLUMNS[at]), widths[at], Alignment::Right, None).into_owned()),
        );
        format!("{}{GAP}{}", style.apply_to(cells.join(GAP)), end_style.apply_to(end))
    };
    let [plain, dim, bold] = [screen.style(), screen.style().dim(), screen.style().bold()];
    let [green, yellow, red] = [screen.style().green(), screen.style().yellow(), screen.style().red()];
    let mut lines = vec![row("stream", &dim, &|column| column.title.to_owned(), "status", &dim)];
    for (stream, name) in streams.iter().zip(&names) {
        let colour = match stream.end {
            StreamEnd::Complete => &green,
            StreamEnd::Incomplete { .. } => &red,
            StreamEnd::Skipped { .. } | StreamEnd::NotBegun | StreamEnd::BrokenOff => &yellow,
        };
        lines.push(row(name, &plain, &|column| (column.cell)(&stream.numbers), stream.end.word(), colour));
    }
    let colour = match end {
        ReadEnd::Done => &green,
        ReadEnd::Failed(_) => &red,
        ReadEnd::Stopped(_) => &yellow,
    };
    lines.push(row("total", &bold, &|column| (column.cell)(total), last, colour));
    if !left_out.is_empty() {
        lines.push(dim.apply_to(format!("(no room for {})", left_out.join(", "))).to_string());
    }
    lines
}

/// The shown columns, and the hidden ones that are not empty.
fn choose(widths: &[usize], others: usize, room: usize, total: &Numbers) -> (Vec<usize>, Vec<&'static str>) {
    let mut left_out = Vec::new();
    let is_nothing = |at: &usize| (COLUMNS[*at].is_nothing)(total);
    // Few reads have refusals.
    let mut shown: Vec<usize> = (0..COLUMNS.len()).filter(|at| *at != REFUSED || !is_nothing(at)).collect();
    let order = GO.iter().filter(|at| is_nothing(at)).chain(GO.iter().filter(|at| !is_nothing(at)));
    for &at in order {
        let taken: usize = shown.iter().map(|&at| widths[at] + GAP.len()).sum();
        if taken + others + GAP.len() <= room {
            break;
        }
        shown.retain(|&other| other != at);
        if !is_nothing(&at) {
            left_out.push(COLUMNS[at].title);
        }
    }
    (shown, left_out)
}

fn width(column: &Column, streams: &[StreamSummary], total: &Numbers) -> usize {
    let numbers = streams.iter().map(|stream| &stream.numbers).chain([total]);
    let cells = numbers.map(|numbers| (column.cell)(numbers).len());
    cells.chain([column.title.len()]).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::super::Terminal;
    use super::*;

    fn stream(name: &str, records: u64, waits: u64, end: StreamEnd) -> StreamSummary {
        let numbers = Numbers {
            records,
            requests: records / 100 + 1,
            waits,
            retries: waits,
            waited: Duration::from_millis(1_500) * u32::try_from(waits).unwrap(),
            bytes: records * 2_600,
            time: Duration::from_millis(records),
            ..Numbers::default()
        };
        StreamSummary { stream: name.to_owned(), end, numbers }
    }

    fn streams() -> Vec<StreamSummary> {
        let failed = StreamEnd::Incomplete { kind: FailureKind::Transient, message: "no".to_owned() };
        vec![
            stream("charges", 20_000, 3, StreamEnd::Complete),
            stream("checkout_sessions_line_items", 7, 0, failed),
            stream("refunds", 0, 0, StreamEnd::Skipped { message: "no".to_owned() }),
        ]
    }

    fn shown(terminal: Terminal, end: ReadEnd<'_>) -> String {
        let screen = Screen::new(Box::new(io::sink()), terminal, false, true);
        let mut total = Numbers { time: Duration::from_secs(21), ..Numbers::default() };
        for stream in streams() {
            total += stream.numbers;
        }
        summary(&screen, &streams(), &total, end)
    }

    fn plain(columns: u16, end: ReadEnd<'_>) -> String {
        shown(Terminal::of_size(columns, 24).with_vars(|_| None), end)
    }

    #[test]
    fn the_table_is_aligned_and_ends_with_how_it_ended() {
        let failure = Failure::transient("1 of 3 streams failed.\ncheckout_sessions_line_items: no");
        assert_eq!(
            plain(120, ReadEnd::Failed(&failure)),
            "\
stream                        records  requests  retries      waits  cached     bytes    time  status
charges                        20,000       201        3  3 (4.5 s)       0  52.00 MB  20.0 s  complete
checkout_sessions_line_items        7         1        0          0       0  18.20 kB   0.0 s  incomplete
refunds                             0         1        0          0       0       0 B   0.0 s  skipped
total                          20,007       203        3  3 (4.5 s)       0  52.02 MB  21.0 s  failed
error (transient): 1 of 3 streams failed.
checkout_sessions_line_items: no
"
        );
    }

    #[test]
    fn without_room_columns_are_dropped_and_non_empty_ones_are_named() {
        assert_eq!(
            plain(80, ReadEnd::Done),
            "\
stream                        records  requests      waits    time  status
charges                        20,000       201  3 (4.5 s)  20.0 s  complete
checkout_sessions_line_items        7         1          0   0.0 s  incomplete
refunds                             0         1          0   0.0 s  skipped
total                          20,007       203  3 (4.5 s)  21.0 s  done
(no room for retries, bytes)
"
        );
        assert_eq!(
            plain(40, ReadEnd::Done),
            "\
stream               records  status
charges               20,000  complete
checkout_sessions_…        7  incomplete
refunds                    0  skipped
total                 20,007  done
(no room for retries, bytes, time, waits, requests)
"
        );
    }

    #[test]
    fn colours_do_not_change_the_text() {
        let coloured = shown(Terminal::of_size(120, 24), ReadEnd::Done);
        assert!(coloured.contains("\x1b[32mcomplete\x1b[0m"), "{coloured}");
        assert_eq!(console::strip_ansi_codes(&coloured), plain(120, ReadEnd::Done));
    }

    #[test]
    fn a_read_that_failed_before_it_began_has_no_table() {
        let screen = Screen::new(Box::new(io::sink()), Terminal::of_size(80, 24).with_vars(|_| None), false, true);
        let failure = Failure::config("The config file c.json cannot be read.");
        let told = summary(&screen, &[], &Numbers::default(), ReadEnd::Failed(&failure));
        assert_eq!(told, "error (config): The config file c.json cannot be read.\n");
    }
}
