//! Bugs. A panic must not look like a crash to the platform: it becomes a system failure of its stream in the protocol,
//! and the others continue.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use crate::protocol::Failure;

thread_local! {
    /// The place and the message of the thread's last panic.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics from being printed to stderr unmasked. The protocol reports their messages, with secrets masked. To be
/// called once, by `main`.
pub(crate) fn report_through_the_protocol() {
    panic::set_hook(Box::new(|info| LAST.set(Some(info.to_string()))));
}

/// Runs something, and turns a panic in it into a failure.
pub(crate) fn caught<T>(run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let payload = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = LAST.take().or(payload).or_else(|| panic.downcast_ref::<String>().cloned());
        let failure = Failure::system("The connector has hit a bug. Everything up to the last state is safe.")
            .with_internal(said.unwrap_or_else(|| "a panic without a message".to_owned()));
        Err(failure.into())
    })
}
