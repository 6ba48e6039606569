//! The contract between a connector and the commands that run it.

mod check_context;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::http::budget::BudgetWait;
use crate::http::{HttpClient, RetryObserver, Telling, Wait};
use crate::protocol::{ConnectorSpecification, Failure, LogLevel, Output, Redactor};
use crate::stop::Stop;
use crate::streams::{Fetcher, HttpStream, OnRecord, for_each_record};

pub use self::check_context::CheckContext;
pub use crate::probes::{Probe, ProbeEnd, Probes};

/// A config that fits the source's specification. It is the user's, with references to environment variables replaced:
/// omitted members are missing, even if the specification has a `default` for them.
pub type Config = Map<String, Value>;

/// The context for making a source's streams.
///
/// A source that has to ask the API for its streams, such as one for each table of an account, does so here, with the
/// same client as the streams afterwards: with its retries, waits and cache, until the run stops.
/// [`SourceContext::fetcher`] sends any request like a stream; [`SourceContext::for_each_record`] reads a whole list.
///
/// ```
/// use std::ops::ControlFlow;
/// use std::sync::Arc;
///
/// use source_http::protocol::{ConnectorSpecification, Failure};
/// use source_http::source::{Config, SourceContext};
/// use source_http::streams::{HttpStream, RequestContext};
/// use source_http::Source;
/// # use serde_json::json;
///
/// /// The tables of an account: `[{"name": "orders"}, ...]`.
/// struct Tables;
///
/// impl HttpStream for Tables {
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
///     fn name(&self) -> &str {
///         "tables"
///     }
///     fn path(&self, _: &RequestContext<'_>) -> String {
///         "tables".into()
///     }
/// }
///
/// /// The rows of one table.
/// struct Rows {
///     table: String,
/// }
///
/// impl HttpStream for Rows {
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
///     fn name(&self) -> &str {
///         &self.table
///     }
///     fn path(&self, _: &RequestContext<'_>) -> String {
///         format!("tables/{}/rows", self.table)
///     }
/// }
///
/// struct Database;
///
/// impl Source for Database {
/// #   fn name(&self) -> &str { "database" }
/// #   fn spec(&self) -> ConnectorSpecification { ConnectorSpecification::new(json!({"type": "object"})) }
///     fn streams(&self, _: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
///         let mut streams: Vec<Arc<dyn HttpStream>> = Vec::new();
///         cx.for_each_record(&Tables, &mut |_, table| {
///             if let Some(table) = table.get("name") {
///                 streams.push(Arc::new(Rows { table }));
///             }
///             Ok(ControlFlow::Continue(()))
///         })?;
///         Ok(streams)
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct SourceContext {
    /// The time, for streams that are sliced by it.
    pub clock: Arc<dyn Clock>,
    /// Whether the run is stopping, for streams with their own waits.
    pub stop: Stop,
    /// Receives warnings about the streams.
    pub output: Arc<Output>,
    /// Registers secrets, so that no output shows them; authenticators are made with it. Those that the specification
    /// marks with `airbyte_secret` are already in it.
    pub redactor: Redactor,
    /// Sends the run's requests.
    pub client: Arc<HttpClient>,
}

impl SourceContext {
    /// Sends requests before there are streams: see [`Fetcher::get_json`] and [`Fetcher::send`]. A stream outside of
    /// the source's list provides credentials, rules and budget. The log reports waits.
    #[must_use]
    pub fn fetcher(&self) -> Fetcher<'_> {
        Fetcher::new(&self.client, self)
    }

    /// Hands out the records of a list: see [`for_each_record`].
    ///
    /// # Errors
    /// The same errors. A source that returns the failure states by its kind whether another run may succeed.
    pub fn for_each_record(&self, list: &dyn HttpStream, on_record: &mut OnRecord<'_>) -> anyhow::Result<()> {
        for_each_record(list, &self.fetcher(), on_record)
    }
}

impl RetryObserver for SourceContext {
    fn waiting(&self, wait: &Wait) -> anyhow::Result<()> {
        if !wait.too_long && wait.telling != Telling::Silent {
            self.output.log(LogLevel::Info, &wait.to_string())?;
        }
        Ok(self.output.flush()?)
    }

    fn throttled(&self, wait: &BudgetWait) -> anyhow::Result<()> {
        if wait.is_worth_telling() {
            self.output.log(LogLevel::Info, &wait.to_string())?;
        }
        Ok(self.output.flush()?)
    }
}

/// The input of a run before its config is checked: it decides the source, and contains parts of a source that are
/// unknown before the run, such as a manifest.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The config as written. `None` for a command without one, and for one that is not a JSON object.
    pub config: Option<&'a Config>,
    /// The file that describes the source, if the command line, the environment or the image names one.
    pub manifest: Option<&'a Path>,
    /// Receives warnings about it.
    pub output: &'a Output,
}

