//! Shapes a stream's records on their way out, if the stream wants it: only the configured columns, and only the types
//! of the schema. For all other streams it loads nothing and does nothing.

use std::collections::HashSet;
use std::io;

use serde_json::{Map, Value};

use super::log::StreamLog;
use crate::protocol::LogLevel;
use crate::streams::{ColumnFilter, HttpStream, Normalizer, Record, SchemaContext, columns, schema_of};

/// Shapes the records of one stream.
#[derive(Debug, Default)]
pub(in crate::sync) struct RecordShaper {
    filter: Option<ColumnFilter>,
    normalizer: Option<Normalizer>,
}

impl RecordShaper {
    /// The stream's shaper. `configured` is its schema in the configured catalog. Warns of columns there that the
    /// source no longer has.
    ///
    /// # Errors
    /// A failure if the stream's schema is needed and cannot be loaded, or stdout is closed.
    pub(in crate::sync) fn new(
        stream: &dyn HttpStream,
        configured: &Map<String, Value>,
        cx: SchemaContext<'_>,
        log: &StreamLog<'_>,
    ) -> anyhow::Result<Self> {
        let uses = stream.schema_use();
        let filter = uses.only_configured_columns.then(|| ColumnFilter::of_schema(configured)).flatten();
        let normalizes = uses.normalizes_records;
        if !normalizes && filter.is_none() && !uses.is_loaded_first {
            // The schema is not needed. If it is a file, reading its columns costs nothing worth saving.
            let known = if configured.is_empty() { None } else { stream.schemas() };
            if let Some(known) = known.and_then(|folder| folder.columns(stream.name())) {
                warn_of_gone_columns(configured, &known.iter().map(String::as_str).collect(), log)?;
            }
            return Ok(Self::default());
        }
        let schema = schema_of(stream, &cx)?.into_tree();
        warn_of_gone_columns(configured, &columns(&schema).collect(), log)?;
        Ok(Self { filter, normalizer: normalizes.then(|| Normalizer::new(&schema)) })
    }

    /// The record as it is written. Warns of values that could not be converted, once a field.
    pub(in crate::sync) fn shape<'r>(&self, record: Record<'r>, log: &StreamLog<'_>) -> io::Result<Record<'r>> {
        let record = match &self.filter {
            Some(filter) => filter.apply(record),
            None => record,
        };
        let Some(normalizer) = &self.normalizer else { return Ok(record) };
        let record = normalizer.normalize(record);
        for warning in normalizer.take_warnings() {
            log.log(LogLevel::Warn, &warning)?;
        }
        Ok(record)
    }
}

fn warn_of_gone_columns(configured: &Map<String, Value>, known: &HashSet<&str>, log: &StreamLog<'_>) -> io::Result<()> {
    // A source that lists no columns may have any.
    if known.is_empty() {
        return Ok(());
    }
    let gone: Vec<String> =
        columns(configured).filter(|name| !known.contains(name)).map(|name| format!("`{name}`")).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let text = format!(
        "the configured catalog has columns that the source no longer has, and they will be empty: {}. Run discover \
         and \
         refresh the catalog.",
        gone.join(", ")
    );
    log.log(LogLevel::Warn, &text)
}
