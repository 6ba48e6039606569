//! The slices that the API refuses by themselves, such as the children of one parent. The stream's own state goes past
//! them, so the others count. Refused places are kept beside it and the next read requests them again, because a
//! refusal may end.

use std::collections::VecDeque;

use super::position::SlicePosition;
use crate::protocol::Failure;
use crate::streams::HttpStream;

/// The most places that a state holds. An account with more has a kind of parent that should never be asked.
const MAX_KEPT: usize = 1_000;
/// The most places that one read requests again; the rest follow in later reads.
const MAX_AGAIN: usize = 100;

/// The refusals of this read and of earlier ones.
#[derive(Debug, Default)]
pub(in crate::sync) struct Refusals {
    /// In the order of the next requests.
    kept: Vec<SlicePosition>,
    /// Those of earlier reads that this read still has to request.
    again: VecDeque<SlicePosition>,
    /// The first one of this read.
    first: Option<Failure>,
    is_told: bool,
    /// The number in this read.
    count: u64,
    /// The number that did not fit.
    lost: u64,
    /// Whether any page of the stream was read.
    has_read: bool,
}

impl Refusals {
    /// With the refusals of earlier reads.
    pub(in crate::sync) fn new(kept: Vec<SlicePosition>) -> Self {
        let again = kept.iter().take(MAX_AGAIN).cloned().collect();
        Self { kept, again, ..Self::default() }
    }

    /// Their entry in a state.
    pub(in crate::sync) fn kept(&self) -> &[SlicePosition] {
        &self.kept
    }

    /// The next place to request again.
    pub(in crate::sync) fn next_again(&mut self) -> Option<SlicePosition> {
        self.again.pop_front()
    }

    /// Records that a page of the stream was read.
    pub(in crate::sync) fn note_page(&mut self) {
        self.has_read = true;
    }

    /// Records a refusal.
    pub(in crate::sync) fn note(&mut self, stream: &dyn HttpStream, place: SlicePosition, failure: Failure) {
        self.count += 1;
        self.first.get_or_insert(failure);
        self.settle(stream, &place);
        match self.kept.len() < MAX_KEPT {
            true => self.kept.push(place),
            false => self.lost += 1,
        }
    }

    /// Records that a place was read.
    pub(in crate::sync) fn settle(&mut self, stream: &dyn HttpStream, place: &SlicePosition) {
        self.kept.retain(|kept| !is_same(stream, kept, place));
    }

    /// Forgets the places of a stream that requests all its slices in each read.
    pub(in crate::sync) fn forget(&mut self) {
        self.kept.clear();
        self.lost = 0;
    }

    /// The first refusal, once, if it is worth its own report: not while the whole stream may be refused.
    pub(in crate::sync) fn untold(&mut self) -> Option<&Failure> {
        if self.is_told || self.is_all() {
            return None;
        }
        self.is_told = self.first.is_some();
        self.first.as_ref()
    }

    /// Whether every request so far was refused, so that the stream itself may be refused.
    pub(in crate::sync) fn is_all(&self) -> bool {
        self.count > 0 && !self.has_read
    }

    /// The refusal of the stream, if everything was refused and either nothing was ever read, or there are more
    /// refusals than a state keeps.
    pub(in crate::sync) fn of_stream(&self, is_first_read: bool) -> Option<Failure> {
        let first = self.first.as_ref().filter(|_| self.is_all() && (is_first_read || self.lost > 0))?;
        Some(first.clone().of_every_slice(self.count))
    }

    /// The number of refusals in this read, and how many of them the state does not have.
    pub(in crate::sync) fn counts(&self) -> (u64, u64) {
        (self.count, self.lost)
    }
}

/// Whether two places have the same parent, or the same slice and page.
fn is_same(stream: &dyn HttpStream, one: &SlicePosition, other: &SlicePosition) -> bool {
    stream.parents().iter().any(|parent| parent.is_same(&one.slice, &other.slice))
        || one.slice.is_same(&other.slice) && one.next_page_token == other.next_page_token
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::streams::{RequestContext, Slice};

    struct Items;

    impl HttpStream for Items {
        fn name(&self) -> &'static str {
            "items"
        }
        fn url_base(&self) -> &'static str {
            "http://a.com"
        }
        fn path(&self, _: &RequestContext<'_>) -> String {
            "items".into()
        }
    }

    fn place(n: usize) -> SlicePosition {
        SlicePosition::at(Slice::of_partition([("n", n)]))
    }

    fn refusal() -> Failure {
        Failure { skips_slice: true, ..Failure::config("no.") }
    }

    #[test]
    fn a_place_refused_again_goes_to_the_end_and_a_place_that_was_read_is_dropped() {
        let mut refusals = Refusals::new((0..150).map(place).collect());
        let mut asked = 0;
        while let Some(again) = refusals.next_again() {
            assert_eq!(again, place(asked));
            match asked % 2 {
                0 => refusals.settle(&Items, &again),
                _ => refusals.note(&Items, again, refusal()),
            }
            asked += 1;
        }
        assert_eq!(asked, MAX_AGAIN);
        let left: Vec<Value> = refusals.kept().iter().map(|kept| kept.slice.partition()["n"].clone()).collect();
        let expected: Vec<Value> = (100..150).chain((1..100).step_by(2)).map(|n: usize| json!(n)).collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn a_stream_is_refused_if_all_of_it_is_and_nothing_was_read_before() {
        let mut refusals = Refusals::default();
        assert!(!refusals.is_all() && refusals.of_stream(true).is_none());
        refusals.note(&Items, place(1), refusal());
        refusals.note(&Items, place(2), refusal());
        assert!(refusals.is_all() && refusals.of_stream(false).is_none());
        let failure = refusals.of_stream(true).unwrap();
        assert!(failure.skips_stream && !failure.skips_slice);
        assert_eq!(failure.message, "no. All 2 slices that were requested were refused.");
        refusals.note_page();
        assert!(!refusals.is_all() && refusals.of_stream(true).is_none());
    }

    #[test]
    fn more_refusals_than_a_state_keeps_refuse_the_stream_rather_than_be_lost() {
        let mut refusals = Refusals::default();
        for n in 0..=MAX_KEPT {
            refusals.note(&Items, place(n), refusal());
        }
        assert_eq!((refusals.kept().len(), refusals.counts()), (MAX_KEPT, (MAX_KEPT as u64 + 1, 1)));
        assert!(refusals.of_stream(false).is_some());
    }
}
