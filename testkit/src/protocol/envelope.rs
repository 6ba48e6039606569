//! Parses one line of output without a JSON tree: the data of a record stays text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::json_text;
use super::shape;

/// A message whose payload has the form of the protocol.
#[derive(Debug, Clone)]
pub(super) enum Message {
    Record {
        stream: StreamId,
        data: String,
    },
    State {
        kind: StateKind,
        streams: Vec<StreamState>,
        /// `sourceStats.recordCount`.
        count: Option<u64>,
        /// The whole payload.
        text: String,
    },
    Log {
        level: String,
        message: String,
    },
    Spec(Value),
    ConnectionStatus(Value),
    Catalog(Value),
    Status {
        stream: StreamId,
        status: String,
        rate_limited: bool,
    },
    Error {
        stream: Option<StreamId>,
        error: Value,
    },
    /// ESTIMATE or ANALYTICS.
    OtherTrace,
    Control(Value),
}

impl Message {
    /// A short description of the message.
    pub(super) fn headline(&self) -> String {
        match self {
            Self::Record { stream, .. } => format!("{stream} 1 record"),
            Self::State { .. } => "STATE".to_owned(),
            Self::Log { level, .. } => format!("LOG {level}"),
            Self::Spec(_) => "SPEC".to_owned(),
            Self::ConnectionStatus(status) => {
                format!("CONNECTION_STATUS {}", status["status"].as_str().unwrap_or_default())
            }
            Self::Catalog(_) => "CATALOG".to_owned(),
            Self::Status { stream, status, rate_limited: false } => format!("{stream} {status}"),
            Self::Status { stream, status, rate_limited: true } => {
                format!("{stream} {status} RATE_LIMITED")
            }
            Self::Error { stream, error } => {
                let kind = error["failure_type"].as_str().unwrap_or("without type");
                match stream {
                    Some(stream) => format!("{stream} ERROR {kind}"),
                    None => format!("ERROR {kind}"),
                }
            }
            Self::OtherTrace => "TRACE".to_owned(),
            Self::Control(_) => "CONTROL".to_owned(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateKind {
    Stream,
    Global,
    Legacy,
}

/// Name and namespace of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct StreamId {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
}

impl fmt::Display for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{namespace}.{}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

/// The state of one stream; JSON null if the message has none, which resets the stream.
#[derive(Debug, Clone)]
pub(super) struct StreamState {
    pub(super) stream: StreamId,
    pub(super) state: Value,
}

/// Parses one line, without its newline.
pub(super) fn parse(line: &str) -> Result<Message, String> {
    let fields = fields_of(line)?;
    let get = |name: &str| fields.iter().find(|(key, _)| key == name);
    let kind = get("type").ok_or("no `type`")?.1.get();
    let kind: String = serde_json::from_str(kind).map_err(|_| "`type` is not a string")?;
    let key = match kind.as_str() {
        "RECORD" => "record",
        "STATE" => "state",
        "LOG" => "log",
        "SPEC" => "spec",
        "CONNECTION_STATUS" => "connectionStatus",
        "CATALOG" => "catalog",
        "TRACE" => "trace",
        "CONTROL" => "control",
        other => return Err(format!("a source sends no message of type {other}")),
    };
    if let Some((other, _)) = fields.iter().find(|(name, _)| name != "type" && name != key) {
        return Err(format!("{kind} does not have the key `{other}`"));
    }
    let payload = get(key).ok_or_else(|| format!("{kind} without `{key}`"))?.1.get();
    let message = if kind == "RECORD" {
        record(payload)?
    } else {
        let value: Value = serde_json::from_str(payload).map_err(|e| e.to_string())?;
        match kind.as_str() {
            "STATE" => shape::state(&value, payload, record_count_text(payload)?.as_deref())?,
            "LOG" => shape::log(&value)?,
            "SPEC" => shape::spec(value)?,
            "CONNECTION_STATUS" => shape::connection_status(value)?,
            "CATALOG" => shape::catalog(value)?,
            "TRACE" => shape::trace(&value)?,
            _ => shape::control(value)?,
        }
    };
    let free = match &message {
        Message::Record { data, .. } => json_text::blanks(data),
        _ => 0,
    };
    if json_text::blanks(line) != free {
        return Err("whitespace between tokens".to_owned());
    }
    Ok(message)
}

fn record(payload: &str) -> Result<Message, String> {
    let mut rest = serde_json::Map::new();
    let mut data = None;
    for (name, raw) in fields_of(payload)? {
        if name == "data" {
            data = Some(raw.get().to_owned());
        } else {
            let value = serde_json::from_str(raw.get()).map_err(|e| e.to_string())?;
            rest.insert(name, value);
        }
    }
    let data = data.ok_or("record without `data`")?;
    if !data.starts_with('{') {
        return Err("record.data is not an object".to_owned());
    }
    // The names of members belong to the API: they may repeat, or be half of a surrogate pair.
    let stream = shape::record_fields(&Value::Object(rest))?;
    Ok(Message::Record { stream, data })
}

/// The literal of `sourceStats.recordCount` in the text of a state.
fn record_count_text(state: &str) -> Result<Option<String>, String> {
    let Some((_, stats)) = fields_of(state)?.into_iter().find(|(key, _)| key == "sourceStats") else {
        return Ok(None);
    };
    let count = fields_of(stats.get())?.into_iter().find(|(key, _)| key == "recordCount");
    Ok(count.map(|(_, raw)| raw.get().to_owned()))
}

/// The fields of a JSON object with their values as text; a repeated key is an error.
fn fields_of(text: &str) -> Result<Vec<(String, Box<RawValue>)>, String> {
    let Fields(fields) = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for (place, (key, _)) in fields.iter().enumerate() {
        if fields[..place].iter().any(|(earlier, _)| earlier == key) {
            return Err(format!("the key `{key}` comes twice"));
        }
    }
    Ok(fields)
}

struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
