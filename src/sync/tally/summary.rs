//! The result of a stream, or a read: numbers, and how it ended. People see it as a table, scripts as JSON.

use std::ops::AddAssign;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::protocol::FailureKind;

/// The result of one stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamSummary {
    /// Its name.
    pub stream: String,
    /// How it ended.
    #[serde(flatten)]
    pub end: StreamEnd,
    /// Its numbers.
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// The numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Numbers {
    /// Records written.
    pub records: u64,
    /// Attempts sent, including those for tokens, schemas and parents. A redirect counts as one with its attempt.
    pub requests: u64,
    /// Those of them that repeated an earlier attempt.
    pub retries: u64,
    /// Waits, for retries and for the request budget.
    pub waits: u64,
    /// Their length, added up over workers. In JSON: seconds.
    #[serde(rename = "waited_seconds", serialize_with = "seconds")]
    pub waited: Duration,
    /// Requests that the response cache answered.
    pub cache_hits: u64,
    /// The length of all response bodies, decompressed.
    pub bytes: u64,
    /// Slices, such as the children of one parent, that the API refused by themselves and the read skipped. In JSON:
    /// only if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// From its beginning to its end. In JSON: seconds.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub time: Duration,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamEnd {
    /// Nothing was requested.
    NotBegun,
    /// It is still read, or was broken off because the reader of stdout closed the pipe.
    BrokenOff,
    /// All of it was read, or as much as `--limit` allows.
    Complete,
    /// It cannot be read, and was skipped.
    Skipped {
        /// The reason, without secrets.
        message: String,
    },
    /// It ended before it was fully read.
    Incomplete {
        /// Who can fix it.
        kind: FailureKind,
        /// The reason, without secrets.
        message: String,
    },
}

impl StreamEnd {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotBegun => "not begun",
            Self::BrokenOff => "broken off",
            Self::Complete => "complete",
            Self::Skipped { .. } => "skipped",
            Self::Incomplete { .. } => "incomplete",
        }
    }
}

/// Everything but the time, since streams run side by side.
impl AddAssign for Numbers {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.requests += other.requests;
        self.retries += other.retries;
        self.waits += other.waits;
        self.waited += other.waited;
        self.cache_hits += other.cache_hits;
        self.bytes += other.bytes;
        self.refused += other.refused;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
