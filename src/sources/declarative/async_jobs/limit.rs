//! The number of jobs of a manifest that run at the same time: with more, APIs refuse them or answer late.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::locks;
use crate::streams::Fetcher;

/// Time between two checks of a waiting slice for the stop of the run.
const LOOK: Duration = Duration::from_millis(50);

/// Counts the jobs that may begin. All streams of a manifest share one limit.
#[derive(Debug)]
pub(in super::super) struct JobLimit {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The right to have a job; returned when it is dropped.
#[derive(Debug)]
pub(super) struct JobPermit<'l>(&'l JobLimit);

impl JobLimit {
    /// A limit of N jobs at the same time; at least one.
    pub(in super::super) fn new(most: usize) -> Self {
        Self { free: Mutex::new(most.max(1)), freed: Condvar::new() }
    }

    /// Waits until one more job may begin.
    ///
    /// # Errors
    /// If the run must stop.
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
