//! Airbyte's low-code connectors: a manifest in place of code.

#[allow(dead_code)]
mod auth;
#[allow(dead_code)]
mod error_handler;
#[allow(dead_code)]
mod literals;
pub mod manifest;
#[allow(dead_code)]
mod options;
#[allow(dead_code)]
mod paginator;
#[allow(dead_code)]
mod part;
#[allow(dead_code)]
mod placed;
#[allow(dead_code)]
mod request;
pub mod template;
#[cfg(test)]
mod testing;
