//! Signals as requests to stop. The first SIGTERM or SIGINT asks the run to end; a second one ends the process at once,
//! whatever it is doing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::stop::{Stop, StopReason};

/// Turns signals into requests, from now on and for the whole process.
///
/// # Errors
/// If the system does not give what it takes; then signals end the process as they always do.
pub(crate) fn watch(stop: &Stop) -> io::Result<()> {
    let asked_before = Arc::new(AtomicBool::new(false));
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    for (signal, reason) in [(SIGTERM, StopReason::Terminated), (SIGINT, StopReason::Interrupted)] {
        // In this order: a first signal finds that there was none before, and then notes that there was one.
        flag::register_conditional_shutdown(signal, reason.exit_code().into(), asked_before.clone())?;
        flag::register(signal, asked_before.clone())?;
    }
    let stop = stop.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            stop.request(if signal == SIGINT { StopReason::Interrupted } else { StopReason::Terminated });
        }
    })?;
    Ok(())
}
