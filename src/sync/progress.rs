//! What the slices that were read to their ends amount to, and what is left of those that were not. A state made of it
//! is right at any moment, whichever slices the workers are in.

use std::collections::{HashSet, VecDeque};

use serde_json::Value;

use super::checkpoint::{self, Checkpoint};
use super::ledger::{Ledger, Ticket};
use super::refusals::Refusals;
use crate::protocol::{Failure, StreamState};
use crate::streams::{HttpStream, PageToken, PerPartitionState, RequestContext, Slice, cursor, partition_key};

/// The most slices that a state tells of behind its own. More are read again after an interruption: the first of them
/// takes that much longer than the others.
const MAX_BEGUN: usize = 40;
/// About how many bytes a refused place has in a state.
const REFUSED_BYTES: usize = 120;

/// How far a stream was read.
pub(super) struct Progress<'a> {
    stream: &'a dyn HttpStream,
    cursor_field: &'a [String],
    ledger: Ledger,
    states: States,
    /// What the API refuses by itself.
    pub(super) refusals: Refusals,
    /// The newest cursor value of the slices that count and that no marker has told of.
    newest: Option<Value>,
    /// Whether there is something that the last state does not tell.
    changed: bool,
}

enum States {
    /// One state for the stream: it has one slice, or slices in the order of its cursor, which move the state in this
    /// order.
    Whole {
        state: StreamState,
        /// Slices an earlier read has begun, that no worker has taken yet.
        begun: VecDeque<Ticket>,
    },
    /// A state for each slice, in whatever order they come. Only markers wait for the slices before them.
    PerPartition {
        states: PerPartitionState,
        /// Slices an earlier read has begun, whose turn has not come. Each is gone on with if it is still there.
        begun: Vec<Checkpoint>,
        seen: HashSet<String>,
        has_markers: bool,
    },
}

/// A slice to be read.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) ticket: Ticket,
    pub(super) slice: Slice,
    /// The page to begin with, and the newest cursor value before it.
    pub(super) next_page_token: Option<PageToken>,
    pub(super) newest: Option<Value>,
    /// What is known of the slice from before: the stream's state, or the slice's own.
    pub(super) state: StreamState,
    /// The place, if an earlier read was refused there.
    pub(super) again: Option<Checkpoint>,
}

impl Job {
    /// What a request for the page of a token is made of.
    pub(super) fn context<'j>(&'j self, page_token: Option<&'j PageToken>) -> RequestContext<'j> {
        RequestContext::new(&self.state, &self.slice, page_token)
    }
}

impl<'a> Progress<'a> {
    /// With one state, and slices that an earlier read has begun.
    pub(super) fn whole(
        stream: &'a dyn HttpStream,
        cursor_field: &'a [String],
        state: StreamState,
        begun: Vec<Checkpoint>,
    ) -> Self {
        let mut ledger = Ledger::default();
        let mut tickets = VecDeque::new();
        for place in begun {
            let done = place.done;
            let ticket = ledger.open(place);
            tickets.extend((!done).then_some(ticket));
        }
        let states = States::Whole { state, begun: tickets };
        let mut progress =
            Self { stream, cursor_field, ledger, states, refusals: Refusals::default(), newest: None, changed: false };
        progress.count_done();
        progress
    }

    /// The same, with what earlier reads were refused.
    pub(super) fn refused_before(self, places: Vec<Checkpoint>) -> Self {
        Self { refusals: Refusals::new(places), ..self }
    }

    /// With a state for each slice.
    pub(super) fn per_partition(
        stream: &'a dyn HttpStream,
        cursor_field: &'a [String],
        states: PerPartitionState,
        begun: Vec<Checkpoint>,
    ) -> Self {
        let states = States::PerPartition { states, begun, seen: HashSet::new(), has_markers: false };
        let (ledger, refusals) = (Ledger::default(), Refusals::default());
        Self { stream, cursor_field, ledger, states, refusals, newest: None, changed: false }
    }

