//! The allowed order of a stream's messages, and the record counts of its states.

use std::collections::HashMap;

use super::envelope::{Message, StateKind, StreamId};

/// The phase of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Unseen,
    Started,
    Running,
    /// A warning has said that it is skipped.
    Skipped,
    Complete,
    Incomplete,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Unseen => "no status",
            Self::Started => "STARTED",
            Self::Running => "RUNNING",
            Self::Skipped => "it was skipped",
            Self::Complete => "COMPLETE",
            Self::Incomplete => "INCOMPLETE",
        }
    }
}

#[derive(Default)]
struct Stream {
    phase: Phase,
    started: bool,
    /// Records since the last state.
    uncovered: u64,
    has_state: bool,
    has_error: bool,
}

/// Follows the messages of one output, in order.
#[derive(Default)]
pub(super) struct Lifecycle {
    streams: HashMap<StreamId, Stream>,
    /// The streams in order of appearance, so that a report does not depend on hashing.
    order: Vec<StreamId>,
    ends_with_trace: bool,
}

impl Lifecycle {
    /// Handles the next message.
    pub(super) fn take(&mut self, message: &Message) -> Result<(), String> {
        self.ends_with_trace = matches!(message, Message::Status { .. } | Message::Error { .. } | Message::OtherTrace);
        match message {
            Message::Record { stream, .. } => self.record(stream),
            Message::State { streams, count, kind, .. } => {
                streams.iter().try_for_each(|state| self.state(&state.stream, *kind, *count))
            }
            Message::Status { stream, status, .. } => self.status(stream, status),
            Message::Error { stream: Some(stream), .. } => self.error(stream),
            Message::Log { level, message } if level == "WARN" => self.warning(message),
            _ => Ok(()),
        }
    }

    /// Checks that are possible only at the end of the output.
    pub(super) fn finish(&self) -> Result<(), String> {
        // An output without any status is not a read's, and has no life cycle to check.
        if self.streams.values().all(|stream| stream.phase == Phase::Unseen) {
            return Ok(());
        }
        for id in &self.order {
            let stream = &self.streams[id];
            match stream.phase {
                Phase::Unseen => {
                    return Err(format!("stream {id} has an error trace but no status"));
                }
                Phase::Started | Phase::Running | Phase::Skipped => {
                    return Err(format!("stream {id} has no COMPLETE or INCOMPLETE"));
                }
                Phase::Incomplete if !stream.started && !stream.has_error => {
                    return Err(format!("stream {id} is INCOMPLETE without STARTED and without an error trace"));
                }
                Phase::Complete | Phase::Incomplete => {}
            }
        }
        if !self.ends_with_trace {
            return Err("every stream has ended, but something follows the last trace".to_owned());
        }
        Ok(())
    }

    fn stream(&mut self, id: &StreamId) -> &mut Stream {
        if !self.streams.contains_key(id) {
            self.order.push(id.clone());
        }
        self.streams.entry(id.clone()).or_default()
    }

    fn record(&mut self, id: &StreamId) -> Result<(), String> {
        let stream = self.stream(id);
        stream.uncovered += 1;
        match stream.phase {
            Phase::Running => Ok(()),
            Phase::Started => Err(format!("a record of stream {id} before RUNNING")),
            Phase::Unseen => Err(format!("a record of stream {id} before STARTED")),
            ended => Err(format!("a record of stream {id} after {}", ended.name())),
        }
    }

    fn state(&mut self, id: &StreamId, kind: StateKind, count: Option<u64>) -> Result<(), String> {
        let stream = self.stream(id);
        match stream.phase {
            Phase::Started | Phase::Running => {}
            Phase::Unseen => return Err(format!("a state of stream {id} before STARTED")),
            ended => return Err(format!("a state of stream {id} after {}", ended.name())),
        }
        let covered = std::mem::take(&mut stream.uncovered);
        stream.has_state = true;
        // A global state has one count for all streams, which says nothing about each.
        match (kind, count) {
            (StateKind::Stream, None) => Err(format!("a state of stream {id} without sourceStats.recordCount")),
            (StateKind::Stream, Some(count)) if count != covered => {
                Err(format!("a state of stream {id} counts {count} records, {covered} came since the last one"))
            }
            _ => Ok(()),
        }
    }

    fn status(&mut self, id: &StreamId, status: &str) -> Result<(), String> {
        let stream = self.stream(id);
        let from = stream.phase;
        stream.phase = match (from, status) {
            (Phase::Unseen, "STARTED") => Phase::Started,
            (Phase::Started | Phase::Running, "RUNNING") => Phase::Running,
            (Phase::Started | Phase::Running | Phase::Skipped, "COMPLETE") => Phase::Complete,
            (Phase::Unseen | Phase::Started | Phase::Running, "INCOMPLETE") => Phase::Incomplete,
            _ => return Err(format!("stream {id}: {status} after {}", from.name())),
        };
        match stream.phase {
            Phase::Started if stream.has_error => Err(format!("an error trace of stream {id} before STARTED")),
            Phase::Started => {
                stream.started = true;
                Ok(())
            }
            Phase::Complete if stream.has_error => Err(format!("stream {id} is COMPLETE after its error trace")),
            Phase::Complete if from == Phase::Skipped => Ok(()),
            Phase::Complete if !stream.has_state => Err(format!("stream {id} is COMPLETE without a state")),
            Phase::Complete if stream.uncovered > 0 => {
                Err(format!("stream {id} is COMPLETE, but its last {} records have no state", stream.uncovered))
            }
            _ => Ok(()),
        }
    }

    /// A warning contains only the stream's name.
    fn warning(&mut self, text: &str) -> Result<(), String> {
        for (id, stream) in &mut self.streams {
            let says_so = text.strip_prefix(&id.name).is_some_and(|rest| rest.starts_with(": skipped"));
            if !says_so || !matches!(stream.phase, Phase::Started | Phase::Running) {
                continue;
            }
            if stream.has_state || stream.uncovered > 0 {
                return Err(format!("stream {id} is skipped, but has records or a state"));
            }
            stream.phase = Phase::Skipped;
        }
        Ok(())
    }

    fn error(&mut self, id: &StreamId) -> Result<(), String> {
        let stream = self.stream(id);
        stream.has_error = true;
        if stream.phase == Phase::Complete {
            return Err(format!("an error trace of stream {id} after COMPLETE"));
        }
        Ok(())
    }
}
