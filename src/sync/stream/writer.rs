//! The one writer of a stream. Its workers take turns with it, each for a part of a page. Records and progress change
//! together, so a state never covers a record that is not written.

use std::io;
use std::ops::ControlFlow;

use serde_json::Value;

use super::failed_slices::FailedSlices;
use super::messages::StreamOutput;
use crate::memory::MemoryLimit;
use crate::protocol::{KeptState, LogLevel, StreamState};
use crate::stop::{Stop, StopReason};
use crate::streams::{Mark, PageToken, Recent};
use crate::sync::state::ledger::Ticket;
use crate::sync::state::progress::{PendingSlice, StreamProgress};
use crate::sync::state::{position, stale};

/// A growing state of fewer bytes is always worth writing.
const SMALL_STATE: usize = 1024;
/// The same for one state of the whole stream: the places of all slices in such a state fit.
const WHOLE_STATE: usize = 16 * 1024;

/// Whether to continue, or the stream is at its end.
pub(in crate::sync) type Flow = ControlFlow<()>;

/// Writes the records and states of a stream, and keeps its progress.
#[allow(clippy::struct_excessive_bools, reason = "each is about another thing")]
pub(in crate::sync) struct StreamWriter<'a, 'o> {
    pub(in crate::sync) out: &'a mut StreamOutput<'o>,
    pub(in crate::sync) progress: StreamProgress<'a>,
    /// Whether it is known what is to be read. Until then `before` is what states say, and not `progress`.
    pub(in crate::sync) is_begun: bool,
    /// The given state, while every request so far was refused: the stream itself may be refused.
    pub(in crate::sync) before: Option<KeptState>,
    /// Whether its slices are another stream's records: any number of them, many without records.
    pub(in crate::sync) has_parent: bool,
    /// The records written lately, for the states; `None` if the stream writes everything.
    pub(in crate::sync) recent: Option<Recent>,
    /// Whether states carry the mark of a full refresh.
    pub(in crate::sync) marks_full_refresh: bool,
    /// Whether the stream has a cursor, which another connector may move.
    pub(in crate::sync) has_cursor: bool,
    /// The failed slices, if the others are read anyway.
    pub(in crate::sync) failed_slices: FailedSlices,
    /// Whether states stay empty until all was read: see [`crate::streams::Delegate`].
    pub(in crate::sync) is_all_or_nothing: bool,
    pub(in crate::sync) limit: Option<u64>,
    pub(in crate::sync) memory: &'a MemoryLimit,
    pub(in crate::sync) stop: &'a Stop,
    /// Why nothing more is written, though there may be more to read.
    pub(in crate::sync) end: Option<End>,
}

/// An end other than that of the slices.
#[derive(Debug)]
pub(in crate::sync) enum End {
    /// `--limit`.
    Limit,
    /// The first fault of any worker.
    Failed(anyhow::Error),
}

impl StreamWriter<'_, '_> {
    /// Writes the lines of N records of a page; one at a time, if there is a limit. Breaks off at the limit.
    pub(in crate::sync) fn write(&mut self, lines: &[u8], records: u64) -> io::Result<Flow> {
        if self.stops_at_limit() {
            return Ok(Flow::Break(()));
        }
        self.out.records(lines, records)?;
        Ok(Flow::Continue(()))
    }

    /// Remembers records that have been written.
    pub(in crate::sync) fn note(&mut self, marks: &mut Vec<Mark>) {
        if let Some(recent) = &mut self.recent {
            marks.drain(..).for_each(|mark| recent.note(mark));
        }
    }

    /// The records of a page have been written; this page is next. Breaks off at the limit.
    pub(in crate::sync) fn turn_page(
        &mut self,
        ticket: Ticket,
        next_page_token: Option<PageToken>,
        newest: Option<Value>,
    ) -> io::Result<Flow> {
        self.progress.turn_page(ticket, next_page_token, newest);
        if self.stops_at_limit() {
            return Ok(Flow::Break(()));
        }
        self.end_page()?;
        Ok(Flow::Continue(()))
    }

