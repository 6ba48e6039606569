//! How many jobs of a manifest run at the same time: APIs refuse more, or answer the rest late.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::locks;
use crate::streams::Fetcher;

/// How often a slice that waits looks whether the run is to end.
const LOOK: Duration = Duration::from_millis(50);

/// The jobs that may be begun. All streams of a manifest share one limit.
#[derive(Debug)]
pub(in super::super) struct JobLimit {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The right to have a job; given back when it is dropped.
#[derive(Debug)]
pub(super) struct JobPermit<'l>(&'l JobLimit);

impl JobLimit {
    /// This many at the same time; one at least.
    pub(in super::super) fn new(most: usize) -> Self {
        Self { free: Mutex::new(most.max(1)), freed: Condvar::new() }
    }

    /// Waits until there may be one more job.
    ///
    /// # Errors
    /// If the run is to end.
    pub(super) fn take(&self, fetcher: &Fetcher<'_>) -> anyhow::Result<JobPermit<'_>> {
        loop {
            let free = locks::lock(&self.free);
            let waited = self.freed.wait_timeout_while(free, LOOK, |free| *free == 0);
            let (mut free, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if *free > 0 {
                *free -= 1;
                return Ok(JobPermit(self));
            }
            drop(free);
            fetcher.wait(Duration::ZERO)?;
        }
    }
}

impl Drop for JobPermit<'_> {
    fn drop(&mut self) {
        *locks::lock(&self.0.free) += 1;
        self.0.freed.notify_one();
    }
}
