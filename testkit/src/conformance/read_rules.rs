//! The rules that compare several runs of a connector.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::catalog_rules::{name, path, streams};
use super::connector::{Answer, Call, Connector};
use super::records::at;
use super::rule::Rule;

/// Rules for runs of a connector.
pub const READ_RULES: &[Rule<Connector>] = &[
    Rule::new("the_config_fits_the_specification", config_fits),
    Rule::new("a_config_that_works_succeeds", check_succeeds),
    Rule::new("a_config_without_a_required_setting_is_refused", refuses_configs),
    Rule::new("every_stream_completes", every_stream_completes),
    Rule::new("two_full_refreshes_give_the_same", two_full_refreshes),
    Rule::new("a_second_incremental_read_resumes_from_the_first", second_read),
    Rule::new("every_state_can_be_resumed_from", every_state),
    Rule::new("a_stream_that_is_not_there_gives_an_error_trace", |connector| bad_catalog(connector, NO_STREAM, None)),
    Rule::new("a_mode_that_is_not_there_gives_an_error_trace", |connector| {
        let known = streams(connector.catalog()).next().map_or(NO_STREAM, name);
        bad_catalog(connector, known, Some("INVALID"))
    }),
];

/// A stream that no source has.
const NO_STREAM: &str = "__stream_that_does_not_exist";

/// Members of states within a slice, a first pass or a list of parents: the following records have no order.
const UNDER_WAY: [&str; 3] = ["__resume", "list_pass", "parent_state"];

fn config_fits(connector: &Connector) -> Vec<String> {
    match jsonschema::validator_for(&connector.spec()["connectionSpecification"]) {
        Ok(validator) => validator.iter_errors(connector.config()).map(|error| error.to_string()).collect(),
        Err(error) => vec![error.to_string()],
    }
}

fn check_succeeds(connector: &Connector) -> Vec<String> {
    let call = Call { command: "check", config: Some(connector.config()), ..Call::default() };
    let answer = connector.call(&call);
    match answer.messages.connection_status() {
        ("SUCCEEDED", _) => Vec::new(),
        (status, message) => vec![format!("{status}: {}", message.unwrap_or("no message"))],
    }
}

/// The protocol check ensures that a check answers with one status and no error trace.
fn refuses_configs(connector: &Connector) -> Vec<String> {
    let mut broken = Vec::new();
    let required = path(&connector.spec()["connectionSpecification"]["required"]);
    for setting in required {
        let mut config = connector.config().clone();
        config.as_object_mut().map(|members| members.shift_remove(setting));
        let call = |command| connector.call(&Call { command, config: Some(&config), ..Call::default() });
        let checked = call("check");
        if checked.messages.connection_status().0 != "FAILED" || checked.status != 0 {
            broken.push(format!("a check without `{setting}` should be FAILED, with exit status 0"));
        }
        for command in ["discover", "read"] {
            if !is_config_error(&call(command)) {
                broken.push(format!("{command} without `{setting}` should end with an error trace of config_error"));
            }
        }
    }
    broken
}

fn is_config_error(answer: &Answer) -> bool {
    let errors = answer.messages.errors();
    answer.status != 0
        && answer.messages.record_count() == 0
        && !errors.is_empty()
        && errors.iter().all(|error| error.failure_type.as_deref() == Some("config_error"))
}

fn every_stream_completes(connector: &Connector) -> Vec<String> {
    let mut broken = Vec::new();
    for answer in [connector.full_refresh(), connector.incremental()] {
        for stream in streams(connector.catalog()).map(name) {
            let statuses = answer.messages.statuses(stream);
            if (statuses.first(), statuses.last()) != (Some(&"STARTED"), Some(&"COMPLETE")) {
                broken.push(format!("{stream}: its statuses are {}", statuses.join(", ")));
            }
        }
    }
    broken
}

fn two_full_refreshes(connector: &Connector) -> Vec<String> {
    let (first, second) = (connector.full_refresh(), connector.read("full_refresh", &json!([])));
    let mut broken = Vec::new();
    for stream in streams(connector.catalog()).map(name) {
        let sorted = |answer: &Answer| {
            let records = answer.messages.records(stream).into_iter();
            let mut texts: Vec<String> = records.map(|record| without_volatile(connector, stream, record)).collect();
            texts.sort_unstable();
            texts
        };
        let (first, second) = (sorted(first), sorted(&second));
        if first != second {
            let other = first.iter().zip(&second).find(|(one, other)| one != other);
            let counts = format!("{stream}: {} records, then {}", first.len(), second.len());
            broken.push(other.map_or(counts.clone(), |(one, other)| format!("{counts}:\n  {one}\n  {other}")));
        }
    }
    broken
}

