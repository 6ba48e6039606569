//! `AddFields`: members with values from templates, one after the other, so that a later one sees the earlier ones.

use std::sync::OnceLock;

use serde_json::value::RawValue;

use super::super::edits;
use super::super::part::{Builder, Part, flat};
use super::super::placed::{Condition, Text};
use super::super::template::{Json, Literal, ValidType, Variable};
use super::super::tree::Tree;
use crate::protocol::Failure;
use crate::streams::Record;

/// The fields to add.
#[derive(Debug)]
pub(in crate::sources::declarative) struct AddFields {
    fields: Vec<Field>,
    condition: Option<Condition>,
}

#[derive(Debug)]
struct Field {
    path: Vec<String>,
    /// Whether a step is an index if it meets a list, or needs a new list.
    has_index: bool,
    value: Text,
    valid: Vec<ValidType>,
    /// The path for conditions.
    literal_path: Literal,
    /// The JSON of a value that does not depend on the record.
    once: OnceLock<Box<RawValue>>,
    place: String,
}

impl AddFields {
    /// The fields that a part describes.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let list = part.field("fields")?;
        let fields: Vec<Option<Field>> = list.items().map(|field| Field::build(builder, &field)).collect();
        let condition = flat(
            part.present("condition")
                .map(|condition| builder.condition(&condition, &["record", "stream_slice", "value", "path"])),
        )?;
        Some(Self { fields: fields.into_iter().collect::<Option<_>>()?, condition })
    }

    /// Adds them to a record.
    pub(super) fn apply(&self, record: &mut Record<'_>, slice: Variable<'_>) -> Result<(), Failure> {
        self.fields.iter().try_for_each(|field| field.apply(record, slice, self.condition.as_ref()))
    }
}

impl Field {
    fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let list = part.field("path")?;
        let path: Vec<String> = list.items().filter_map(|step| step.node.as_text().map(str::to_owned)).collect();
        if path.is_empty() {
            builder.error(part, "the path of an added field needs at least one step");
            return None;
        }
        let value = builder.text(&part.field("value")?, &["record", "stream_slice"])?;
        let valid = match part.text("value_type") {
            Some("string") => vec![ValidType::Str],
            Some("number") => vec![ValidType::Float],
            Some("integer") => vec![ValidType::Int],
            Some("boolean") => vec![ValidType::Bool],
            _ => Vec::new(),
        };
        Some(Self {
            has_index: path.iter().any(|step| edits::is_index(step)),
            literal_path: Literal::List(path.iter().cloned().map(Literal::Str).collect()),
            path,
            value,
            valid,
            once: OnceLock::new(),
            place: builder.place(part),
        })
    }

    fn apply(
        &self,
        record: &mut Record<'_>,
        slice: Variable<'_>,
        condition: Option<&Condition>,
    ) -> Result<(), Failure> {
        if condition.is_none() && self.value.template().is_constant() {
            if let Some(value) = self.once.get() {
                return self.set(record, value);
            }
            let value = self.json(&self.value(&Record::from_text("{}"), slice)?)?;
            return self.set(record, self.once.get_or_init(|| value));
        }
        let value = self.value(record, slice)?;
        if let Some(condition) = condition {
            let holds = condition.holds(&[
                ("record", Variable::Json(Json::Object(record))),
                ("stream_slice", slice),
                ("value", Variable::Literal(&value)),
                ("path", Variable::Literal(&self.literal_path)),
            ])?;
            if !holds {
                return Ok(());
            }
        }
        self.set(record, &self.json(&value)?)
    }

    fn value(&self, record: &Record<'_>, slice: Variable<'_>) -> Result<Literal, Failure> {
        let vars = [("record", Variable::Json(Json::Object(record))), ("stream_slice", slice)];
        self.value.typed_text(&vars, &self.valid)
    }

    fn json(&self, value: &Literal) -> Result<Box<RawValue>, Failure> {
        let mut json = String::new();
        value.write_json(&mut json).map_err(|fault| self.value.failure(&fault))?;
        RawValue::from_string(json).map_err(|_| self.failure("its value cannot be written as JSON"))
    }

    fn set(&self, record: &mut Record<'_>, value: &RawValue) -> Result<(), Failure> {
        let is_set = if self.path.len() == 1 || !self.has_index {
            record.set_at(&self.path, &value)
        } else {
            let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
            let text = record.text();
            let mut tree = Tree::of(&text);
            let is_set = edits::set(&mut tree, &path, Tree::of(value.get()));
            let changed = tree.to_text();
            if is_set {
                *record = Record::from_text(changed);
            }
            is_set
        };
        match is_set {
            true => Ok(()),
            false => Err(self.failure("its path leads through a value that cannot hold such a field")),
        }
    }

    fn failure(&self, message: &str) -> Failure {
        Failure::config(format!("{}: {message}. Correct the path, or the value.", self.place))
    }
}
