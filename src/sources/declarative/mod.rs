//! Airbyte's low-code connectors: a manifest in place of code.

#[allow(dead_code)]
mod edits;
pub mod manifest;
#[allow(dead_code)]
mod part;
#[allow(dead_code)]
mod placed;
#[allow(dead_code)]
mod steps;
pub mod template;
#[cfg(test)]
mod testing;
#[allow(dead_code)]
mod tree;
