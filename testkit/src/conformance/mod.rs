//! Airbyte's rules for connectors, as functions: those of its acceptance tests and of its CDK's standard tests. The
//! protocol check examines one output; these examine the content of outputs, and compare several.
//!
//! One line checks all of them on your own source:
//!
//! ```no_run
//! # use serde_json::json;
//! # use source_http::Registry;
//! # use source_http_testkit::{conformance::Connector, InProcess};
//! # let config = json!({});
//! // Here it is the built-in source; of a source of your own it is `InProcess::new(MySource)`.
//! Connector::new(|| InProcess::with_registry(Registry::built_in()), &config).assert_conforms();
//! ```
//!
//! The config must be valid, so it is one for a scripted [`Server`](super::Server). The source is read about ten times:
//! the server must answer any number of requests.
//!
//! Each rule has a name and belongs to a group: [`SPEC_RULES`], [`CATALOG_RULES`], [`RECORD_RULES`] and [`READ_RULES`]
//! are all of them. [`spec_changes()`] and [`catalog_changes()`] report changes that would break users of an older
//! version, [`sample_configs()`] makes configs that fit a specification.

mod alternatives;
mod catalog_changes;
mod catalog_rules;
mod connector;
mod oauth_paths;
mod outline;
mod read_rules;
mod records;
mod rule;
mod sample_configs;
mod schema_nodes;
mod spec_changes;
mod spec_rules;
#[cfg(test)]
mod tests;

pub use catalog_changes::catalog_changes;
pub use catalog_rules::CATALOG_RULES;
pub use connector::{Answer, Call, Connector, Report};
pub use outline::outline;
pub use read_rules::READ_RULES;
pub use records::{RECORD_RULES, Records};
pub use rule::Rule;
pub use sample_configs::sample_configs;
pub use spec_changes::spec_changes;
pub use spec_rules::SPEC_RULES;
