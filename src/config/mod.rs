//! From a file to a valid config: a JSON object whose values fit the specification, with every secret registered before
//! any message about it. `references` replaces environment variables, `schemas` finds the specification of each value,
//! `unknown` the unspecified settings, `dates` suggests notations of dates. `config_file` stores new credentials.

mod config_file;
mod dates;
mod references;
mod schemas;
mod unknown;

use serde_json::Value;

use crate::environment::Environment;
use crate::protocol::{Failure, Redactor};
use crate::source::Config;
pub(crate) use config_file::ConfigFile;
use references::place;
use schemas::Schemas;

/// How references to environment variables are handled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum References<'a> {
    /// They are replaced.
    From(&'a Environment),
    /// They are ordinary texts, because this variable is set, which indicates the platform.
    AsWrittenFor(&'a str),
    /// They are ordinary texts, because the user wants it so.
    AsWritten,
}

impl References<'_> {
    /// The message about a reference that is not replaced.
    fn note(self, place: &str) -> Option<String> {
        let (why, way_out) = match self {
            Self::From(_) => return None,
            Self::AsWrittenFor(sign) => (
                format!("{sign} is set, so this may be Airbyte's platform"),
                "--config-env on, or SOURCE_HTTP_CONFIG_ENV=on, replaces it.",
            ),
            Self::AsWritten => {
                ("--config-env, or SOURCE_HTTP_CONFIG_ENV, is off".to_owned(), "With on, it is replaced.")
            }
        };
        Some(format!(
            "The config's `{place}` is used literally, and not replaced from the environment: {why}. {way_out}"
        ))
    }
}

/// A source's change to a config before it is checked.
#[derive(Clone, Copy)]
pub(crate) struct Changes<'c> {
    /// See [`crate::Source::migrate_config`].
    pub(crate) migrate: &'c dyn Fn(Config) -> Result<Config, Failure>,
    /// See [`crate::Source::transform_config`].
    pub(crate) transform: &'c dyn Fn(Config) -> Result<Config, Failure>,
}

/// A valid config.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The config of this run.
    pub(crate) config: Config,
    /// The config for later runs, if the source has migrated it. References stay as written.
    pub(crate) kept: Option<Config>,
}

/// Reads a config, lets the source change it, and validates it. `from` names the file in errors. Without
/// `checks_formats`, `format` in the specification is not a rule.
///
/// # Errors
/// A config failure that names every wrong member. Values are not shown: they may be misplaced secrets.
pub(crate) fn load(
    text: &[u8],
    from: &str,
    specification: &Value,
    checks_formats: bool,
    references: References<'_>,
    redactor: &Redactor,
    changes: Changes<'_>,
) -> Result<Loaded, Failure> {
    if text.trim_ascii().is_empty() {
        return Err(Failure::config(format!(
            "{from} is empty, and should have the config: a JSON object. Run spec to see what is expected. If another \
             program writes it, wait until that is done."
        )));
    }
    let mut config: Value = serde_json::from_slice(text).map_err(|error| {
        Failure::config(format!("The config in {from} is not valid JSON: {error}. Correct it there."))
    })?;
    let written = config.clone();
    let mut reserved = take_reserved(&mut config);
    let schemas = Schemas::of(specification);
    if let References::From(environment) = references {
        references::resolve(&mut config, &schemas, environment, redactor).map_err(|problems| {
            Failure::config(format!(
                "The config in {from} refers to environment variables that cannot be used: {}. Set the variables or correct \
                 their names; write `$${{` for a literal `${{`.",
                problems.join("; ")
            ))
        })?;
    }
    register_secrets(&config, &schemas, redactor);
    let mut kept = None;
    if let (Value::Object(members), Value::Object(written)) = (&mut config, written) {
        members.append(&mut reserved);
        let resolved = std::mem::take(members);
        let is_as_written = resolved == written;
        let migrated = (changes.migrate)(resolved)?;
        // The stored config keeps its references as written.
        let of_written = if is_as_written { migrated.clone() } else { (changes.migrate)(written.clone())? };
        kept = Some(of_written).filter(|of_written| *of_written != written);
        *members = (changes.transform)(migrated)?;
        reserved = take_reserved(&mut config);
        // Settings may have moved.
        register_secrets(&config, &schemas, redactor);
    }
    let mut settings = Vec::new();
    list_texts(&config, "", &mut settings);
    redactor.note_settings(settings);
    let mut options = jsonschema::options();
    if !checks_formats {
        options = options.should_validate_formats(false);
    }
    let validator = options
        .build(specification)
        .map_err(|error| Failure::system(format!("The source's specification is not a valid JSON Schema: {error}.")))?;
    let mut problems: Vec<String> = Vec::new();
    let mut reference = None;
    for error in validator.iter_errors(&config) {
        let pointer = error.instance_path().to_string();
        reference = reference.or_else(|| references::is_at(&config, &pointer).then(|| place(&pointer)));
        let problem = describe(&error, &config, &schemas, &validator);
        // A date with a pattern and a format violates both.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    if !problems.is_empty() {
        let unknown = unknown::unknown_settings(&config, &schemas);
        let unknown = unknown.map(|names| format!(" The specification does not know {names}.")).unwrap_or_default();
        let note =
            reference.and_then(|place| references.note(&place)).map(|note| format!(" {note}")).unwrap_or_default();
        return Err(Failure::config(format!(
            "The config in {from} does not fit the specification: {}.{unknown}{note} Run spec to see what is expected.",
            problems.join("; ")
        )));
    }
    match config {
        Value::Object(mut config) => {
            config.extend(reserved);
            Ok(Loaded { config, kept })
        }
        _ => Err(Failure::config(format!("The config in {from} is not a JSON object. Correct it there."))),
    }
}

