//! `CheckStream`, `CheckDynamicStream` and `ConcurrencyLevel`: the streams that a check reads, and the workers of a
//! sync.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::manifest::nearest;
use super::part::{Builder, Part};
use super::template::{Literal, ValidType};
use crate::protocol::Failure;

/// Workers by default.
const DEFAULT_WORKERS: usize = 2;
/// The config's key that replaces the streams of a check.
const CHECK_STREAM_NAMES: &str = "__airbyte_check_stream_names";

/// The names of the streams made by each of `dynamic_streams`, by the name of the latter.
pub(super) type MadeStreams = Vec<(String, Vec<String>)>;

/// The streams that a check reads.
#[derive(Debug, PartialEq)]
pub(super) struct Check {
    /// These streams, in this order.
    pub(super) streams: Checked,
    /// How many of the streams of each of `dynamic_streams`; all if it does not say.
    dynamic: Vec<(String, Option<usize>)>,
    /// Where those are listed.
    place: String,
}

/// The streams of a check.
#[derive(Debug, PartialEq)]
pub(super) enum Checked {
    /// The streams of these names, and the place that lists them.
    Named(Vec<String>, String),
    /// The first N of all.
    First(usize),
    /// None: it is enough that streams exist.
    NoneAtAll,
}

impl Check {
    /// The check of a manifest.
    ///
    /// # Errors
    /// If it names no streams, or the config's names are not a list of texts.
    pub(super) fn build(builder: &Builder<'_>, manifest: &Part<'_>) -> Result<Self, Failure> {
        let check = manifest.field("check").ok_or_else(|| builder.failure(manifest, "a manifest needs a check"))?;
        if let Some(names) = names_in_config(&builder.env.config)? {
            let from = format!("the setting {CHECK_STREAM_NAMES}");
            let (dynamic, place) = dynamic(builder, &check);
            return Ok(Self { streams: Checked::Named(names, from), dynamic, place });
        }
        if check.kind() == "CheckDynamicStream" {
            let (dynamic, place) = (Vec::new(), String::new());
            if check.flag("use_check_availability") == Some(false) {
                return Ok(Self { streams: Checked::NoneAtAll, dynamic, place });
            }
            let count = match check.field("stream_count").map(|count| count.node.to_json()) {
                Some(Value::Number(count)) => count.as_u64().and_then(|count| usize::try_from(count).ok()),
                _ => None,
            };
            let count = count.ok_or_else(|| builder.failure(&check, "stream_count has to be a whole number"))?;
            return Ok(Self { streams: Checked::First(count), dynamic, place });
        }
        let (dynamic, place) = dynamic(builder, &check);
        let names = check.field("stream_names");
        if names.is_none() && dynamic.is_empty() {
            let text = "stream_names is missing. Name the streams that a check reads one record of.";
            return Err(builder.failure(&check, text));
        }
        let from = names.as_ref().map(|names| builder.place(names)).unwrap_or_default();
        let names = check.texts("stream_names");
        Ok(Self { streams: Checked::Named(names, from), dynamic, place })
    }

    /// Whether it reads only the streams of these names.
    pub(super) fn needs_only(&self, names: &HashSet<String>) -> bool {
        match &self.streams {
            Checked::Named(wanted, _) => self.dynamic.is_empty() && wanted.iter().all(|name| names.contains(name)),
            Checked::First(_) | Checked::NoneAtAll => false,
        }
    }

    /// The streams to check among the existing ones, in the order of the check. `made` says which of them each of
    /// `dynamic_streams` made.
    ///
    /// # Errors
    /// A config failure if there are no streams at all, or one that is named does not exist.
    pub(super) fn of<'n>(&self, existing: &[&'n str], made: &'n MadeStreams) -> Result<Vec<&'n str>, Failure> {
        if existing.is_empty() {
            let text = match made.is_empty() {
                true => "The manifest has no streams, so there is nothing to check. Add one.",
                false => {
                    "There are no streams, so there is nothing to check: the lists of `dynamic_streams` are empty. Look \
                     at what the API or the config has there."
                }
            };
            return Err(Failure::config(text));
        }
        let mut all = self.named(existing)?;
        for (name, count) in &self.dynamic {
            let Some((_, streams)) = made.iter().find(|(known, _)| known == name) else {
                let near = nearest(name, made.iter().map(|(known, _)| known.as_str()));
                let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
                return Err(Failure::config(format!(
                    "The check cannot be run: {} names `{name}`, which none of `dynamic_streams` is called.{near}",
                    self.place
                )));
            };
            all.extend(streams.iter().take(count.unwrap_or(usize::MAX)).map(String::as_str));
        }
        Ok(all)
    }

    fn named<'n>(&self, existing: &[&'n str]) -> Result<Vec<&'n str>, Failure> {
        match &self.streams {
            Checked::NoneAtAll => Ok(Vec::new()),
            Checked::First(count) => Ok(existing.iter().take(*count).copied().collect()),
            Checked::Named(names, from) => {
                let found = |name: &String| {
                    existing.iter().find(|existing| *existing == name).copied().ok_or_else(|| {
                        let meant = match nearest(name, existing.iter().copied()) {
                            Some(near) => format!("Did you mean `{near}`?"),
                            None => format!("The streams are: {}.", existing.join(", ")),
                        };
                        Failure::config(format!(
                            "The check cannot be run: {from} names the stream `{name}`, and there is no such stream. {meant}"
                        ))
                    })
                };
                names.iter().map(found).collect()
            }
        }
    }
}

