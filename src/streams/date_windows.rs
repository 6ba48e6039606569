//! Cuts time into windows, the usual slices of a stream that an API can filter by time.

use super::Slice;

/// Windows of whole seconds since the epoch, oldest first, both ends included: each ends one second before the next
/// begins, and the last one at the end of the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateWindows {
    next: i64,
    end: i64,
    step: i64,
}

impl DateWindows {
    /// The members of a slice.
    pub const MEMBERS: [&'static str; 2] = ["from", "to"];

    /// Windows of `step` seconds from `start` to `end`. None if `start` is after `end`. A step below one second counts
    /// as one.
    #[must_use]
    pub fn new(start: i64, end: i64, step: i64) -> Self {
        Self { next: start, end, step: step.max(1) }
    }

    /// The windows as slices: `{"from": SECONDS, "to": SECONDS}`.
    pub fn slices(self) -> impl Iterator<Item = Slice> {
        self.map(|(from, to)| Slice::of_span(Self::MEMBERS.into_iter().zip([from, to])))
    }

    /// The window of such a slice: first and last second. `None` if it has none.
    #[must_use]
    pub fn of(slice: &Slice) -> Option<(i64, i64)> {
        Some((slice.get("from")?.as_i64()?, slice.get("to")?.as_i64()?))
    }
}

impl Iterator for DateWindows {
    /// First and last second.
    type Item = (i64, i64);

    fn next(&mut self) -> Option<(i64, i64)> {
        if self.next > self.end {
            return None;
        }
        let start = self.next;
        let last = start.saturating_add(self.step - 1).min(self.end);
        self.next = last.saturating_add(1);
        Some((start, last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_window_ends_at_the_end_of_the_span() {
        let windows: Vec<_> = DateWindows::new(100, 125, 10).collect();
        assert_eq!(windows, [(100, 109), (110, 119), (120, 125)]);
        assert_eq!(DateWindows::new(5, 5, 10).collect::<Vec<_>>(), [(5, 5)]);
        assert_eq!(DateWindows::new(6, 5, 10).collect::<Vec<_>>(), []);
    }

    proptest! {
        #[test]
        fn windows_cover_every_second_once(start in -1000i64..1000, length in 0i64..500, step in -1i64..90) {
            let end = start + length;
            let mut next = start;
            for (first, last) in DateWindows::new(start, end, step) {
                prop_assert_eq!(first, next);
                prop_assert!(last >= first);
                next = last + 1;
            }
            prop_assert_eq!(next, end + 1);
        }
    }
}
