//! Compares the records of a read with the catalog, as a destination with tables of the schemas would.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::catalog_rules::{name, path, streams};
use super::rule::Rule;
use super::schema_nodes::nodes;
use crate::Messages;

/// Rules for the records of all streams.
pub const RECORD_RULES: &[Rule<Records>] = &[
    Rule::new("every_stream_gives_records", |records| records.each(Stream::is_empty)),
    Rule::new("records_fit_their_schemas", |records| records.each(Stream::misfits)),
    Rule::new("records_share_fields_with_their_schemas", |records| records.each(Stream::strangers)),
    Rule::new("fields_of_records_are_declared", |records| records.each(Stream::undeclared)),
    Rule::new("primary_keys_are_not_null", |records| records.each(Stream::null_keys)),
    Rule::new("primary_keys_are_distinct", |records| records.each(Stream::repeated_keys)),
    Rule::new("cursors_are_not_null", |records| records.each(Stream::null_cursors)),
];

/// The most records of a stream in a report.
const SHOWN: usize = 3;

/// The records of all streams of a catalog.
pub struct Records {
    streams: Vec<Stream>,
}

struct Stream {
    name: String,
    schema: Value,
    primary_key: Vec<Vec<String>>,
    cursor: Vec<String>,
    records: Vec<Value>,
    /// Records that exceed a JSON tree.
    unreadable: Vec<String>,
    may_be_empty: bool,
}

impl Records {
    /// The records of a full refresh of all streams of that catalog.
    pub fn new(catalog: &Value, messages: &Messages) -> Self {
        Self { streams: streams(catalog).map(|stream| Stream::new(stream, messages)).collect() }
    }

    /// Allows a stream to have no records.
    pub(super) fn may_be_empty(&mut self, stream: &str) {
        let found = self.streams.iter_mut().filter(|known| known.name == stream);
        found.for_each(|known| known.may_be_empty = true);
    }

    /// The number of records.
    pub fn count(&self) -> usize {
        self.streams.iter().map(|stream| stream.records.len()).sum()
    }

    /// Every field that a schema declares, with its stream, and whether any record has it with a value other than null:
    /// `charges refunds.data[].amount`. Nothing is known about a field that no record of a test has.
    pub fn fields(&self) -> BTreeMap<String, bool> {
        let mut fields = BTreeMap::new();
        for stream in &self.streams {
            let mut seen = BTreeSet::new();
            stream.records.iter().for_each(|record| add_paths(&mut seen, record, ""));
            let is_field = |path: &str| !path.is_empty() && !path.contains('|') && !path.contains(".*");
            for node in nodes(&stream.schema).into_iter().filter(|node| is_field(&node.path)) {
                let is_seen = seen.contains(&node.path);
                fields.insert(format!("{} {}", stream.name, node.path), is_seen);
            }
        }
        fields
    }

    fn each(&self, broken: fn(&Stream) -> Vec<String>) -> Vec<String> {
        let told = |stream: &Stream| {
            let name = stream.name.clone();
            broken(stream).into_iter().take(SHOWN).map(move |text| format!("{name}: {text}")).collect::<Vec<_>>()
        };
        self.streams.iter().flat_map(told).collect()
    }
}

/// The places of all values in a record except nulls.
fn add_paths(seen: &mut BTreeSet<String>, value: &Value, path: &str) {
    if !value.is_null() && !path.is_empty() {
        seen.insert(path.to_owned());
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let dot = if path.is_empty() { "" } else { "." };
                add_paths(seen, member, &format!("{path}{dot}{name}"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| add_paths(seen, item, &format!("{path}[]"))),
        _ => {}
    }
}

/// The value of a record at a path; null if it is missing.
pub(super) fn at<'a>(record: &'a Value, path: &[String]) -> &'a Value {
    path.iter().fold(record, |value, name| &value[name.as_str()])
}

impl Stream {
    fn new(stream: &Value, messages: &Messages) -> Self {
        let owned = |names: &Value| path(names).into_iter().map(str::to_owned).collect::<Vec<_>>();
        let keys = stream["source_defined_primary_key"].as_array().into_iter().flatten();
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for text in messages.records(name(stream)) {
            match serde_json::from_str(text) {
                Ok(record) => records.push(record),
                Err(error) => unreadable.push(format!("a record is not valid JSON: {error}")),
            }
        }
        Self {
            name: name(stream).to_owned(),
            schema: stream["json_schema"].clone(),
            primary_key: keys.map(owned).collect(),
            cursor: owned(&stream["default_cursor_field"]),
            records,
            unreadable,
            may_be_empty: false,
        }
    }

    fn is_empty(&self) -> Vec<String> {
        let is_broken = self.records.is_empty() && !self.may_be_empty;
        if is_broken { vec!["has no record".to_owned()] } else { Vec::new() }
    }

    fn misfits(&self) -> Vec<String> {
        let validator = match jsonschema::options().should_validate_formats(true).build(&self.schema) {
            Ok(validator) => validator,
            Err(error) => return vec![error.to_string()],
        };
        let errors = self.records.iter().flat_map(|record| validator.iter_errors(record));
        let told = errors.map(|error| format!("{}: {error}", error.instance_path()));
        self.unreadable.iter().cloned().chain(told).take(SHOWN).collect()
    }

    fn declared(&self) -> Option<&serde_json::Map<String, Value>> {
        self.schema["properties"].as_object()
    }

    fn strangers(&self) -> Vec<String> {
        let is_declared = |name: &String| self.declared().is_some_and(|fields| fields.contains_key(name));
        let is_strange = |record: &&Value| !record.as_object().is_some_and(|members| members.keys().any(&is_declared));
        self.records.iter().filter(is_strange).map(|record| format!("nothing is declared of {record}")).collect()
    }

    fn undeclared(&self) -> Vec<String> {
        let members = self.records.iter().filter_map(Value::as_object).flatten().map(|(name, _)| name);
        let is_declared = |name: &String| self.declared().is_some_and(|fields| fields.contains_key(name));
        let others: BTreeSet<&String> = members.filter(|name| !is_declared(name)).collect();
        others.into_iter().map(|name| format!("`{name}` is not declared")).collect()
    }

    fn key<'a>(&self, record: &'a Value) -> Vec<&'a Value> {
        self.primary_key.iter().map(|path| at(record, path)).collect()
    }

    fn null_keys(&self) -> Vec<String> {
        let is_null = |record: &&Value| self.key(record).into_iter().any(Value::is_null);
        self.records.iter().filter(is_null).map(|record| format!("a key is null: {record}")).collect()
    }

    fn repeated_keys(&self) -> Vec<String> {
        if self.primary_key.is_empty() {
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let keys = self.records.iter().map(|record| format!("{:?}", self.key(record)));
        keys.filter(|key| !seen.insert(key.clone())).map(|key| format!("two records have the key {key}")).collect()
    }

    fn null_cursors(&self) -> Vec<String> {
        if self.cursor.is_empty() {
            return Vec::new();
        }
        let is_null = |record: &&Value| at(record, &self.cursor).is_null();
        self.records.iter().filter(is_null).map(|record| format!("the cursor is null: {record}")).collect()
    }
}
