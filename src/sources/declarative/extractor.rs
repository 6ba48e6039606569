//! Finds the records in a response: `DpathExtractor` and `CombinedExtractor`. Items keep their text from the response,
//! of any type; the selector decides about items that are not objects.

use std::borrow::Cow;

use super::expander::{Complete, Expander};
use super::field_path::{FieldPath, is_truthy};
use super::part::{Builder, Part};
#[cfg(test)]
use super::steps::items;
use crate::json::RecordPath;
use crate::protocol::Failure;

/// Finds the records.
#[derive(Debug)]
pub(super) enum Extractor {
    /// `DpathExtractor`.
    Path(FieldPath, Option<Box<Expander>>),
    /// `CombinedExtractor`.
    Combined {
        /// The extractors, in this order.
        inner: Vec<Extractor>,
        /// Only the first that finds something counts.
        first_match: bool,
        /// Values that Python takes for false are not records.
        skip_empty: bool,
    },
}

/// The items of a response.
#[derive(Debug, Default)]
pub(super) struct Extracted<'t> {
    /// Their texts, in the order of the response.
    pub(super) items: Vec<Cow<'t, str>>,
    /// Their number, including those that `skip_empty_records` drops: what paginators count.
    pub(super) count: usize,
    /// Warnings, once a stream.
    pub(super) warnings: Vec<String>,
    /// A warning that a path found nothing, unless this is the end of a list.
    pub(super) nowhere: Option<String>,
}

impl Extractor {
    /// The extractor that a part describes.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        match part.kind() {
            "DpathExtractor" => {
                let path = FieldPath::build(builder, &part.field("field_path")?, &[])?;
                let expander = match part.field("record_expander") {
                    Some(expander) => Some(Box::new(Expander::build(builder, &expander)?)),
                    None => None,
                };
                Some(Self::Path(path, expander))
            }
            "CombinedExtractor" => {
                let list = part.field("extractors")?;
                let inner: Vec<Option<Self>> = list.items().map(|inner| Self::build(builder, &inner)).collect();
                if inner.is_empty() {
                    builder.error(part, "a CombinedExtractor needs at least one extractor");
                    return None;
                }
                Some(Self::Combined {
                    inner: inner.into_iter().collect::<Option<_>>()?,
                    first_match: part.text("mode") == Some("first_match"),
                    skip_empty: part.flag("skip_empty_records").unwrap_or_default(),
                })
            }
            kind => {
                builder.refuse(part, &format!("the extractor {kind}"));
                None
            }
        }
    }

    /// The items of a JSON response. Each element of a top-level list is searched separately.
    ///
    /// # Errors
    /// If a path cannot be evaluated, or finds two values where one is needed.
    #[cfg(test)]
    pub(super) fn items<'t>(&self, response: &'t str) -> Result<Extracted<'t>, Failure> {
        let response = response.trim();
        let bodies = if response.starts_with('[') { items(response) } else { vec![response] };
        let mut all = Extracted::default();
        self.of_bodies(&bodies, &mut all)?;
        Ok(all)
    }

    /// The items of a decoded response: rows, lines, documents.
    ///
    /// # Errors
    /// If a path cannot be evaluated, or finds two values where one is needed.
    pub(super) fn of_bodies<'t>(&self, bodies: &[&'t str], all: &mut Extracted<'t>) -> Result<(), Failure> {
        self.of_bodies_with(bodies, all, &mut |_, _| Ok(None))
    }

    /// Whether an expander requests truncated lists.
    pub(super) fn fetches(&self) -> bool {
        match self {
            Self::Path(_, expander) => expander.as_ref().is_some_and(|expander| expander.fetches),
            Self::Combined { inner, .. } => inner.iter().any(Self::fetches),
        }
    }

    /// As [`Extractor::of_bodies`], where truncated lists can be requested.
    ///
    /// # Errors
    /// The errors of [`Extractor::of_bodies`], and of `complete`.
    pub(super) fn of_bodies_with<'t>(
        &self,
        bodies: &[&'t str],
        all: &mut Extracted<'t>,
        complete: &mut Complete<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Path(path, expander) => {
                for body in bodies {
                    let found = path.items(body)?;
                    if found.is_empty() && all.nowhere.is_none() {
                        all.nowhere = path.nowhere(body)?;
                    }
                    match expander {
                        Some(expander) => {
                            for item in found {
                                all.warnings.extend(expander.expand(item, &mut all.items, complete)?);
                            }
                        }
                        None => all.items.extend(found.into_iter().map(Cow::Borrowed)),
                    }
                }
                all.count = all.items.len();
            }
            Self::Combined { inner, first_match, skip_empty } => {
                for extractor in inner {
                    // Where one of several paths finds nothing, another may find something.
                    let mut found = Extracted::default();
                    extractor.of_bodies_with(bodies, &mut found, complete)?;
                    if *skip_empty {
                        found.items.retain(|item| is_truthy(item));
                    }
                    let is_match = !found.items.is_empty();
                    all.items.append(&mut found.items);
                    all.count += found.count;
                    all.warnings.append(&mut found.warnings);
                    if is_match && *first_match {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether it searches each body separately.
    pub(super) fn is_path(&self) -> bool {
        matches!(self, Self::Path(..))
    }

    /// The records' path, if [`RecordPath`] can find them while the response is read: plain names, in an object, or a
    /// list without further path. The reader of the records handles responses that have none there, or values other
    /// than objects.
    pub(super) fn record_path(&self) -> Option<RecordPath> {
        match self {
            Self::Path(path, None) => {
                let steps = path.steps().ok()?;
                let names = steps.names()?;
                Some(RecordPath::new(names).optional())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
