//! What a stream, or a read, amounts to: numbers, and how it ended. It is what people see as a table and scripts as JSON.

use std::ops::AddAssign;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::protocol::FailureKind;

/// What one stream amounts to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamSummary {
    /// Its name.
    pub stream: String,
    /// How it ended.
    #[serde(flatten)]
    pub end: StreamEnd,
    /// What it did.
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// What was done, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Numbers {
    /// Records written.
    pub records: u64,
    /// Attempts that were sent, for tokens, schemas and parents, too. Redirects count as one with their attempt.
    pub requests: u64,
    /// How many of them were for a request that was attempted before.
    pub retries: u64,
    /// Waits, for retries and for the request budget.
    pub waits: u64,
    /// Their length; those of several workers are added up. In JSON: seconds.
    #[serde(rename = "waited_seconds", serialize_with = "seconds")]
    pub waited: Duration,
    /// Requests that the response cache spared.
    pub cache_hits: u64,
    /// The length of all response bodies, decompressed.
    pub bytes: u64,
    /// Slices, such as the children of one parent, that the API refused by themselves, and that were left out. In JSON: only if
    /// there are any.
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
    /// It goes on, or was broken off because the reader of stdout closed the pipe.
    BrokenOff,
    /// All of it was read, or as much as `--limit` allows.
    Complete,
    /// It cannot be read, and was left out.
    Skipped {
        /// Why, without secrets.
        message: String,
    },
    /// It ended before it was read.
    Incomplete {
        /// Who can fix it.
        kind: FailureKind,
        /// Why, without secrets.
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

/// All but the time, which streams spend side by side.
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
