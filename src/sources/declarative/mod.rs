//! Airbyte's low-code connectors: a manifest in place of code.

pub mod manifest;
#[allow(dead_code)]
mod part;
#[allow(dead_code)]
mod placed;
pub mod template;
