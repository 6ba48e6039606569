//! The failed slices of a stream that reads its other slices: the failure that the stream ends with, and when to
//! request no more slices.

use crate::protocol::Failure;

/// Failures in a row after which no further slice is requested: a lost network, or refused credentials, are no fault of
/// a slice.
const MAX_IN_A_ROW: u32 = 10;

/// The slices that have failed.
#[derive(Debug, Default)]
pub(in crate::sync) struct FailedSlices {
    first: Option<Failure>,
    count: u32,
    in_a_row: u32,
}

impl FailedSlices {
    /// Counts the failure of a slice. True if too many have failed in a row.
    pub(in crate::sync) fn note(&mut self, failure: &Failure) -> bool {
        self.first.get_or_insert_with(|| failure.clone());
        self.count += 1;
        self.in_a_row += 1;
        self.in_a_row >= MAX_IN_A_ROW
    }

    /// Whether only one has failed.
    pub(in crate::sync) fn is_first(&self) -> bool {
        self.count == 1
    }

    /// Records that a slice was read to its end.
    pub(in crate::sync) fn note_success(&mut self) {
        self.in_a_row = 0;
    }

    /// The failure of the stream, if any slice has failed: the first failure, and their number.
    pub(in crate::sync) fn take(&mut self) -> Option<Failure> {
        let mut failure = self.first.take()?;
        if self.count > 1 {
            failure.message.extend([" It is the first of ", &self.count.to_string(), " slices that have failed."]);
        }
        Some(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_the_streams_and_ten_in_a_row_end_it() {
        let mut failed = FailedSlices::default();
        assert_eq!(failed.take(), None);
        assert!(!(1..MAX_IN_A_ROW).any(|n| failed.note(&Failure::config(format!("slice {n}.")))));
        failed.note_success();
        assert!(!failed.note(&Failure::config("later.")), "one was read in between");
        assert!((1..MAX_IN_A_ROW).any(|_| failed.note(&Failure::config("later."))));
        assert_eq!(failed.take().unwrap().message, "slice 1. It is the first of 19 slices that have failed.");
    }
}
