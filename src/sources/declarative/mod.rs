//! Airbyte's low-code connectors: a manifest in place of code.

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
mod part;
#[allow(dead_code)]
mod placed;
#[allow(dead_code)]
mod router;
#[allow(dead_code)]
mod selector;
#[allow(dead_code)]
mod steps;
pub mod template;
#[cfg(test)]
mod testing;
#[allow(dead_code)]
mod transform;
#[allow(dead_code)]
mod tree;
#[allow(dead_code)]
mod warnings;
