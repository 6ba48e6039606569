//! What can be wrong with a value that is scanned.

/// Why a value has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text ends before the value does. A number has to be followed by something: it could go on.
    Incomplete,
    /// The text is not JSON.
    Invalid,
    /// It goes on behind a line break, and the sink wants one line only.
    LineBreak,
}
