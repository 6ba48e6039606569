//! Catalogs: the streams of a source, and the user's choice of them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Failure, StreamDescriptor};

/// The fix for a catalog that cannot be read.
const NEW_ONE: &str = "The command catalog prints one to begin with; without --catalog every stream is read.";

/// How a stream is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// All of it.
    #[default]
    FullRefresh,
    /// Only new records since the state.
    Incremental,
}

impl SyncMode {
    /// The protocol's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FullRefresh => "full_refresh",
            Self::Incremental => "incremental",
        }
    }
}

/// How a destination stores a stream. A source sets it in its own catalogs, and ignores it in given ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DestinationSyncMode {
    /// Records are appended to the existing ones.
    #[default]
    Append,
    /// Records replace the existing ones.
    Overwrite,
    /// Of the records with the same primary key, the newest stays.
    AppendDedup,
}

/// A stream in the output of `discover`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AirbyteStream {
    /// The stream's name.
    pub name: String,
    /// JSON Schema of a record. Default when reading a catalog: `{}`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub json_schema: Map<String, Value>,
    /// How it can be read; at least one. Default when reading a catalog: empty.
    #[serde(default, deserialize_with = "null_is_default")]
    pub supported_sync_modes: Vec<SyncMode>,
    /// Whether the source alone defines the cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_defined_cursor: Option<bool>,
    /// Path of the cursor field in a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_cursor_field: Option<Vec<String>>,
    /// Paths of the primary key's fields in a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_defined_primary_key: Option<Vec<Vec<String>>>,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Whether a failed sync resumes where it stopped, even as a full refresh. Default: false.
    #[serde(default, deserialize_with = "null_is_default")]
    pub is_resumable: bool,
    /// Whether records come with files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_file_based: Option<bool>,
}

impl AirbyteStream {
    /// The stream's name and namespace.
    #[must_use]
    pub fn descriptor(&self) -> StreamDescriptor {
        StreamDescriptor { name: self.name.clone(), namespace: self.namespace.clone() }
    }
}

/// The user's choice of streams: the input of `read`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfiguredCatalog {
    /// The chosen streams, in the order they are to be read.
    pub streams: Vec<ConfiguredStream>,
}

/// A chosen stream. Members for destinations are accepted and dropped. The ids of generations and syncs, which the
/// platform counts, are not written either.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfiguredStream {
    /// How to read it. Default: full refresh.
    #[serde(default, deserialize_with = "null_is_default")]
    pub sync_mode: SyncMode,
    /// How the destination stores it. Always the default when reading a catalog.
    #[serde(skip_deserializing)]
    pub destination_sync_mode: DestinationSyncMode,
    /// The cursor the user chose, for streams that don't define their own. Default: empty.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub cursor_field: Vec<String>,
    /// The destination's key of records. Always empty when reading a catalog.
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub primary_key: Vec<Vec<String>>,
    /// Whether the files of its records are wanted, if it has files. Default: not set, which means yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_files: Option<bool>,
    /// The stream as it was discovered.
    pub stream: AirbyteStream,
}

impl ConfiguredStream {
    /// The stream's name and namespace.
    #[must_use]
    pub fn descriptor(&self) -> StreamDescriptor {
        self.stream.descriptor()
    }
}

impl ConfiguredCatalog {
    /// Reads a catalog file. `from` names it in errors.
    ///
    /// # Errors
    /// A config failure if the text is not a catalog, or names a stream twice.
    pub fn parse(text: &[u8], from: &str) -> Result<Self, Failure> {
        if text.trim_ascii().is_empty() {
            return Err(Failure::config(format!("{from} is empty, and should have the catalog. {NEW_ONE}")));
        }
        let value: Value = serde_json::from_slice(text)
            .map_err(|error| Failure::config(format!("The catalog in {from} is not valid JSON: {error}. {NEW_ONE}")))?;
        if !value.get("streams").is_some_and(Value::is_array) && value.get("catalog").is_none() {
            return Err(Failure::config(format!(
                "The catalog in {from} is not a configured catalog: it has no list `streams`. {NEW_ONE}"
            )));
        }
        // The output of `discover` is another kind of catalog; passing it as the configured one is a common mistake.
        if value.get("catalog").is_some() || value["streams"].get(0).is_some_and(|s| s.get("stream").is_none()) {
            return Err(Failure::config(format!(
                "The catalog in {from} is a discovered one, not a configured one: each entry of `streams` must be \
                 {{\"stream\": ..., \"sync_mode\": ..., \"destination_sync_mode\": ...}}. {NEW_ONE}"
            )));
        }
        let catalog: Self = serde_json::from_value(value).map_err(|error| {
            Failure::config(format!("The catalog in {from} is not a configured catalog: {error}. {NEW_ONE}"))
        })?;
        let mut seen = std::collections::HashSet::new();
        for configured in &catalog.streams {
            if !seen.insert(configured.descriptor()) {
                return Err(Failure::config(format!(
                    "The catalog in {from} lists the stream {:?} twice. Keep one of the two entries.",
                    configured.stream.name
                )));
            }
        }
        Ok(catalog)
    }
}

/// Airbyte's platform writes some absent members as null.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConfiguredCatalog, Failure> {
        ConfiguredCatalog::parse(text.as_bytes(), "catalog.json")
    }

    #[test]
    fn an_empty_catalog_file_is_called_empty() {
        assert!(parse(" \n").unwrap_err().message.starts_with("catalog.json is empty, "));
    }

    #[test]
    fn a_catalog_needs_only_names_and_unknown_members_are_accepted() {
        let catalog = parse(
            r#"{"streams":[{"stream":{"name":"a","json_schema":null,"supported_sync_modes":null,"is_resumable":null,
                "namespace":null,"x":1},"sync_mode":null,"cursor_field":null,"y":2}],"z":3}"#,
        )
        .unwrap();
        assert_eq!(catalog.streams[0].sync_mode, SyncMode::FullRefresh);
        assert_eq!(catalog.streams[0].descriptor(), StreamDescriptor::named("a"));
    }

    #[test]
    fn the_output_of_discover_is_refused_with_the_fix() {
        for text in [r#"{"streams":[{"name":"a"}]}"#, r#"{"type":"CATALOG","catalog":{"streams":[]}}"#] {
            assert!(parse(text).unwrap_err().message.contains("discovered"), "{text}");
        }
    }

    #[test]
    fn a_stream_listed_twice_is_refused() {
        let message = parse(r#"{"streams":[{"stream":{"name":"a"}},{"stream":{"name":"a"}}]}"#).unwrap_err().message;
        assert!(message.contains("\"a\" twice"), "{message}");
    }
}
