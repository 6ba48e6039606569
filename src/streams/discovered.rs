//! The entry of a stream in `discover`.

use serde_json::Map;

use super::{HttpStream, SchemaContext};
use crate::protocol::{AirbyteStream, Failure, JsonSchema, StreamDescriptor, SyncMode};

/// The entry of a stream in `discover`.
///
/// # Errors
/// A failure of the stream if its schema cannot be loaded.
pub fn discovered(stream: &dyn HttpStream, cx: &SchemaContext<'_>) -> Result<AirbyteStream, Failure> {
    Ok(AirbyteStream { json_schema: schema_of(stream, cx)?.into_tree(), ..described(stream) })
}

/// The entry without the schema, which may need a request.
#[must_use]
pub fn described(stream: &dyn HttpStream) -> AirbyteStream {
    let cursor_field = stream.cursor().cursor_field();
    let primary_key = stream.primary_key();
    AirbyteStream {
        name: stream.name().to_owned(),
        json_schema: Map::new(),
        supported_sync_modes: stream.sync_modes(),
        source_defined_cursor: (!cursor_field.is_empty()).then(|| stream.cursor().source_defined_cursor()),
        default_cursor_field: (!cursor_field.is_empty()).then_some(cursor_field),
        source_defined_primary_key: (!primary_key.is_empty()).then_some(primary_key),
        namespace: stream.namespace().map(str::to_owned),
        is_resumable: stream.is_resumable() || stream.sync_modes().contains(&SyncMode::Incremental),
        is_file_based: Some(stream.files().is_some()),
    }
}

/// A stream's schema. A failure to load it names the stream.
///
/// # Errors
/// A failure of the stream.
pub fn schema_of(stream: &dyn HttpStream, cx: &SchemaContext<'_>) -> Result<JsonSchema, Failure> {
    stream.json_schema(cx).map_err(|error| {
        let name = stream.name().to_owned();
        let mut failure = Failure::from_error(&error);
        failure.message = format!("The schema of {name:?} is not known. {}", failure.message);
        failure.of_stream(&StreamDescriptor { name, namespace: stream.namespace().map(str::to_owned) })
    })
}
