//! A text that is registered as a secret before any use, and that no debug output shows.

use std::fmt;

use crate::protocol::{MASK, Redactor};

/// A secret text.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    /// Registers the text and keeps it.
    pub(super) fn new(text: impl Into<String>, redactor: &Redactor) -> Self {
        let text = text.into();
        redactor.add(&text);
        Self(text)
    }

    /// As [`Secret::new`], for a secret that changes each time: see [`Redactor::add_passing`].
    pub(super) fn passing(text: impl Into<String>, redactor: &Redactor) -> Self {
        let text = text.into();
        redactor.add_passing(&text);
        Self(text)
    }

    /// The text itself.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}
