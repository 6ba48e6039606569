//! For the tests of the parts: parts of YAML snippets, and what is said about them.

use std::sync::Arc;

use serde_json::Value;

use super::manifest::{Faults, Path, propagate, yaml};
use super::part::{Builder, Part};
use super::placed::Env;
use crate::clock::SystemClock;

/// What `make` makes of a snippet with a config, or the errors and refusals, a line each.
pub(super) fn build<T>(
    snippet: &str,
    config: Value,
    make: impl FnOnce(&Builder<'_>, &Part<'_>) -> T,
) -> Result<T, String> {
    let mut faults = Faults::new("m.yaml");
    let node = yaml(snippet, &mut faults).expect("a snippet of YAML");
    let node = propagate(&node, false, &mut faults);
    let env = Env { config, clock: Arc::new(SystemClock::default()) };
    let builder = Builder::new(Arc::new(env), &mut faults);
    let built = make(&builder, &Part::new(&node, Path::ROOT, None));
    let mut told = builder.take_refusals();
    told.extend(faults.errors().map(|fault| faults.line(fault)));
    if told.is_empty() { Ok(built) } else { Err(told.join("\n")) }
}
