//! Stripe. Each stream is a row in `table`, taken from Stripe's API reference, of the type in `row`. `list` says how it
//! is read, with `feed` for the events about its objects and `nested_list` for lists inside objects. `api` is the common
//! part of all, `event` one of Stripe's events, `changed` requests the objects that they report, `rules` decides what an
//! answer means by `api_error`, `access` has a key's permissions, `budget` Stripe's limits, `config` and `spec.json` the
//! user's settings.

mod access;
mod api;
mod api_error;
mod budget;
mod changed;
mod config;
mod event;
mod feed;
mod list;
mod nested_list;
mod row;
mod rules;
mod schemas;
mod table;

use std::sync::Arc;

use crate::protocol::{ConnectorSpecification, Failure};
use crate::source::{CheckContext, Config, Source, SourceContext};
use crate::streams::HttpStream;

use api::Api;
use config::StripeConfig;
use list::List;

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
        Ok(table::STREAMS.iter().map(|row| Arc::new(List::new(row, &api)) as _).collect())
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
