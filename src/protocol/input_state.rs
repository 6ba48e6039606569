//! The state given to a `read`. Airbyte has had several forms of it, and its users keep files of all of them: every
//! form is used, or refused with a config failure. None is ignored, because that would cause a silent full re-read, or
//! worse.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kept_state::KeptState;
use super::{Failure, StreamDescriptor, StreamState};
use crate::nearest::nearest;

/// The placeholder of a source without a cursor, since the platform wants a state for every stream; it has no content.
pub const NO_CURSOR_STATE: &str = "__ab_no_cursor_state_message";

/// The other messages in the output of a read, or of a Singer tap, and their payloads.
const OTHER_LINES: [(&str, &str); 5] =
    [("RECORD", "record"), ("LOG", "log"), ("TRACE", "trace"), ("CONTROL", "control"), ("SCHEMA", "schema")];

/// Members of a STATE message beside the `data` of the oldest form.
const BESIDE_DATA: [&str; 4] = ["stream", "global", "sourceStats", "destinationStats"];

/// Where Singer taps keep their positions. Each tap has its own format.
const SINGER_BOOKMARKS: &str = "bookmarks";

/// The fix for a state that cannot be read.
const FORMS: &str = "Give the states as Airbyte keeps them, \
                     [{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":...},\"stream_state\":{...}}}], or the \
                     STATE lines of a read; an empty file reads from the beginning.";

/// The states of all streams.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InputState {
    states: BTreeMap<StreamDescriptor, KeptState>,
    /// States of the old forms, which know streams by name alone.
    by_name: BTreeMap<String, KeptState>,
}

