//! The required fields, types and enum values of each payload.

use serde_json::Value;

use super::envelope::{Message, StateKind, StreamId, StreamState};

/// An earlier time, in milliseconds since 1970, was probably given in seconds.
const EARLIEST: f64 = 100_000_000_000.0;

pub(super) fn record_fields(record: &Value) -> Result<StreamId, String> {
    let stream = StreamId {
        name: text(record, "stream")?.to_owned(),
        namespace: optional_text(record, "namespace")?.map(str::to_owned),
    };
    emitted_at(record)?;
    if record["emitted_at"].as_i64().is_none() {
        return Err("record.emitted_at is not an integer".to_owned());
    }
    for change in list(&record["meta"], "changes")? {
        text(change, "field")?;
        one_of(change, "change", &["NULLED", "TRUNCATED"])?;
        one_of(
            change,
            "reason",
            &[
                "SOURCE_RECORD_SIZE_LIMITATION",
                "DESTINATION_RECORD_SIZE_LIMITATION",
                "PLATFORM_RECORD_SIZE_LIMITATION",
                "SOURCE_FIELD_SIZE_LIMITATION",
                "DESTINATION_FIELD_SIZE_LIMITATION",
                "PLATFORM_FIELD_SIZE_LIMITATION",
                "SOURCE_SERIALIZATION_ERROR",
                "DESTINATION_SERIALIZATION_ERROR",
                "PLATFORM_SERIALIZATION_ERROR",
                "SOURCE_RETRIEVAL_ERROR",
                "DESTINATION_TYPECAST_ERROR",
            ],
        )?;
    }
    Ok(stream)
}

/// `text` is the payload as written and `count` the literal of `sourceStats.recordCount` in it: the protocol requires a
/// decimal point.
pub(super) fn state(state: &Value, text: &str, count: Option<&str>) -> Result<Message, String> {
    object(state, "state")?;
    let (kind, streams) = match state.get("type").map_or("LEGACY", |t| t.as_str().unwrap_or("")) {
        "STREAM" => (StateKind::Stream, vec![stream_state(&state["stream"])?]),
        "GLOBAL" => {
            object(&state["global"], "state.global")?;
            let states =
                state["global"]["stream_states"].as_array().ok_or("state.global.stream_states is not an array")?;
            let states = states.iter().map(stream_state).collect::<Result<_, _>>()?;
            (StateKind::Global, states)
        }
        "LEGACY" => {
            object(&state["data"], "state.data")?;
            (StateKind::Legacy, Vec::new())
        }
        other => return Err(format!("state.type is {other}")),
    };
    let count = match count {
        Some(literal) if !literal.contains('.') => {
            return Err(format!("recordCount {literal} has no decimal point"));
        }
        Some(literal) => {
            let number: f64 = literal.parse().map_err(|_| "recordCount is not a number")?;
            if number < 0.0 || number.fract() != 0.0 {
                return Err(format!("recordCount {literal} is not a count"));
            }
            Some(number as u64)
        }
        None => None,
    };
    Ok(Message::State { kind, streams, count, text: text.to_owned() })
}

fn stream_state(value: &Value) -> Result<StreamState, String> {
    let stream = descriptor(&value["stream_descriptor"])?;
    let state = value.get("stream_state").cloned().unwrap_or_default();
    if !state.is_null() && !state.is_object() {
        return Err("stream_state is not an object".to_owned());
    }
    Ok(StreamState { stream, state })
}

pub(super) fn log(log: &Value) -> Result<Message, String> {
    let levels = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
    optional_text(log, "stack_trace")?;
    Ok(Message::Log { level: one_of(log, "level", &levels)?.to_owned(), message: text(log, "message")?.to_owned() })
}

pub(super) fn spec(spec: Value) -> Result<Message, String> {
    object(&spec["connectionSpecification"], "spec.connectionSpecification")?;
    for name in ["documentationUrl", "changelogUrl", "protocol_version"] {
        optional_text(&spec, name)?;
    }
    for name in ["supportsIncremental", "supportsNormalization", "supportsDBT"] {
        optional_bool(&spec, name)?;
    }
    list(&spec, "supported_destination_sync_modes")?;
    Ok(Message::Spec(spec))
}

pub(super) fn connection_status(status: Value) -> Result<Message, String> {
    one_of(&status, "status", &["SUCCEEDED", "FAILED"])?;
    optional_text(&status, "message")?;
    Ok(Message::ConnectionStatus(status))
}

pub(super) fn catalog(catalog: Value) -> Result<Message, String> {
    let streams = catalog["streams"].as_array().ok_or("catalog.streams is not an array")?;
    let mut seen: Vec<(&str, Option<&str>)> = Vec::new();
    for stream in streams {
        let name = text(stream, "name")?;
        let of_stream = |error: String| format!("stream {name}: {error}");
        let id = (name, optional_text(stream, "namespace").map_err(of_stream)?);
        if seen.contains(&id) {
            return Err(format!("stream {name} comes twice"));
        }
        seen.push(id);
        catalog_stream(stream).map_err(of_stream)?;
    }
    Ok(Message::Catalog(catalog))
}

