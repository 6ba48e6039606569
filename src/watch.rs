//! What from outside ends a run before it is done, as requests to stop: signals, and a reader of stdout that goes away.
//! Threads of their own wait for them, for as long as the process lives.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::stop::{Stop, StopReason};

/// Turns the first SIGTERM or SIGINT into a request. A second one ends the process at once, whatever it is doing.
///
/// # Errors
/// If the system does not give what it takes; then signals end the process as they always do.
pub(crate) fn signals(stop: &Stop) -> io::Result<()> {
    let asked_before = Arc::new(AtomicBool::new(false));
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    for (signal, reason) in [(SIGTERM, StopReason::Terminated), (SIGINT, StopReason::Interrupted)] {
        // In this order: a first signal finds that there was none before, and then notes that there was one.
        flag::register_conditional_shutdown(signal, reason.exit_code().into(), asked_before.clone())?;
        flag::register(signal, asked_before.clone())?;
    }
    let stop = stop.clone();
    thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            stop.request(if signal == SIGINT { StopReason::Interrupted } else { StopReason::Terminated });
        }
    })?;
    Ok(())
}

/// Turns it into a request that nobody reads stdout any more. A write would tell, too, but there may be none for long.
///
/// # Errors
/// If the system has no more threads; then the next write tells.
pub(crate) fn stdout(stop: &Stop) -> io::Result<()> {
    let stop = stop.clone();
    thread::Builder::new().spawn(move || {
        #[expect(clippy::disallowed_methods, reason = "nothing is written")]
        let stdout = io::stdout();
        // Asked for nothing, it answers only when the other side is gone. Files have no other side.
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        if watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            stop.request(StopReason::ClosedStdout);
        }
    })?;
    Ok(())
}
