//! The context of an evaluation: the variables of its place, the time, and chance.

use std::sync::LazyLock;

use super::datetime::DateTime;
use super::error::Result;
use super::json::Json;
use super::literal::Literal;
use super::value::{Dict, Object, Value};

/// The blocks of a template.
static NO_BLOCKS: LazyLock<serde_json::Value> = LazyLock::new(|| serde_json::json!({}));

/// A variable.
#[derive(Debug, Clone, Copy)]
pub enum Variable<'a> {
    /// A JSON value: a config, a record, a response. Only the parts that a template uses become values.
    Json(Json<'a>),
    /// A slice: the partition and the cursor's span as one mapping, each of them and the extra fields as attributes.
    Slice {
        /// The partition: an object.
        partition: Json<'a>,
        /// The span of the cursor: an object.
        cursor_slice: Json<'a>,
        /// Fields in neither: an object.
        extra_fields: Json<'a>,
        /// The names of the extra fields that are answers, see [`Variable::Answer`].
        answers: &'a [&'a str],
    },
    /// Headers of a response, by names in any case.
    Headers(&'a [(String, String)]),
    /// The result of another template.
    Literal(&'a Literal),
    /// Headers of a response for pagination: also by names in any case, but `link` is an object of links by their
    /// relation; `Link` is the text of that header.
    PageHeaders {
        /// Names and values.
        headers: &'a [(String, String)],
        /// The links.
        links: Json<'a>,
    },
    /// An answer that is a JSON object. Its `headers`, and those of its `request`, are found by names in any case.
    Answer(&'a serde_json::Value),
    /// A function that only some places have: `json_loads`.
    Function(&'static str),
    /// A text.
    Text(&'a str),
    /// An integer.
    Int(i64),
    /// `None`.
    None,
}

/// The variables of one evaluation. `stream_interval` and `stream_partition` are other names of `stream_slice`.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    variables: &'a [(&'a str, Variable<'a>)],
    now: &'a dyn Fn() -> i64,
    random: &'a dyn Fn() -> u64,
}

impl<'a> Scope<'a> {
    /// Variables, the time in microseconds since 1970, and random numbers.
    pub fn new(
        variables: &'a [(&'a str, Variable<'a>)],
        now: &'a dyn Fn() -> i64,
        random: &'a dyn Fn() -> u64,
    ) -> Self {
        Self { variables, now, random }
    }

    /// The variable of this name.
    pub fn get(&self, name: &str) -> Option<Variable<'a>> {
        let name = match name {
            "stream_interval" | "stream_partition" => "stream_slice",
            other => other,
        };
        // Jinja's own: the blocks of the template; there are none here.
        self.given(name).or_else(|| (name == "self").then_some(Variable::Json(Json::Tree(&NO_BLOCKS))))
    }

    /// The variable with exactly this name.
    pub(crate) fn given(&self, name: &str) -> Option<Variable<'a>> {
        self.variables.iter().find(|(known, _)| *known == name).map(|(_, variable)| *variable)
    }

    /// The names of the variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.variables.iter().map(|(name, _)| *name)
    }

    pub(crate) fn now(&self) -> Result<DateTime> {
        super::arith::utc((self.now)())
    }

    pub(crate) fn random(&self) -> u64 {
        (self.random)()
    }
}

impl Variable<'_> {
    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Json(json) => json.to_value(),
            Self::Slice { partition, cursor_slice, extra_fields, answers } => {
                let (partition, cursor_slice) = (partition.to_value(), cursor_slice.to_value());
                let mut merged = Dict::default();
                for (key, value) in partition.entries().into_iter().chain(cursor_slice.entries()).flatten() {
                    // The keys are texts.
                    let _ = merged.insert(key, value);
                }
                let extra_fields = match extra_fields {
                    Json::Tree(serde_json::Value::Object(fields)) if !answers.is_empty() => {
                        with_answers(fields, answers)
                    }
                    other => other.to_value(),
                };
                Value::object(Object::Slice { merged: Value::dict(merged), partition, cursor_slice, extra_fields })
            }
            Self::Headers(headers) => {
                let mut dict = Dict::default();
                for (name, value) in headers {
                    dict.insert_str(name, Value::str(value.as_str()));
                }
                Value::object(Object::Headers(dict))
            }
            Self::Literal(literal) => literal.to_value(),
            Self::PageHeaders { headers, links } => {
                let mut dict = Dict::default();
                dict.insert_str("link", links.to_value());
                for (name, value) in headers {
                    let name = if name.eq_ignore_ascii_case("link") { "Link" } else { name };
                    dict.insert_str(name, Value::str(value.as_str()));
                }
                Value::object(Object::Headers(dict))
            }
            Self::Answer(value) => answer(value),
            Self::Function(name) => Value::object(Object::Function(name)),
            Self::Text(text) => Value::str(text),
            Self::Int(value) => Value::Int(value),
            Self::None => Value::None,
        }
    }
}

/// An answer: its `headers`, and those of its `request`, are found by names in any case.
fn answer(value: &serde_json::Value) -> Value {
    let mut dict = Dict::default();
    for (name, value) in value.as_object().into_iter().flatten() {
        let value = match (name.as_str(), value) {
            ("headers", serde_json::Value::Object(headers)) => {
                let mut named = Dict::default();
                for (name, value) in headers {
                    named.insert_str(name, Json::Tree(value).to_value());
                }
                Value::object(Object::Headers(named))
            }
            ("request", serde_json::Value::Object(_)) => answer(value),
            _ => Json::Tree(value).to_value(),
        };
        dict.insert_str(name, value);
    }
    Value::dict(dict)
}

/// Fields, some of which are answers.
fn with_answers(fields: &serde_json::Map<String, serde_json::Value>, answers: &[&str]) -> Value {
    let mut dict = Dict::default();
    for (name, value) in fields {
        let is_answer = answers.contains(&name.as_str());
        dict.insert_str(name, if is_answer { answer(value) } else { Json::Tree(value).to_value() });
    }
    Value::dict(dict)
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
