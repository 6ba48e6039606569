//! Builds configured catalogs: that of a read without one, and the one that `catalog` prints.

use std::sync::Arc;

use crate::nearest::nearest;
use crate::protocol::{
    AirbyteStream, ConfiguredCatalog, ConfiguredStream, DestinationSyncMode, Failure, LogLevel, Output,
    StreamDescriptor, SyncMode,
};
use crate::streams::{HttpStream, described};

/// The listed streams. The log explains the unlisted ones.
///
/// # Errors
/// A config failure if there are streams and none is listed.
pub(super) fn listed(streams: &[Arc<dyn HttpStream>], output: &Output) -> anyhow::Result<Vec<Arc<dyn HttpStream>>> {
    let mut listed = Vec::with_capacity(streams.len());
    for stream in streams {
        match stream.refusal().filter(|refusal| !refusal.is_listed) {
            Some(refusal) => output.log(LogLevel::Warn, &format!("{}: {}", stream.name(), refusal.failure.message))?,
            None => listed.push(Arc::clone(stream)),
        }
    }
    match streams.first().and_then(|stream| stream.refusal()).filter(|_| listed.is_empty()) {
        Some(refusal) => Err(Failure::config(format!("No stream can be read. {}", refusal.failure.message)).into()),
        None => Ok(listed),
    }
}

/// Every stream, without its schema; incrementally if wanted and supported.
pub(super) fn everything(streams: &[Arc<dyn HttpStream>], incremental: bool) -> ConfiguredCatalog {
    let streams = streams.iter().map(|stream| configured(described(&**stream), incremental));
    ConfiguredCatalog { streams: streams.collect() }
}

/// Only the named streams of a catalog, in the given order. No name selects all.
pub(super) fn pick(catalog: ConfiguredCatalog, names: &[String]) -> Result<ConfiguredCatalog, Failure> {
    if names.is_empty() {
        return Ok(catalog);
    }
    let mut left = catalog.streams;
    let mut picked: Vec<ConfiguredStream> = Vec::new();
    for name in names {
        let Some(at) = left.iter().position(|configured| configured.stream.name == *name) else {
            let is_picked = picked.iter().any(|configured| configured.stream.name == *name);
            let known: Vec<&str> =
                left.iter().chain(&picked).map(|configured| configured.stream.name.as_str()).collect();
            return Err(Failure::config(match (is_picked, nearest(name, &known)) {
                (true, _) => format!("--streams names {name:?} twice. Name each stream once."),
                (false, Some(near)) => {
                    format!("--streams names {name:?}, and there is no such stream. Did you mean {near}?")
                }
                (false, None) => format!(
                    "--streams names {name:?}, and there is no such stream. The streams are: {}.",
                    known.join(", ")
                ),
            }));
        };
        picked.push(left.remove(at));
    }
    Ok(ConfiguredCatalog { streams: picked })
}

/// The stream that a catalog of this source names.
pub(super) fn find<'a>(streams: &'a [Arc<dyn HttpStream>], wanted: &StreamDescriptor) -> Option<&'a dyn HttpStream> {
    let mut streams = streams.iter().map(|stream| &**stream);
    streams.find(|stream| stream.name() == wanted.name && stream.namespace() == wanted.namespace.as_deref())
}

/// The destination's mode follows from the read mode: a full read replaces the existing rows; new records are appended,
/// or replace those with the same key.
fn configured(stream: AirbyteStream, incremental: bool) -> ConfiguredStream {
    let cursor_field = stream.default_cursor_field.clone().unwrap_or_default();
    let primary_key = stream.source_defined_primary_key.clone().unwrap_or_default();
    let can_be = stream.supported_sync_modes.contains(&SyncMode::Incremental) && !cursor_field.is_empty();
    let (sync_mode, destination_sync_mode) = match (incremental && can_be, primary_key.is_empty()) {
        (true, false) => (SyncMode::Incremental, DestinationSyncMode::AppendDedup),
        (true, true) => (SyncMode::Incremental, DestinationSyncMode::Append),
        (false, _) => (SyncMode::FullRefresh, DestinationSyncMode::Overwrite),
    };
    ConfiguredStream { sync_mode, destination_sync_mode, cursor_field, primary_key, include_files: None, stream }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn modes(stream: Value, incremental: bool) -> Value {
        let configured = configured(serde_json::from_value(stream).unwrap(), incremental);
        let Value::Object(mut configured) = serde_json::to_value(configured).unwrap() else { unreachable!() };
        configured.remove("stream");
        Value::Object(configured)
    }

    #[test]
    fn an_unknown_stream_and_one_named_twice_are_distinguished_and_a_near_name_is_offered() {
        let stream = |name: &str| {
            configured(serde_json::from_value(json!({"name": name, "supported_sync_modes": []})).unwrap(), false)
        };
        let streams: Vec<_> = ["customers", "charges", "refunds"].into_iter().map(stream).collect();
        let refused = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            pick(ConfiguredCatalog { streams: streams.clone() }, &names).unwrap_err().message
        };
        let unknown = "and there is no such stream.";
        assert_eq!(refused(&["custmers"]), format!("--streams names \"custmers\", {unknown} Did you mean customers?"));
        // Also one that is already selected.
        assert!(refused(&["customers", "Customers"]).ends_with("Did you mean customers?"));
        assert_eq!(
            refused(&["orders"]),
            format!("--streams names \"orders\", {unknown} The streams are: customers, charges, refunds.")
        );
        assert_eq!(refused(&["charges", "charges"]), "--streams names \"charges\" twice. Name each stream once.");
    }

    #[test]
    fn a_stream_is_read_incrementally_if_wanted_and_supported() {
        let both = json!(["full_refresh", "incremental"]);
        let keyed = json!({"name": "a", "supported_sync_modes": both, "default_cursor_field": ["u"],
                           "source_defined_primary_key": [["id"]]});
        let full = json!({"sync_mode": "full_refresh", "destination_sync_mode": "overwrite", "cursor_field": ["u"],
                          "primary_key": [["id"]]});
        assert_eq!(modes(keyed.clone(), false), full);
        let dedup = json!({"sync_mode": "incremental", "destination_sync_mode": "append_dedup", "cursor_field": ["u"],
                           "primary_key": [["id"]]});
        assert_eq!(modes(keyed, true), dedup);
        let keyless = json!({"name": "a", "supported_sync_modes": both, "default_cursor_field": ["u"]});
        let append = json!({"sync_mode": "incremental", "destination_sync_mode": "append", "cursor_field": ["u"]});
        assert_eq!(modes(keyless, true), append);
        // A person would have to choose its cursor.
        let no_cursor = json!({"name": "a", "supported_sync_modes": both});
        let overwrite = json!({"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"});
        assert_eq!(modes(no_cursor, true), overwrite);
    }
}
