//! Warnings about a stream while it is read, each once for any number of records.

use std::collections::HashSet;
use std::sync::Mutex;

use crate::locks;

/// Warnings, each once a stream, from any thread.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    known: Mutex<(HashSet<String>, Vec<String>)>,
}

impl Warnings {
    /// Adds a warning.
    pub(super) fn add(&self, warning: impl Into<String>) {
        let warning = warning.into();
        let mut known = locks::lock(&self.known);
        if known.0.insert(warning.clone()) {
            known.1.push(warning);
        }
    }

    /// The new ones.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut locks::lock(&self.known).1)
    }
}
