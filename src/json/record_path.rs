//! Where the records stand in a response.

use std::fmt;

/// Where the records are in a response: the names that lead to them. Empty when the response itself is the record,
/// or the list of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordPath(Vec<String>);

impl RecordPath {
    /// The path of these names, outermost first.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// The names, outermost first.
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for RecordPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("the top level") } else { write!(f, "`{}`", self.0.join(".")) }
    }
}
