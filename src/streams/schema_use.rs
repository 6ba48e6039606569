//! What a read does with a stream's schema, apart from `discover`, which reports it.

/// What a read does with a stream's schema: see [`super::HttpStream::schema_use`]. Default: nothing.
///
/// ```
/// use source_http::streams::SchemaUse;
///
/// let uses = SchemaUse::default().normalize_records().only_configured_columns();
/// assert!(uses.normalizes_records && !uses.is_loaded_first);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaUse {
    /// Records are converted to the types of their schema: see [`super::Normalizer`]. It parses every record, and loads
    /// the schema at each read.
    pub normalizes_records: bool,
    /// Records are reduced to the columns in the configured catalog, at their top level: see [`super::ColumnFilter`]. A
    /// catalog without columns removes nothing.
    pub only_configured_columns: bool,
    /// The schema is loaded at the start of each read, because the API decides it: then columns of the configured
    /// catalog that are gone are reported, and a stream whose schema cannot be loaded fails. Otherwise a schema is
    /// loaded when it is needed.
    pub is_loaded_first: bool,
}

impl SchemaUse {
    /// Converts records to the types of their schema.
    #[must_use]
    pub const fn normalize_records(mut self) -> Self {
        self.normalizes_records = true;
        self
    }

    /// Reduces records to the configured columns.
    #[must_use]
    pub const fn only_configured_columns(mut self) -> Self {
        self.only_configured_columns = true;
        self
    }

    /// Loads the schema at the start of each read.
    #[must_use]
    pub const fn load_first(mut self) -> Self {
        self.is_loaded_first = true;
        self
    }
}
