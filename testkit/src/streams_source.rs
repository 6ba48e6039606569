//! A source of any streams: tests of a stream need not write its source.

use std::sync::Arc;

use serde_json::json;

use source_http::Source;
use source_http::protocol::{ConnectorSpecification, Failure};
use source_http::source::{Config, SourceContext};
use source_http::streams::HttpStream;

type Streams = dyn Fn(&SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> + Send + Sync;

/// A source of a closure's streams. Its config may be any object.
pub(super) struct StreamsSource(Box<Streams>);

impl StreamsSource {
    pub(super) fn new(
        streams: impl Fn(&SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(streams))
    }
}

impl Source for StreamsSource {
    fn name(&self) -> &str {
        "test"
    }

    fn spec(&self) -> ConnectorSpecification {
        ConnectorSpecification::new(json!({"type": "object"}))
    }

    fn streams(&self, _: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        (self.0)(cx)
    }
}
