//! The state that the finished slices add up to, and the slices that are left. A state made of it is right at any
//! moment, wherever the workers are.

use std::collections::VecDeque;

use serde_json::Value;

use super::ledger::{Ledger, Ticket};
use super::position::{self, SlicePosition};
use super::refusals::Refusals;
use crate::protocol::{Failure, StreamState};
use crate::streams::cursor::newer;
use crate::streams::{CursorState, HttpStream, PageToken, RequestContext, Slice};

/// The most slices that a state reports behind its own. Further ones are read again after an interruption: only a slice
/// that takes far longer than the others leaves more.
const MAX_BEGUN: usize = 40;
/// Approximate bytes of a refused place in a state.
const REFUSED_BYTES: usize = 120;

/// How far a stream was read.
pub(in crate::sync) struct StreamProgress<'a> {
    stream: &'a dyn HttpStream,
    ledger: Ledger,
    begun: Begun,
    /// The cursor's state over the slices that were read.
    known: Box<dyn CursorState + 'a>,
    /// The places that the API refuses by themselves.
    pub(in crate::sync) refusals: Refusals,
    /// The newest cursor value of slices that count, before any marker has reported it.
    newest: Option<Value>,
    /// Whether there is progress that the last state does not report.
    changed: bool,
}

/// Slices that an earlier read has begun.
enum Begun {
    /// They move the state before all others, and no worker has taken them yet.
    First(VecDeque<Ticket>),
    /// Their turn has not come. Each is resumed if it still exists.
    InTurn(Vec<SlicePosition>),
}

/// A slice to be read.
#[derive(Debug)]
pub(in crate::sync) struct PendingSlice {
    pub(in crate::sync) ticket: Ticket,
    pub(in crate::sync) slice: Slice,
    /// The page to begin with, and the newest cursor value before it.
    pub(in crate::sync) next_page_token: Option<PageToken>,
    pub(in crate::sync) newest: Option<Value>,
    /// The earlier state of the slice: the stream's state, or the slice's own.
    pub(in crate::sync) state: StreamState,
    /// The place, if an earlier read was refused there.
    pub(in crate::sync) again: Option<SlicePosition>,
}

impl PendingSlice {
    /// The context of the request for the page of a token.
    pub(in crate::sync) fn context<'j>(&'j self, page_token: Option<&'j PageToken>) -> RequestContext<'j> {
        RequestContext::new(&self.state, &self.slice, page_token)
    }
}

impl<'a> StreamProgress<'a> {
    /// Splits a state into the cursor's part and the slices that an earlier read has begun.
    pub(in crate::sync) fn new(
        stream: &'a dyn HttpStream,
        known: Box<dyn CursorState + 'a>,
        begun: Vec<SlicePosition>,
    ) -> Self {
        let mut ledger = Ledger::default();
        let begun = if known.is_in_order() {
            let open = begun.into_iter().filter_map(|place| {
                let done = place.done;
                let ticket = ledger.open(place);
                (!done).then_some(ticket)
            });
            Begun::First(open.collect())
        } else {
            // Nothing is done ahead of others here: such a place is not from this kind of read.
            Begun::InTurn(begun.into_iter().filter(|place| !place.done).collect())
        };
        let refusals = Refusals::default();
        let mut progress = Self { stream, ledger, begun, known, refusals, newest: None, changed: false };
        progress.count_done();
        progress
    }

    /// The same, with the refusals of earlier reads.
    pub(in crate::sync) fn refused_before(self, places: Vec<SlicePosition>) -> Self {
        Self { refusals: Refusals::new(places), ..self }
    }

    /// The next slice that goes first: an earlier read has begun it, or was refused there.
    pub(in crate::sync) fn next_begun(&mut self, input: &StreamState) -> Option<PendingSlice> {
        if let Begun::First(begun) = &mut self.begun
            && let Some(ticket) = begun.pop_front()
        {
            let SlicePosition { slice, next_page_token, newest, .. } = self.ledger.get(ticket)?.clone();
            let state = self.known.reopen(&slice, input);
            return Some(PendingSlice { ticket, slice, next_page_token, newest, state, again: None });
        }
        let place = self.refusals.next_again()?;
        let SlicePosition { slice, next_page_token, .. } = place.clone();
        let state = self.known.reopen(&slice, input);
        Some(PendingSlice { ticket: Ticket::NONE, slice, next_page_token, newest: None, state, again: Some(place) })
    }

    /// Opens a slice. `None` if it needs no request: it is a marker, or was read before.
    pub(in crate::sync) fn open(&mut self, slice: Slice, input: &StreamState) -> Option<PendingSlice> {
        if slice.is_marker() {
            self.ledger.open(SlicePosition { done: true, ..SlicePosition::at(slice) });
            self.count_done();
            return None;
        }
        let state = self.known.open(&slice, input)?;
        let known = match &mut self.begun {
            Begun::First(_) => None,
            Begun::InTurn(begun) => {
                let known = begun.iter().position(|begun| begun.slice.is_same(&slice));
                known.map(|known| begun.swap_remove(known))
            }
        };
        let place = SlicePosition { slice, ..known.unwrap_or_default() };
        let SlicePosition { slice, next_page_token, newest, .. } = place.clone();
        Some(PendingSlice { ticket: self.ledger.open(place), slice, next_page_token, newest, state, again: None })
    }