impl InputState {
    /// Reads a state file: any form of Airbyte's, or the lines of a `read` (the last STATE of a stream wins). `from`
    /// names the file in errors.
    ///
    /// # Errors
    /// A config failure that names the part that was not understood.
    pub fn parse(text: &[u8], from: &str) -> Result<Self, Failure> {
        let mut state = Self::default();
        let values = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
        let values: Vec<Value> = values
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::config(format!("The state in {from} is not valid JSON: {error}. {FORMS}")))?;
        for value in values {
            state
                .add(value)
                .map_err(|why| Failure::config(format!("The state in {from} cannot be used: {why}. {FORMS}")))?;
        }
        Ok(state)
    }

    /// The state of a stream; empty if there is none, or it says that the stream has no cursor.
    #[must_use]
    pub fn of(&self, stream: &StreamDescriptor) -> StreamState {
        let state = self.as_given(stream);
        if state.get(NO_CURSOR_STATE) == Some(&Value::Bool(true)) { StreamState::new() } else { state }
    }

    /// The state of a stream with all of its members; empty if there is none.
    #[must_use]
    pub fn as_given(&self, stream: &StreamDescriptor) -> StreamState {
        let found = self.states.get(stream).or_else(|| self.by_name.get(&stream.name));
        found.map(KeptState::state).unwrap_or_default()
    }

    /// Adds a newer state of a stream.
    pub fn set(&mut self, stream: &StreamDescriptor, state: StreamState) {
        // A state of the old forms was this stream's, in any namespace.
        self.by_name.remove(&stream.name);
        self.states.insert(stream.clone(), KeptState::from(state));
    }

    /// The text of a state file, one line a stream, which [`InputState::parse`] reads as the same states.
    #[must_use]
    pub fn to_text(&self) -> String {
        let streams = self.states.iter().map(|(stream, state)| {
            let (descriptor, state) = (json!(stream), state.to_text());
            format!(r#"{{"type":"STREAM","stream":{{"stream_descriptor":{descriptor},"stream_state":{state}}}}}"#)
        });
        // Their namespaces are unknown, so they stay unchanged.
        let named = |(name, state): (&String, &KeptState)| format!("{}:{}", json!(name), state.to_text());
        let old = (!self.by_name.is_empty()).then(|| {
            let states: Vec<String> = self.by_name.iter().map(named).collect();
            format!(r#"{{"type":"LEGACY","data":{{{}}}}}"#, states.join(","))
        });
        let items: Vec<String> = streams.chain(old).collect();
        if items.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", items.join(",\n")) }
    }

    /// Streams with a state that are not among `read`, by name; for people, with the namespace.
    ///
    /// # Errors
    /// A config failure if a stream is read under the same name in another namespace: its state would be ignored.
    pub fn unused(&self, read: &[StreamDescriptor]) -> Result<Vec<&str>, Failure> {
        for stream in self.states.keys().filter(|stream| !read.contains(stream)) {
            if let Some(other) = read.iter().find(|other| other.name == stream.name && !self.states.contains_key(other))
            {
                let namespace = |stream: &StreamDescriptor| match &stream.namespace {
                    Some(namespace) => format!("the namespace {namespace:?}"),
                    None => "no namespace".to_owned(),
                };
                return Err(Failure::config(format!(
                    "The state has {:?} in {}, and the catalog has it in {}. Correct one of them.",
                    stream.name,
                    namespace(stream),
                    namespace(other)
                )));
            }
        }
        let names = self.states.keys().filter(|stream| !read.contains(stream)).map(|stream| stream.name.as_str());
        let old = self.by_name.keys().filter(|name| !read.iter().any(|stream| stream.name == **name));
        Ok(names.chain(old.map(String::as_str)).collect())
    }

    /// Refuses a state that has only old forms and names no stream of the source: any object looks like one, and
    /// ignoring all of it would read everything from the beginning. `known` are the names of the source's streams,
    /// `from` names the file.
    ///
    /// # Errors
    /// A config failure that shows the names, and a similar one of the source's.
    pub fn refuse_strangers(&self, known: &[&str], from: &str) -> Result<(), Failure> {
        if self.by_name.is_empty()
            || !self.states.is_empty()
            || self.by_name.keys().any(|name| known.contains(&name.as_str()))
        {
            return Ok(());
        }
        let mut names: Vec<String> = self.by_name.keys().take(5).map(|name| format!("{name:?}")).collect();
        let near = self.by_name.keys().find_map(|name| nearest(name, known));
        if self.by_name.len() > names.len() {
            names.push("...".to_owned());
        }
        let names = names.join(", ");
        let why = if self.by_name.contains_key(SINGER_BOOKMARKS) {
            "it has the `bookmarks` of a Singer tap, which only that tap can interpret".to_owned()
        } else {
            let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            format!("its members, {names}, are not streams of this source{hint}")
        };
        Err(Failure::config(format!("The state in {from} cannot be used: {why}. {FORMS}")))
    }

    fn add(&mut self, value: Value) -> Result<(), String> {
        match value {
            Value::Null => Ok(()),
            Value::Array(items) => {
                let global = items.iter().filter(|item| item["type"] == "GLOBAL").count();
                if global > 0 && items.len() > 1 {
                    return Err("a GLOBAL state must be the only item of the list".into());
                }
                items.into_iter().try_for_each(|item| self.add_item(item))
            }
            object @ Value::Object(_) => self.add_item(object),
            other => Err(format!("{} is neither a list nor an object", kind_of(&other))),
        }
    }

    fn add_item(&mut self, item: Value) -> Result<(), String> {
        let Value::Object(mut item) = item else {
            return Err(format!("an item of the list is {}, not an object", kind_of(&item)));
        };
        if item.is_empty() {
            return Ok(());
        }
        if let Some(kind) = take(&mut item, "state_type", "stateType") {
            return self.add_connection_state(&kind, item);
        }
        for wrapper in ["connection_state", "connectionState", "singer_state"] {
            if let Some(inner @ (Value::Object(_) | Value::Array(_))) = item.remove(wrapper) {
                return self.add(inner);
            }
        }
        if is_of_meltano(&item) {
            // An unfinished run's state is newer.
            let states = ["completed", "partial"].map(|name| item.remove(name).unwrap_or_default());
            return states.into_iter().try_for_each(|state| self.add(state));
        }
        let kind = item.get("type").and_then(Value::as_str).map(str::to_owned);
        let spelling = kind.as_deref().map(str::to_ascii_uppercase);
        match spelling.as_deref() {
            Some("STATE") => match item.remove("state").or_else(|| item.remove("value")) {
                Some(state @ Value::Object(_)) => self.add_item(state),
                _ => Err("a STATE message has no `state` object".into()),
            },
            // The other lines of a read contain no states.
            Some(kind) if OTHER_LINES.iter().any(|(other, payload)| kind == *other && item.contains_key(*payload)) => {
                Ok(())
            }
            Some("STREAM") => match item.remove("stream") {
                Some(stream) => self.add_stream(stream),
                None if describes_stream(&item) => self.add_stream(Value::Object(item)),
                None => Err("an item of type STREAM has no `stream`".into()),
            },
            Some("GLOBAL") => match item.remove("global") {
                Some(Value::Object(global)) => self.add_global(global),
                _ => Err("an item of type GLOBAL has no `global` object".into()),
            },
            Some("LEGACY") => self.add_legacy(item.remove("data")),
            Some(_) if !item.values().any(Value::is_object) => {
                let kind = kind.unwrap_or_default();
                Err(format!("the type {kind:?} is not one of STREAM, GLOBAL and LEGACY"))
            }
            _ if describes_stream(&item) => self.add_stream(Value::Object(item)),
            _ if item.get("stream").and_then(Value::as_object).is_some_and(describes_stream) => {
                self.add_stream(item.remove("stream").unwrap_or_default())
            }
            None if describes_global(&item) => self.add_global(item),
            None if item.get("global").and_then(Value::as_object).is_some_and(describes_global) => {
                match item.remove("global") {
                    Some(Value::Object(global)) => self.add_global(global),
                    _ => Err("`global` is not an object".into()),
                }
            }
            None if item.contains_key("data") && item.keys().all(|name| is_of_legacy_message(name)) => {
                self.add_legacy(item.remove("data"))
            }
            // As Airbyte kept it in its database.
            None if item.len() == 1 && item.get("state").is_some_and(is_nested) => {
                self.add(item.remove("state").unwrap_or_default())
            }
            _ => self.add_legacy(Some(Value::Object(item))),
        }
    }

    /// A connection's state in Airbyte's API: <https://reference.airbyte.com>, `ConnectionState`.
    fn add_connection_state(&mut self, kind: &Value, mut item: Map<String, Value>) -> Result<(), String> {
        let named = |name: &str| format!("a state of the type {kind} has no `{name}`");
        match kind.as_str().map(str::to_ascii_lowercase).as_deref() {
            Some("stream") => match take(&mut item, "stream_state", "streamState") {
                Some(Value::Array(streams)) => streams.into_iter().try_for_each(|stream| self.add_stream(stream)),
                Some(Value::Null) => Ok(()),
                _ => Err(named("streamState") + " that is a list"),
            },
            Some("global") => match take(&mut item, "global_state", "globalState") {
                Some(Value::Object(global)) => self.add_global(global),
                _ => Err(named("globalState") + " that is an object"),
            },
            Some("legacy") => match item.remove("state") {
                Some(state) => self.add_legacy(Some(state)),
                None => Err(named("state")),
            },
            Some("not_set") => Ok(()),
            _ => Err(format!("the state type {kind} is not one of stream, global, legacy and not_set")),
        }
    }

    fn add_global(&mut self, mut global: Map<String, Value>) -> Result<(), String> {
        let shared = take(&mut global, "shared_state", "sharedState").unwrap_or_default();
        if !(shared.is_null() || shared.as_object().is_some_and(Map::is_empty)) {
            return Err("it is a GLOBAL state with a `shared_state`, and no stream of this source shares state".into());
        }
        match take(&mut global, "stream_states", "streamStates") {
            Some(Value::Array(streams)) => streams.into_iter().try_for_each(|stream| self.add_stream(stream)),
            None | Some(Value::Null) => Ok(()),
            Some(other) => Err(format!("`stream_states` is {}, not a list", kind_of(&other))),
        }
    }

    fn add_stream(&mut self, stream: Value) -> Result<(), String> {
        let Value::Object(mut stream) = stream else {
            return Err(format!("a `stream` is {}, not an object", kind_of(&stream)));
        };
        let descriptor = take(&mut stream, "stream_descriptor", "streamDescriptor").unwrap_or_default();
        let descriptor: StreamDescriptor = serde_json::from_value(descriptor)
            .map_err(|_| "an item has no `stream.stream_descriptor.name`".to_owned())?;
        let state = take(&mut stream, "stream_state", "streamState").unwrap_or_default();
        let state = object_or_empty(state, &descriptor.name)?;
        self.states.insert(descriptor, KeptState::from(state));
        Ok(())
    }

    /// The oldest form: one object, one member a stream.
    fn add_legacy(&mut self, data: Option<Value>) -> Result<(), String> {
        match data {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Object(streams)) => streams.into_iter().try_for_each(|(name, state)| {
                let state = object_or_empty(state, &name)?;
                self.by_name.insert(name, KeptState::from(state));
                Ok(())
            }),
            Some(other) => Err(format!("a LEGACY state's data is {}, not an object", kind_of(&other))),
        }
    }
}

