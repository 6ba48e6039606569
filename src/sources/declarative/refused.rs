//! A stream that does not run here: it has a name, and the reason.

use std::collections::HashSet;

use serde_json::Value;

use super::python_classes;
use super::schema::Schema;
use crate::protocol::{Failure, JsonSchema};
use crate::streams::{HttpStream, Refusal, RequestContext, SchemaContext};

/// A stream of a manifest that cannot be read.
pub(super) struct RefusedStream {
    name: String,
    primary_key: Vec<Vec<String>>,
    schema: Option<Schema>,
    refusal: Refusal,
}

impl RefusedStream {
    /// A stream that needs a component which does not run here. It is not listed.
    pub(super) fn not_run(name: &str, reasons: &[String]) -> Self {
        let remedy = python_classes::remedy(reasons).map(|remedy| format!(" {remedy}")).unwrap_or_default();
        let failure = Failure::config(format!(
            "The stream {name:?} needs a component that does not run here yet: {}.{remedy}",
            reasons.join("; ")
        ));
        Self {
            name: name.to_owned(),
            primary_key: Vec::new(),
            schema: None,
            refusal: Refusal { failure, is_listed: false },
        }
    }

    /// A faulty stream. It is listed, because it can be corrected.
    pub(super) fn faulty(name: &str, primary_key: Vec<Vec<String>>, schema: Option<Schema>, faults: &[String]) -> Self {
        let mut told = HashSet::new();
        let faults: Vec<&str> = faults.iter().map(String::as_str).filter(|fault| told.insert(*fault)).collect();
        let failure = Failure::config(format!("The manifest's stream {name:?} cannot be read:\n{}", faults.join("\n")));
        Self { name: name.to_owned(), primary_key, schema, refusal: Refusal { failure, is_listed: true } }
    }
}

impl HttpStream for RefusedStream {
    fn name(&self) -> &str {
        &self.name
    }

    fn url_base(&self) -> &str {
        ""
    }

    fn path(&self, _: &RequestContext<'_>) -> String {
        String::new()
    }

    fn primary_key(&self) -> Vec<Vec<String>> {
        self.primary_key.clone()
    }

    fn json_schema(&self, _: &SchemaContext<'_>) -> anyhow::Result<JsonSchema> {
        let schema = self.schema.as_ref().map(|schema| schema.schema.clone()).unwrap_or_default();
        Ok(Value::Object(schema).try_into()?)
    }

    fn is_resumable(&self) -> bool {
        false
    }

    fn refusal(&self) -> Option<&Refusal> {
        Some(&self.refusal)
    }
}
