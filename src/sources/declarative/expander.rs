//! `RecordExpander`: makes each entry of a list inside an item a record, with fields of the surrounding item.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::edits;
use super::field_path::{FieldPath, is_truthy};
use super::part::{Builder, Part, flat};
use super::steps::{Steps, items};
use super::tree::Tree;
use crate::protocol::Failure;

/// Makes several records of an item.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "the component has as many")]
pub(super) struct Expander {
    path: FieldPath,
    merge_parent: bool,
    /// The fields to copy from the item, and their targets.
    parent_fields: Vec<(FieldPath, FieldPath)>,
    keep_original: bool,
    emit_parent: bool,
    truncation: Option<FieldPath>,
    /// Whether a truncated list is requested in full: `truncated_list_retriever`.
    pub(super) fetches: bool,
    tells_of_missing: bool,
    has_warned: AtomicBool,
    /// The place in the manifest.
    pub(super) place: String,
}

/// Returns the whole list of an item, if that can be requested: the items for the expander at a place. `None` if it
/// cannot.
pub(super) type Complete<'c> = dyn FnMut(&str, &str) -> Result<Option<Vec<String>>, Failure> + 'c;

impl Expander {
    /// The expander that a part describes.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let retriever = part.field("truncated_list_retriever");
        if let Some(retriever) = retriever.as_ref().filter(|_| part.field("truncation_indicator_path").is_none()) {
            builder.error(retriever, "add `truncation_indicator_path`, which says when a list is cut short");
            return None;
        }
        let path = FieldPath::build(builder, &part.field("expand_records_from_field")?, &[])?;
        let mut parent_fields = Vec::new();
        if let Some(fields) = part.field("parent_fields") {
            for field in fields.items() {
                let from = FieldPath::build(builder, &field.field("parent_path")?, &[])?;
                let to = FieldPath::build(builder, &field.field("record_path")?, &[])?;
                let is_field = |path: &FieldPath| !path.is_empty() && !path.steps().is_ok_and(Steps::has_globs);
                if !is_field(&from) || !is_field(&to) {
                    builder.error(&field, "parent_path and record_path have to lead to one field each, without globs");
                    return None;
                }
                parent_fields.push((from, to));
            }
        }
        let truncation =
            flat(part.field("truncation_indicator_path").map(|path| FieldPath::build(builder, &path, &[])))?;
        Some(Self {
            path,
            merge_parent: part.flag("merge_parent").unwrap_or_default(),
            parent_fields,
            keep_original: part.flag("remain_original_record").unwrap_or_default(),
            emit_parent: part.text("on_no_records") == Some("emit_parent"),
            truncation,
            fetches: retriever.is_some(),
            tells_of_missing: part.flag("suppress_incomplete_fetch_warning") != Some(true),
            has_warned: AtomicBool::new(false),
            place: builder.place(part),
        })
    }

    /// Adds the records of an item, and returns warnings. A value that is not an object is a record unchanged.
    ///
    /// # Errors
    /// If a path cannot be evaluated, a field cannot be copied to its target, or the whole list cannot be read.
    pub(super) fn expand<'t>(
        &self,
        item: &'t str,
        to: &mut Vec<Cow<'t, str>>,
        complete: &mut Complete<'_>,
    ) -> Result<Option<String>, Failure> {
        if self.path.is_empty() || !item.starts_with('{') {
            to.push(Cow::Borrowed(item));
            return Ok(None);
        }
        let steps = self.path.steps()?;
        let is_cut = match &self.truncation {
            Some(truncation) => truncation.one(item)?.is_some_and(is_truthy),
            None => false,
        };
        let whole = if is_cut && self.fetches { complete(&self.place, item)? } else { None };
        let lists: Vec<&str> =
            steps.find(item, usize::MAX).into_iter().filter(|found| found.starts_with('[')).collect();
        let mut base = None;
        if self.merge_parent {
            let mut parent = Tree::of(item);
            edits::remove(&mut parent, steps, &mut |value| Ok(value.is_list()))?;
            base = Some(parent);
        }
        let before = to.len();
        let mut warning = None;
        if let Some(whole) = whole {
            for entry in &whole {
                to.push(Cow::Owned(self.with_context(item, entry, base.as_ref())?.into_owned()));
            }
            warning = self.told_of_missing(item, whole.len())?;
            if !whole.is_empty() {
                return Ok(warning);
            }
        }
        for list in lists {
            for entry in items(list) {
                to.push(self.with_context(item, entry, base.as_ref())?);
            }
        }
        let count = to.len() - before;
        if is_cut && !self.fetches && !self.has_warned.swap(true, Ordering::Relaxed) {
            warning = Some(format!(
                "{}: the API says that a list is cut short: {count} of its entries became records, the others are \
                 missing. Other records may be cut, too; this is reported once.",
                self.place
            ));
        }
        if count == 0 && self.emit_parent {
            to.push(Cow::Borrowed(item));
        }
        Ok(warning)
    }

    /// The warning for a list with fewer entries than the `total_count` beside its indicator.
    fn told_of_missing(&self, item: &str, count: usize) -> Result<Option<String>, Failure> {
        let Some(truncation) = self.truncation.as_ref().filter(|_| self.tells_of_missing) else { return Ok(None) };
        let mut path = truncation.texts()?;
        path.pop();
        path.push("total_count".to_owned());
        let total = Steps::of_texts(&path).and_then(|steps| steps.find(item, 1).first().and_then(|n| n.parse().ok()));
        let Some(total) = total.filter(|total: &usize| count < *total) else { return Ok(None) };
        if self.has_warned.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        let instead = if count == 0 { " The entries that came with the item were taken instead." } else { "" };
        Ok(Some(format!(
            "{}: the `truncated_list_retriever` gave {count} entries of a list that has {total}.{instead} Does it have a \
             paginator, and ask for the whole list? This is reported once.",
            self.place
        )))
    }

    fn with_context<'t>(&self, item: &str, entry: &'t str, base: Option<&Tree<'_>>) -> Result<Cow<'t, str>, Failure> {
        if base.is_none() && self.parent_fields.is_empty() && !self.keep_original {
            return Ok(Cow::Borrowed(entry));
        }
        let wrapped = format!("{{\"value\":{entry}}}");
        let entry = if entry.starts_with('{') { entry } else { &wrapped };
        let mut record = Tree::of(entry);
        if let Some(base) = base {
            let mut merged = base.clone();
            if let (Some(members), Some(own)) = (merged.members(), record.into_members()) {
                for (name, value) in own {
                    members.insert(Cow::Owned(name.into_owned()), value);
                }
            }
            record = merged;
        }
        for (from, to) in &self.parent_fields {
            let value = from.one(item)?.unwrap_or("null");
            let to = to.texts()?;
            let to: Vec<&str> = to.iter().map(String::as_str).collect();
            if !edits::set(&mut record, &to, Tree::of(value)) {
                return Err(Failure::config(format!(
                    "{}: the record_path `{}` leads through a value that is not an object. Correct the path.",
                    self.place,
                    to.join("/")
                )));
            }
        }
        if self.keep_original {
            edits::set(&mut record, &["original_record"], Tree::of(item));
        }
        Ok(Cow::Owned(record.to_text()))
    }
}
