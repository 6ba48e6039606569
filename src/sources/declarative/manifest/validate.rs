//! Validates a manifest: each component's fields against the table of components. It accepts and refuses the same as
//! Airbyte's runtime; but that says that some stream "is not valid under any of the given schemas", and here each fault
//! has its place.

mod custom;
mod explain;
mod matches;

use super::components::{Component, Components, Entry, Kind, components};
use super::faults::Faults;
use super::node::Node;
use super::path::Path;

pub use custom::{CustomClass, classes_of, custom_classes};

/// Checks a resolved manifest, with types and parameters filled in. Errors are faults that Airbyte's runtime refuses;
/// warnings are fields that no component of that type has.
pub fn validate(manifest: &Node, faults: &mut Faults) {
    let table = components();
    let Some(root) = table.place("DeclarativeSource") else { return };
    explain::Explainer::new(table, faults).root(root, manifest);
}

/// Checks one component of this name, at its place in a manifest, as [`validate`] checks a whole manifest.
pub fn validate_component(name: &str, component: &Node, path: &Path<'_>, faults: &mut Faults) {
    let table = components();
    if let Some(place) = table.place(name) {
        explain::Explainer::new(table, faults).at(place, component, path);
    }
}

/// All alternatives of a kind, with names for several resolved.
fn alternatives<'a>(table: &'a Components, kind: &'a Kind, into: &mut Vec<Alternative<'a>>) {
    match kind {
        Kind::OneOf(kinds) => kinds.iter().for_each(|kind| alternatives(table, kind, into)),
        Kind::Named(place) => match table.entry(*place) {
            Some(Entry::Component(component)) => into.push(Alternative::Component(*place, component)),
            Some(Entry::Alias(kind)) => alternatives(table, kind, into),
            None => {}
        },
        kind => into.push(Alternative::Plain(kind)),
    }
}

#[derive(Clone, Copy)]
enum Alternative<'a> {
    Component(usize, &'a Component),
    Plain(&'a Kind),
}
