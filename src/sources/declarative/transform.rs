//! Transformations: the changes that a manifest makes to its records, in order. All work in place on the record's text;
//! only those that rename or move everything parse it.

mod add_fields;
mod flatten;
mod key_names;
mod remove_fields;

use add_fields::AddFields;
use flatten::DpathFlatten;
use key_names::KeyNames;
use remove_fields::RemoveFields;

pub(super) use key_names::snake_case;

use super::part::{Builder, Part};
use super::template::Variable;
use super::warnings::Warnings;
use crate::protocol::Failure;
use crate::streams::Record;

/// A change of a record.
#[derive(Debug)]
pub(super) enum Transform {
    /// `AddFields`.
    Add(AddFields),
    /// `RemoveFields`.
    Remove(RemoveFields),
    /// `KeysToLower`, `KeysToSnakeCase`, `KeysReplace`.
    Keys(KeyNames),
    /// `FlattenFields`, with its `flatten_lists`.
    Flatten(bool),
    /// `DpathFlattenFields`.
    DpathFlatten(Box<DpathFlatten>),
}

impl Transform {
    /// The transformations of a list; all of them are checked. `None` if one is faulty.
    pub(super) fn list(builder: &Builder<'_>, list: Option<&Part<'_>>) -> Option<Vec<Self>> {
        let all: Vec<_> = list.into_iter().flat_map(Part::items).map(|part| Self::build(builder, &part)).collect();
        all.into_iter().collect()
    }

    /// The transformation that a part describes.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        match part.kind() {
            "AddFields" => AddFields::build(builder, part).map(Self::Add),
            "RemoveFields" => RemoveFields::build(builder, part).map(Self::Remove),
            "KeysToLower" | "KeysToSnakeCase" | "KeysReplace" => KeyNames::build(builder, part).map(Self::Keys),
            "FlattenFields" => Some(Self::Flatten(part.flag("flatten_lists").unwrap_or(true))),
            "DpathFlattenFields" => DpathFlatten::build(builder, part).map(Box::new).map(Self::DpathFlatten),
            kind => {
                builder.refuse(part, &format!("the transformation {kind}"));
                None
            }
        }
    }

    /// Changes a record.
    ///
    /// # Errors
    /// If a template cannot be evaluated, or a path leads through a value that is not an object: a failure that names
    /// the place in the manifest, and no value.
    pub(super) fn apply(
        &self,
        record: &mut Record<'_>,
        slice: Variable<'_>,
        warnings: &Warnings,
    ) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.apply(record, slice),
            Self::Remove(remove) => remove.apply(record),
            Self::Keys(keys) => keys.apply(record, slice),
            Self::Flatten(lists) => {
                *record = Record::from_text(flatten::flat(&record.text(), *lists));
                Ok(())
            }
            Self::DpathFlatten(flatten) => flatten.apply(record, warnings),
        }
    }
}

#[cfg(test)]
mod tests;
