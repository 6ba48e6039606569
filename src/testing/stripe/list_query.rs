//! The query of a list request.

use super::super::server::Request;
use super::api_error::ApiError;
use super::resource::Resource;

/// How many event types one request may name.
const MAX_TYPES: usize = 20;

/// A list request whose parameters are all legal.
pub(super) struct ListQuery {
    /// 1 to 100. Default: 10.
    pub(super) limit: usize,
    pub(super) cursor: Option<Cursor>,
    /// Unix seconds, included.
    pub(super) created_from: i64,
    /// Unix seconds, included.
    pub(super) created_to: i64,
    /// Event types; a `*` at the end stands for anything.
    pub(super) types: Vec<String>,
    /// Fields and the values they must have.
    pub(super) fields: Vec<(&'static str, String)>,
}

/// Where a page starts.
pub(super) enum Cursor {
    StartingAfter(String),
    EndingBefore(String),
}

impl Cursor {
    pub(super) fn param_and_id(&self) -> (&'static str, &str) {
        match self {
            Self::StartingAfter(id) => ("starting_after", id),
            Self::EndingBefore(id) => ("ending_before", id),
        }
    }
}

impl ListQuery {
    /// Reads the query of a request for that resource; `path_fields` are the conditions that its
    /// path has set.
    pub(super) fn new(
        resource: &Resource,
        path_fields: Vec<(&'static str, String)>,
        request: &Request,
    ) -> Result<Self, ApiError> {
        let mut query = Self {
            limit: 10,
            cursor: None,
            created_from: i64::MIN,
            created_to: i64::MAX,
            types: Vec::new(),
            fields: path_fields,
        };
        let mut single_type = false;
        for (name, value) in &request.query {
            match (name.as_str(), array_name(name)) {
                ("limit", _) => query.limit = limit(value)?,
                ("starting_after", _) => {
                    query.set_cursor(Cursor::StartingAfter(value.clone()))?;
                }
                ("ending_before", _) => query.set_cursor(Cursor::EndingBefore(value.clone()))?,
                (_, Some("expand")) => {}
                ("type", _) if resource.types => {
                    single_type = true;
                    query.types.push(value.clone());
                }
                (_, Some("types")) if resource.types => query.types.push(value.clone()),
                (bound, _) if resource.created_filter && bound.starts_with("created") => {
                    query.set_created(bound, value)?;
                }
                (other, _) => match resource.filters.iter().find(|field| **field == other) {
                    Some(field) => query.fields.push((field, value.clone())),
                    None => return Err(unknown(other)),
                },
            }
        }
        if single_type && query.types.len() > 1 {
            let text = "type and types cannot be combined".to_owned();
            return Err(ApiError::invalid("parameter_invalid", "type", text));
        }
        if query.types.len() > MAX_TYPES {
            let text = format!("types has more than {MAX_TYPES} entries");
            return Err(ApiError::invalid("parameter_invalid", "types", text));
        }
        Ok(query)
    }

    fn set_cursor(&mut self, cursor: Cursor) -> Result<(), ApiError> {
        if self.cursor.is_some() {
            let text = "a list takes one of starting_after and ending_before".to_owned();
            let param = cursor.param_and_id().0;
            return Err(ApiError::invalid("parameter_invalid", param, text));
        }
        self.cursor = Some(cursor);
        Ok(())
    }

    fn set_created(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let time = integer(name, value)?;
        match name {
            "created" => {
                self.created_from = self.created_from.max(time);
                self.created_to = self.created_to.min(time);
            }
            "created[gte]" => self.created_from = self.created_from.max(time),
            "created[gt]" => self.created_from = self.created_from.max(time.saturating_add(1)),
            "created[lte]" => self.created_to = self.created_to.min(time),
            "created[lt]" => self.created_to = self.created_to.min(time.saturating_sub(1)),
            other => return Err(unknown(other)),
        }
        Ok(())
    }
}

/// The name of an array parameter: `expand[]` and `expand[0]` are `expand`.
fn array_name(param: &str) -> Option<&str> {
    let (name, index) = param.strip_suffix(']')?.split_once('[')?;
    index.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)
}

fn limit(value: &str) -> Result<usize, ApiError> {
    let limit = integer("limit", value)?;
    if let Ok(limit @ 1..=100) = usize::try_from(limit) {
        Ok(limit)
    } else {
        let text = format!("limit is {limit}, it must be from 1 to 100");
        Err(ApiError::invalid("parameter_invalid_integer", "limit", text))
    }
}

fn integer(name: &str, value: &str) -> Result<i64, ApiError> {
    value.parse().map_err(|_| {
        let text = format!("{name} is no integer: {value}");
        ApiError::invalid("parameter_invalid_integer", name, text)
    })
}

fn unknown(name: &str) -> ApiError {
    let text = format!("there is no parameter {name} here");
    ApiError::invalid("parameter_unknown", name, text)
}
