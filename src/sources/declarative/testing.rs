//! Parts of a manifest built from a snippet of YAML, for tests.

use std::sync::Arc;

use serde_json::Value;

use super::manifest::{Faults, Path, propagate, resolve, yaml};
use super::part::{Builder, Part};
use super::placed::Env;
use crate::clock::VirtualClock;
use crate::protocol::Redactor;

/// The result of a snippet.
#[derive(Debug)]
pub(super) struct Built<T> {
    /// The built part.
    pub(super) part: Option<T>,
    /// The errors.
    pub(super) errors: Vec<String>,
    /// The warnings.
    pub(super) warnings: Vec<String>,
    /// The unsupported components.
    pub(super) refusals: Vec<String>,
}

impl<T> Built<T> {
    /// The part, of a snippet without faults.
    pub(super) fn good(self) -> T {
        assert!(self.errors.is_empty() && self.refusals.is_empty(), "{:?} {:?}", self.errors, self.refusals);
        self.part.unwrap()
    }
}

/// Builds a component of a snippet, with this config. The time is 2024-03-15T10:20:30Z.
pub(super) fn built<T>(
    snippet: &str,
    config: Value,
    build: impl FnOnce(&Builder<'_>, &Part<'_>) -> Option<T>,
) -> Built<T> {
    built_with(snippet, config, &Redactor::default(), build)
}

/// As [`built`], with the test's redactor.
pub(super) fn built_with<T>(
    snippet: &str,
    config: Value,
    redactor: &Redactor,
    build: impl FnOnce(&Builder<'_>, &Part<'_>) -> Option<T>,
) -> Built<T> {
    let mut faults = Faults::new("m.yaml");
    let read = yaml(snippet, &mut faults).unwrap();
    let resolved = resolve(&read, &mut faults);
    let node = propagate(&resolved, false, &mut faults);
    let env = Arc::new(Env { config, clock: Arc::new(VirtualClock::at(1_710_498_030)) });
    let (part, refusals) = {
        let builder = Builder::new(env, &mut faults).with_redactor(redactor.clone());
        let part = build(&builder, &Part::new(&node, Path::ROOT, None));
        (part, builder.take_refusals())
    };
    let errors = faults.errors().map(|fault| faults.line(fault)).collect();
    let warnings = faults.warnings().map(|fault| faults.line(fault)).collect();
    Built { part, errors, warnings, refusals }
}

/// The result of `build` for a snippet with a config, or the refusals and errors, a line each.
pub(super) fn build<T>(
    snippet: &str,
    config: Value,
    build: impl FnOnce(&Builder<'_>, &Part<'_>) -> T,
) -> Result<T, String> {
    let made = built(snippet, config, |builder, part| Some(build(builder, part)));
    let told: Vec<String> = made.refusals.into_iter().chain(made.errors).collect();
    if told.is_empty() { made.part.ok_or_else(String::new) } else { Err(told.join("\n")) }
}
