//! The slices of a stream in the order they were given out. Workers finish them in any order; they count in this one.

use std::collections::VecDeque;

use serde_json::Value;

use super::position::SlicePosition;
use crate::streams::PageToken;

/// The slices from the first unfinished one to the last that was given out.
#[derive(Debug, Default)]
pub(in crate::sync) struct Ledger {
    slices: VecDeque<SlicePosition>,
    /// The number of slices before them.
    counted: u64,
}

/// A slice in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Ticket(u64);

impl Ticket {
    /// A slice outside the ledger, because the state is past it: its outcome does not change the ledger.
    pub(in crate::sync) const NONE: Self = Self(u64::MAX);
}

impl Ledger {
    /// Appends a slice.
    pub(in crate::sync) fn open(&mut self, place: SlicePosition) -> Ticket {
        self.slices.push_back(place);
        Ticket(self.counted + self.slices.len() as u64 - 1)
    }

    /// Records how far a slice was read.
    pub(in crate::sync) fn turn_page(
        &mut self,
        ticket: Ticket,
        next_page_token: Option<PageToken>,
        newest: Option<Value>,
    ) {
        if let Some(slice) = self.slice(ticket) {
            (slice.next_page_token, slice.newest) = (next_page_token, newest);
        }
    }

    /// Records that a slice was read to its end.
    pub(in crate::sync) fn close(&mut self, ticket: Ticket, newest: Option<Value>) {
        if let Some(slice) = self.slice(ticket) {
            (slice.next_page_token, slice.newest, slice.done) = (None, newest, true);
        }
    }

    /// The next slice that counts: it and all slices before it are done.
    pub(in crate::sync) fn take_done(&mut self) -> Option<SlicePosition> {
        self.slices.front().filter(|first| first.done)?;
        self.counted += 1;
        self.slices.pop_front()
    }

    /// Whether all slices before this one are done.
    pub(in crate::sync) fn is_first(&self, ticket: Ticket) -> bool {
        ticket.0 == self.counted
    }

    /// Whether the ledger never had a slice.
    pub(in crate::sync) fn is_unused(&self) -> bool {
        self.counted == 0 && self.slices.is_empty()
    }

    /// The slices that do not count yet.
    pub(in crate::sync) fn iter(&self) -> impl DoubleEndedIterator<Item = &SlicePosition> + ExactSizeIterator {
        self.slices.iter()
    }

    /// An unfinished slice.
    pub(in crate::sync) fn get(&self, ticket: Ticket) -> Option<&SlicePosition> {
        self.slices.get(self.index(ticket)?)
    }

    fn slice(&mut self, ticket: Ticket) -> Option<&mut SlicePosition> {
        let index = self.index(ticket)?;
        self.slices.get_mut(index)
    }

    fn index(&self, ticket: Ticket) -> Option<usize> {
        usize::try_from(ticket.0.checked_sub(self.counted)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::streams::Slice;

    fn slice(n: i64) -> SlicePosition {
        SlicePosition::at(Slice::of_partition([("n", n)]))
    }

    fn counted(ledger: &mut Ledger) -> Vec<(Value, Option<Value>)> {
        std::iter::from_fn(|| ledger.take_done())
            .map(|done| (done.slice.partition()["n"].clone(), done.newest))
            .collect()
    }

    #[test]
    fn slices_count_in_the_order_they_were_opened_whatever_order_they_are_closed_in() {
        let mut ledger = Ledger::default();
        assert!(ledger.is_unused());
        let [a, b, c] = [1, 2, 3].map(|n| ledger.open(slice(n)));
        ledger.close(b, Some(json!(20)));
        assert_eq!(counted(&mut ledger), []);
        ledger.turn_page(a, Some(json!("p2")), Some(json!(9)));
        ledger.close(a, Some(json!(10)));
        assert_eq!(counted(&mut ledger), [(json!(1), Some(json!(10))), (json!(2), Some(json!(20)))]);
        assert!(ledger.is_first(c) && !ledger.is_unused());
        let d = ledger.open(SlicePosition { done: true, ..slice(4) });
        assert!(!ledger.is_first(d));
        ledger.close(c, None);
        assert_eq!(counted(&mut ledger), [(json!(3), None), (json!(4), None)]);
        assert_eq!(ledger.iter().len(), 0);
    }
}
