//! Airbyte's low-code connectors: a manifest instead of code.
//!
//! `entry` finds the manifest, and `manifest` reads and checks it. `source` then asks `stream_list` for its streams, and has
//! `build` make each one: a component of the manifest is a `part`, and each family of components has a file with the
//! `build` of its parts. The result is a `stream`, which is read as any other.

mod api_budget;
mod asked_properties;
mod async_jobs;
mod auth;
mod build;
mod check;
mod config_rules;
mod cookies;
mod decoded_page;
mod decoder;
mod delegating;
mod delegation;
mod dynamic;
mod dynamic_schema;
mod edits;
mod entry;
mod error_handler;
mod expander;
mod extractor;
mod field_path;
mod file_uploader;
mod incremental;
mod literals;
pub mod manifest;
mod normalize;
mod options;
mod paginator;
mod parents;
mod part;
mod placed;
mod python_classes;
mod query_properties;
mod refused;
mod repaging;
mod request;
mod request_matcher;
mod response_text;
mod response_view;
mod retriever;
mod router;
mod schema;
mod selector;
mod source;
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
mod windows;

pub use entry::Declarative;
