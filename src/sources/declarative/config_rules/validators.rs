//! `DpathValidator`, `PredicateValidator` and `ValidateAdheresToSchema`: check whether a config can be used, before any
//! request.

use serde_json::Value;

use super::super::part::{Builder, Part};
use super::super::steps::Steps;
use super::super::template::Literal;
use super::evaluated::evaluated;
use crate::protocol::Failure;

/// The findings of a validation, a line each.
pub(super) fn problems(builder: &Builder<'_>, part: &Part<'_>) -> Result<Vec<String>, Failure> {
    let Some(strategy) = part.field("validation_strategy") else { return Ok(Vec::new()) };
    if strategy.kind() != "ValidateAdheresToSchema" {
        builder.refuse(&strategy, &format!("the validation strategy `{}`", strategy.kind()));
        return Ok(Vec::new());
    }
    let Some(schema) = schema(builder, &strategy)? else { return Ok(Vec::new()) };
    let (name, values) = match part.kind() {
        "DpathValidator" => at_path(builder, part)?,
        "PredicateValidator" => {
            let Some(value) = part.node.get("value") else { return Ok(Vec::new()) };
            let value = Part::new(value, part.path.name("value"), None);
            (None, vec![evaluated(builder, &value)?])
        }
        kind => {
            builder.refuse(part, &format!("the validator `{kind}`"));
            return Ok(Vec::new());
        }
    };
    let mut wrong = Vec::new();
    for value in values {
        for error in schema.iter_errors(&read(value, &schema)) {
            let within = error.instance_path().to_string();
            let name = name.as_ref().map(|name| format!("`{name}{}`: ", within.replace('/', "."))).unwrap_or_default();
            wrong.push(format!("{}: {name}{}", builder.place(part), error.masked_with("the value")));
        }
    }
    Ok(wrong)
}

/// The values at the path of a `DpathValidator`, and its name. A missing value passes.
fn at_path(builder: &Builder<'_>, part: &Part<'_>) -> Result<(Option<String>, Vec<Value>), Failure> {
    let Some(path) = part.field("field_path") else { return Ok((None, Vec::new())) };
    let mut steps = Vec::new();
    for step in path.items() {
        let Some(step) = builder.text(&step, &[]) else { return Ok((None, Vec::new())) };
        steps.push(step.literal(&[])?);
    }
    if steps.is_empty() {
        builder.error(&path, "`field_path` is empty. Name the setting to validate");
        return Ok((None, Vec::new()));
    }
    let name = steps.iter().map(Literal::to_text).collect::<Vec<_>>().join(".");
    let Some(steps) = Steps::of_literals(&steps) else {
        builder.error(&path, "a path can have one `**` only");
        return Ok((None, Vec::new()));
    };
    let config = builder.env.config.to_string();
    let found = steps.find(&config, usize::MAX);
    Ok((Some(name), found.into_iter().filter_map(|value| serde_json::from_str(value).ok()).collect()))
}

/// A JSON text is parsed, unless the schema accepts the text itself. Any other text stays as it is.
fn read(value: Value, schema: &jsonschema::Validator) -> Value {
    match &value {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(json) if schema.is_valid(&json) || !schema.is_valid(&value) => json,
            _ => value,
        },
        _ => value,
    }
}

fn schema(builder: &Builder<'_>, strategy: &Part<'_>) -> Result<Option<jsonschema::Validator>, Failure> {
    let Some(base) = strategy.field("base_schema") else { return Ok(None) };
    let schema = match base.node.as_text() {
        Some(text) => serde_json::from_str(text)
            .map_err(|error| builder.failure(&base, &format!("the schema is not JSON: {error}. Correct it.")))?,
        None => base.node.to_json(),
    };
    // Formats are not enforced, as in the specification.
    let built = jsonschema::options().should_validate_formats(false).build(&schema);
    let built =
        built.map_err(|error| builder.failure(&base, &format!("it is not a JSON Schema: {error}. Correct it.")))?;
    Ok(Some(built))
}