/// A warning about settings that the specification does not know, if there are any.
pub(crate) fn unknown_settings(config: &Config, from: &str, specification: &Value) -> Option<String> {
    let mut config = Value::Object(config.clone());
    take_reserved(&mut config);
    let names = unknown::unknown_settings(&config, &Schemas::of(specification))?;
    Some(format!(
        "The config in {from} has settings that the specification does not know, and they may have no effect: {names}. Run \
         spec to see what is expected."
    ))
}

/// A warning about a value that looks like a reference to an environment variable and is not replaced, if there is one.
pub(crate) fn unused_reference(config: &Config, references: References<'_>) -> Option<String> {
    let place = references::first_place(&Value::Object(config.clone()))?;
    references.note(&place)
}

/// The place of a reference to an environment variable that will be replaced, if there is one.
pub(crate) fn replaced_reference(config: &Config, references: References<'_>) -> Option<String> {
    let References::From(_) = references else { return None };
    references::first_place(&Value::Object(config.clone()))
}

/// Removes the members for the program that runs the source, not for the source: those whose names begin with two
/// underscores, as in Airbyte's runtime.
fn take_reserved(config: &mut Value) -> Config {
    let Value::Object(members) = config else { return Config::new() };
    let names: Vec<String> = members.keys().filter(|name| name.starts_with("__")).cloned().collect();
    names.into_iter().filter_map(|name| members.remove_entry(&name)).collect()
}

fn describe(
    error: &jsonschema::ValidationError<'_>,
    config: &Value,
    schemas: &Schemas<'_>,
    validator: &jsonschema::Validator,
) -> String {
    let pointer = error.instance_path().to_string();
    let place = place(&pointer);
    let date = dates::is_about_a_date(error).then(|| {
        let fits = |text: &str| {
            let mut config = config.clone();
            config.pointer_mut(&pointer).is_some_and(|value| {
                *value = text.into();
                true
            }) && validator.iter_errors(&config).all(|error| error.instance_path().to_string() != pointer)
        };
        dates::how_to_write(config.pointer(&pointer)?, &schemas.at(&pointer), &fits)
    });
    let problem = date.flatten().unwrap_or_else(|| error.masked_with("the value").to_string());
    if place.is_empty() { problem } else { format!("`{place}`: {problem}") }
}

/// Registers the values that the specification marks as secret, anywhere: in nested objects, lists and alternatives.
fn register_secrets(value: &Value, schemas: &Schemas<'_>, redactor: &Redactor) {
    match value {
        _ if schemas.is_secret() => register_all(value, redactor),
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| register_secrets(member, &schemas.member(name), redactor));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| register_secrets(item, &schemas.item(n), redactor));
        }
        _ => {}
    }
}

/// All texts of a config, each with its place, such as `credentials.api_key`.
fn list_texts(value: &Value, place: &str, texts: &mut Vec<(String, String)>) {
    let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match value {
        Value::String(text) => texts.push((place.to_owned(), text.clone())),
        Value::Object(members) => members.iter().for_each(|(name, value)| list_texts(value, &below(name), texts)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| list_texts(item, &below(&n.to_string()), texts));
        }
        Value::Number(number) => texts.push((place.to_owned(), number.to_string())),
        Value::Null | Value::Bool(_) => {}
    }
}

fn register_all(value: &Value, redactor: &Redactor) {
    match value {
        Value::String(secret) => redactor.add(secret),
        Value::Number(secret) => redactor.add(&secret.to_string()),
        Value::Array(items) => items.iter().for_each(|item| register_all(item, redactor)),
        Value::Object(members) => members.values().for_each(|member| register_all(member, redactor)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests;
