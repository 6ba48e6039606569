//! The faults of a scanned value.

/// Why a value has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text ends before the value does. A number must be followed by something: it could continue.
    Incomplete,
    /// The text is not JSON.
    Invalid,
    /// The text is not UTF-8, and so not JSON.
    NotUtf8,
    /// It continues after a line break, and the sink wants one line only.
    LineBreak,
}
