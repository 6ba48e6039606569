//! Shared code of tests of streams: a source made of the streams of a test.

pub(crate) mod binary;
mod gate;
mod interruption;
mod items;
mod list;
mod manifests;
mod nowhere;
mod steps;
mod tls_server;
mod tunnel_proxy;

pub(crate) use gate::{Gate, Misbehaviour};
pub(crate) use interruption::{Interruption, signal, up_to_every_line, up_to_every_state};
pub(crate) use items::{assert_page, failure, page};
pub(crate) use list::List;
pub(crate) use manifests::{
    extractor, items, linked_stream, manifest_stream, of_manifest, on_status, requester, retriever, targets, with,
};
pub(crate) use nowhere::{BusyPort, ClosedPort, no_such_host};
pub(crate) use steps::Steps;
pub(crate) use tls_server::{Authority, Leaf, TlsServer};
pub(crate) use tunnel_proxy::{Answer, TunnelProxy};

use std::sync::Arc;

use serde_json::json;
use source_http::Source;
use source_http::protocol::{ConnectorSpecification, Failure};
use source_http::source::{Config, SourceContext};
use source_http::streams::HttpStream;
use source_http_testkit::InProcess;

type Streams = dyn Fn(&Config, &SourceContext) -> Vec<Box<dyn HttpStream>> + Send + Sync;

/// A source of the streams that a closure makes. Its config may be anything.
pub(crate) struct TestSource(Box<Streams>);

impl TestSource {
    /// A source of these streams.
    pub(crate) fn new(
        streams: impl Fn(&Config, &SourceContext) -> Vec<Box<dyn HttpStream>> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(streams))
    }
}

impl Source for TestSource {
    fn name(&self) -> &str {
        "test"
    }

    fn spec(&self) -> ConnectorSpecification {
        ConnectorSpecification { connection_specification: json!({"type": "object"}), ..Default::default() }
    }

    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        Ok((self.0)(config, cx).into_iter().map(Arc::from).collect())
    }
}

/// A connector of one stream, ready to `run("read")` all of it.
pub(crate) fn connector(make: impl Fn() -> Box<dyn HttpStream> + Send + Sync + 'static) -> InProcess {
    InProcess::new(TestSource::new(move |_, _| vec![make()])).config(&json!({}))
}
