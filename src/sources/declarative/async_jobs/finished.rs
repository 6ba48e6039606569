//! A completed job, as the requests for its results see it.

use serde_json::Value;

use super::super::request::Slice;
use super::variables::{CREATION, POLLING, TARGET};
use crate::streams;

/// A job with a result.
#[derive(Debug)]
pub(super) struct Job {
    /// Its slice, with the answer to its creation.
    pub(super) slice: Slice,
    pub(super) creation: Value,
    pub(super) polling: Value,
    pub(super) targets: Vec<Value>,
}

impl Job {
    /// The slice for the requests for a result. `None` if there are no further results.
    pub(super) fn slice(&self, slice: &streams::Slice, target: usize) -> Option<streams::Slice> {
        let target = self.targets.get(target)?.clone();
        let extra = [(CREATION, self.creation.clone()), (POLLING, self.polling.clone()), (TARGET, target)];
        Some(slice.clone().with_extra(extra))
    }

    /// The number of its results.
    pub(super) fn targets(&self) -> usize {
        self.targets.len()
    }
}
