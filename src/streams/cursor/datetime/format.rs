//! The notation of moments in records, requests and states.

use jiff::Timestamp;
use serde_json::Value;

use super::Moment;
use crate::protocol::Failure;

/// Reads and writes moments.
pub trait TimeFormat: Send + Sync {
    /// The moment in a value; `None` if it is not one.
    ///
    /// # Errors
    /// If a slice that has such a value cannot be read.
    fn read(&self, value: &Value) -> Result<Option<Moment>, Failure>;

    /// A moment as written in requests and states. It must not be later than the moment, or records would be missed.
    fn write(&self, moment: Moment) -> String;
}

/// RFC 3339, written in UTC to the second: `2026-11-01T00:00:00Z`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rfc3339;

impl TimeFormat for Rfc3339 {
    fn read(&self, value: &Value) -> Result<Option<Moment>, Failure> {
        let moment = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        Ok(moment.map(|moment| Moment::utc(moment.as_microsecond())))
    }

    fn write(&self, moment: Moment) -> String {
        let seconds = Timestamp::from_second(moment.micros.div_euclid(1_000_000));
        seconds.map(|seconds| seconds.to_string()).unwrap_or_default()
    }
}
