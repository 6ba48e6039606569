//! Turns outside events into stop requests: signals, and a reader that closes stdout. Separate threads wait for them,
//! for the life of the process.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::stop::{Stop, StopReason};

/// The reason for each signal.
const REASONS: [(i32, StopReason); 3] =
    [(SIGTERM, StopReason::Terminated), (SIGINT, StopReason::Interrupted), (SIGHUP, StopReason::HungUp)];

/// Turns the first SIGTERM, SIGINT or SIGHUP into a request. A second one ends the process at once. A SIGHUP that is
/// ignored from the start, as with `nohup`, stays ignored.
///
/// # Errors
/// If the system refuses; then signals end the process as usual.
pub(crate) fn signals(stop: &Stop) -> io::Result<()> {
    let asked_before = Arc::new(AtomicBool::new(false));
    let reasons = REASONS.into_iter().filter(|(signal, _)| *signal != SIGHUP || !is_ignored(SIGHUP));
    let reasons: Vec<(i32, StopReason)> = reasons.collect();
    let mut signals = Signals::new(reasons.iter().map(|(signal, _)| *signal))?;
    for (signal, reason) in &reasons {
        let signal = *signal;
        // In this order: a first signal sees that there was none before, and then records itself.
        flag::register_conditional_shutdown(signal, reason.exit_code().into(), asked_before.clone())?;
        flag::register(signal, asked_before.clone())?;
    }
    let stop = stop.clone();
    thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            if let Some((_, reason)) = reasons.iter().find(|(known, _)| *known == signal) {
                stop.request(reason.clone());
            }
        }
    })?;
    Ok(())
}

/// Makes a write past the file size limit (`ulimit -f`) fail, like one to a full disk. Otherwise it would end the
/// process silently, in the middle of a line or of a state file.
///
/// # Errors
/// If the system refuses.
pub(crate) fn file_size() -> io::Result<()> {
    flag::register(SIGXFSZ, Arc::default()).map(|_| ())
}

/// Whether a signal is ignored. Only Linux can tell; elsewhere it counts as not ignored.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    // Signal 1 is the first bit.
    ignored >> (signal - 1) & 1 == 1
}

/// Requests a stop when the reader of stdout closes the pipe. A write would notice, too, but the next one may be far
/// away.
///
/// # Errors
/// If the system has no more threads; then the next write notices.
pub(crate) fn stdout(stop: &Stop) -> io::Result<()> {
    let stop = stop.clone();
    thread::Builder::new().spawn(move || {
        #[expect(clippy::disallowed_methods, reason = "nothing is written")]
        let stdout = io::stdout();
        // Polled for nothing, it answers only when the reader is gone. Files have no reader.
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        if watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            stop.request(StopReason::ClosedStdout);
        }
    })?;
    Ok(())
}
