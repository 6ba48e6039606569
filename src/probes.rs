//! What a check has asked for and what came of it, stream by stream, so that its user can see it.

use std::sync::Mutex;

use crate::locks;
use crate::protocol::Failure;

/// The probes of a check, in the order in which they ended.
#[derive(Debug, Default)]
pub struct Probes(Mutex<Vec<Probe>>);

/// One stream that was asked for its first page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The stream's name.
    pub stream: String,
    /// What came of it.
    pub end: ProbeEnd,
}

/// What came of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeEnd {
    /// The page is there.
    Readable,
    /// The stream has nothing to ask for, so nothing is known.
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

    /// Notes what a probe came to.
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