fn catalog_stream(stream: &Value) -> Result<(), String> {
    object(&stream["json_schema"], "json_schema")?;
    let modes = list(stream, "supported_sync_modes")?;
    let legal = |mode: &Value| mode == "full_refresh" || mode == "incremental";
    if modes.is_empty() || !modes.iter().all(legal) {
        return Err("supported_sync_modes is empty or has an unknown mode".to_owned());
    }
    for name in ["source_defined_cursor", "is_resumable", "is_file_based"] {
        optional_bool(stream, name)?;
    }
    let is_path = |path: &[Value]| !path.is_empty() && path.iter().all(Value::is_string);
    let cursor = list(stream, "default_cursor_field")?;
    if !cursor.is_empty() && !is_path(cursor) {
        return Err("default_cursor_field is not a path".to_owned());
    }
    for key in list(stream, "source_defined_primary_key")? {
        if !key.as_array().is_some_and(|path| is_path(path)) {
            return Err("source_defined_primary_key is not a list of paths".to_owned());
        }
    }
    Ok(())
}

pub(super) fn trace(trace: &Value) -> Result<Message, String> {
    emitted_at(trace)?;
    let kinds = ["ERROR", "ESTIMATE", "STREAM_STATUS", "ANALYTICS"];
    match one_of(trace, "type", &kinds)? {
        "ERROR" => error(&trace["error"]),
        "STREAM_STATUS" => stream_status(&trace["stream_status"]),
        "ESTIMATE" => {
            let estimate = &trace["estimate"];
            text(estimate, "name")?;
            one_of(estimate, "type", &["STREAM", "SYNC"])?;
            optional_text(estimate, "namespace")?;
            for name in ["row_estimate", "byte_estimate"] {
                optional_integer(estimate, name)?;
            }
            Ok(Message::OtherTrace)
        }
        _ => {
            text(&trace["analytics"], "type")?;
            optional_text(&trace["analytics"], "value")?;
            Ok(Message::OtherTrace)
        }
    }
}

fn error(error: &Value) -> Result<Message, String> {
    text(error, "message")?;
    optional_text(error, "internal_message")?;
    optional_text(error, "stack_trace")?;
    if error.get("failure_type").is_some() {
        let kinds = ["system_error", "config_error", "transient_error"];
        one_of(error, "failure_type", &kinds)?;
    }
    let stream = error.get("stream_descriptor").map(descriptor).transpose()?;
    Ok(Message::Error { stream, error: error.clone() })
}

fn stream_status(status: &Value) -> Result<Message, String> {
    let stream = descriptor(&status["stream_descriptor"])?;
    let legal = ["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"];
    let name = one_of(status, "status", &legal)?.to_owned();
    let reasons = list(status, "reasons")?;
    for reason in reasons {
        one_of(reason, "type", &["RATE_LIMITED"])?;
        if let Some(limited) = reason.get("rate_limited") {
            object(limited, "rate_limited")?;
            optional_integer(limited, "quota_reset")?;
        }
    }
    Ok(Message::Status { stream, status: name, rate_limited: !reasons.is_empty() })
}

pub(super) fn control(control: Value) -> Result<Message, String> {
    one_of(&control, "type", &["CONNECTOR_CONFIG"])?;
    emitted_at(&control)?;
    object(&control["connectorConfig"]["config"], "connectorConfig.config")?;
    Ok(Message::Control(control))
}

fn descriptor(value: &Value) -> Result<StreamId, String> {
    object(value, "stream_descriptor")?;
    Ok(StreamId {
        name: text(value, "name")?.to_owned(),
        namespace: optional_text(value, "namespace")?.map(str::to_owned),
    })
}

fn emitted_at(value: &Value) -> Result<(), String> {
    let at = value["emitted_at"].as_f64().ok_or("emitted_at is not a number")?;
    if at < EARLIEST {
        return Err(format!("emitted_at {at} is not a time in milliseconds"));
    }
    Ok(())
}

fn object(value: &Value, name: &str) -> Result<(), String> {
    if value.is_object() { Ok(()) } else { Err(format!("{name} is not an object")) }
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value[name].as_str().ok_or_else(|| format!("{name} is not a string"))
}

fn one_of<'a>(value: &'a Value, name: &str, legal: &[&str]) -> Result<&'a str, String> {
    let found = text(value, name)?;
    if legal.contains(&found) { Ok(found) } else { Err(format!("{name} is {found}")) }
}

/// An absent field is valid; a null is not, as the protocol expresses "none" by absence.
fn optional_text<'a>(value: &'a Value, name: &str) -> Result<Option<&'a str>, String> {
    value.get(name).map(|_| text(value, name)).transpose()
}

fn optional_bool(value: &Value, name: &str) -> Result<(), String> {
    match value.get(name) {
        Some(found) if !found.is_boolean() => Err(format!("{name} is not a boolean")),
        _ => Ok(()),
    }
}

fn optional_integer(value: &Value, name: &str) -> Result<(), String> {
    match value.get(name) {
        Some(found) if found.as_i64().is_none() => Err(format!("{name} is not an integer")),
        _ => Ok(()),
    }
}

/// An absent array counts as empty.
fn list<'a>(value: &'a Value, name: &str) -> Result<&'a [Value], String> {
    match value.get(name) {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("{name} is not an array")),
    }
}
