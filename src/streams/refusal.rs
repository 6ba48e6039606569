//! A stream that this program cannot read, although the source has it.

use crate::protocol::Failure;

/// Why a stream cannot be read at all: the result of [`super::HttpStream::refusal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The failure of a check of the stream, and of a read that chooses it.
    pub failure: Failure,
    /// Whether `discover` still lists the stream. If not, a line in the log has the reason, and a read without a
    /// catalog leaves the stream out.
    pub is_listed: bool,
}
