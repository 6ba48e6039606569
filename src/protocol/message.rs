//! The envelope: one JSON object a line, `type` plus one payload whose key depends on the type.
//!
//! The forms are those of the Airbyte protocol 0.18. Members that are `None` are omitted. Records do not pass through
//! here: [`super::RecordWriter`] wraps their raw text. Nor do catalogs: [`super::Output::catalog`] wraps the text of
//! their schemas.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ConnectorSpecification, StateMessage, Trace};

/// One line of output.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Message {
    /// A checkpoint: records before it need not be read again.
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
    /// Information about the sync for the platform.
    Trace {
        /// The payload.
        trace: Trace,
    },
    /// A change request to the platform.
    Control {
        /// The payload.
        control: Control,
    },
}

/// The level of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Every byte.
    Trace,
    /// Every request; shown with `--debug` or `LOG_LEVEL=debug`.
    Debug,
    /// The progress of a sync, wait by wait and stream by stream.
    Info,
    /// Something unusual; nothing is lost.
    Warn,
    /// An operator must act.
    Error,
    /// The run ends here.
    Fatal,
}

/// A line for people.
#[derive(Debug, Clone, Serialize)]
pub struct Log {
    /// Its level.
    pub level: LogLevel,
    /// The text. It may have several lines.
    pub message: String,
    /// The stack trace, for errors of the program itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
}

/// Whether the config works.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionStatus {
    /// Yes or no.
    pub status: CheckStatus,
    /// The reason, or the requests of the check.
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

/// A request to the platform. The only kind asks it to store a changed config, such as a rotated token.
#[derive(Debug, Clone, Serialize)]
pub struct Control {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: ControlKind,
    /// Its time, in milliseconds since the epoch.
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
    /// Store this config in place of the run's.
    ConnectorConfig,
}

/// The config of a [`Control`] message, whole, secrets included: the only place for them on stdout.
#[derive(Debug, Clone, Serialize)]
pub struct ControlConnectorConfig {
    /// The whole config, not only the changes.
    pub config: Map<String, Value>,
}
