//! A job that is completed, and what the requests for its results see of it.

use serde_json::Value;

use super::super::request::Slice;
use super::variables::{CREATION, POLLING, TARGET};
use crate::streams;

/// A job that has come to a result.
#[derive(Debug)]
pub(super) struct Job {
    /// The slice that it is for, with what was answered when it was created.
    pub(super) slice: Slice,
    pub(super) creation: Value,
    pub(super) polling: Value,
    pub(super) targets: Vec<Value>,
}

impl Job {
    /// A slice as the requests for a result see it. None if there are no further results.
    pub(super) fn slice(&self, slice: &streams::Slice, target: usize) -> Option<streams::Slice> {
        let target = self.targets.get(target)?.clone();
        let extra = [(CREATION, self.creation.clone()), (POLLING, self.polling.clone()), (TARGET, target)];
        Some(slice.clone().with_extra(extra))
    }

    /// How many results there are.
    pub(super) fn targets(&self) -> usize {
        self.targets.len()
    }
}