/// Takes a member out of an object, in the protocol's spelling or that of Airbyte's API.
fn take(object: &mut Map<String, Value>, snake_case: &str, camel_case: &str) -> Option<Value> {
    object.remove(snake_case).or_else(|| object.remove(camel_case))
}

/// Whether it is the bare state of one stream.
fn describes_stream(item: &Map<String, Value>) -> bool {
    ["stream_descriptor", "streamDescriptor"].iter().any(|name| item.contains_key(*name))
}

/// Whether it is a bare GLOBAL state.
fn describes_global(item: &Map<String, Value>) -> bool {
    ["stream_states", "streamStates"].iter().any(|name| item.get(*name).is_some_and(Value::is_array))
}

/// Whether it is Meltano's form: the states of a job's last finished run and of the interrupted one.
fn is_of_meltano(item: &Map<String, Value>) -> bool {
    let is_state = |state: &Value| state.as_object().is_some_and(|s| s.is_empty() || s.contains_key("singer_state"));
    item.iter().all(|(name, state)| matches!(name.as_str(), "completed" | "partial") && is_state(state))
}

fn is_of_legacy_message(member: &str) -> bool {
    member == "data" || BESIDE_DATA.contains(&member)
}

fn is_nested(value: &Value) -> bool {
    value.is_array() || value.as_object().is_some_and(|members| members.values().all(Value::is_object))
}

fn object_or_empty(state: Value, stream: &str) -> Result<StreamState, String> {
    match state {
        Value::Null => Ok(StreamState::new()),
        Value::Object(state) => Ok(state),
        other => Err(format!("the state of {stream:?} is {}, not an object", kind_of(&other))),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
