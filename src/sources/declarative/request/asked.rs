//! The input of a requester: the slice, the page, and the values of other components.

use serde_json::{Map, Value};

use super::super::asked_properties::VARIABLE;
use super::super::async_jobs::{CREATION, POLLING};
use super::super::options::Injection;
use super::super::placed::Var;
use super::super::template::{Json, Variable};

/// A slice: three objects. Templates see any other value as an empty one.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_field_names, reason = "templates and states use these names")]
pub(in crate::sources::declarative) struct Slice {
    /// The fields of the partition routers.
    pub(in crate::sources::declarative) partition: Value,
    /// The span of the cursor.
    pub(in crate::sources::declarative) cursor_slice: Value,
    /// Fields in neither.
    pub(in crate::sources::declarative) extra_fields: Value,
}

impl Default for Slice {
    fn default() -> Self {
        let empty = || Value::Object(Map::new());
        Self { partition: empty(), cursor_slice: empty(), extra_fields: empty() }
    }
}

impl Slice {
    /// A slice of a stream as templates see it.
    pub(in crate::sources::declarative) fn of(slice: &crate::streams::Slice) -> Self {
        Self {
            partition: Value::Object(slice.partition().clone()),
            cursor_slice: Value::Object(slice.span().clone()),
            extra_fields: Value::Object(slice.extra().clone()),
        }
    }

    /// The slice of a request for these properties, if they are requested by name.
    pub(in crate::sources::declarative) fn with_properties(mut self, names: Option<&[String]>) -> Self {
        if let (Some(names), Some(extra)) = (names, self.extra_fields.as_object_mut()) {
            extra.insert(VARIABLE.to_owned(), names.into());
        }
        self
    }

    /// The slice as the variable `stream_slice`.
    pub(in crate::sources::declarative) fn variable(&self) -> Variable<'_> {
        Variable::Slice {
            partition: Json::Tree(&self.partition),
            cursor_slice: Json::Tree(&self.cursor_slice),
            extra_fields: Json::Tree(&self.extra_fields),
            answers: &[CREATION, POLLING],
        }
    }
}

/// One request to build.
#[derive(Debug, Clone, Copy)]
pub(in crate::sources::declarative) struct Asked<'a> {
    /// The slice.
    pub(in crate::sources::declarative) slice: &'a Slice,
    /// The token of the page, if it is not the first, or the first has one.
    pub(in crate::sources::declarative) token: Option<&'a Value>,
    /// A path instead of the requester's own, see [`super::super::paginator::Paginator::path`].
    pub(in crate::sources::declarative) path: Option<&'a str>,
    /// The values of paginator, routers and cursor. The authenticator adds its own.
    pub(in crate::sources::declarative) injections: &'a [Injection],
}

impl<'a> Asked<'a> {
    /// The token for templates.
    pub(super) fn token_variable(&self) -> Option<Value> {
        let token = self.token?;
        Some(Value::Object([("next_page_token".to_owned(), token.clone())].into_iter().collect()))
    }

    /// The variables of the request's templates, given [`Asked::token_variable`].
    pub(super) fn variables<'v>(&self, token: Option<&'v Value>) -> Vec<Var<'v>>
    where
        'a: 'v,
    {
        let token = token.map_or(Variable::None, |token| Variable::Json(Json::Tree(token)));
        let mut vars = vec![("stream_slice", self.slice.variable()), ("next_page_token", token)];
        for (name, value) in self.slice.extra_fields.as_object().into_iter().flatten() {
            vars.push((
                name,
                match name.as_str() {
                    CREATION | POLLING => Variable::Answer(value),
                    _ => Variable::Json(Json::Tree(value)),
                },
            ));
        }
        vars
    }
}
