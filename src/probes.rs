//! The requests of a check and their results, stream by stream, for the user.

use std::sync::Mutex;

use crate::locks;
use crate::protocol::Failure;

/// The probes of a check, in the order in which they ended.
#[derive(Debug, Default)]
pub struct Probes(Mutex<Vec<Probe>>);

/// One stream whose first page was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The stream's name.
    pub stream: String,
    /// The result.
    pub end: ProbeEnd,
}

/// The result of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeEnd {
    /// The page was read.
    Readable,
    /// The stream has no request to send, so nothing is known.
    NothingToAsk,
    /// It cannot be read, and a read would skip it.
    Refused(Failure),
    /// It cannot be read.
    Failed(Failure),
}

impl Probes {
    /// All that have ended so far.
    #[must_use]
    pub fn ended(&self) -> Vec<Probe> {
        locks::lock(&self.0).clone()
    }

    /// Records the result of a probe.
    pub(crate) fn note(&self, stream: &str, result: &anyhow::Result<bool>) {
        let end = match result {
            Ok(true) => ProbeEnd::Readable,
            Ok(false) => ProbeEnd::NothingToAsk,
            Err(error) => {
                let failure = Failure::from_error(error);
                if failure.skips_stream { ProbeEnd::Refused(failure) } else { ProbeEnd::Failed(failure) }
            }
        };
        let probe = Probe { stream: stream.to_owned(), end };
        locks::lock(&self.0).push(probe);
    }
}
