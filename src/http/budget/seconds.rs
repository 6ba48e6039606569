//! Durations in messages.

use std::time::Duration;

/// A duration for people: "1.5 s".
pub(super) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
