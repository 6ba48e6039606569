//! Airbyte's low-code connectors: a manifest in place of code.

pub mod manifest;
pub mod template;
