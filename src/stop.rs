//! A request to end a run early, as a value: a signal, a closed stdout or short memory makes it, once, and every worker
//! and every wait sees it. Nothing is killed. Waits end, connections are shut down, and finished work is written.

use std::fmt;
use std::io;
use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use crate::locks;

/// The text after "run it again" where states are kept.
pub(crate) const RESUMES: &str = "to resume from the last states.";

/// How often a wait for a thread checks whether to continue.
const LOOK: Duration = Duration::from_millis(50);

/// Whether a run must stop, and why. Clones share it. Default: it need not.
#[derive(Clone, Default)]
pub struct Stop(Arc<Shared>);

/// Why a run must stop early.
///
/// As an error, it is the failure of stopped work. Except after a closed stdout, another run resumes where this one
/// stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StopReason {
    /// SIGINT was sent: Ctrl-C at a terminal.
    #[error("SIGINT ended this run before it was done. Run it again {}", RESUMES)]
    Interrupted,
    /// SIGTERM was sent: a platform ends the sync.
    #[error("SIGTERM ended this run before it was done. Run it again {}", RESUMES)]
    Terminated,
    /// SIGHUP was sent: the terminal, or the connection to it, is gone.
    #[error("SIGHUP ended this run before it was done. Run it again {}", RESUMES)]
    HungUp,
    /// The reader of stdout closed the pipe.
    #[error("the reader of stdout closed the pipe")]
    ClosedStdout,
    /// The process's memory is nearly used up; the text has the amount, and the fix.
    #[error("{0}")]
    OutOfMemory(String),
}

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Shared {
    reason: OnceLock<StopReason>,
    /// The actions when a stop is requested. The lock is also that of the condition.
    hooks: Mutex<Vec<Hook>>,
    requested: Condvar,
}

impl Stop {
    /// Requests a stop. The first reason counts.
    pub fn request(&self, reason: StopReason) {
        let mut hooks = self.hooks();
        if self.0.reason.set(reason).is_err() {
            return;
        }
        let hooks = std::mem::take(&mut *hooks);
        self.0.requested.notify_all();
        for hook in hooks {
            hook();
        }
    }

    /// Why the run is stopping, if it is.
    #[must_use]
    pub fn reason(&self) -> Option<&StopReason> {
        self.0.reason.get()
    }

    /// Whether the run is stopping.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.reason().is_some()
    }

    /// Succeeds unless the run is stopping.
    ///
    /// # Errors
    /// [`StopReason::error`], if it is.
    pub fn check(&self) -> anyhow::Result<()> {
        self.reason().map_or(Ok(()), |reason| Err(reason.error()))
    }

    /// Blocks the calling thread for `duration`, or until the run is stopping. Real time: use
    /// [`crate::clock::Clock::sleep`] for waits.
    pub fn wait(&self, duration: Duration) {
        let waiting = self.0.requested.wait_timeout_while(self.hooks(), duration, |_| !self.is_requested());
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    /// Runs an action when the run is stopping; at once, if it already is. The thread that requests the stop runs it.
    pub fn on_request(&self, hook: impl FnOnce() + Send + 'static) {
        let mut hooks = self.hooks();
        if self.is_requested() {
            drop(hooks);
            hook();
        } else {
            hooks.push(Box::new(hook));
        }
    }

    /// Runs something uninterruptible in a thread of its own; a panic in it becomes the caller's.
    ///
    /// # Errors
    /// If the run is stopping before it is done; then the thread continues, and nobody waits for it. If the system has
    /// no more threads.
    pub(crate) fn unless_requested<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let (at_work, is_done) = mpsc::channel::<()>();
        let thread = thread::Builder::new().spawn(move || {
            // Dropped when the work is done, also by a panic.
            let _at_work = at_work;
            work()
        })?;
        while is_done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            self.check()?;
        }
        thread.join().map_or_else(|panic| panic::resume_unwind(panic), Ok)
    }

    fn hooks(&self) -> MutexGuard<'_, Vec<Hook>> {
        locks::lock(&self.0.hooks)
    }
}

impl StopReason {
    /// The error of stopped work: the reason itself, or [`io::ErrorKind::BrokenPipe`] for a closed stdout, as if the
    /// work had written there.
    #[must_use]
    pub fn error(&self) -> anyhow::Error {
        match self {
            Self::ClosedStdout => io::Error::from(io::ErrorKind::BrokenPipe).into(),
            reason => reason.clone().into(),
        }
    }

    /// The exit code of a stopped run: as in shells, 128 plus the signal number; 0 if the reader of stdout closed the
    /// pipe; 1 otherwise.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::ClosedStdout => 0,
            Self::OutOfMemory(_) => 1,
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.reason()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Longer than any test may take.
    const FOR_EVER: Duration = Duration::from_secs(3600);

    #[test]
    fn the_first_reason_counts_and_is_the_same_for_all_clones() {
        let stop = Stop::default();
        assert!(stop.check().is_ok() && !stop.is_requested());
        stop.clone().request(StopReason::Terminated);
        stop.request(StopReason::ClosedStdout);
        assert_eq!(stop.reason(), Some(&StopReason::Terminated));
        let error = stop.check().unwrap_err();
        assert!(error.to_string().starts_with("SIGTERM ended this run"), "{error}");
    }

    #[test]
    fn a_request_wakes_all_waits_and_no_wait_begins_after_it() {
        let stop = Stop::default();
        thread::scope(|scope| {
            let waiting = [(); 3].map(|()| scope.spawn(|| stop.wait(FOR_EVER)));
            stop.request(StopReason::Interrupted);
            for thread in waiting {
                thread.join().unwrap();
            }
        });
        stop.wait(FOR_EVER);
    }

    #[test]
    fn a_hook_runs_once_even_if_it_comes_late() {
        let (stop, calls) = (Stop::default(), Arc::new(AtomicUsize::new(0)));
        let hook = || {
            let calls = calls.clone();
            move || {
                calls.fetch_add(1, Ordering::Relaxed);
            }
        };
        stop.on_request(hook());
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        stop.request(StopReason::Terminated);
        stop.request(StopReason::Terminated);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        stop.on_request(hook());
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn endless_work_is_abandoned_and_a_result_is_passed_on() {
        let stop = Stop::default();
        assert_eq!(stop.unless_requested(|| 7).unwrap(), 7);
        let (_held, never) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| stop.unless_requested(move || never.recv().is_ok()));
            stop.request(StopReason::Terminated);
            assert!(waiting.join().unwrap().is_err());
        });
    }

    #[test]
    fn a_panic_in_such_work_is_the_callers() {
        let stop = Stop::default();
        let caught =
            panic::catch_unwind(panic::AssertUnwindSafe(|| stop.unless_requested(|| -> () { panic!("on the way") })));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"on the way"));
    }

    #[test]
    fn exit_codes_are_those_of_shells() {
        let codes = [StopReason::Interrupted, StopReason::Terminated, StopReason::ClosedStdout]
            .map(|reason| reason.exit_code());
        assert_eq!(codes, [130, 143, 0]);
        assert_eq!(StopReason::OutOfMemory(String::new()).exit_code(), 1);
    }
}
