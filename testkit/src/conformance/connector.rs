//! A connector whose conformance is checked: its input, and its answers so far. A full refresh is read once and shared
//! by all rules.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::catalog_rules::{CATALOG_RULES, name, streams};
use super::read_rules::READ_RULES;
use super::records::{RECORD_RULES, Records};
use super::rule::Rule;
use super::spec_rules::SPEC_RULES;
use crate::{InProcess, Messages};

/// One call of a connector.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// `spec`, `check`, `discover` or `read`.
    pub command: &'a str,
    /// The content of the config file.
    pub config: Option<&'a Value>,
    /// The content of the configured catalog.
    pub catalog: Option<&'a Value>,
    /// The content of the state file.
    pub state: Option<&'a Value>,
}

/// The result of a call.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The exit status.
    pub status: i32,
    /// Stdout, after the protocol check.
    pub messages: Messages,
}

/// Facts about a connector that keeps all rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Records of a full refresh.
    pub records: usize,
    /// Fields that the schemas declare.
    pub fields: usize,
    /// Those of them that no record had, as in `charges refunds.data[].amount`.
    pub unseen: Vec<String>,
}

/// A connector under test, and a valid config.
pub struct Connector {
    call: Box<dyn Fn(&Call<'_>) -> Answer + Send + Sync>,
    config: Value,
    empty: Vec<String>,
    volatile: Vec<(String, String)>,
    spec: OnceLock<Answer>,
    catalog: OnceLock<Answer>,
    full_refresh: OnceLock<Answer>,
    incremental: OnceLock<Answer>,
}

impl Connector {
    /// A connector that runs inside the test. `make` is called for each run; the config must be valid.
    pub fn new(make: impl Fn() -> InProcess + Send + Sync + 'static, config: &Value) -> Self {
        let run = move |call: &Call<'_>| {
            let connector = call.config.into_iter().fold(make(), InProcess::config);
            let connector = call.catalog.into_iter().fold(connector, InProcess::catalog);
            let connector = call.state.into_iter().fold(connector, InProcess::state);
            let done = connector.run(call.command);
            Answer { status: done.status.into(), messages: done.messages() }
        };
        Self::over(run, config)
    }

    /// A connector that is called in another way, such as a program. Its output must pass the protocol check, as in
    /// [`Messages::parse_answer`].
    pub fn over(call: impl Fn(&Call<'_>) -> Answer + Send + Sync + 'static, config: &Value) -> Self {
        Self {
            call: Box::new(call),
            config: config.clone(),
            empty: Vec::new(),
            volatile: Vec::new(),
            spec: OnceLock::new(),
            catalog: OnceLock::new(),
            full_refresh: OnceLock::new(),
            incremental: OnceLock::new(),
        }
    }

    /// Allows a stream to have no records, for that reason.
    ///
    /// # Panics
    /// If there is no reason.
    pub fn may_be_empty(mut self, stream: &str, reason: &str) -> Self {
        assert!(!reason.is_empty(), "why may {stream} be empty?");
        self.empty.push(stream.to_owned());
        self
    }

    /// Allows a top-level field of a stream to differ between full refreshes, for that reason.
    ///
    /// # Panics
    /// If there is no reason.
    pub fn may_differ(mut self, stream: &str, field: &str, reason: &str) -> Self {
        assert!(!reason.is_empty(), "why may {field} of {stream} differ?");
        self.volatile.push((stream.to_owned(), field.to_owned()));
        self
    }

    /// Checks every rule.
    ///
    /// # Panics
    /// If any rule is broken, with the names of all broken ones.
    #[track_caller]
    pub fn assert_conforms(&self) -> Report {
        let records = self.records();
        let mut broken = Rule::all_broken(SPEC_RULES, self.spec());
        broken.extend(Rule::all_broken(CATALOG_RULES, self.catalog()));
        broken.extend(Rule::all_broken(RECORD_RULES, &records));
        broken.extend(Rule::all_broken(READ_RULES, self));
        assert!(broken.is_empty(), "{} rules are broken:\n{}", broken.len(), broken.join("\n"));
        let fields = records.fields();
        let unseen = fields.iter().filter(|(_, is_seen)| !**is_seen).map(|(field, _)| field.clone()).collect();
        Report { records: records.count(), fields: fields.len(), unseen }
    }

    /// Calls it.
    pub fn call(&self, call: &Call<'_>) -> Answer {
        (self.call)(call)
    }

    /// The config that works.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Its specification, the whole message.
    pub fn spec(&self) -> &Value {
        self.spec.get_or_init(|| self.call(&Call { command: "spec", ..Call::default() })).messages.spec()
    }

    /// Its catalog.
    ///
    /// # Panics
    /// If `discover` fails.
    pub fn catalog(&self) -> &Value {
        let discover = || self.works(&Call { command: "discover", config: Some(&self.config), ..Call::default() });
        self.catalog.get_or_init(discover).messages.catalog()
    }

    /// A full refresh of all streams, except those that can only be read incrementally.
    ///
    /// # Panics
    /// If it fails.
    pub fn full_refresh(&self) -> &Answer {
        self.full_refresh.get_or_init(|| self.read("full_refresh", &json!([])))
    }

    /// A first incremental read of all streams, except those that can only be read in full.
    ///
    /// # Panics
    /// If it fails.
    pub fn incremental(&self) -> &Answer {
        self.incremental.get_or_init(|| self.read("incremental", &json!([])))
    }

    /// A read of all streams from that state, in that mode if they support it.
    ///
    /// # Panics
    /// If it fails.
    pub fn read(&self, mode: &str, state: &Value) -> Answer {
        self.read_streams(mode, state, |_| true)
    }

    /// The records of the full refresh.
    pub fn records(&self) -> Records {
        let mut records = Records::new(self.catalog(), &self.full_refresh().messages);
        self.empty.iter().for_each(|stream| records.may_be_empty(stream));
        records
    }

    pub(super) fn read_streams(&self, mode: &str, state: &Value, is_wanted: impl Fn(&str) -> bool) -> Answer {
        let chosen = streams(self.catalog()).filter(|stream| is_wanted(name(stream)));
        let configured: Vec<Value> = chosen.map(|stream| configured(stream, mode)).collect();
        let catalog = json!({ "streams": configured });
        let (config, catalog, state) = (Some(&self.config), Some(&catalog), Some(state));
        self.works(&Call { command: "read", config, catalog, state })
    }

    pub(super) fn is_volatile(&self, stream: &str, field: &str) -> bool {
        self.volatile.iter().any(|(of, name)| of == stream && name == field)
    }

    #[track_caller]
    fn works(&self, call: &Call<'_>) -> Answer {
        let answer = self.call(call);
        assert_eq!(answer.status, 0, "{} failed: {:?}", call.command, answer.messages.errors());
        answer
    }
}

/// The configured catalog's entry for a stream, in that mode if it has it.
fn configured(stream: &Value, mode: &str) -> Value {
    let modes = &stream["supported_sync_modes"];
    let has_mode = modes.as_array().is_some_and(|modes| modes.iter().any(|known| known == mode));
    json!({
        "stream": stream,
        "sync_mode": if has_mode { json!(mode) } else { modes[0].clone() },
        "destination_sync_mode": "append",
        "cursor_field": stream["default_cursor_field"].as_array().cloned().unwrap_or_default(),
        "primary_key": stream["source_defined_primary_key"].as_array().cloned().unwrap_or_default(),
    })
}
