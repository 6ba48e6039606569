//! The status of a job, by `status_extractor` and `status_mapping`.

use std::collections::HashMap;

use serde_json::Value;

use super::super::extractor::{Extracted, Extractor};
use super::super::part::{Builder, Part, literal};
use crate::protocol::Failure;

/// The status of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// There is no result yet.
    Running,
    /// The result can be downloaded.
    Completed,
    /// It failed, and another job may succeed.
    Failed,
    /// It took too long for the API.
    TimedOut,
    /// There is nothing to download.
    Skipped,
}

/// The fields of `status_mapping`.
const FIELDS: [(&str, Status); 5] = [
    ("running", Status::Running),
    ("completed", Status::Completed),
    ("failed", Status::Failed),
    ("timeout", Status::TimedOut),
    ("skipped", Status::Skipped),
];

/// Reads the status of a job.
#[derive(Debug)]
pub(super) struct Statuses {
    extractor: Extractor,
    /// By the API's word.
    known: HashMap<String, Status>,
}

impl Statuses {
    /// The statuses of a retriever. `None` if one word is in two lists.
    pub(super) fn build(builder: &Builder<'_>, retriever: &Part<'_>) -> Option<Self> {
        let mut known = HashMap::new();
        let mut is_right = true;
        let mapping = retriever.field("status_mapping")?;
        for (field, status) in FIELDS {
            for word in mapping.field(field).iter().flat_map(Part::items) {
                let text = literal(word.node).to_text();
                if known.get(&text).is_some_and(|other| *other != status) {
                    builder.error(&word, format!("the status `{text}` is in two lists. Remove it from one of them"));
                    is_right = false;
                }
                known.insert(text, status);
            }
        }
        let extractor = Extractor::build(builder, &retriever.field("status_extractor")?)?;
        is_right.then_some(Self { extractor, known })
    }

    /// The status in an answer; or what the answer says in its place, if anything.
    ///
    /// # Errors
    /// If the path of the extractor cannot be evaluated.
    pub(super) fn of(&self, documents: &[String]) -> Result<Result<Status, Option<String>>, Failure> {
        let word = found(&self.extractor, documents)?.0.into_iter().next().map(|value| word(&value));
        Ok(self.known.get(word.as_deref().unwrap_or("None")).copied().ok_or(word))
    }
}

/// What an extractor finds in an answer; and what people should know if its path leads nowhere.
///
/// # Errors
/// If its path cannot be evaluated.
pub(super) fn found(extractor: &Extractor, documents: &[String]) -> Result<(Vec<Value>, Option<String>), Failure> {
    let bodies: Vec<&str> = documents.iter().map(String::as_str).collect();
    let mut extracted = Extracted::default();
    extractor.of_bodies(&bodies, &mut extracted)?;
    let items = extracted.items.iter().map(|item| serde_json::from_str(item).unwrap_or_default());
    Ok((items.collect(), extracted.nowhere))
}

/// A value as the text that Python makes of it.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}
