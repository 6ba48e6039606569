//! Where the records are in a response.

use std::fmt;

/// Matches each element of a list, or each member of an object, in a [`RecordPath`].
pub(super) const EACH: &str = "*";

/// Where the records are in a response: the names that lead to them, outermost first. Empty if the response itself is
/// the record, or the list of records. A `*` matches each element of a list and each member of an object.
///
/// ```
/// use source_http::json::{Document, RecordPath};
///
/// let path = RecordPath::new(["groups", "*", "users"]);
/// let response = br#"{"groups": [{"users": [{"id": 1}]}, {"users": [{"id": 2}, {"id": 3}]}]}"#;
/// assert_eq!(Document::index(response, &path)?.len(), 3);
/// # Ok::<(), source_http::json::DocumentError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordPath {
    names: Vec<String>,
    is_optional: bool,
}

impl RecordPath {
    /// The path of these names.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), is_optional: false }
    }

    /// Makes the path optional: a response without it has no records. Default: that is an error, so that a change of
    /// the API does not count as an empty list.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// The names, outermost first.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The names, if each of them leads to one value and there is one at least.
    pub(crate) fn plain_names(&self) -> Option<&[String]> {
        Some(&*self.names).filter(|names| !names.is_empty() && names.iter().all(|name| name != EACH))
    }

    /// Whether the path is optional.
    pub(super) fn is_optional(&self) -> bool {
        self.is_optional
    }
}

impl fmt::Display for RecordPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() { f.write_str("the top level") } else { write!(f, "`{}`", self.names.join(".")) }
    }
}
