//! How many slices are read at the same time. The number is one for the whole run: a worker that one stream has no more
//! slices for is there for the next.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The workers of a run.
#[derive(Debug)]
pub(super) struct Workers {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The right to read slices at the same time as others; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Worker<'w>(&'w Workers);

impl Workers {
    /// So many; one at least.
    pub(super) fn new(number: usize) -> Self {
        Self { free: Mutex::new(number.max(1)), freed: Condvar::new() }
    }

    /// Waits until one is free.
    pub(super) fn hire(&self) -> Worker<'_> {
        let free = self.freed.wait_while(self.lock(), |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        Worker(self)
    }

    /// One that is free now.
    pub(super) fn try_hire(&self) -> Option<Worker<'_>> {
        let mut free = self.lock();
        *free = free.checked_sub(1)?;
        Some(Worker(self))
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        *self.0.lock() += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_were_asked_for_and_one_that_is_given_back_is_free_again() {
        let workers = Workers::new(2);
        let (first, second) = (workers.hire(), workers.try_hire());
        assert!(second.is_some() && workers.try_hire().is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(workers.hire()));
            drop(first);
            waiting.join().unwrap();
        });
        let again = workers.try_hire();
        assert!(again.is_some() && workers.try_hire().is_none());
    }

    #[test]
    fn without_a_single_worker_nothing_would_ever_be_read() {
        assert!(Workers::new(0).try_hire().is_some());
    }
}
