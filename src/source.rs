//! What a source is: the contract between a connector and the commands that run it.

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

/// A config that fits the source's specification. It is as the user wrote it, with references to environment variables
/// replaced: members that were left out are not there, also where the specification has a `default` for them.
pub type Config = Map<String, Value>;

/// What a source's streams are made with.
///
/// A source that has to ask the API which streams there are, such as one for each table of an account, does so here, with
/// the client that the streams are read with afterwards: with its retries, waits and cache, and until the run is to end.
/// [`SourceContext::fetcher`] sends any request as a stream would; [`SourceContext::for_each_record`] reads a whole list.
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
    /// Whether the run is stopping, for streams that wait by themselves.
    pub stop: Stop,
    /// For what is odd about the streams.
    pub output: Arc<Output>,
    /// Where secrets are registered, so that no output shows them; authenticators are made with it. Those the
    /// specification marks with `airbyte_secret` are in it already.
    pub redactor: Redactor,
    /// What the run sends its requests with.
    pub client: Arc<HttpClient>,
}

impl SourceContext {
    /// Sends requests before there are streams: see [`Fetcher::get_json`] and [`Fetcher::send`]. A stream that is not among
    /// those of the source gives them its credentials, rules and budget. The log reports waits.
    #[must_use]
    pub fn fetcher(&self) -> Fetcher<'_> {
        Fetcher::new(&self.client, self)
    }

    /// Hands out the records of a list: see [`for_each_record`].
    ///
    /// # Errors
    /// As there. A source that returns the failure says by its kind whether the next run may have better luck.
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

/// What a run is given before its config is checked: what decides which source it is of, and what a source is made of that is
/// not known before the run, such as a manifest.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The config as it is written. `None` for a command that takes none, and for one that is no JSON object.
    pub config: Option<&'a Config>,
    /// The file that a source is described in, if the command line, the environment or the image names one.
    pub manifest: Option<&'a Path>,
    /// For what is odd about it.
    pub output: &'a Output,
}

/// A source: what it wants to be configured with, whether a config works, and the streams of a config.
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
    /// The name `--source` picks it by.
    fn name(&self) -> &str;

    /// The answer to `spec`. Configs are validated against it before the source sees them.
    fn spec(&self) -> ConnectorSpecification;

    /// The config in today's form, made of one that an older version of the source was given: settings that have other names
    /// or places now. It is asked before the config is checked against [`Source::spec`]. What it changes is kept for the next
    /// runs: in a CONTROL message, and in the config's file where a run may change that. For a config that refers to the
    /// environment it is asked once more, with the references as they are written. Default: it is as it is.
    ///
    /// # Errors
    /// A config failure if it cannot be brought into today's form.
    fn migrate_config(&self, config: Config, _clock: &Arc<dyn Clock>, _redactor: &Redactor) -> Result<Config, Failure> {
        Ok(config)
    }

    /// What this run is made with, out of a config in today's form: settings that follow from others. It is asked before the
    /// config is checked, and nothing of it is kept. Default: the config as it is.
    ///
    /// # Errors
    /// A config failure if it cannot be made.
    fn transform_config(
        &self,
        config: Config,
        _clock: &Arc<dyn Clock>,
        _redactor: &Redactor,
    ) -> Result<Config, Failure> {
        Ok(config)
    }

    /// The streams of a config, in the order `discover` shows them. If the API decides which there are, it is asked with
    /// what the [`SourceContext`] has.
    ///
    /// # Errors
    /// A config failure for what the specification cannot express; what the API was asked for in vain.
    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure>;

    /// The streams that [`Source::check`] is given. Default: [`Source::streams`]. A source that asks the API for some of
    /// its streams may leave out those that its check does not need.
    ///
    /// # Errors
    /// As [`Source::streams`]. The check fails then.
    fn streams_to_check(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        self.streams(config, cx)
    }

    /// Whether a run is this source's, though no source was named. Of those that say so, the first is taken. Default: false.
    fn is_meant(&self, _given: &Given<'_>) -> bool {
        false
    }

    /// The source that serves a run, where that takes more than a name: a manifest that the config or a file holds. It is
    /// asked once a run, before the config is checked. Default: `None`, this one.
    ///
    /// # Errors
    /// A config failure if there can be no such source.
    fn resolve(&self, _given: &Given<'_>) -> Result<Option<Arc<dyn Source>>, Failure> {
        Ok(None)
    }

    /// Why no program but Airbyte's Python runtime can serve all of the source: the classes that it needs, where they are
    /// named, and the streams that need them. Default: `None`, there is nothing like that.
    fn needs_python(&self) -> Option<String> {
        None
    }

    /// Whether [`Source::streams`] gives streams of the same names, keys and cursors for every config, one without any
    /// member included. Then `about` lists them without one. Default: false.
    fn has_fixed_streams(&self) -> bool {
        false
    }

    /// Whether a config has to fit what the specification says under `format`, a date for example, where its draft of JSON
    /// Schema makes that a rule. Default: true.
    fn checks_formats(&self) -> bool {
        true
    }

    /// How many slices are read at the same time, over all streams; `read --workers` has the last word. With one, streams
    /// and slices are read in their order, so the output of a run is that of the next one; with more, streams may take
    /// turns line by line. Any of a stream's methods may then be called by several threads at once. Default: 1, which is
    /// polite to an API that nobody knows the limits of.
    fn num_workers(&self, _config: &Config) -> usize {
        1
    }

    /// The credentials of a config as they may be shown: which ones they are, and nothing that is secret, for example `the
    /// key sk_test_****`. A check says with which credentials it was made. Default: `None`.
    fn shown_credentials(&self, _config: &Config) -> Option<String> {
        None
    }

    /// Whether the config works. Default: the first page of the first stream that has one can be read. A returned text
    /// is appended to the success message, as a warning of what will not work.
    ///
    /// # Errors
    /// A [`Failure`] inside that says why not.
    fn check(&self, streams: &[Arc<dyn HttpStream>], cx: &CheckContext<'_>) -> anyhow::Result<Option<String>> {
        for stream in streams {
            if cx.probe(&**stream)? {
                break;
            }
        }
        Ok(None)
    }
}
