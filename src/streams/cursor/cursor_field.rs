//! The simplest cursor: a field of the records, whose newest value is the state.

use std::time::Duration;

use super::Cursor;

/// A field of the records as the cursor. The state is its newest value under its name, as the API wrote it:
/// `{"updated_at": "2026-11-01"}`; or one such state for each partition, if there are any. The default is no field.
///
/// ```
/// use source_http::streams::CursorField;
///
/// static UPDATED: CursorField = CursorField::new("updated_at").state_checkpoint_interval(1_000);
/// ```
#[derive(Debug, Clone, Default)]
pub struct CursorField {
    field: Option<&'static str>,
    /// The path, if it is not a top-level field.
    path: Vec<String>,
    is_chosen: bool,
    spans: &'static [&'static str],
    interval: Option<u64>,
    overlap: Duration,
}

impl CursorField {
    /// The top-level field of this name.
    #[must_use]
    pub const fn new(field: &'static str) -> Self {
        Self {
            field: Some(field),
            path: Vec::new(),
            is_chosen: false,
            spans: &[],
            interval: None,
            overlap: Duration::ZERO,
        }
    }

    /// The field at this path.
    #[must_use]
    pub fn at<N: Into<String>>(path: impl IntoIterator<Item = N>) -> Self {
        Self { path: path.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Any field that the catalog names; without one the stream cannot be read incrementally.
    #[must_use]
    pub fn chosen_by_user() -> Self {
        Self { is_chosen: true, ..Self::default() }
    }

    /// Declares that the stream's slices are spans of the cursor, oldest first, with these members: one state covers
    /// all of them. Default: they are not.
    #[must_use]
    pub const fn spans(mut self, members: &'static [&'static str]) -> Self {
        self.spans = members;
        self
    }

    /// See [`Cursor::state_checkpoint_interval`]. Default: `None`.
    #[must_use]
    pub const fn state_checkpoint_interval(mut self, records: u64) -> Self {
        self.interval = Some(records);
        self
    }

    /// See [`Cursor::overlap`]. Default: zero.
    #[must_use]
    pub const fn overlap(mut self, time: Duration) -> Self {
        self.overlap = time;
        self
    }

    /// Makes the field a suggestion: the user may choose another one in the catalog. Default: it is fixed.
    #[must_use]
    pub const fn or_another(mut self) -> Self {
        self.is_chosen = true;
        self
    }
}

impl Cursor for CursorField {
    fn cursor_field(&self) -> Vec<String> {
        self.field.map_or_else(|| self.path.clone(), |field| vec![field.to_owned()])
    }

    fn source_defined_cursor(&self) -> bool {
        !self.is_chosen
    }

    fn slices_in_order(&self) -> bool {
        !self.spans.is_empty()
    }

    fn is_of_span(&self, member: &str) -> bool {
        self.spans.contains(&member)
    }

    fn state_checkpoint_interval(&self) -> Option<u64> {
        self.interval
    }

    fn overlap(&self) -> Duration {
        self.overlap
    }
}
