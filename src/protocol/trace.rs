//! TRACE messages: errors, stream statuses, estimates and analytics.

use serde::Serialize;

use super::{Failure, FailureKind, StreamDescriptor};

/// One trace.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// Its time, in milliseconds since the epoch.
    pub emitted_at: i64,
    /// Its content.
    #[serde(flatten)]
    pub kind: TraceKind,
}

/// The kinds of trace: `type`, and a payload under its own key.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum TraceKind {
    /// Something failed.
    Error {
        /// The payload.
        error: ErrorTrace,
    },
    /// A stream changed its status.
    StreamStatus {
        /// The payload.
        stream_status: StreamStatus,
    },
    /// The expected amount. A later estimate replaces an earlier one.
    Estimate {
        /// The payload.
        estimate: Estimate,
    },
    /// A figure for the platform's statistics.
    Analytics {
        /// The payload.
        analytics: Analytics,
    },
}

/// A failure in the protocol's form.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorTrace {
    /// For the user.
    pub message: String,
    /// For a maintainer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_message: Option<String>,
    /// For a maintainer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
    /// Who can fix it.
    pub failure_type: FailureKind,
    /// The stream it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_descriptor: Option<StreamDescriptor>,
}

impl From<&Failure> for ErrorTrace {
    fn from(failure: &Failure) -> Self {
        Self {
            message: failure.message.clone(),
            internal_message: failure.internal_message.as_deref().map(str::to_owned),
            stack_trace: None,
            failure_type: failure.kind,
            stream_descriptor: failure.stream.clone(),
        }
    }
}

/// A stream's status.
#[derive(Debug, Clone, Serialize)]
pub struct StreamStatus {
    /// The stream.
    pub stream_descriptor: StreamDescriptor,
    /// The status.
    pub status: Status,
    /// The reason, for a stream that runs but does not move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<StatusReason>>,
}

/// The phase of a stream: started once, running from its first record, then one of the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Status {
    /// Its reading begins.
    Started,
    /// It has records, or waits for a rate limit.
    Running,
    /// All of it was read.
    Complete,
    /// It failed; records before its last state are kept.
    Incomplete,
}

/// Why a running stream does not move.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum StatusReason {
    /// The API asked to slow down.
    RateLimited {
        /// Details, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        rate_limited: Option<RateLimited>,
    },
}

/// When a rate limit ends.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RateLimited {
    /// Milliseconds since the epoch.
    pub quota_reset: i64,
}

/// The expected amount of a stream or a sync.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// The stream's name, or any name for a whole sync.
    pub name: String,
    /// Its subject.
    #[serde(rename = "type")]
    pub kind: EstimateKind,
    /// The stream's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_estimate: Option<u64>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte_estimate: Option<u64>,
}

/// The subject of an [`Estimate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum EstimateKind {
    /// One stream.
    Stream,
    /// The whole sync.
    Sync,
}

/// A figure for the platform's statistics.
#[derive(Debug, Clone, Serialize)]
pub struct Analytics {
    /// Its name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value; numbers are written as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limited_status_says_when_the_quota_returns() {
        let trace = Trace {
            emitted_at: 1,
            kind: TraceKind::StreamStatus {
                stream_status: StreamStatus {
                    stream_descriptor: StreamDescriptor::named("s"),
                    status: Status::Running,
                    reasons: Some(vec![StatusReason::RateLimited {
                        rate_limited: Some(RateLimited { quota_reset: 2 }),
                    }]),
                },
            },
        };
        assert_eq!(
            serde_json::to_string(&trace).unwrap(),
            r#"{"emitted_at":1,"type":"STREAM_STATUS","stream_status":{"stream_descriptor":{"name":"s"},"status":"RUNNING","reasons":[{"type":"RATE_LIMITED","rate_limited":{"quota_reset":2}}]}}"#
        );
    }

    #[test]
    fn estimates_and_analytics_have_the_protocols_form() {
        let estimate = Trace {
            emitted_at: 1,
            kind: TraceKind::Estimate {
                estimate: Estimate {
                    name: "s".into(),
                    kind: EstimateKind::Stream,
                    namespace: None,
                    row_estimate: Some(3),
                    byte_estimate: None,
                },
            },
        };
        assert_eq!(
            serde_json::to_string(&estimate).unwrap(),
            r#"{"emitted_at":1,"type":"ESTIMATE","estimate":{"name":"s","type":"STREAM","row_estimate":3}}"#
        );
        let analytics = TraceKind::Analytics { analytics: Analytics { kind: "k".into(), value: Some("4".into()) } };
        assert_eq!(
            serde_json::to_string(&analytics).unwrap(),
            r#"{"type":"ANALYTICS","analytics":{"type":"k","value":"4"}}"#
        );
    }
}
