//! Streams as a table, for choosing some of them. Columns are separated by blanks and contain none, so `awk` can read
//! it, too.

use std::io::{self, Write};

use tabwriter::TabWriter;

use crate::protocol::{AirbyteStream, SyncMode};

/// Blanks between two columns.
const GAP: usize = 2;
/// The cell of a missing value.
const NONE: &str = "-";

/// The streams, with the number of fields that their schemas have.
pub(super) fn with_fields(streams: &[AirbyteStream]) -> io::Result<Vec<u8>> {
    table(streams, Some(fields))
}

/// The streams, whatever their schemas are.
pub(super) fn without_fields(streams: &[AirbyteStream]) -> io::Result<Vec<u8>> {
    table(streams, None)
}

/// Lines with columns separated by tabs, which become blanks.
pub(super) fn aligned(text: &str) -> io::Result<Vec<u8>> {
    let mut writer = TabWriter::new(Vec::new()).padding(GAP);
    writer.write_all(text.as_bytes())?;
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

fn table(streams: &[AirbyteStream], fields: Option<fn(&AirbyteStream) -> String>) -> io::Result<Vec<u8>> {
    let has_namespaces = streams.iter().any(|stream| stream.namespace.is_some());
    let row = |cells: [String; 6]| {
        let [stream, namespace, modes, key, cursor, fields] = cells;
        let optional = [has_namespaces.then_some(namespace), Some(modes), Some(key), Some(cursor), Some(fields)];
        let cells: Vec<String> = std::iter::once(stream).chain(optional.into_iter().flatten()).collect();
        // Omitted columns at the end leave no tab behind.
        format!("{}\n", cells.join("\t").trim_end())
    };
    let heads = ["STREAM", "NAMESPACE", "SYNC_MODES", "PRIMARY_KEY", "CURSOR"].map(str::to_owned);
    let [stream, namespace, modes, key, cursor] = heads;
    let mut text = row([stream, namespace, modes, key, cursor, fields.map_or("", |_| "FIELDS").to_owned()]);
    for stream in streams {
        let keys = stream.source_defined_primary_key.iter().flatten().map(|path| path.join("."));
        text.push_str(&row([
            stream.name.clone(),
            stream.namespace.clone().unwrap_or_else(|| NONE.to_owned()),
            list(stream.supported_sync_modes.iter().copied().map(SyncMode::as_str).map(str::to_owned)),
            list(keys),
            stream.default_cursor_field.as_ref().map_or_else(|| NONE.to_owned(), |path| path.join(".")),
            fields.map_or_else(String::new, |fields| fields(stream)),
        ]));
    }
    aligned(&text)
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { NONE.to_owned() } else { items.join(",") }
}

fn fields(stream: &AirbyteStream) -> String {
    let properties = stream.json_schema.get("properties").and_then(serde_json::Value::as_object);
    properties.map_or_else(|| NONE.to_owned(), |properties| properties.len().to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_widest_cell_and_namespaces_have_one_if_there_are_any() {
        let mut streams: Vec<AirbyteStream> = serde_json::from_value(json!([
            {"name": "a", "supported_sync_modes": ["full_refresh"], "json_schema": {"type": "object"}},
            {"name": "a_longer_name", "supported_sync_modes": ["full_refresh", "incremental"],
             "json_schema": {"properties": {"x": {}, "y": {}}}, "default_cursor_field": ["meta", "at"],
             "source_defined_primary_key": [["x"], ["meta", "id"]]},
        ]))
        .unwrap();
        let text = |bytes: io::Result<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
        assert_eq!(
            text(with_fields(&streams)),
            "STREAM         SYNC_MODES                PRIMARY_KEY  CURSOR   FIELDS\n\
             a              full_refresh              -            -        -\n\
             a_longer_name  full_refresh,incremental  x,meta.id    meta.at  2\n"
        );
        streams.pop();
        streams[0].namespace = Some("eu".to_owned());
        assert_eq!(
            text(without_fields(&streams)),
            "STREAM  NAMESPACE  SYNC_MODES    PRIMARY_KEY  CURSOR\n\
             a       eu         full_refresh  -            -\n"
        );
    }
}
