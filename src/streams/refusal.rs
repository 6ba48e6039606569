//! A stream that this program cannot read, although the source has it.

use crate::protocol::Failure;

/// Why a stream cannot be read at all: what [`super::HttpStream::refusal`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What a check of the stream and a read that chooses it fail with.
    pub failure: Failure,
    /// Whether `discover` still lists the stream. If not, a line in the log says why, and a read without a catalog
    /// leaves the stream out.
    pub is_listed: bool,
}