    /// The next slice that comes before all others: one that an earlier read has begun, or was refused.
    pub(super) fn next_begun(&mut self, input: &StreamState) -> Option<Job> {
        if let States::Whole { begun, .. } = &mut self.states
            && let Some(ticket) = begun.pop_front()
        {
            let Checkpoint { slice, next_page_token, newest, .. } = self.ledger.get(ticket)?.clone();
            return Some(Job { ticket, slice, next_page_token, newest, state: input.clone(), again: None });
        }
        let place = self.refusals.next_again()?;
        let state = match &mut self.states {
            States::Whole { .. } => input.clone(),
            States::PerPartition { states, seen, .. } => {
                seen.insert(partition_key(&place.slice));
                states.cursor(&place.slice)
            }
        };
        let Checkpoint { slice, next_page_token, .. } = place.clone();
        Some(Job { ticket: Ticket::NONE, slice, next_page_token, newest: None, state, again: Some(place) })
    }

    /// Takes a slice in. `None` if there is nothing to ask for: it is a marker, or was read before.
    pub(super) fn open(&mut self, slice: Slice, input: &StreamState) -> Option<Job> {
        if self.stream.is_marker(&slice) {
            if let States::PerPartition { has_markers, .. } = &mut self.states {
                *has_markers = true;
            }
            self.ledger.open(Checkpoint { done: true, ..Checkpoint::at(slice) });
            self.count_done();
            return None;
        }
        let (place, state) = match &mut self.states {
            States::Whole { .. } => (Checkpoint::at(slice), input.clone()),
            States::PerPartition { states, begun, seen, .. } => {
                let is_new = seen.insert(partition_key(&slice));
                if !is_new || self.cursor_field.is_empty() && states.is_complete(&slice) {
                    return None;
                }
                let state = states.cursor(&slice);
                let known = begun.iter().position(|begun| partition_key(&begun.slice) == partition_key(&slice));
                (known.map_or_else(|| Checkpoint::at(slice), |known| begun.swap_remove(known)), state)
            }
        };
        let Checkpoint { slice, next_page_token, newest, .. } = place.clone();
        Some(Job { ticket: self.ledger.open(place), slice, next_page_token, newest, state, again: None })
    }

    /// Notes which page of a slice comes next.
    pub(super) fn turn_page(&mut self, ticket: Ticket, next_page_token: Option<PageToken>, newest: Option<Value>) {
        if self.stream.is_resumable() {
            self.ledger.turn_page(ticket, next_page_token, newest);
            self.changed = true;
        }
    }

    /// Notes that a slice was read to its end.
    pub(super) fn close(&mut self, ticket: Ticket, slice: &Slice, newest: Option<Value>) {
        match &mut self.states {
            States::Whole { .. } => self.changed |= !self.is_without_state(),
            States::PerPartition { states, .. } => {
                if self.cursor_field.is_empty() {
                    states.set_complete(slice);
                } else {
                    let mut state = states.cursor(slice);
                    self.stream.get_updated_state(&mut state, slice, newest.as_ref(), self.cursor_field);
                    states.set(slice, state);
                }
                self.changed = true;
            }
        }
        self.ledger.close(ticket, newest);
        self.count_done();
    }

    /// Notes that the API refuses a page of a slice, which is to be asked for again from the page of this token on.
    pub(super) fn refuse(&mut self, slice: &Slice, again: Option<PageToken>, failure: Failure) {
        let place = Checkpoint { next_page_token: again, ..Checkpoint::at(slice.clone()) };
        self.refusals.note(self.stream, place, failure);
        self.changed = true;
    }

    /// Notes that a slice was read up to where it is refused: the slices behind it may count. A state of its own stays as
    /// it is.
    pub(super) fn close_refused(&mut self, ticket: Ticket, newest: Option<Value>) {
        self.ledger.close(ticket, newest);
        self.count_done();
    }

    /// Notes that what an earlier read was refused was read.
    pub(super) fn settle(&mut self, place: &Checkpoint) {
        self.refusals.settle(self.stream, place);
        self.changed = true;
    }

