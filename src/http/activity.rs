//! What a request does on its way, for counters.

use std::time::Duration;

/// One thing that happened on the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activity {
    /// An attempt is about to be sent. The redirects it may follow are part of it.
    Attempt {
        /// The request was attempted before.
        again: bool,
    },
    /// A whole response came in.
    Received {
        /// The length of its body in bytes, decompressed.
        bytes: u64,
    },
    /// The response cache spared an attempt.
    CacheHit,
    /// A wait is over, for a retry or for the request budget; cut short if the run is stopping.
    Waited(Duration),
}