    /// Records the next page of a slice.
    pub(in crate::sync) fn turn_page(
        &mut self,
        ticket: Ticket,
        next_page_token: Option<PageToken>,
        newest: Option<Value>,
    ) {
        if self.stream.is_resumable() {
            self.ledger.turn_page(ticket, next_page_token, newest);
            self.changed = true;
        }
    }

    /// Records that a slice was read to its end.
    pub(in crate::sync) fn close(&mut self, ticket: Ticket, slice: &Slice, newest: Option<Value>) {
        self.changed |= self.known.close(slice, newest.as_ref());
        self.ledger.close(ticket, newest);
        self.count_done();
    }

    /// Records that the API refuses a page of a slice. The next read requests it again from the page of this token.
    pub(in crate::sync) fn refuse(&mut self, slice: &Slice, again: Option<PageToken>, failure: Failure) {
        let place = SlicePosition { next_page_token: again, ..SlicePosition::at(slice.clone()) };
        self.refusals.note(self.stream, place, failure);
        self.changed = true;
    }

    /// Records that a slice was read up to a refusal, so later slices may count. A state of its own stays unchanged.
    pub(in crate::sync) fn close_refused(&mut self, ticket: Ticket, newest: Option<Value>) {
        self.ledger.close(ticket, newest);
        self.count_done();
    }

    /// Records that a place which refused an earlier read was read.
    pub(in crate::sync) fn settle(&mut self, place: &SlicePosition) {
        self.refusals.settle(self.stream, place);
        self.changed = true;
    }

    /// Lets slices count once all slices before them are done.
    fn count_done(&mut self) {
        let cursor = self.stream.cursor();
        while let Some(SlicePosition { slice, newest, .. }) = self.ledger.take_done() {
            let newest = if slice.is_marker() {
                self.newest.take()
            } else {
                self.newest = newest.iter().cloned().fold(self.newest.take(), |known, seen| newer(cursor, known, seen));
                newest
            };
            self.changed |= self.known.count(&slice, newest.as_ref());
        }
    }

    /// All slices were read: drops those that the stream no longer has.
    pub(in crate::sync) fn forget_what_is_gone(&mut self) {
        if let Begun::InTurn(begun) = &mut self.begun {
            begun.clear();
        }
        // Without an order there is a last state even if it says nothing new.
        let before = self.known.is_in_order().then(|| self.known.state());
        if self.known.end() {
            self.refusals.forget();
        }
        self.changed |= before.is_some_and(|before| before != self.known.state());
    }

    /// The state of whole slices.
    pub(in crate::sync) fn state(&self) -> StreamState {
        self.known.state()
    }

    /// The final state: all slices, and the refused places.
    pub(in crate::sync) fn last_state(&self) -> StreamState {
        self.with_refused(self.state())
    }

    /// The state to resume from: whole slices, and those begun or refused.
    pub(in crate::sync) fn state_with_begun(&self) -> StreamState {
        let begun: Vec<&SlicePosition> = match &self.begun {
            _ if !self.keeps_places() => Vec::new(),
            Begun::First(_) => {
                // Without gaps: the slices after the last of them follow from the state.
                let kept = self.ledger.iter().len().min(MAX_BEGUN);
                let known = self.ledger.iter().take(kept).rev().skip_while(|slice| !slice.is_begun());
                let mut begun: Vec<_> = known.collect();
                begun.reverse();
                begun
            }
            Begun::InTurn(begun) => {
                let open = self.ledger.iter().filter(|slice| slice.next_page_token.is_some());
                open.chain(begun).collect()
            }
        };
        position::put(self.last_state(), &begun)
    }

    /// The state at a cursor value within a slice whose records come in order. `None` if earlier slices are unfinished,
    /// or have states of their own.
    pub(in crate::sync) fn state_within(&self, ticket: Ticket, newest: Option<&Value>) -> Option<StreamState> {
        let state = self.ledger.is_first(ticket).then(|| self.known.state_within(newest))??;
        Some(self.with_refused(state))
    }

    /// A state with the refused places, as far as it has room for them.
    fn with_refused(&self, state: StreamState) -> StreamState {
        let kept = if self.keeps_places() { self.refusals.kept() } else { &[] };
        position::put_refused(state, kept)
    }

    fn keeps_places(&self) -> bool {
        self.stream.cursor().keeps_places()
    }

    /// The approximate bytes of the state.
    pub(in crate::sync) fn bytes(&self) -> usize {
        match self.known.bytes() {
            Some(bytes) => bytes + REFUSED_BYTES * self.refusals.kept().len(),
            None => serde_json::to_string(&self.state_with_begun()).map_or(0, |text| text.len()),
        }
    }

    /// See [`CursorState::paces_itself`].
    pub(in crate::sync) fn paces_itself(&self) -> bool {
        self.known.paces_itself()
    }

    /// Whether slices count in any order.
    pub(in crate::sync) fn is_in_any_order(&self) -> bool {
        matches!(self.begun, Begun::InTurn(_))
    }

    /// Whether there was never a slice.
    pub(in crate::sync) fn is_unused(&self) -> bool {
        self.ledger.is_unused()
    }

    /// Whether there is progress that the last state does not report.
    pub(in crate::sync) fn is_changed(&self) -> bool {
        self.changed
    }

    /// Records that a state reports all progress.
    pub(in crate::sync) fn told(&mut self) {
        self.changed = false;
    }
}

#[cfg(test)]
mod tests;
