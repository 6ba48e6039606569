//! Airbyte's rules for connectors, as functions: those of its acceptance tests and of its CDK's standard tests. The
//! protocol check looks at one output; these look at what the outputs say, and at several of them side by side.
//!
//! One line checks all of them on a source of one's own:
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
//! The config has to work, so it is one for a scripted [`Server`](super::Server). What the source reads is read about
//! ten times: the server has to answer any number of requests.
//!
//! Each rule has a name, and belongs to what it is about: [`SPEC_RULES`], [`CATALOG_RULES`], [`RECORD_RULES`] and
//! [`READ_RULES`] are the whole list. [`spec_changes()`] and [`catalog_changes()`] tell what an older version's users would
//! stumble over, [`sample_configs()`] makes configs that fit a specification.

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
