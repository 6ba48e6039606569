//! Airbyte's low-code connectors: a manifest in place of code.

mod entry;
pub mod manifest;
#[allow(dead_code)]
mod part;
#[allow(dead_code)]
mod placed;
mod source;
mod spec;
pub mod template;

pub use entry::Declarative;
