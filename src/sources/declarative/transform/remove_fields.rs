//! `RemoveFields`: removes the fields at its pointers.

use super::super::edits;
use super::super::part::{Builder, Part, flat};
use super::super::placed::Condition;
use super::super::steps::Steps;
use super::super::template::{Json, Variable};
use super::super::tree::Tree;
use crate::protocol::Failure;
use crate::streams::Record;

/// The fields to remove.
#[derive(Debug)]
pub(in crate::sources::declarative) struct RemoveFields {
    pointers: Vec<Steps>,
    condition: Option<Condition>,
}

impl RemoveFields {
    /// The fields that a part describes.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let list = part.field("field_pointers")?;
        let mut pointers = Vec::new();
        for pointer in list.items() {
            let texts: Vec<&str> = pointer.node.as_list()?.iter().filter_map(|step| step.as_text()).collect();
            let Some(steps) = Steps::of_texts(texts) else {
                builder.error(&pointer, "a path can have one `**` only");
                return None;
            };
            pointers.push(steps);
        }
        let condition = flat(part.present("condition").map(|condition| builder.condition(&condition, &["property"])))?;
        Some(Self { pointers, condition })
    }

    /// Removes them from a record.
    pub(super) fn apply(&self, record: &mut Record<'_>) -> Result<(), Failure> {
        for pointer in &self.pointers {
            match (pointer.names(), &self.condition) {
                (Some(names), None) => {
                    record.remove_at(&names);
                }
                (Some(names), Some(condition)) => {
                    let is_meant = match record.field_at(&names) {
                        Some(value) => condition.holds(&[("property", Variable::Json(Json::Text(value)))])?,
                        None => false,
                    };
                    if is_meant {
                        record.remove_at(&names);
                    }
                }
                (None, condition) => {
                    let text = record.text();
                    let mut tree = Tree::of(&text);
                    let is_changed = edits::remove(&mut tree, pointer, &mut |value| match condition {
                        Some(condition) => {
                            condition.holds(&[("property", Variable::Json(Json::Text(&value.to_text())))])
                        }
                        None => Ok(true),
                    })?;
                    let changed = tree.to_text();
                    if is_changed {
                        *record = Record::from_text(changed);
                    }
                }
            }
        }
        Ok(())
    }
}