    /// The records of a slice's last page have been written.
    pub(in crate::sync) fn close(&mut self, job: &PendingSlice, newest: Option<Value>) -> io::Result<()> {
        self.failed_slices.note_success();
        self.progress.close(job.ticket, &job.slice, newest);
        if let Some(place) = &job.again {
            self.progress.settle(place);
        }
        self.end_page()
    }

    /// The records of a page have been written.
    pub(in crate::sync) fn note_page(&mut self) -> io::Result<()> {
        self.progress.refusals.note_page();
        self.before = None;
        self.tell_of_refusal()
    }

    /// Logs the first slice that is refused by itself; the end logs how many there were, since there may be thousands.
    pub(in crate::sync) fn tell_of_refusal(&mut self) -> io::Result<()> {
        let what = if self.has_parent { "parent" } else { "slice" };
        let Some(failure) = self.progress.refusals.untold() else { return Ok(()) };
        let text = format!("one {what} is refused and skipped; the next read asks for it again: {failure}");
        self.out.log(LogLevel::Warn, &text)
    }

    /// All slices were requested. Logs how many of them were refused, if more than the one in the log.
    pub(in crate::sync) fn tell_of_refusals(&mut self) -> io::Result<()> {
        // Each may have been refused, and earlier reads have read others.
        self.note_page()?;
        let (count, lost) = self.progress.refusals.counts();
        if count < 2 {
            return Ok(());
        }
        let rest = match lost {
            0 => String::new(),
            _ => format!(
                " The state has no room for {lost} of them: a full refresh asks for them again, other reads do not."
            ),
        };
        self.out.log(LogLevel::Warn, &format!("{count} slices were refused and skipped.{rest}"))
    }

    /// A slice was read up to a refusal.
    pub(in crate::sync) fn close_refused(&mut self, job: &PendingSlice, newest: Option<Value>) -> io::Result<()> {
        self.progress.close_refused(job.ticket, newest);
        self.end_page()
    }

    /// Writes the state if it is due. In any case nothing stays here while the next page is fetched.
    pub(in crate::sync) fn end_page(&mut self) -> io::Result<()> {
        if let Some(shortage) = self.memory.shortage(self.out.elapsed()) {
            self.stop.request(StopReason::OutOfMemory(shortage));
        }
        if self.progress.is_changed() && !self.progress.refusals.is_all() && self.state_is_due() {
            return self.write_state(self.progress.state_with_begun());
        }
        if self.out.is_silent() {
            return self.write_known_state();
        }
        self.out.flush()
    }

    /// Writes the known progress, though no state is due.
    pub(in crate::sync) fn write_known_state(&mut self) -> io::Result<()> {
        if self.is_begun && !self.progress.refusals.is_all() {
            return self.write_state(self.progress.state_with_begun());
        }
        self.out.state(self.before.as_ref().map(KeptState::state).unwrap_or_default())
    }

    /// Whether the limit is reached, which ends the stream.
    pub(in crate::sync) fn stops_at_limit(&mut self) -> bool {
        let at_limit = self.limit.is_some_and(|limit| self.out.total() >= limit);
        if at_limit {
            self.end.get_or_insert(End::Limit);
        }
        at_limit
    }

    /// Writes a state that is not the last one.
    pub(in crate::sync) fn write_state(&mut self, mut state: StreamState) -> io::Result<()> {
        if self.is_all_or_nothing {
            self.progress.told();
            return self.out.state(StreamState::new());
        }
        if self.marks_full_refresh {
            position::mark_full_refresh(&mut state);
        }
        if self.has_cursor {
            stale::seal(&mut state);
        }
        position::put_recent(&mut state, self.recent.as_ref().and_then(Recent::state));
        self.progress.told();
        self.out.state(state)
    }

    /// A long state, such as one with an entry for each slice, would outweigh the records if it was written each time.
    /// So would a state after each of a hundred thousand children.
    fn state_is_due(&self) -> bool {
        if self.progress.paces_itself() {
            return true;
        }
        let bytes = || self.progress.bytes() + self.recent.as_ref().map_or(0, Recent::bytes);
        let small = if self.progress.is_in_any_order() { SMALL_STATE } else { WHOLE_STATE };
        match self.has_parent {
            false if bytes() < small => true,
            // Its length is not needed while even the shortest would be too long.
            _ => self.out.outweighs(0) && self.out.outweighs(bytes()),
        }
    }
}