/// Settings that replace the config's top-level ones during a check.
pub(super) fn config_overrides(manifest: &Part<'_>) -> Option<Map<String, Value>> {
    match manifest.field("check")?.field("config_overrides")?.node.to_json() {
        Value::Object(overrides) => Some(overrides),
        _ => None,
    }
}

/// The `dynamic_streams_check_configs`, and their place.
fn dynamic(builder: &Builder<'_>, check: &Part<'_>) -> (Vec<(String, Option<usize>)>, String) {
    let Some(list) = check.present("dynamic_streams_check_configs") else { return Default::default() };
    let count = |config: &Part<'_>| {
        let count = config.field("stream_count")?.node.to_json().as_u64()?;
        usize::try_from(count).ok()
    };
    let of = |config: Part<'_>| Some((config.text("dynamic_stream_name")?.to_owned(), count(&config)));
    (list.items().filter_map(of).collect(), builder.place(&list))
}

fn names_in_config(config: &Value) -> Result<Option<Vec<String>>, Failure> {
    let wrong = || Failure::config(format!("The setting {CHECK_STREAM_NAMES} has to be a list of names of streams."));
    match config.get(CHECK_STREAM_NAMES) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(names)) if names.is_empty() => Ok(None),
        Some(Value::Array(names)) => {
            let names = names.iter().map(|name| name.as_str().map(str::to_owned).ok_or_else(wrong));
            names.collect::<Result<Vec<_>, _>>().map(Some)
        }
        Some(_) => Err(wrong()),
    }
}

/// The workers that a manifest's `concurrency_level` asks for: a number as it is, a template's number up to
/// `max_concurrency`.
///
/// # Errors
/// If the template cannot be evaluated, or does not give a whole number of at least 1.
pub(super) fn workers(builder: &Builder<'_>, manifest: &Part<'_>) -> Result<usize, Failure> {
    let Some(level) = manifest.field("concurrency_level") else { return Ok(DEFAULT_WORKERS) };
    let Some(wanted) = level.field("default_concurrency") else { return Ok(DEFAULT_WORKERS) };
    let most = level.field("max_concurrency").and_then(|most| most.node.to_json().as_i64());
    let count = match wanted.node.as_text() {
        None => wanted.node.to_json().as_i64(),
        Some(template) => {
            if template.contains("config") && most.is_none() {
                builder.error(&level, "`max_concurrency` is missing: a concurrency from the config needs it");
            }
            let Some(text) = builder.text(&wanted, &[]) else { return Ok(DEFAULT_WORKERS) };
            let count = match text.typed(&[], &[ValidType::Int])? {
                Literal::Int(count) => Some(count),
                _ => None,
            };
            count.map(|count| most.map_or(count, |most| count.min(most)))
        }
    };
    let count = count.and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
    count.ok_or_else(|| {
        builder
            .failure(&wanted, "the concurrency has to be a whole number from 1 on. Correct it, or the setting it uses.")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::build;
    use super::*;

    fn check(manifest: &str, config: Value) -> Result<Check, String> {
        build(manifest, config, Check::build)?.map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_check_reads_the_streams_that_are_named() {
        let manifest = "check: {type: CheckStream, stream_names: [b, a]}";
        let checked = check(manifest, json!({})).unwrap();
        let none = &MadeStreams::new();
        assert_eq!(checked.of(&["a", "b", "c"], none).unwrap(), ["b", "a"]);
        assert!(checked.of(&["a"], none).unwrap_err().to_string().contains("`b`"));
        assert!(checked.of(&[], none).unwrap_err().to_string().contains("no streams"));
        let other = check(manifest, json!({CHECK_STREAM_NAMES: ["c"]})).unwrap();
        assert_eq!(other.of(&["a", "c"], none).unwrap(), ["c"]);
        assert_eq!(check(manifest, json!({CHECK_STREAM_NAMES: []})).unwrap(), checked);
        assert!(check(manifest, json!({CHECK_STREAM_NAMES: "c"})).unwrap_err().contains("list of names"));
        let first = check("check: {type: CheckDynamicStream, stream_count: 1}", json!({})).unwrap();
        assert_eq!(first.of(&["a", "b"], none).unwrap(), ["a"]);
        assert!(check("check: {type: CheckStream}", json!({})).unwrap_err().contains("stream_names"));
    }

    #[test]
    fn the_manifest_decides_the_number_of_workers() {
        let count = |level: &str| {
            build(&format!("concurrency_level: {level}"), json!({"n": 30, "none": 0}), workers)
                .and_then(|count| count.map_err(|failure| failure.to_string()))
        };
        assert_eq!(count("null"), Ok(2));
        assert_eq!(count("{default_concurrency: 9, max_concurrency: 4}"), Ok(9));
        assert_eq!(count("{default_concurrency: \"{{ config['n'] }}\", max_concurrency: 25}"), Ok(25));
        assert_eq!(count("{default_concurrency: \"{{ config['m'] or 7 }}\", max_concurrency: 25}"), Ok(7));
        assert!(count("{default_concurrency: \"{{ config['n'] }}\"}").unwrap_err().contains("max_concurrency"));
        for level in [
            "{default_concurrency: 0}",
            "{default_concurrency: x}",
            "{default_concurrency: \"{{ config['none'] }}\", max_concurrency: 9}",
        ] {
            assert!(count(level).unwrap_err().contains("whole number"), "{level}");
        }
    }
}
