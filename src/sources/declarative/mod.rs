//! Airbyte's low-code connectors: a manifest in place of code.

mod check;
mod edits;
mod entry;
mod expander;
mod extractor;
mod field_path;
pub mod manifest;
mod normalize;
mod part;
mod placed;
mod router;
mod schema;
mod selector;
mod source;
mod spec;
mod steps;
mod stream_list;
pub mod template;
#[cfg(test)]
mod testing;
mod transform;
mod tree;
mod warnings;

pub use entry::Declarative;
