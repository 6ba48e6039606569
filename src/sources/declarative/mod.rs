//! Airbyte's low-code connectors: a manifest in place of code.

#[allow(dead_code)]
mod check;
#[allow(dead_code)]
mod edits;
#[allow(dead_code)]
mod expander;
#[allow(dead_code)]
mod extractor;
#[allow(dead_code)]
mod field_path;
pub mod manifest;
#[allow(dead_code)]
mod normalize;
#[allow(dead_code)]
mod part;
#[allow(dead_code)]
mod placed;
#[allow(dead_code)]
mod router;
#[allow(dead_code)]
mod schema;
#[allow(dead_code)]
mod selector;
#[allow(dead_code)]
mod spec;
#[allow(dead_code)]
mod steps;
#[allow(dead_code)]
mod stream_list;
pub mod template;
#[cfg(test)]
mod testing;
#[allow(dead_code)]
mod transform;
#[allow(dead_code)]
mod tree;
#[allow(dead_code)]
mod warnings;
