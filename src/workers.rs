//! How many slices are read at the same time. The number applies to the whole run: a worker that one stream no longer
//! needs helps the next.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::locks;

/// The workers of a run.
#[derive(Debug)]
pub(crate) struct Workers {
    crew: Mutex<Crew>,
    freed: Condvar,
}

#[derive(Debug)]
struct Crew {
    free: usize,
    /// The number of waiters.
    wanted: usize,
}

/// The right to read slices at the same time as others; returned when it is dropped.
#[derive(Debug)]
pub(crate) struct Worker<'w>(&'w Workers);

impl Workers {
    /// N workers; at least one.
    pub(crate) fn new(number: usize) -> Self {
        Self { crew: Mutex::new(Crew { free: number.max(1), wanted: 0 }), freed: Condvar::new() }
    }

    /// Waits until one is free.
    pub(crate) fn hire(&self) -> Worker<'_> {
        let mut crew = self.lock();
        crew.wanted += 1;
        let crew = self.freed.wait_while(crew, |crew| crew.free == 0);
        let mut crew = crew.unwrap_or_else(PoisonError::into_inner);
        crew.free -= 1;
        crew.wanted -= 1;
        Worker(self)
    }

    /// A worker that is free now and that no stream waits for. Otherwise a worker that is released and hired again
    /// would starve the others.
    pub(crate) fn try_hire(&self) -> Option<Worker<'_>> {
        let mut crew = self.lock();
        if crew.wanted >= crew.free {
            return None;
        }
        crew.free -= 1;
        Some(Worker(self))
    }

    fn lock(&self) -> MutexGuard<'_, Crew> {
        locks::lock(&self.crew)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.0.lock().free += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_requested_and_a_returned_one_is_free_again() {
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
    fn a_waiting_stream_comes_before_one_that_only_takes_a_free_worker() {
        let workers = Workers::new(1);
        let first = workers.hire();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(workers.hire()));
            while workers.lock().wanted == 0 {
                std::thread::yield_now();
            }
            drop(first);
            let taken = workers.try_hire();
            assert!(taken.is_none() || workers.lock().wanted == 0);
            drop(taken);
            waiting.join().unwrap();
        });
    }

    #[test]
    fn without_a_worker_nothing_would_ever_be_read() {
        assert!(Workers::new(0).try_hire().is_some());
    }
}
