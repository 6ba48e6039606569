//! `config_normalization_rules`: changes to a config before it is used. Migrations are kept for later runs;
//! transformations hold for this run; validations say whether the config can be used.

mod evaluated;
mod validators;

use std::sync::Arc;

use serde_json::Value;

use self::evaluated::evaluated;
use super::dynamic::valid_types;
use super::edits;
use super::literals::json_of;
use super::manifest::{Faults, Node, Path};
use super::part::{Builder, Part};
use super::placed::Env;
use super::steps::Steps;
use super::template::{Literal, ValidType, Variable};
use super::tree::Tree;
use crate::clock::Clock;
use crate::protocol::{Failure, Redactor};
use crate::source::Config;

/// The rules of a manifest.
pub(super) struct ConfigRules<'m> {
    rules: Part<'m>,
    file: &'m str,
    clock: &'m Arc<dyn Clock>,
    redactor: &'m Redactor,
}

/// Runs with the rules.
///
/// # Errors
/// The errors of `run`.
pub(super) fn with_rules<R>(
    manifest: &Node,
    file: &str,
    clock: &Arc<dyn Clock>,
    redactor: &Redactor,
    run: impl FnOnce(&ConfigRules<'_>) -> Result<R, Failure>,
) -> Option<Result<R, Failure>> {
    let root = Part::new(manifest, Path::ROOT, None);
    let spec = root.field("spec")?;
    let rules = spec.present("config_normalization_rules")?;
    Some(run(&ConfigRules { rules, file, clock, redactor }))
}

impl ConfigRules<'_> {
    /// The config after its migrations.
    ///
    /// # Errors
    /// A config failure that names the migration, and no value.
    pub(super) fn migrated(&self, mut config: Config) -> Result<Config, Failure> {
        let migrations = self.rules.field("config_migrations");
        for migration in migrations.iter().flat_map(Part::items) {
            if let Some(transformations) = migration.field("transformations") {
                config = self.changed(config, &transformations)?;
            }
        }
        Ok(config)
    }

    /// A config failure that names the transformation, and no value.
    ///
    /// # Errors
    /// A config failure that names the transformation, and no value.
    pub(super) fn transformed(&self, config: Config) -> Result<Config, Failure> {
        match self.rules.field("transformations") {
            Some(transformations) => self.changed(config, &transformations),
            None => Ok(config),
        }
    }

    /// Whether the config can be used.
    ///
    /// # Errors
    /// A config failure that names each failed validation, and no value.
    pub(super) fn validated(&self, config: &Config) -> Result<(), Failure> {
        let Some(list) = self.rules.field("validations") else { return Ok(()) };
        let mut wrong = Vec::new();
        for validation in list.items() {
            wrong.extend(self.with(config, |builder| validators::problems(builder, &validation))?);
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(Failure::config(format!("The config cannot be used:\n{}", wrong.join("\n")))),
        }
    }

    fn changed(&self, mut config: Config, transformations: &Part<'_>) -> Result<Config, Failure> {
        for part in transformations.items() {
            match part.kind() {
                "ConfigAddFields" => {
                    let fields = part.field("fields");
                    for field in fields.iter().flat_map(Part::items) {
                        // Each sees the results of those before it.
                        let new = self.with(&config, |builder| added(builder, &part, &field))?;
                        config = new.unwrap_or(config);
                    }
                }
                "ConfigRemoveFields" => config = self.with(&config, |builder| removed(builder, &part))?,
                "ConfigRemapField" => {
                    let new = self.with(&config, |builder| remapped(builder, &part))?;
                    config = new.unwrap_or(config);
                }
                kind => {
                    let refuse = |builder: &Builder<'_>| {
                        builder.refuse(&part, &format!("the transformation of a config `{kind}`"));
                        Ok(())
                    };
                    self.with(&config, refuse)?;
                }
            }
        }
        Ok(config)
    }

    /// Runs a step with this config. Its notes become a failure.
    fn with<R>(&self, config: &Config, run: impl FnOnce(&Builder<'_>) -> Result<R, Failure>) -> Result<R, Failure> {
        let mut faults = Faults::new(self.file);
        let env = Env { config: Value::Object(config.clone()), clock: Arc::clone(self.clock) };
        let (result, refusals) = {
            let builder = Builder::new(Arc::new(env), &mut faults).with_redactor(self.redactor.clone());
            (run(&builder), builder.take_refusals())
        };
        if let Some(refusal) = refusals.first() {
            let text = format!("The config needs a component that does not run here yet: {refusal}.");
            return Err(Failure::config(text));
        }
        let wrong: Vec<String> = faults.errors().map(|fault| faults.line(fault)).collect();
        match wrong.is_empty() {
            true => result,
            false => Err(Failure::config(format!("The manifest cannot be run:\n{}", wrong.join("\n")))),
        }
    }
}

