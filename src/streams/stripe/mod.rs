//! Stripe. What Stripe's API reference says about each stream is a row in `table`; the structs around it say how
//! such streams are read: `created_list` for objects that never change, `list_then_events` for those that do.
//! `api` is what all of them share, `budget` keeps to Stripe's limits, `config` and `spec.json` are what a user can set.

mod api;
mod budget;
mod config;
mod created_list;
mod list_then_events;
mod state;
mod table;

use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::{HttpStream, SchemaFolder};
use crate::protocol::{ConnectorSpecification, Failure, LogLevel};
use crate::source::{CheckContext, Config, Source, SourceContext};

use api::Api;
use config::StripeConfig;
use created_list::CreatedList;
use list_then_events::ListThenEvents;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas/stripe");
/// One schema a stream.
const SCHEMAS: SchemaFolder = SchemaFolder::new(&FILES);

/// The Stripe source.
#[derive(Debug, Clone, Copy)]
pub struct Stripe;

impl Source for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn spec(&self) -> ConnectorSpecification {
        ConnectorSpecification {
            // The file is part of the binary, and a test reads it: it is always JSON.
            connection_specification: serde_json::from_str(include_str!("spec.json")).unwrap_or_default(),
            ..ConnectorSpecification::default()
        }
    }

    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        let api = Arc::new(Api::new(StripeConfig::new(config)?, cx));
        let created = table::CREATED.iter().map(|row| Arc::new(CreatedList::new(row, api.clone())) as _);
        let updated = table::UPDATED.iter().map(|row| Arc::new(ListThenEvents::new(row, api.clone())) as _);
        Ok(created.chain(updated).collect())
    }

    fn num_workers(&self, config: &Config) -> usize {
        config::num_workers(config)
    }

    /// A key that can read one stream works. A restricted key may not be allowed to read the first ones, so the others
    /// are tried too; any other fault than a missing permission is the answer at once.
    fn check(&self, streams: &[Arc<dyn HttpStream>], cx: &CheckContext<'_>) -> anyhow::Result<()> {
        let mut denied = None;
        for stream in streams {
            let error = match cx.probe(&**stream) {
                Ok(true) => return Ok(()),
                Ok(false) => continue,
                Err(error) => error,
            };
            let is_denied = error.downcast_ref::<Failure>().is_some_and(|failure| failure.http_status == Some(403));
            if !is_denied {
                return Err(error);
            }
            cx.output.log(LogLevel::Info, &format!("The key cannot read {}: {error}", stream.name()))?;
            denied.get_or_insert(error);
        }
        denied.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_is_a_json_schema() {
        let spec = Stripe.spec().connection_specification;
        assert!(jsonschema::meta::is_valid(&spec) && spec["properties"]["client_secret"]["airbyte_secret"] == true);
    }

    #[test]
    fn every_stream_has_a_schema_with_its_keys_and_every_schema_a_stream() {
        let names = table::names();
        for name in &names {
            let schema = SCHEMAS.load(name).unwrap();
            let text = serde_json::to_string(&schema).unwrap();
            assert!(!text.contains("$ref"), "{name}");
            assert!(schema["properties"].get("id").is_some(), "{name}");
        }
        let files: Vec<_> = FILES.files().filter_map(|file| file.path().file_stem()?.to_str()).collect();
        assert_eq!(files.iter().find(|file| !names.contains(file)), None);
    }
}
