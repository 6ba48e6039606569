//! The messages of one stream on stdout, in the order of the protocol: STARTED, RUNNING before the first record,
//! records and states, then COMPLETE or INCOMPLETE. It counts the records that each state covers.

use std::io;
use std::time::Duration;

use super::log::StreamLog;
use crate::http::LONGEST_SILENCE;
use crate::protocol::{Failure, LogLevel, Output, Status, StreamDescriptor, StreamState};
use crate::sync::state::file::StateFile;
use crate::sync::state::position;
use crate::sync::tally::stream::StreamTally;
use crate::sync::tally::summary::StreamEnd;

/// Bytes of records for each byte of a state that grows with the number of slices.
const RECORDS_PER_STATE: usize = 20;
/// Approximate bytes of a STATE line around the state.
const STATE_LINE: usize = 200;
/// Time after which such a state is written anyway.
const LONGEST_WITHOUT_STATE: Duration = Duration::from_secs(60);

const SECRET_PLACE: &str = "the API repeats a secret in its page tokens, which are not saved in a state: after an \
     interruption the slice is read from its \
                            beginning.";

/// Writes the messages of a stream.
pub(in crate::sync) struct StreamOutput<'o> {
    log: StreamLog<'o>,
    state_file: Option<&'o StateFile>,
    started: bool,
    has_state: bool,
    running: bool,
    /// The warning that a place was left out of a state, which is written once.
    secret_place_warning: Option<&'static str>,
    since_state: u64,
    /// Bytes of records since the last state.
    bytes_since_state: usize,
    /// When the last state was written.
    state_at: Duration,
    total: u64,
}

impl<'o> StreamOutput<'o> {
    pub(in crate::sync) fn new(output: &'o Output, stream: StreamDescriptor, tally: &'o StreamTally) -> Self {
        Self {
            log: StreamLog { output, stream, tally },
            state_file: None,
            started: false,
            has_state: false,
            running: false,
            secret_place_warning: Some(SECRET_PLACE),
            since_state: 0,
            bytes_since_state: 0,
            state_at: output.elapsed(),
            total: 0,
        }
    }

    /// The file that keeps states, too.
    pub(in crate::sync) fn kept_in(self, state_file: Option<&'o StateFile>) -> Self {
        Self { state_file, ..self }
    }

    pub(in crate::sync) fn start(&mut self) -> io::Result<()> {
        self.started = true;
        self.log.tally.begin(self.elapsed());
        self.log.output.status(&self.log.stream, Status::Started, None)
    }

    /// Records written so far.
    pub(in crate::sync) fn total(&self) -> u64 {
        self.total
    }

    /// Writes the lines of this many records.
    pub(in crate::sync) fn records(&mut self, lines: &[u8], records: u64) -> io::Result<()> {
        if records == 0 {
            return Ok(());
        }
        if !self.running {
            self.running = true;
            self.log.output.status(&self.log.stream, Status::Running, None)?;
        }
        self.bytes_since_state += lines.len();
        self.since_state += records;
        self.total += records;
        self.log.output.records(lines)?;
        self.log.tally.add_records(records);
        Ok(())
    }

    /// Flushes, so that nothing stays here while a page is fetched.
    pub(in crate::sync) fn flush(&self) -> io::Result<()> {
        self.log.output.flush()
    }

    /// A checkpoint: it covers the records written since the last one. It omits a place that needs a secret to resume
    /// from.
    pub(in crate::sync) fn state(&mut self, mut state: StreamState) -> io::Result<()> {
        if position::forget_secret_places(&mut state, self.log.output.redactor())
            && let Some(text) = self.secret_place_warning.take()
        {
            self.log(LogLevel::Warn, text)?;
        }
        self.state_at = self.log.output.elapsed();
        self.has_state = true;
        self.bytes_since_state = 0;
        let records = std::mem::take(&mut self.since_state);
        let kept = self.state_file.map(|file| (file, state.clone()));
        self.log.output.state(&self.log.stream, state, records)?;
        if let Some((file, state)) = kept {
            // Only after it and all that it covers were written.
            self.log.output.flush()?;
            file.take(&self.log.stream, state, self.log.output.elapsed());
        }
        Ok(())
    }

    /// Whether the platform is due a sign of life from any stream.
    pub(in crate::sync) fn is_silent(&self) -> bool {
        self.log.output.silence() >= LONGEST_SILENCE
    }

    /// The time now.
    pub(in crate::sync) fn elapsed(&self) -> Duration {
        self.log.output.elapsed()
    }

    /// Whether any state was written.
    pub(in crate::sync) fn has_state(&self) -> bool {
        self.has_state
    }

    /// Records written since the last state.
    pub(in crate::sync) fn since_state(&self) -> u64 {
        self.since_state
    }

    /// Whether a growing state of this size is worth its bytes: the records since the last one outweigh it, or that one
    /// is old.
    pub(in crate::sync) fn outweighs(&self, state_bytes: usize) -> bool {
        self.bytes_since_state >= RECORDS_PER_STATE * (state_bytes + STATE_LINE)
            || self.log.output.elapsed().saturating_sub(self.state_at) >= LONGEST_WITHOUT_STATE
    }

    pub(in crate::sync) fn complete(&mut self) -> io::Result<()> {
        self.end(StreamEnd::Complete);
        self.log(LogLevel::Info, &format!("{} records read.", self.total))?;
        self.log.output.status(&self.log.stream, Status::Complete, None)
    }

    /// Whether nothing of the stream was written: no record, and no state.
    pub(in crate::sync) fn is_untouched(&self) -> bool {
        self.total == 0 && !self.has_state
    }

    /// The end of a stream that cannot be read, and of which nothing was written.
    pub(in crate::sync) fn skipped(&mut self, failure: &Failure) -> io::Result<()> {
        let message = self.log.output.redactor().redact(&failure.message);
        self.end(StreamEnd::Skipped { message });
        self.log.notice(&format!("skipped, and its state stays as it is: {failure}"))?;
        self.log.output.status(&self.log.stream, Status::Complete, None)
    }

    /// The end of a stream that failed. Records already written are good, but no state covers them.
    pub(in crate::sync) fn incomplete(&mut self, failure: &Failure) -> io::Result<()> {
        if !self.started {
            self.start()?;
        }
        let message = self.log.output.told(failure);
        self.end(StreamEnd::Incomplete { kind: failure.kind, message });
        self.log.output.status(&self.log.stream, Status::Incomplete, None)?;
        self.log.output.failure(failure)
    }

    /// A slice has failed while others are read.
    pub(in crate::sync) fn slice_failed(&self, failure: &Failure) -> io::Result<()> {
        self.log.output.failure(&failure.clone().of_stream(&self.log.stream))
    }

    /// Shows observers how it ended.
    fn end(&self, end: StreamEnd) {
        self.log.tally.end(self.elapsed(), end);
    }

    pub(in crate::sync) fn log(&self, level: LogLevel, text: &str) -> io::Result<()> {
        self.log.log(level, text)
    }

    /// The log for threads that are not the stream's writer.
    pub(in crate::sync) fn stream_log(&self) -> StreamLog<'o> {
        self.log.clone()
    }
}