/// The config with one field added, or nothing if a condition excludes it.
fn added(builder: &Builder<'_>, whole: &Part<'_>, field: &Part<'_>) -> Result<Option<Config>, Failure> {
    let (Some(path), Some(value)) = (field.field("path"), field.field("value")) else { return Ok(None) };
    let path: Vec<String> = path.items().filter_map(|step| step.node.as_text().map(str::to_owned)).collect();
    if path.is_empty() {
        builder.error(field, "the path of an added field needs at least one step");
        return Ok(None);
    }
    let Some(value) = builder.text(&value, &[]) else { return Ok(None) };
    let value = value.typed_text(&[], &valid_types(field.text("value_type")))?;
    if let Some(condition) = whole.present("condition") {
        let Some(condition) = builder.condition(&condition, &["value", "path"]) else { return Ok(None) };
        let steps = Literal::List(path.iter().cloned().map(Literal::Str).collect());
        let vars = [("value", Variable::Literal(&value)), ("path", Variable::Literal(&steps))];
        if !condition.holds(&vars)? {
            return Ok(None);
        }
    }
    let text = builder.env.config.to_string();
    let steps: Vec<&str> = path.iter().map(String::as_str).collect();
    let mut tree = Tree::of(&text);
    let value = json_of(&value).to_string();
    if !edits::set(&mut tree, &steps, Tree::of(&value)) {
        let text = "the path leads through a setting that cannot hold such a field. Correct the path, or the config.";
        return Err(builder.failure(field, text));
    }
    Ok(Some(parsed(&tree.to_text())))
}

fn removed(builder: &Builder<'_>, part: &Part<'_>) -> Result<Config, Failure> {
    let unchanged = || builder.env.config.as_object().cloned().unwrap_or_default();
    if let Some(condition) = part.present("condition") {
        let Some(condition) = builder.condition(&condition, &[]) else { return Ok(unchanged()) };
        if !condition.holds(&[])? {
            return Ok(unchanged());
        }
    }
    let text = builder.env.config.to_string();
    let mut tree = Tree::of(&text);
    let pointers = part.field("field_pointers");
    for pointer in pointers.iter().flat_map(Part::items) {
        let steps = pointer.items().map(|step| super::part::literal(step.node).to_text());
        let Some(steps) = Steps::of_texts(steps.collect::<Vec<_>>()) else {
            builder.error(&pointer, "a path can have one `**` only");
            continue;
        };
        edits::remove(&mut tree, &steps, &mut |_| Ok(true))?;
    }
    Ok(parsed(&tree.to_text()))
}

/// The config with a field's value replaced, or nothing if the field is missing or its value is not on the list.
fn remapped(builder: &Builder<'_>, part: &Part<'_>) -> Result<Option<Config>, Failure> {
    let (Some(path), Some(map)) = (part.field("field_path"), part.field("map")) else { return Ok(None) };
    if map.node.as_map().is_none() {
        builder.error(&map, "`map` has to be a mapping of old values to new ones");
        return Ok(None);
    }
    let mut steps = Vec::new();
    for step in path.items() {
        let Some(step) = builder.text(&step, &[]) else { return Ok(None) };
        steps.push(step.literal(&[])?.to_text());
    }
    let mut config = builder.env.config.clone();
    let Some((last, way)) = steps.split_last() else {
        builder.error(&path, "`field_path` is empty. Name the setting to change");
        return Ok(None);
    };
    let around = way.iter().try_fold(&mut config, |value, step| value.as_object_mut()?.get_mut(step));
    let Some(Value::String(known)) = around.and_then(|around| around.as_object_mut()?.get_mut(last)) else {
        return Ok(None);
    };
    let known = known.clone();
    let mut new = None;
    for (key, value) in map.entries() {
        let Some(key) = builder.text(&key, &[]) else { return Ok(None) };
        if key.typed_text(&[], &[ValidType::Str])?.to_text() == known {
            new = Some(evaluated(builder, &value)?);
        }
    }
    let Some(new) = new else { return Ok(None) };
    let around = way.iter().try_fold(&mut config, |value, step| value.as_object_mut()?.get_mut(step));
    if let Some(place) = around.and_then(|around| around.as_object_mut()?.get_mut(last)) {
        *place = new;
    }
    Ok(config.as_object().cloned())
}

/// The config of a changed tree. An object stays one.
fn parsed(text: &str) -> Config {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
