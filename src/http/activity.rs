//! The events of a request, for counters.

use std::time::Duration;

/// One event of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activity {
    /// An attempt is about to be sent. It includes the redirects it follows.
    Attempt {
        /// The request was attempted before.
        again: bool,
    },
    /// A whole response arrived.
    Received {
        /// The length of its body in bytes, decompressed.
        bytes: u64,
    },
    /// The response cache saved an attempt.
    CacheHit,
    /// A wait is over, for a retry or for the request budget; cut short if the run is stopping.
    Waited(Duration),
}