/// A source: its specification, the check of a config, and the streams of a config.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use std::sync::Arc;
///
/// use serde_json::json;
/// use source_http::http::auth::{Authenticator, TokenAuthenticator};
/// use source_http::protocol::{ConnectorSpecification, Failure};
/// use source_http::source::{Config, SourceContext};
/// use source_http::streams::{HttpStream, RequestContext};
/// use source_http::{Host, Registry, Source, run};
///
/// struct Orders {
///     auth: TokenAuthenticator,
/// }
///
/// impl HttpStream for Orders {
/// #   fn name(&self) -> &str { "orders" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
/// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders".into() }
///     // ...
///     fn authenticator(&self) -> &dyn Authenticator {
///         &self.auth
///     }
/// }
///
/// struct Shop;
///
/// impl Source for Shop {
///     fn name(&self) -> &str {
///         "shop"
///     }
///     fn spec(&self) -> ConnectorSpecification {
///         ConnectorSpecification::new(json!({
///             "type": "object",
///             "required": ["token"],
///             "properties": {"token": {"type": "string", "airbyte_secret": true}},
///         }))
///     }
///     fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
///         let token = config["token"].as_str().unwrap_or_default();
///         Ok(vec![Arc::new(Orders { auth: TokenAuthenticator::bearer(token, &cx.redactor) })])
///     }
/// }
///
/// fn main() -> ExitCode {
///     ExitCode::from(run(std::env::args_os(), &Registry::of(Shop), Host::system()))
/// }
/// ```
pub trait Source: Send + Sync {
    /// Its name for `--source`.
    fn name(&self) -> &str;

    /// The answer to `spec`. Configs are validated against it before the source sees them.
    fn spec(&self) -> ConnectorSpecification;

    /// Migrates the config of an older version of the source to the current form: renamed or moved settings. Called
    /// before the config is checked against [`Source::spec`]. Its changes are kept for later runs: in a CONTROL
    /// message, and in the config's file if a run may change that. For a config that refers to the environment it is
    /// called once more, with the references as written. Default: unchanged.
    ///
    /// # Errors
    /// A config failure if it cannot be migrated.
    fn migrate_config(&self, config: Config, _clock: &Arc<dyn Clock>, _redactor: &Redactor) -> Result<Config, Failure> {
        Ok(config)
    }

    /// Transforms a migrated config for this run: settings that follow from others. Called before the config is
    /// checked, and not kept. Default: the config unchanged.
    ///
    /// # Errors
    /// A config failure if it cannot be transformed.
    fn transform_config(
        &self,
        config: Config,
        _clock: &Arc<dyn Clock>,
        _redactor: &Redactor,
    ) -> Result<Config, Failure> {
        Ok(config)
    }

    /// The streams of a config, in the order of `discover`. If the API decides which exist, use the [`SourceContext`]
    /// to ask it.
    ///
    /// # Errors
    /// A config failure for rules that the specification cannot express; the failures of requests to the API.
    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure>;

    /// The streams for [`Source::check`]. Default: [`Source::streams`]. A source that asks the API for some of its
    /// streams may leave out those that its check does not need.
    ///
    /// # Errors
    /// As [`Source::streams`]. The check fails then.
    fn streams_to_check(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        self.streams(config, cx)
    }

    /// Whether a run without a named source is for this one. The first source that says so is used. Default: false.
    fn is_meant(&self, _given: &Given<'_>) -> bool {
        false
    }

    /// The source for a run, if it needs more than a name: a manifest in the config or a file. Called once a run,
    /// before the config is checked. Default: `None`, this one.
    ///
    /// # Errors
    /// A config failure if there is no such source.
    fn resolve(&self, _given: &Given<'_>) -> Result<Option<Arc<dyn Source>>, Failure> {
        Ok(None)
    }

    /// Why only Airbyte's Python runtime can serve the whole source: its Python classes, their places, and the streams
    /// that need them. Default: `None`, it needs no Python.
    fn needs_python(&self) -> Option<String> {
        None
    }

    /// Whether [`Source::streams`] returns streams with the same names, keys and cursors for every config, even an
    /// empty one. Then `about` lists them without one. Default: false.
    fn has_fixed_streams(&self) -> bool {
        false
    }

    /// Whether a config must fit the `format`s in the specification, such as dates, if its draft of JSON Schema makes
    /// them rules. Default: true.
    fn checks_formats(&self) -> bool {
        true
    }

    /// How many slices are read at the same time, over all streams; `read --workers` overrides it. With one, streams
    /// and slices are read in order, so two runs give the same output; with more, streams may alternate line by line.
    /// Then several threads may call a stream's methods at once. Default: 1, which is safe for an API with unknown
    /// limits.
    fn num_workers(&self, _config: &Config) -> usize {
        1
    }

    /// The credentials of a config for display: their kind, without secrets, for example `the key sk_test_****`. A
    /// check names the credentials it used. Default: `None`.
    fn shown_credentials(&self, _config: &Config) -> Option<String> {
        None
    }

    /// Checks whether the config works. Default: the first page of the first stream with a request can be read. A
    /// returned text is appended to the success message, as a warning.
    ///
    /// # Errors
    /// A [`Failure`] inside with the reason.
    fn check(&self, streams: &[Arc<dyn HttpStream>], cx: &CheckContext<'_>) -> anyhow::Result<Option<String>> {
        for stream in streams {
            if cx.probe(&**stream)? {
                break;
            }
        }
        Ok(None)
    }
}
