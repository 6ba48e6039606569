//! Secrets never leave: APIs that repeat them in every place and every spelling, and not a trace of them in what any
//! command writes, to stdout, stderr or a file. `spellings` is how they are repeated and looked for, `echo` the server
//! that does so, `places` the outputs, `files` the cache and the temporary files, and `low_code` the streams of a manifest.

mod echo;
mod files;
mod low_code;
mod places;
mod spellings;

use std::sync::Arc;

use serde_json::{Value, json};
use source_http::http::Method;
use source_http::http::auth::Authenticator;
use source_http::json::RecordPath;
use source_http::protocol::{ConnectorSpecification, Failure};
use source_http::source::{Config, SourceContext};
use source_http::streams::pager::{NextUrl, Pager};
use source_http::streams::{Cursor, CursorField, HttpStream, RequestContext};
use source_http::{Registry, Source};
use source_http_testkit::InProcess;

/// A list at `/items`, whose pages give the URL of the next one. It is requested with POST, so the body can contain a
/// key.
static N: CursorField = CursorField::new("n");

struct Items {
    name: &'static str,
    url: String,
    authenticator: Arc<dyn Authenticator>,
    pager: NextUrl,
    cache: bool,
}

impl HttpStream for Items {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "items".into()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn authenticator(&self) -> &dyn Authenticator {
        &*self.authenticator
    }
    fn http_method(&self) -> Method {
        Method::POST
    }
    fn pager(&self) -> &dyn Pager {
        &self.pager
    }
    fn use_cache(&self) -> bool {
        self.cache
    }
    fn cursor(&self) -> &dyn Cursor {
        &N
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let since = cx.state.get("n").and_then(Value::as_str);
        since.map(|since| ("since".to_owned(), since.to_owned())).into_iter().collect()
    }
}

type MakeAuthenticator = dyn Fn(&Config, &SourceContext) -> Arc<dyn Authenticator> + Send + Sync;

/// A source with secrets in its config.
struct Vault {
    authenticator: Box<MakeAuthenticator>,
    cache: bool,
}

impl Source for Vault {
    fn name(&self) -> &str {
        "vault"
    }
    fn spec(&self) -> ConnectorSpecification {
        let connection_specification = json!({"type": "object", "properties": {
            "url": {"type": "string"},
            "key": {"type": "string", "airbyte_secret": true},
            "credentials": {"oneOf": [{"properties": {
                "refresh_token": {"type": "string", "airbyte_secret": true},
                "client_secret": {"type": "string", "airbyte_secret": true},
            }}]},
        }});
        ConnectorSpecification { connection_specification, ..Default::default() }
    }
    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        let authenticator = (self.authenticator)(config, cx);
        let stream = |name| {
            let (authenticator, pager) = (authenticator.clone(), NextUrl::new("next"));
            let url = config["url"].as_str().unwrap_or_default().to_owned();
            Arc::new(Items { name, url, authenticator, pager, cache: self.cache }) as Arc<dyn HttpStream>
        };
        // Two streams with the same requests, for the cache.
        Ok(if self.cache { vec![stream("items"), stream("again")] } else { vec![stream("items")] })
    }
}

impl Vault {
    fn connector(self, config: &Value) -> InProcess {
        InProcess::with_registry(Registry::of(self)).config(config).arg("--debug")
    }
}
