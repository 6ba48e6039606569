//! A parent of a `SubstreamPartitionRouter`: a partition for each of its records.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::super::field_path::FieldPath;
use super::super::manifest::Node;
use super::super::part::{Builder, Part, flat};
use super::super::placed::Text;
use super::super::steps::Steps;
use super::partition::{PARENT_SLICE, Partition};
use crate::protocol::Failure;

/// The extra field of a slice with its first page, if the parent's record contains it.
pub(in crate::sources::declarative) const FIRST_PAGE: &str = "child_response";

/// A parent stream, and the fields of its records that make a partition.
#[derive(Debug)]
pub(in crate::sources::declarative) struct ParentConfig<O> {
    /// The component of the parent stream.
    pub(in crate::sources::declarative) stream: Node,
    /// Its place in the manifest, as the path from the root: `streams[1].retriever.partition_router...stream`.
    pub(in crate::sources::declarative) stream_path: String,
    pub(super) option: Option<O>,
    /// Whether the parent is read from a state of its own: `incremental_dependency`.
    pub(in crate::sources::declarative) is_incremental: bool,
    key: Text,
    partition_field: Text,
    extra_fields: Vec<Vec<Text>>,
    /// The path of the children's first page in the parent's record: `lazy_read_pointer`.
    lazy: Option<FieldPath>,
    place: String,
    once: OnceLock<Evaluated>,
}

/// The parts that depend on the config alone.
#[derive(Debug)]
struct Evaluated {
    key: Steps,
    field: String,
    extra_fields: Vec<(String, Steps)>,
}

impl<O> ParentConfig<O> {
    /// The parent that a part describes.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        is_incremental: bool,
        option: &mut dyn FnMut(&Part<'_>) -> Option<O>,
    ) -> Option<Self> {
        match part.flag("incremental_dependency") {
            Some(true) if !is_incremental => {
                builder.warn(part, "incremental_dependency does nothing for a stream without incremental_sync");
            }
            _ => {}
        }
        let pointer = part.present("lazy_read_pointer");
        let lazy = flat(pointer.as_ref().map(|pointer| FieldPath::build(builder, pointer, &[])))?;
        if let (Some(pointer), Some(path)) = (&pointer, &lazy)
            && path.steps().is_ok_and(Steps::has_globs)
        {
            builder.error(pointer, "it has to lead to one place, without globs");
            return None;
        }
        let stream = part.field("stream")?;
        let mut extra_fields = Vec::new();
        if let Some(list) = part.field("extra_fields") {
            for field in list.items() {
                let steps: Vec<Option<Text>> = field.items().map(|step| builder.text(&step, &[])).collect();
                extra_fields.push(steps.into_iter().collect::<Option<_>>()?);
            }
        }
        let option = flat(part.field("request_option").map(|request_option| option(&request_option)))?;
        Some(Self {
            stream: stream.node.clone(),
            stream_path: stream.path.to_string(),
            option,
            is_incremental: is_incremental && part.flag("incremental_dependency") == Some(true),
            key: builder.text(&part.field("parent_key")?, &[])?,
            partition_field: builder.text(&part.field("partition_field")?, &[])?,
            extra_fields,
            lazy,
            place: builder.place(part),
            once: OnceLock::new(),
        })
    }

    /// The field of the partition with the value.
    ///
    /// # Errors
    /// If it cannot be evaluated.
    pub(in crate::sources::declarative) fn field(&self) -> Result<String, Failure> {
        Ok(self.evaluated()?.field.clone())
    }

    /// Whether the parent's record contains the first page of children.
    pub(in crate::sources::declarative) fn is_lazy(&self) -> bool {
        self.lazy.is_some()
    }

    /// The names of the extra fields, which are template variables of a request. Those that cannot be evaluated are
    /// reported when the stream is read.
    pub(in crate::sources::declarative) fn extra_names(&self) -> Vec<String> {
        let known = self.evaluated().ok();
        known.into_iter().flat_map(|known| known.extra_fields.iter().map(|(name, _)| name.clone())).collect()
    }

    /// The partition of a parent's record: its key, and the partition that the record was read in. `None` if the
    /// record's key is missing or null.
    ///
    /// # Errors
    /// If a template cannot be evaluated, or a path finds two values.
    pub(in crate::sources::declarative) fn partition(
        &self,
        record: &str,
        parent_slice: &Map<String, Value>,
    ) -> Result<Option<Partition>, Failure> {
        let paths = self.evaluated()?;
        let Some(key) = self.one(&paths.key, record)?.filter(|key| *key != "null") else { return Ok(None) };
        let mut extra_fields = Map::new();
        for (name, steps) in &paths.extra_fields {
            let value = self.one(steps, record)?.map(value).unwrap_or_default();
            extra_fields.insert(name.clone(), value);
        }
        if let Some(pointer) = &self.lazy {
            // As a text, so that its numbers keep their digits.
            extra_fields.insert(FIRST_PAGE.to_owned(), pointer.one(record)?.unwrap_or_default().into());
        }
        let partition =
            [(paths.field.clone(), value(key)), (PARENT_SLICE.to_owned(), Value::Object(parent_slice.clone()))];
        Ok(Some(Partition { partition: Map::from_iter(partition), extra_fields }))
    }

    fn evaluated(&self) -> Result<&Evaluated, Failure> {
        if let Some(known) = self.once.get() {
            return Ok(known);
        }
        let path = |steps: Option<Steps>| {
            steps.ok_or_else(|| Failure::config(format!("{}: a path can have one `**` only", self.place)))
        };
        // A key is one text, split at slashes; a number, too.
        let key = self.key.literal(&[])?.to_text();
        let key = match key.trim_start_matches('/') {
            "" => path(Steps::of_texts([""; 0]))?,
            key => path(Steps::of_texts(key.split('/')))?,
        };
        let mut extra_fields = Vec::new();
        for field in &self.extra_fields {
            let steps = field.iter().map(|step| step.literal(&[])).collect::<Result<Vec<_>, _>>()?;
            let names: Vec<String> = steps.iter().map(super::super::template::Literal::to_text).collect();
            extra_fields.push((names.join("."), path(Steps::of_literals(&steps))?));
        }
        let field = self.partition_field.literal(&[])?.to_text();
        Ok(self.once.get_or_init(|| Evaluated { key, field, extra_fields }))
    }

    fn one<'t>(&self, steps: &Steps, record: &'t str) -> Result<Option<&'t str>, Failure> {
        match steps.find(record, 2)[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(Failure::config(format!("{}: a path leads to several values where one is meant", self.place))),
        }
    }
}

/// A value of a partition. A whole number of more than 64 bits is a text: otherwise it would lose digits, and two of them
/// would become one partition.
pub(super) fn value(json: &str) -> Value {
    let is_whole = |number: &str| number.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    match serde_json::from_str(json).unwrap_or_default() {
        Value::Number(number) if number.is_f64() && is_whole(json.trim()) => json.trim().into(),
        value => value,
    }
}