/// The text of a record without the fields that may differ.
fn without_volatile(connector: &Connector, stream: &str, record: &str) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(record) else { return record.to_owned() };
    let all = members.len();
    members.retain(|field, _| !connector.is_volatile(stream, field));
    // The rest keeps its digits.
    if members.len() == all { record.to_owned() } else { Value::Object(members).to_string() }
}

fn second_read(connector: &Connector) -> Vec<String> {
    let first = &connector.incremental().messages;
    let state = serde_json::from_str(&first.state_file()).unwrap_or_default();
    let second = connector.read("incremental", &state);
    let mut broken = Vec::new();
    for stream in streams(connector.catalog()) {
        match first.states(name(stream)).last() {
            Some(state) => broken.extend(older(stream, state, &second.messages.records(name(stream)))),
            // A skipped stream has none, and its warning says so.
            None if first.records(name(stream)).is_empty() => {}
            None => broken.push(format!("{}: the first read left no state", name(stream))),
        }
    }
    broken
}

/// The first record whose cursor is before that of the state it was read from, if any.
fn older(stream: &Value, state: &Value, records: &[&str]) -> Option<String> {
    let cursor: Vec<String> = path(&stream["default_cursor_field"]).into_iter().map(str::to_owned).collect();
    let field = cursor.last()?;
    let known = state.get(field).or_else(|| state["state"].get(field))?;
    let is_older = |record: &&&str| {
        let record: Value = serde_json::from_str(record).unwrap_or_default();
        compared(at(&record, &cursor), known) == Some(Ordering::Less)
    };
    let record = records.iter().find(is_older)?;
    Some(format!("{}: the state says {known}, and this comes: {record}", name(stream)))
}

/// The order of two cursors: as numbers if both are, otherwise as texts. `None` for anything else.
fn compared(one: &Value, other: &Value) -> Option<Ordering> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.partial_cmp(&other),
        _ => Some(one.as_str()?.cmp(other.as_str()?)),
    }
}

/// In round `n` each stream is read from its `n`-th state on. The records before that state and those read from it must
/// together be complete.
fn every_state(connector: &Connector) -> Vec<String> {
    let whole = &connector.incremental().messages;
    let mut broken = Vec::new();
    for n in 0.. {
        let begun: Vec<(&Value, (Vec<&str>, &Value))> = streams(connector.catalog())
            .filter_map(|stream| Some((stream, whole.state_at(name(stream), n)?)))
            .collect();
        if begun.is_empty() {
            break;
        }
        let states = begun.iter().map(|(stream, (_, state))| {
            let mut descriptor = json!({"name": name(stream)});
            if let Some(namespace) = stream.get("namespace") {
                descriptor["namespace"] = namespace.clone();
            }
            json!({"type": "STREAM", "stream": {"stream_descriptor": descriptor, "stream_state": state}})
        });
        let state = states.collect();
        let is_begun = |wanted: &str| begun.iter().any(|(stream, _)| name(stream) == wanted);
        let rest = connector.read_streams("incremental", &state, is_begun);
        for (stream, (before, state)) in &begun {
            let after = rest.messages.records(name(stream));
            let read = &keys(connector, stream, before) | &keys(connector, stream, &after);
            let all = keys(connector, stream, &whole.records(name(stream)));
            if let Some(lost) = all.difference(&read).next() {
                broken.push(format!("{}: resumed from {state}, {lost} is lost", name(stream)));
            }
            let is_under_way = UNDER_WAY.iter().any(|member| state.get(member).is_some());
            broken.extend(older(stream, state, &after).filter(|_| !is_under_way));
        }
    }
    broken
}

/// The identity of records: their primary keys, or their whole content.
fn keys(connector: &Connector, stream: &Value, records: &[&str]) -> BTreeSet<String> {
    let paths = stream["source_defined_primary_key"].as_array().map(Vec::as_slice).unwrap_or_default();
    let paths: Vec<Vec<String>> = paths.iter().map(|key| path(key).into_iter().map(str::to_owned).collect()).collect();
    let key = |record: &&str| {
        if paths.is_empty() {
            return without_volatile(connector, name(stream), record);
        }
        let record: Value = serde_json::from_str(record).unwrap_or_default();
        paths.iter().map(|key| at(&record, key).to_string()).collect::<Vec<_>>().join(" ")
    };
    records.iter().map(key).collect()
}

fn bad_catalog(connector: &Connector, stream: &str, mode: Option<&str>) -> Vec<String> {
    let catalog = json!({"streams": [{
        "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": mode.unwrap_or("full_refresh"),
        "destination_sync_mode": "append",
    }]});
    let (config, catalog) = (Some(connector.config()), Some(&catalog));
    let answer = connector.call(&Call { command: "read", config, catalog, state: None });
    if is_config_error(&answer) {
        return Vec::new();
    }
    vec![format!("exit status {}, {:?}", answer.status, answer.messages.errors())]
}
