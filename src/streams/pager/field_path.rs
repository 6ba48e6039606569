//! Where a pager finds a value in a response.

use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::protocol::Failure;
use crate::streams::cursor::whole_number;
use crate::streams::{Page, PageToken};

/// The names that lead to a member of a response, outermost first: `"next"`, or `["meta", "next"]`. The member is
/// beside the records, not inside one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// The path of these names.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// The token at this place; null, false and an empty text count as none.
    pub(super) fn token(&self, page: &Page) -> Result<Option<PageToken>, Failure> {
        Ok(self.raw(page)?.and_then(|raw| token(raw.get())))
    }

    /// The yes or no at this place, as a boolean or a text. `None` without one.
    pub(super) fn flag(&self, page: &Page) -> Result<Option<bool>, Failure> {
        let Some(raw) = self.raw(page)? else { return Ok(None) };
        match raw.get().trim_matches('"').to_ascii_lowercase().as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(self.unexpected(page, &raw, "true or false")),
        }
    }

    /// The count at this place, as a number or a text. `None` without one.
    pub(super) fn count(&self, page: &Page) -> Result<Option<u64>, Failure> {
        let Some(raw) = self.raw(page)? else { return Ok(None) };
        let count = serde_json::from_str::<Value>(raw.get()).ok();
        match count.as_ref().and_then(whole_number).and_then(|count| u64::try_from(count).ok()) {
            Some(count) => Ok(Some(count)),
            None => Err(self.unexpected(page, &raw, "a count")),
        }
    }

    fn raw(&self, page: &Page) -> Result<Option<Box<RawValue>>, Failure> {
        // An empty path never finds anything: every stream would silently end after its first page.
        if self.0.is_empty() {
            return Err(Failure::system("A pager of this stream searches the response for a member without a name."));
        }
        Ok(page.get(&self.0))
    }

    fn unexpected(&self, page: &Page, raw: &RawValue, wanted: &str) -> Failure {
        let shown: String = raw.get().chars().take(40).collect();
        Failure::system(format!(
            "There is {shown} at {self} in the response to {}, where {wanted} should be, so it is not known whether \
             there are more pages.",
            page.response.request
        ))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.join("."))
    }
}

impl From<&str> for FieldPath {
    fn from(name: &str) -> Self {
        Self::new([name])
    }
}

impl<const N: usize> From<[&str; N]> for FieldPath {
    fn from(names: [&str; N]) -> Self {
        Self::new(names)
    }
}

impl From<Vec<String>> for FieldPath {
    fn from(names: Vec<String>) -> Self {
        Self(names)
    }
}

/// A member's text as a token. A number that would lose digits becomes a text.
pub(super) fn token(raw: &str) -> Option<PageToken> {
    match serde_json::from_str(raw).ok()? {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Number(number) if number.to_string() != raw => Some(raw.into()),
        token => Some(token),
    }
}
