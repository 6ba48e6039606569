//! What people should know of a stream while it is read, told once however many records it concerns.

use std::collections::HashSet;
use std::sync::Mutex;

use crate::locks;

/// What people should know, each sentence once a stream, whichever thread finds it.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    known: Mutex<(HashSet<String>, Vec<String>)>,
}

impl Warnings {
    /// Notes a sentence.
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
