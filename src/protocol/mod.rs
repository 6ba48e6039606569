//! The Airbyte protocol (0.18): its output, its input, and the one writer of stdout.
//!
//! Nothing here knows of HTTP or of streams. `message` is the envelope; `record`, `state`, `trace`, `spec` and
//! `catalog` are its payloads, `json_schema` a part of the last; `input_state` reads the states a `read` is given, `kept_state` keeps long ones; `failure` is every error as the
//! protocol tells it; `output` writes, `human_output` shows the same to people, `redactor` keeps secrets out of what is written, in whatever
//! form they come (`escapes`); `config_references` puts references back into a config that is written, which a
//! `config_store` keeps.

/// The supported version of the Airbyte protocol.
pub const PROTOCOL_VERSION: &str = "0.18.0";

mod catalog;
mod config_references;
mod config_store;
mod descriptor;
mod escapes;
mod failure;
mod human_output;
mod input_state;
mod json_schema;
mod kept_state;
mod message;
mod output;
mod record;
mod redactor;
mod setting_names;
mod spec;
mod state;
mod trace;

pub use catalog::{AirbyteStream, ConfiguredCatalog, ConfiguredStream, DestinationSyncMode, SyncMode};
pub use config_references::ConfigReferences;
pub use config_store::ConfigStore;
pub use descriptor::StreamDescriptor;
pub(crate) use failure::{ANSWERED, ONE_OF_ONE, RUN_AGAIN_LATER};
pub use failure::{Failure, FailureKind, Otherwise};
pub use human_output::HumanOutput;
pub use input_state::{InputState, NO_CURSOR_STATE};
pub use json_schema::JsonSchema;
pub(crate) use kept_state::{KeptState, has_float, is_long};
pub use message::{
    CheckStatus, ConnectionStatus, Control, ControlConnectorConfig, ControlKind, Log, LogLevel, Message,
};
pub use output::Output;
pub use record::{RecordLines, RecordWriter};
pub use redactor::{MASK, Redactor};
pub use spec::{AdvancedAuth, ConnectorSpecification};
pub use state::{StateKind, StateMessage, StateStats, StreamState, StreamStateMessage};
pub use trace::{
    Analytics, ErrorTrace, Estimate, EstimateKind, RateLimited, Status, StatusReason, StreamStatus, Trace, TraceKind,
};
