//! Stripe. Each stream is a row in `table`, taken from Stripe's API reference, of a type in `row`; other modules say
//! how such streams are read: `created_list` for objects that never change, `updated_list` for those that do,
//! `nested_list` for lists inside objects, `child_list` and `updated_child_list` for lists of each object of another
//! list. `api` is their common part, `event` one of Stripe's events, `feed` reads them, `changed` requests the objects
//! that they report, `access` has a key's permissions, `budget` Stripe's limits, `config` and `spec.json` the user's
//! settings.

mod access;
mod api;
mod api_error;
mod budget;
mod changed;
mod child_list;
mod config;
mod created_list;
mod event;
mod feed;
mod nested_list;
mod pages;
mod row;
mod rules;
mod schemas;
mod stripe_stream;
mod table;
mod updated_child_list;
mod updated_list;

use std::sync::Arc;

use crate::protocol::{ConnectorSpecification, Failure};
use crate::source::{CheckContext, Config, Source, SourceContext};
use crate::streams::HttpStream;

use api::Api;
use child_list::ChildList;
use config::StripeConfig;
use created_list::CreatedList;
use nested_list::NestedList;
use updated_child_list::UpdatedChildList;
use updated_list::UpdatedList;

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
        let api = Arc::new(Api::new(StripeConfig::new(config, cx.clock.now().as_second())?, cx));
        let mut streams: Vec<Arc<dyn HttpStream>> = Vec::new();
        streams.extend(table::CREATED.iter().map(|row| Arc::new(CreatedList::new(row, api.clone())) as _));
        streams.extend(table::UPDATED.iter().map(|row| Arc::new(UpdatedList::new(row, api.clone())) as _));
        for row in table::CHILDREN {
            streams.push(Arc::new(ChildList::new(row, find(&streams, row.parent)?, api.clone())));
        }
        for row in table::UPDATED_CHILDREN {
            streams.push(Arc::new(UpdatedChildList::new(row, find(&streams, row.parent)?, api.clone())));
        }
        streams.extend(table::NESTED.iter().map(|row| Arc::new(NestedList::new(row, api.clone())) as _));
        for row in table::GRANDCHILDREN {
            streams.push(Arc::new(ChildList::new(row, find(&streams, row.parent)?, api.clone())));
        }
        streams.extend(table::LATER.iter().map(|row| Arc::new(UpdatedList::new(row, api.clone())) as _));
        Ok(streams)
    }

    fn has_fixed_streams(&self) -> bool {
        true
    }

    fn num_workers(&self, config: &Config) -> usize {
        config::num_workers(config)
    }

    fn shown_credentials(&self, config: &Config) -> Option<String> {
        Some(config::shown_key(config))
    }

    fn check(&self, streams: &[Arc<dyn HttpStream>], cx: &CheckContext<'_>) -> anyhow::Result<Option<String>> {
        access::check(streams, cx.probe_all(streams, self.num_workers(cx.config)), cx.output)
    }
}

/// The stream that a row names as its parent; it comes before it.
fn find(streams: &[Arc<dyn HttpStream>], name: &str) -> Result<Arc<dyn HttpStream>, Failure> {
    let parent = streams.iter().find(|stream| stream.name() == name).cloned();
    parent.ok_or_else(|| Failure::system(format!("The table of streams names the unknown parent {name:?}.")))
}

#[cfg(test)]
mod tests {
    use super::schemas::{FILES, SCHEMAS};
    use super::*;
    use crate::protocol::{LogLevel, Output, Redactor};

    #[test]
    fn the_specification_is_a_json_schema() {
        let spec = Stripe.spec().connection_specification;
        assert!(jsonschema::meta::is_valid(&spec) && spec["properties"]["client_secret"]["airbyte_secret"] == true);
    }

    fn streams() -> Vec<Arc<dyn HttpStream>> {
        let config = serde_json::json!({"client_secret": "sk_test_1", "account_id": "acct_1"});
        let clock = Arc::new(crate::clock::VirtualClock::at(1_767_225_600));
        let (stop, redactor) = (crate::stop::Stop::default(), Redactor::default());
        let output = Output::new(Box::new(std::io::sink()), clock.clone(), redactor.clone(), LogLevel::Info);
        let output = Arc::new(output);
        let client =
            Arc::new(crate::http::HttpClient::new(clock.clone(), Arc::new(crate::clock::SystemRandom), output.clone()));
        let cx = SourceContext { clock, stop, output, redactor, client };
        Stripe.streams(config.as_object().unwrap(), &cx).unwrap()
    }

    #[test]
    fn every_stream_has_a_schema_with_its_keys_and_every_schema_a_stream() {
        let streams = streams();
        for stream in &streams {
            let schema = SCHEMAS.load(stream.name()).unwrap().into_tree();
            let text = serde_json::to_string(&schema).unwrap();
            assert!(!text.contains("$ref"), "{}", stream.name());
            for field in stream.primary_key().into_iter().chain([stream.cursor().cursor_field()]).flatten() {
                assert!(schema["properties"].get(&field).is_some(), "{}: {field}", stream.name());
            }
        }
        let files: Vec<_> = FILES.files().filter_map(|file| file.path().file_stem()?.to_str()).collect();
        assert_eq!(files.iter().find(|file| !streams.iter().any(|stream| stream.name() == **file)), None);
    }
}
