//! Values of the rules, which may be templates.

use serde_json::Value;

use super::super::literals::json_of;
use super::super::part::{Builder, Part};
use crate::protocol::Failure;

/// A value of the manifest, evaluated with the config: a text is a template.
pub(super) fn evaluated(builder: &Builder<'_>, part: &Part<'_>) -> Result<Value, Failure> {
    if part.node.as_text().is_none() {
        return Ok(part.node.to_json());
    }
    match builder.text(part, &[]) {
        Some(text) => Ok(json_of(&text.literal(&[])?)),
        None => Ok(Value::Null),
    }
}
