//! Where sources come from: a manifest in Airbyte's low-code language.

pub mod declarative;
