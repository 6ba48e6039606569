//! Turns the text of a manifest into an explicit tree: reads it, resolves references, fills in types and parameters,
//! and checks it. It finds all faults at once, each with its place.
//!
//! ```
//! use source_http::sources::declarative::manifest::{Faults, Format, load};
//!
//! let mut faults = Faults::new("manifest.yaml");
//! let text = "version: 1.0.0\ncheck: {stream_names: [a]}\nstreams: ['#/definitions/b']\n";
//! assert!(load(text, Format::Yaml, &mut faults).is_none());
//! let told: Vec<String> = faults.errors().map(|fault| faults.line(fault)).collect();
//! assert!(told[0].starts_with("manifest.yaml:3:11: streams[0]: the reference `#/definitions/b` leads nowhere"));
//! ```

pub mod components;
mod default_types;
mod faults;
mod from_json;
mod node;
mod path;
mod propagate;
mod read;
mod resolve;
mod to_json;
mod validate;

#[cfg(test)]
mod tests;

pub use faults::{Fault, Faults, Kind, Severity, nearest};
pub use node::{Map, Mark, Node, Value};
pub use path::Path;
pub use propagate::propagate;
pub use read::{MOST_BYTES, MOST_LEVELS, json, yaml};
pub use resolve::{MOST_NODES, resolve};
pub use validate::{CustomClass, classes_of, custom_classes, validate, validate_component};

/// The syntax of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML, for every file. Most JSON is YAML, too.
    Yaml,
    /// JSON, for a manifest inside a config.
    Json,
}

/// Loads a manifest from a text, resolved and checked. Returns nothing if it cannot run; `faults` has the reasons, and
/// warnings about one that can.
pub fn load(text: &str, format: Format, faults: &mut Faults) -> Option<Node> {
    let read = match format {
        Format::Yaml => yaml(text, faults),
        Format::Json => json(text, faults),
    }?;
    complete(&read, faults)
}

/// As [`load`], for a manifest that was already read.
pub fn complete(manifest: &Node, faults: &mut Faults) -> Option<Node> {
    let propagated = expand(manifest, faults)?;
    validate(&propagated, faults);
    (!faults.has_errors()).then_some(propagated)
}

/// A manifest with references resolved, types and parameters filled in, but not checked; nothing if it is not a
/// mapping.
pub fn expand(manifest: &Node, faults: &mut Faults) -> Option<Node> {
    if manifest.as_map().is_none() {
        let what = match manifest.value() {
            Value::Null => "the manifest is empty".to_owned(),
            _ => format!("a manifest has to be a mapping, not {}", manifest.kind()),
        };
        faults.error(Kind::Syntax, manifest.mark(), "", what);
        return None;
    }
    let resolved = resolve(&propagate::with_source_type(manifest), faults);
    Some(propagate(&resolved, false, faults))
}
