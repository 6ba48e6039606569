//! Airbyte's low-code connectors: a manifest in place of code.

mod api_budget;
mod asked_properties;
mod auth;
mod build;
mod check;
mod cookies;
mod decoded_page;
mod decoder;
mod delegating;
mod delegation;
mod edits;
mod entry;
mod error_handler;
mod expander;
mod extractor;
mod field_path;
mod incremental;
mod inner;
mod literals;
pub mod manifest;
mod normalize;
mod options;
mod paginator;
mod parents;
mod part;
mod placed;
mod query_properties;
mod refused;
mod repaging;
mod request;
mod response_text;
mod router;
mod schema;
mod selector;
mod source;
#[allow(dead_code)]
mod spec;
mod steps;
mod stream;
mod stream_list;
mod stream_pages;
pub mod template;
#[cfg(test)]
mod testing;
mod transform;
mod tree;
mod warnings;

pub use entry::Declarative;
