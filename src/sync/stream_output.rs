//! What one stream says on stdout, in the order the protocol wants: STARTED, RUNNING before the first record, records
//! and states, then COMPLETE or INCOMPLETE. Counts the records each state covers.

use std::io;
use std::time::Duration;

use crate::http::budget::BudgetWait;
use crate::http::{RetryObserver, Wait};
use crate::protocol::{
    Failure, LogLevel, Output, RateLimited, RecordWriter, Status, StatusReason, StreamDescriptor, StreamState,
};

/// Bytes of records gathered before they are handed on: a page of the usual size goes out as one write.
const BATCH: usize = 512 * 1024;

/// Bytes of records for each byte of a state that grows with the number of parents.
const RECORDS_PER_STATE: usize = 20;
/// Bytes below which a state is always worth it.
const SMALL_STATE: usize = 1024;
/// What a STATE line has around the state, about.
const STATE_LINE: usize = 200;
/// Time after which such a state is written all the same.
const LONGEST_WITHOUT_STATE: Duration = Duration::from_secs(60);

/// The voice of a stream.
pub(super) struct StreamOutput<'a> {
    output: &'a Output,
    stream: StreamDescriptor,
    writer: RecordWriter,
    batch: Vec<u8>,
    emitted_at: i64,
    started: bool,
    has_state: bool,
    running: bool,
    since_state: u64,
    /// Bytes of records since the last state.
    bytes_since_state: usize,
    /// When the last state was written.
    state_at: Duration,
    total: u64,
}

impl<'a> StreamOutput<'a> {
    pub(super) fn new(output: &'a Output, stream: StreamDescriptor) -> Self {
        Self {
            output,
            writer: RecordWriter::new(&stream),
            stream,
            batch: Vec::new(),
            emitted_at: 0,
            started: false,
            has_state: false,
            running: false,
            since_state: 0,
            bytes_since_state: 0,
            state_at: output.elapsed(),
            total: 0,
        }
    }

    pub(super) fn start(&mut self) -> io::Result<()> {
        self.started = true;
        self.output.status(&self.stream, Status::Started, None)
    }

    /// Records written so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The time for the records that follow. Asked for once a page.
    pub(super) fn begin_page(&mut self) {
        self.emitted_at = self.output.now_ms();
    }

    pub(super) fn record(&mut self, data: &str) -> io::Result<()> {
        if !self.running {
            self.running = true;
            self.output.status(&self.stream, Status::Running, None)?;
        }
        self.writer.write(&mut self.batch, data, self.emitted_at);
        self.bytes_since_state += data.len();
        self.since_state += 1;
        self.total += 1;
        if self.batch.len() >= BATCH { self.write_batch() } else { Ok(()) }
    }

    /// Writes out what was gathered. Called after each page, so nothing lies here while the next one is fetched.
    pub(super) fn end_page(&mut self) -> io::Result<()> {
        self.write_batch()?;
        self.output.flush()
    }

    fn write_batch(&mut self) -> io::Result<()> {
        let written = self.output.records(&self.batch);
        self.batch.clear();
        written
    }

    /// A checkpoint: it covers the records written since the last one.
    pub(super) fn state(&mut self, state: StreamState) -> io::Result<()> {
        self.write_batch()?;
        self.state_at = self.output.elapsed();
        self.has_state = true;
        self.bytes_since_state = 0;
        let records = std::mem::take(&mut self.since_state);
        self.output.state(&self.stream, state, records)
    }

    /// Whether any state was written.
    pub(super) fn has_state(&self) -> bool {
        self.has_state
    }

    /// Records written since the last state.
    pub(super) fn since_state(&self) -> u64 {
        self.since_state
    }

    /// Whether a state of this size, which grows with the stream, is worth its bytes: the records since the last one
    /// outweigh it, or that was a while ago.
    pub(super) fn state_is_due(&self, state_bytes: usize) -> bool {
        state_bytes < SMALL_STATE
            || self.bytes_since_state >= RECORDS_PER_STATE * (state_bytes + STATE_LINE)
            || self.output.elapsed().saturating_sub(self.state_at) >= LONGEST_WITHOUT_STATE
    }

    pub(super) fn complete(&mut self) -> io::Result<()> {
        self.end_page()?;
        self.output.log(LogLevel::Info, &format!("{}: {} records read.", self.stream.name, self.total))?;
        self.output.status(&self.stream, Status::Complete, None)
    }

    /// Whether nothing of the stream was written: no record, and no state.
    pub(super) fn is_untouched(&self) -> bool {
        self.total == 0 && !self.has_state
    }

    /// The end of a stream that may not be read, and of which nothing was written.
    pub(super) fn skipped(&mut self, failure: &Failure) -> io::Result<()> {
        self.log(LogLevel::Warn, &format!("skipped, and its state stays as it is: {failure}"))?;
        self.output.status(&self.stream, Status::Complete, None)
    }

    /// The end of a stream that failed. Records that are here already go out: they are good, and no state covers them.
    pub(super) fn incomplete(&mut self, failure: &Failure) -> io::Result<()> {
        if !self.started {
            self.start()?;
        }
        self.end_page()?;
        self.output.status(&self.stream, Status::Incomplete, None)?;
        self.output.failure(failure)
    }

    pub(super) fn log(&self, level: LogLevel, text: &str) -> io::Result<()> {
        self.output.log(level, &format!("{}: {text}", self.stream.name))
    }

    /// The writer behind it.
    pub(super) fn output(&self) -> &'a Output {
        self.output
    }

    /// Who is told when a request of this stream has to wait.
    pub(super) fn waits(&self) -> Waits<'a> {
        Waits { output: self.output, stream: self.stream.clone() }
    }
}

/// Says why a stream does not move.
pub(super) struct Waits<'a> {
    output: &'a Output,
    stream: StreamDescriptor,
}

impl RetryObserver for Waits<'_> {
    fn waiting(&self, wait: &Wait) -> anyhow::Result<()> {
        if let Some(reset) = wait.quota_reset {
            let rate_limited = RateLimited { quota_reset: reset.as_millisecond() };
            let reason = StatusReason::RateLimited { rate_limited: Some(rate_limited) };
            self.output.status(&self.stream, Status::Running, Some(reason))?;
        }
        if wait.too_long {
            return Ok(());
        }
        self.output.log(LogLevel::Info, &format!("{}: {wait}", self.stream.name))?;
        // The log line may have been left out, and nothing may lie in the buffer during a wait.
        Ok(self.output.flush()?)
    }

    fn throttled(&self, wait: &BudgetWait) -> anyhow::Result<()> {
        if wait.is_worth_telling() {
            self.output.log(LogLevel::Info, &format!("{}: {wait}", self.stream.name))?;
        }
        Ok(self.output.flush()?)
    }
}
