//! `RecordSelector`: which items of a response become records, and how they are changed. A record keeps the API's text
//! unless a component changes it.

use std::borrow::Cow;

use super::extractor::Extractor;
use super::part::{Builder, Part};
use super::placed::Condition;
use super::template::{InterpolatedBoolean, Json, Variable};
use super::transform::Transform;
use super::warnings::Warnings;
use crate::protocol::Failure;
use crate::streams::Record;

/// The judgement of a cursor on a record.
pub(super) type IsInScope<'j> = dyn Fn(&Record<'_>) -> Result<bool, Failure> + 'j;

/// Makes records of the items of a response.
#[derive(Debug)]
pub(super) struct Selector {
    /// Finds the items.
    pub(super) extractor: Extractor,
    /// Whether records are cast to the types of the stream's schema: `schema_normalization: Default`.
    pub(super) normalizes: bool,
    filter: Option<Condition>,
    transforms: Vec<Transform>,
    transforms_first: bool,
    warnings: Warnings,
    place: String,
}

/// The template variables of a record besides it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'v> {
    /// `stream_slice`.
    pub(super) slice: Variable<'v>,
    /// `next_page_token`, for the filter: none on the first page.
    pub(super) next_page_token: Variable<'v>,
}

impl Selector {
    /// The selector that a part describes, for the items of `extractor`, with the `transformations` of its stream.
    /// `is_client_side`: the stream's cursor has `is_client_side_incremental`, so records are changed before the cursor
    /// judges them, unless the selector says otherwise.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        extractor: Option<Extractor>,
        transformations: Option<&Part<'_>>,
        is_client_side: bool,
    ) -> Option<Self> {
        let filter = match part.field("record_filter") {
            None => Some(None),
            Some(filter) => filter_of(builder, &filter).map(Some),
        };
        let normalization = part.field("schema_normalization");
        let is_custom = normalization.as_ref().is_some_and(|part| part.node.as_text().is_none());
        if let Some(normalization) = normalization.as_ref().filter(|_| is_custom) {
            builder.refuse(normalization, "a custom schema_normalization");
        }
        let transforms = Transform::list(builder, transformations);
        Some(Self {
            extractor: extractor?,
            normalizes: normalization.is_some_and(|part| part.node.as_text() == Some("Default")),
            filter: filter?,
            transforms: transforms?,
            transforms_first: part.flag("transform_before_filtering").unwrap_or(is_client_side),
            warnings: Warnings::default(),
            place: builder.place(part),
        })
        .filter(|_| !is_custom)
    }

    /// The record in an item. null, a number or a text is not a record, which is reported once.
    ///
    /// # Errors
    /// If it is a list: then the path of the extractor ends too early, and all records are in such lists.
    pub(super) fn record<'t>(&self, item: Cow<'t, str>) -> Result<Option<Record<'t>>, Failure> {
        let kind = match item.trim_start().as_bytes().first() {
            Some(b'{') => return Ok(Some(Record::from_text(item))),
            Some(b'[') => {
                return Err(Failure::config(format!(
                    "{}: there is a list where a record should be. Add a step `*` to the extractor's path to take the \
                     items of the lists.",
                    self.place
                )));
            }
            Some(b'"') => "a text",
            Some(b'n') => "null",
            Some(b't' | b'f') => "true or false",
            _ => "a number",
        };
        self.warnings.add(format!("The response has {kind} where a record should be. It is left out, here and later."));
        Ok(None)
    }

    /// The changed record, or nothing if it is filtered out. `is_in_scope` is the cursor's judgement, for a stream
    /// whose cursor filters records.
    ///
    /// # Errors
    /// If a template of a filter or transformation cannot be evaluated, or a path finds nothing: a failure that names
    /// the component and the template, and no value.
    pub(super) fn select<'r>(
        &self,
        mut record: Record<'r>,
        seen: Seen<'_>,
        is_in_scope: Option<&IsInScope<'_>>,
    ) -> Result<Option<Record<'r>>, Failure> {
        if self.filter.is_some() || !self.transforms.is_empty() {
            record.index();
        }
        if self.transforms_first {
            self.transform(&mut record, seen)?;
        }
        let is_in_scope = is_in_scope.map_or(Ok(true), |is_in_scope| is_in_scope(&record))?;
        if !is_in_scope || !self.keeps(&record, seen)? {
            return Ok(None);
        }
        if !self.transforms_first {
            self.transform(&mut record, seen)?;
        }
        Ok(Some(record))
    }

    fn keeps(&self, record: &Record<'_>, seen: Seen<'_>) -> Result<bool, Failure> {
        let Some(filter) = &self.filter else { return Ok(true) };
        let vars = [
            ("record", Variable::Json(Json::Object(record))),
            ("stream_slice", seen.slice),
            ("next_page_token", seen.next_page_token),
        ];
        filter.holds_or(&vars, |failure| {
            self.warnings.add(format!("{} A record for which this fails is kept, here and later.", failure.message));
            true
        })
    }

    fn transform(&self, record: &mut Record<'_>, seen: Seen<'_>) -> Result<(), Failure> {
        self.transforms.iter().try_for_each(|transform| transform.apply(record, seen.slice, &self.warnings))
    }

    /// Adds a warning, once.
    pub(super) fn warn(&self, warning: String) {
        self.warnings.add(warning);
    }

    /// The warnings since the last call.
    pub(super) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }
}

/// The condition of a filter. Without one, it drops all records, as in the reference.
pub(super) fn filter_of(builder: &Builder<'_>, filter: &Part<'_>) -> Option<Condition> {
    if filter.kind() != "RecordFilter" {
        builder.refuse(filter, &format!("the filter {}", filter.kind()));
        return None;
    }
    let condition = filter.field("condition").filter(|condition| condition.node.as_text() != Some(""));
    if let Some(condition) = condition {
        return builder.condition(&condition, &["record", "stream_slice", "next_page_token"]);
    }
    builder.warn(filter, "a RecordFilter without a condition keeps no record");
    Some(builder.placed(filter, InterpolatedBoolean::Constant(false)))
}

#[cfg(test)]
mod tests;
