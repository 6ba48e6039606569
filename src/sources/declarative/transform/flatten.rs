//! `FlattenFields` and `DpathFlattenFields`: members of inner objects become members of the record.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::super::edits;
use super::super::field_path::FieldPath;
use super::super::part::{Builder, Part};
use super::super::placed::Text;
use super::super::steps;
use super::super::tree::Tree;
use super::super::warnings::Warnings;
use crate::protocol::Failure;
use crate::streams::Record;

/// The record with the members of all its inner objects, and the items of lists if `lists`. The last waiting value
/// comes first, so that later fields come before earlier ones. A member keeps its name, or gets its path joined by dots
/// if that name is already taken, or it passed a list.
pub(super) fn flat(record: &str, lists: bool) -> String {
    let mut waiting: Vec<(&str, String)> = vec![(record.trim(), "_".to_owned())];
    let mut flat: IndexMap<Cow<'_, str>, Tree<'_>> = IndexMap::new();
    let mut with_way = false;
    while let Some((value, name)) = waiting.pop() {
        match value.as_bytes().first() {
            Some(b'{') => {
                for (key, value) in steps::members(value) {
                    let is_taken = with_way || flat.contains_key(&key);
                    waiting.push((value, if is_taken { format!("{name}.{key}") } else { key.into_owned() }));
                }
            }
            Some(b'[') if lists => {
                for (index, item) in steps::items(value).into_iter().enumerate() {
                    with_way = true;
                    waiting.push((item, format!("{name}.{index}")));
                }
            }
            _ => {
                flat.insert(name.into(), Tree::of(value));
            }
        }
    }
    Tree::Object(flat).to_text()
}

/// `DpathFlattenFields`: the members of one inner object.
#[derive(Debug)]
pub(in crate::sources::declarative) struct DpathFlatten {
    path: FieldPath,
    delete_origin: bool,
    replace_record: bool,
    prefix: Option<Text>,
    suffix: Option<Text>,
}

impl DpathFlatten {
    /// The transformation that a part describes.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let path = FieldPath::build(builder, &part.field("field_path")?, &[])?;
        let (mut prefix, mut suffix) = (None, None);
        if let Some(keys) = part.field("key_transformation") {
            for (name, text) in [("prefix", &mut prefix), ("suffix", &mut suffix)] {
                if let Some(field) = keys.field(name) {
                    *text = Some(builder.text(&field, &[])?);
                }
            }
        }
        let flag = |name| part.flag(name).unwrap_or_default();
        Some(Self {
            path,
            delete_origin: flag("delete_origin_value"),
            replace_record: flag("replace_record"),
            prefix,
            suffix,
        })
    }

    /// Changes a record.
    pub(super) fn apply(&self, record: &mut Record<'_>, warnings: &Warnings) -> Result<(), Failure> {
        let changed = {
            let text = record.text();
            self.changed(&text, warnings)?
        };
        if let Some(changed) = changed {
            *record = Record::from_text(changed);
        }
        Ok(())
    }

    fn changed(&self, text: &str, warnings: &Warnings) -> Result<Option<String>, Failure> {
        let path = self.path.steps()?;
        let found = match path.has_star() {
            true => path.find(text, 1).first().copied(),
            false => self.path.one(text)?,
        };
        let Some(object) = found.filter(|found| found.starts_with('{')) else { return Ok(None) };
        let (prefix, suffix) = (affix(self.prefix.as_ref())?, affix(self.suffix.as_ref())?);
        let mut taken: IndexMap<Cow<'_, str>, Tree<'_>> = steps::members(object)
            .into_iter()
            .map(|(name, value)| (Cow::Owned([&prefix, &*name, &suffix].concat()), Tree::of(value)))
            .collect();
        if self.replace_record && !taken.is_empty() {
            return Ok(Some(Tree::Object(taken).to_text()));
        }
        let mut tree = Tree::of(text);
        let Some(members) = tree.members() else { return Ok(None) };
        if let Some(name) = taken.keys().find(|name| members.contains_key(*name)) {
            warnings.add(format!(
                "{}: nothing is flattened where the record has a field of the same name already, such as `{name}`. A \
                 key_transformation can rename them.",
                self.path.place()
            ));
            return Ok(None);
        }
        if self.delete_origin {
            edits::remove(&mut tree, path, &mut |_| Ok(true))?;
        }
        if let Some(members) = tree.members() {
            members.extend(taken.drain(..));
        }
        Ok(Some(tree.to_text()))
    }
}

fn affix(text: Option<&Text>) -> Result<String, Failure> {
    let literal = text.map(|text| text.literal(&[])).transpose()?;
    // A value that Python takes for false is no prefix.
    Ok(literal.filter(super::super::template::Literal::truth).map(|literal| literal.to_text()).unwrap_or_default())
}
