//! The envelope: one JSON object a line, `type` plus one payload whose key depends on the type.
//!
//! The shapes are those of the Airbyte protocol 0.18. Members that are `None` are left out. Records
//! don't pass through here: [`super::RecordWriter`] writes them around their raw text. Nor do catalogs:
//! [`super::Output::catalog`] writes them around that of their schemas.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ConnectorSpecification, StateMessage, Trace};

/// One line of output.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Message {
    /// A checkpoint: what was emitted before it need not be read again.
    State {
        /// The payload.
        state: StateMessage,
    },
    /// A line for people.
    Log {
        /// The payload.
        log: Log,
    },
    /// The answer to `spec`.
    Spec {
        /// The payload.
        spec: ConnectorSpecification,
    },
    /// The answer to `check`.
    ConnectionStatus {
        /// The payload. The key is camel case by protocol.
        #[serde(rename = "connectionStatus")]
        connection_status: ConnectionStatus,
    },
    /// What the platform should know about the sync.
    Trace {
        /// The payload.
        trace: Trace,
    },
    /// What the platform should change.
    Control {
        /// The payload.
        control: Control,
    },
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Every byte.
    Trace,
    /// Every request; shown with `--debug` or `LOG_LEVEL=debug`.
    Debug,
    /// What a sync does, wait by wait and stream by stream.
    Info,
    /// Something is odd, nothing is lost.
    Warn,
    /// An operator must act.
    Error,
    /// The run ends here.
    Fatal,
}

/// A line for people.
#[derive(Debug, Clone, Serialize)]
pub struct Log {
    /// How much it matters.
    pub level: LogLevel,
    /// The text. May hold several lines.
    pub message: String,
    /// Where it came from, for errors of the program itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
}

/// Whether the config works.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionStatus {
    /// Yes or no.
    pub status: CheckStatus,
    /// Why not, or what was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The outcome of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CheckStatus {
    /// The config works.
    Succeeded,
    /// It doesn't.
    Failed,
}

/// A request to the platform. The only kind there is asks it to store a changed config, such as a rotated token.
#[derive(Debug, Clone, Serialize)]
pub struct Control {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: ControlKind,
    /// When, in milliseconds since the epoch.
    pub emitted_at: i64,
    /// The new config.
    #[serde(rename = "connectorConfig")]
    pub connector_config: ControlConnectorConfig,
}

/// The kinds of [`Control`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ControlKind {
    /// Store this config instead of the one the run was given.
    ConnectorConfig,
}

/// The config a [`Control`] message carries, whole, secrets included: the one place where they belong on stdout.
#[derive(Debug, Clone, Serialize)]
pub struct ControlConnectorConfig {
    /// The whole config, not only what changed.
    pub config: Map<String, Value>,
}