    /// Lets those slices count before which all are done.
    fn count_done(&mut self) {
        while let Some(Checkpoint { slice, newest, .. }) = self.ledger.take_done() {
            let is_without_state = self.is_without_state();
            let newest = if self.stream.is_marker(&slice) {
                self.newest.take()
            } else {
                self.newest = newest.iter().cloned().fold(self.newest.take(), cursor::newer);
                newest
            };
            let state = match &mut self.states {
                States::Whole { state, .. } if !is_without_state => state,
                States::PerPartition { states, .. } if self.stream.is_marker(&slice) => states.others(),
                // It has counted when it was closed, or there is nothing to count.
                _ => continue,
            };
            self.stream.get_updated_state(state, &slice, newest.as_ref(), self.cursor_field);
            self.changed = true;
        }
    }

    /// Whether the end of a slice changes nothing: the stream is one slice without cursor.
    fn is_without_state(&self) -> bool {
        matches!(self.states, States::Whole { .. }) && self.cursor_field.is_empty() && !self.stream.slices_in_order()
    }

    /// Once all slices were read: forgets those of which the stream knows no more. Where markers tell how far the slices
    /// go, those that did not come are unchanged, not gone.
    pub(super) fn forget_what_is_gone(&mut self) {
        if let States::PerPartition { states, begun, seen, has_markers } = &mut self.states {
            begun.clear();
            if !*has_markers {
                states.retain(|partition| seen.contains(&partition_key(partition)));
                self.refusals.forget();
            }
        }
    }

    /// What whole slices amount to.
    pub(super) fn state(&self) -> StreamState {
        match &self.states {
            States::Whole { state, .. } => state.clone(),
            States::PerPartition { states, .. } => states.state(),
        }
    }

    /// The state once all slices were read: what they amount to, and those that were refused.
    pub(super) fn last_state(&self) -> StreamState {
        checkpoint::put_refused(self.state(), self.refusals.kept())
    }

    /// The state to go on from: whole slices, and those that were begun or refused.
    pub(super) fn state_with_begun(&self) -> StreamState {
        let begun: Vec<&Checkpoint> = match &self.states {
            States::Whole { .. } => {
                // Without a gap: what comes after the last of them is what the stream makes of the state they lead to.
                let kept = self.ledger.iter().len().min(MAX_BEGUN);
                let known = self.ledger.iter().take(kept).rev().skip_while(|slice| !slice.is_begun());
                let mut begun: Vec<_> = known.collect();
                begun.reverse();
                begun
            }
            States::PerPartition { begun, .. } => {
                let open = self.ledger.iter().filter(|slice| slice.next_page_token.is_some());
                open.chain(begun).collect()
            }
        };
        checkpoint::put(self.last_state(), &begun)
    }

    /// The state at a cursor value within a slice whose records come in order. None where the slices before it are not
    /// done, or have states of their own.
    pub(super) fn state_within(&self, ticket: Ticket, newest: Option<&Value>) -> Option<StreamState> {
        match &self.states {
            States::Whole { state, .. } if self.ledger.is_first(ticket) => {
                let mut state = state.clone();
                cursor::advance(&mut state, newest, self.cursor_field);
                Some(checkpoint::put_refused(state, self.refusals.kept()))
            }
            _ => None,
        }
    }

    /// About how many bytes the state has.
    pub(super) fn bytes(&self) -> usize {
        match &self.states {
            States::PerPartition { states, .. } => states.bytes() + REFUSED_BYTES * self.refusals.kept().len(),
            States::Whole { .. } => serde_json::to_string(&self.state_with_begun()).map_or(0, |text| text.len()),
        }
    }

    /// Whether each slice has a state.
    pub(super) fn is_per_partition(&self) -> bool {
        matches!(self.states, States::PerPartition { .. })
    }

    /// Whether there was never any slice.
    pub(super) fn is_unused(&self) -> bool {
        self.ledger.is_unused()
    }

    /// Whether there is something that the last state does not tell.
    pub(super) fn is_changed(&self) -> bool {
        self.changed
    }

    /// Notes that a state tells all of it.
    pub(super) fn told(&mut self) {
        self.changed = false;
    }
}

#[cfg(test)]
mod tests;
