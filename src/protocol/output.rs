//! The only writer of stdout. One message is one line; lines of different threads never mix; text for people is masked;
//! and a thread flushes before it waits, so that no record stays in a buffer while the network is slow.
//!
//! With bare records, nothing else goes to stdout: output for people goes to [`HumanOutput`], in the same order, and a
//! state only flushes.

mod changed_config;

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use super::{
    AirbyteStream, ConfigStore, ConnectionStatus, ErrorTrace, Failure, HumanOutput, JsonSchema, Log, LogLevel, Message,
    RecordWriter, Redactor, StateKind, StateMessage, StateStats, Status, StatusReason, StreamDescriptor, StreamState,
    StreamStateMessage, StreamStatus, Trace, TraceKind,
};
use crate::clock::Clock;
use crate::json;
use crate::locks;
use crate::stop::RESUMES;

/// Bytes buffered before a write. Pipes hold 64 KiB, so larger writes gain nothing.
const BUFFER: usize = 64 * 1024;

/// The effect of another run if nothing keeps this one's states, instead of [`RESUMES`].
const BEGINS_AGAIN: &str =
    "from the start: no state of this run is kept. With --state-file FILE, the next run resumes.";

/// The writer of protocol messages, or of bare records.
pub struct Output {
    sink: Mutex<Sink>,
    redactor: Redactor,
    clock: Arc<dyn Clock>,
    level: LogLevel,
    /// Whether to write bare records, without envelopes and other messages.
    bare: bool,
    /// Whether written states are kept, or can be.
    keeps_states: bool,
    people: Option<Arc<dyn HumanOutput>>,
    /// The store of a changed config; present but empty means none. Default: the reader of stdout.
    config_store: OnceLock<Option<Box<dyn ConfigStore>>>,
    /// Whether that was reported.
    told_loss: AtomicBool,
    /// When the last record or state was written, in milliseconds of the clock.
    heard_at: AtomicU64,
}

struct Sink {
    writer: Box<dyn Write + Send>,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("sink", &self.sink).field("level", &self.level).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").field("buffered", &self.buffer.len()).finish_non_exhaustive()
    }
}

impl Sink {
    fn flush(&mut self) -> io::Result<()> {
        let written = self.writer.write_all(&self.buffer).and_then(|()| self.writer.flush());
        // After a failed write the reader is gone: the rest must not be tried again.
        self.buffer.clear();
        written
    }
}

impl Output {
    /// A writer to `writer` that drops log lines below `level`.
    pub fn new(writer: Box<dyn Write + Send>, clock: Arc<dyn Clock>, redactor: Redactor, level: LogLevel) -> Self {
        let sink = Sink { writer, buffer: Vec::with_capacity(BUFFER) };
        let output = Self {
            sink: Mutex::new(sink),
            redactor,
            clock,
            level,
            bare: false,
            keeps_states: true,
            people: None,
            config_store: OnceLock::new(),
            told_loss: AtomicBool::new(false),
            heard_at: AtomicU64::new(0),
        };
        output.note_beat();
        output
    }

    /// Also sends warnings and failures to these people; stdout has them as messages anyway. Default: nobody.
    #[must_use]
    pub fn with_human_output(self, people: Arc<dyn HumanOutput>) -> Self {
        Self { people: Some(people), ..self }
    }

    /// Writes bare records, and no other messages: log lines, statuses and failures go only to people. Default: the
    /// protocol.
    #[must_use]
    pub fn bare_records(self) -> Self {
        Self { bare: true, ..self }
    }

    /// Nothing keeps the states: failures do not promise that another run resumes. Default: the reader of stdout can.
    #[must_use]
    pub fn without_states(self) -> Self {
        Self { keeps_states: false, ..self }
    }

    /// Formats the records of a stream as lines for [`Output::records`].
    #[must_use]
    pub fn record_writer(&self, stream: &StreamDescriptor) -> RecordWriter {
        if self.bare { RecordWriter::bare() } else { RecordWriter::new(stream) }
    }

    /// The secrets that this output masks.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Milliseconds since the epoch, for `emitted_at`.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Whether lines of this level are written, to avoid building long debug lines.
    #[must_use]
    pub fn logs(&self, level: LogLevel) -> bool {
        level >= self.level
    }

    /// Writes whole RECORD lines from [`super::RecordWriter`].
    ///
    /// # Errors
    /// If stdout is closed or full; kind `BrokenPipe` when the reader is gone.
    pub fn records(&self, lines: &[u8]) -> io::Result<()> {
        self.note_beat();
        let mut sink = self.lock();
        if sink.buffer.len() + lines.len() > BUFFER {
            sink.flush()?;
        }
        if lines.len() > BUFFER {
            return sink.writer.write_all(lines);
        }
        sink.buffer.extend_from_slice(lines);
        Ok(())
    }

