//! STATE messages that a source writes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::StreamDescriptor;

/// A stream's state: a JSON object in the stream's own form.
pub type StreamState = Map<String, Value>;

/// A checkpoint of one stream.
#[derive(Debug, Clone, Serialize)]
pub struct StateMessage {
    /// Always `STREAM` here.
    #[serde(rename = "type")]
    pub kind: StateKind,
    /// The stream, and its state.
    pub stream: StreamStateMessage,
    /// The number of records it covers.
    #[serde(rename = "sourceStats")]
    pub source_stats: StateStats,
}

/// The forms of state. A source of this crate writes `STREAM` and accepts all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum StateKind {
    /// One stream.
    Stream,
    /// All streams at once.
    Global,
    /// One JSON object for the whole source.
    Legacy,
}

/// The payload of a `STREAM` state.
#[derive(Debug, Clone, Serialize)]
pub struct StreamStateMessage {
    /// The stream.
    pub stream_descriptor: StreamDescriptor,
    /// The state.
    pub stream_state: StreamState,
}

/// Counts since the stream's previous state. Doubles by protocol, written with a decimal point.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct StateStats {
    /// Records emitted since the stream's previous state.
    #[serde(rename = "recordCount")]
    pub record_count: f64,
    /// Records refused; set by destinations, omitted by sources.
    #[serde(rename = "rejectedRecordCount", skip_serializing_if = "Option::is_none")]
    pub rejected_record_count: Option<f64>,
}