    /// Writes one message and flushes: the platform waits for everything but records. With bare records, a message only
    /// flushes.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn message(&self, message: &Message) -> io::Result<()> {
        if self.bare {
            return self.flush();
        }
        self.line(&serde_json::to_vec(message)?)
    }

    /// Writes the answer to `discover`: the streams, each with the unchanged text of its schema.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn catalog(&self, streams: &[(AirbyteStream, JsonSchema)]) -> io::Result<()> {
        let mut line = br#"{"type":"CATALOG","catalog":{"streams":["#.to_vec();
        for (n, (stream, schema)) in streams.iter().enumerate() {
            line.extend_from_slice(if n > 0 { b"," } else { b"" });
            let stream = serde_json::to_string(stream)?;
            line.extend_from_slice(json::with_field(&stream, "json_schema", &schema.text()).as_bytes());
        }
        line.extend_from_slice(b"]}}");
        self.line(&line)
    }

    fn line(&self, line: &[u8]) -> io::Result<()> {
        let mut sink = self.lock();
        sink.buffer.extend_from_slice(line);
        sink.buffer.push(b'\n');
        sink.flush()
    }

    /// Flushes the buffer. To be called before any wait.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn flush(&self) -> io::Result<()> {
        self.lock().flush()
    }

    /// Writes a line for people, without secrets.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn log(&self, level: LogLevel, text: &str) -> io::Result<()> {
        self.line_for_people(level, text, |people, text| people.log(level, text))
    }

    /// Writes a warning about something for the user to fix, in an otherwise successful run: a line for people that is
    /// shown [even where only failures are](HumanOutput::notice).
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn notice(&self, text: &str) -> io::Result<()> {
        self.line_for_people(LogLevel::Warn, text, |people, text| people.notice(text))
    }

    fn line_for_people(
        &self,
        level: LogLevel,
        text: &str,
        tell: impl FnOnce(&dyn HumanOutput, &str),
    ) -> io::Result<()> {
        if !self.logs(level) {
            return Ok(());
        }
        let message = self.redactor.redact(text);
        if self.bare || level >= LogLevel::Warn {
            self.tell(|people| tell(people, &message))?;
        }
        self.message(&Message::Log { log: Log { level, message, stack_trace: None } })
    }

    /// The written message of a failure: without secrets, and with the effect of another run.
    #[must_use]
    pub fn told(&self, failure: &Failure) -> String {
        let message = self.redactor.redact(&failure.message);
        if self.keeps_states { message } else { message.replace(RESUMES, BEGINS_AGAIN) }
    }

    /// Time since an arbitrary start, for intervals.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Time since the last record or state. Airbyte's platform counts only these, and ends a source that is silent for
    /// long: <https://docs.airbyte.com/platform/understanding-airbyte/heartbeats>.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.clock.elapsed().saturating_sub(Duration::from_millis(self.heard_at.load(Ordering::Relaxed)))
    }

    /// Writes a checkpoint. The records it covers are written before it, even with bare records, where it is not
    /// written itself.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn state(&self, stream: &StreamDescriptor, state: StreamState, records: u64) -> io::Result<()> {
        self.note_beat();
        #[expect(clippy::cast_precision_loss, reason = "the protocol counts in doubles")]
        let source_stats = StateStats { record_count: records as f64, rejected_record_count: None };
        let stream = StreamStateMessage { stream_descriptor: stream.clone(), stream_state: state };
        self.message(&Message::State { state: StateMessage { kind: StateKind::Stream, stream, source_stats } })
    }

    /// Writes a stream's status.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn status(&self, stream: &StreamDescriptor, status: Status, reason: Option<StatusReason>) -> io::Result<()> {
        if self.bare {
            let (level, word) = match status {
                Status::Started => (LogLevel::Info, "started"),
                Status::Complete => (LogLevel::Info, "complete"),
                Status::Incomplete => (LogLevel::Warn, "incomplete"),
                // The first record shows the start, and a wait has its own line.
                Status::Running => return self.flush(),
            };
            return self.log(level, &format!("{}: {word}.", stream.name));
        }
        let reasons = reason.map(|reason| vec![reason]);
        let stream_status = StreamStatus { stream_descriptor: stream.clone(), status, reasons };
        self.trace(TraceKind::StreamStatus { stream_status })
    }

    /// Writes an error trace, without secrets.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn failure(&self, failure: &Failure) -> io::Result<()> {
        let mut error = ErrorTrace::from(failure);
        error.message = self.told(failure);
        error.internal_message = error.internal_message.map(|text| self.redactor.redact(&text));
        if self.people.is_some() {
            let told = Failure {
                message: error.message.clone(),
                internal_message: error.internal_message.clone().map(Into::into),
                ..failure.clone()
            };
            self.tell(|people| people.failure(&told))?;
        }
        self.trace(TraceKind::Error { error })
    }

    /// Writes any trace.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn trace(&self, kind: TraceKind) -> io::Result<()> {
        self.message(&Message::Trace { trace: Trace { emitted_at: self.now_ms(), kind } })
    }

    /// Writes the answer to `check`, without secrets.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn connection_status(&self, mut status: ConnectionStatus) -> io::Result<()> {
        status.message = status.message.map(|text| self.redactor.redact(&text));
        self.message(&Message::ConnectionStatus { connection_status: status })
    }

    /// Shows people something, after the records before it, and never in the middle of a line.
    fn tell(&self, tell: impl FnOnce(&dyn HumanOutput)) -> io::Result<()> {
        let Some(people) = &self.people else { return Ok(()) };
        let mut sink = self.lock();
        match sink.flush() {
            Err(gone) if gone.kind() == io::ErrorKind::BrokenPipe => Err(gone),
            // They must learn of a full disk.
            flushed => {
                tell(&**people);
                flushed
            }
        }
    }

    fn note_beat(&self) {
        let now = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_at.store(now, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Sink> {
        locks::lock(&self.sink)
    }
}
