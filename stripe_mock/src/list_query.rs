//! The query of a list request.

use super::api_error::ApiError;
use super::expansion::Effect;
use super::relation::Relation;
use super::resource::Resource;
use super::target::ListTarget;
use source_http_testkit::server::Request;

/// How many event types one request may name.
const MAX_TYPES: usize = 20;

/// The resource whose lists contain canceled objects only if the request names a status.
pub(super) const HIDES_CANCELED: &str = "subscriptions";

/// A list request with valid parameters.
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
    /// Fields and the values they must not have.
    pub(super) without: Vec<(&'static str, String)>,
    /// The object whose children are requested, and the parameter that names it if it is not the
    /// path.
    pub(super) parent: Option<(Option<&'static str>, String)>,
    /// The requested additional content.
    pub(super) effects: Vec<Effect>,
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
    /// Reads the query of a request for a list of that resource.
    pub(super) fn new(target: &ListTarget, request: &Request) -> Result<Self, ApiError> {
        let resource = target.resource;
        let mut query = Self {
            fields: target.fields.clone(),
            parent: target.parent.clone().map(|id| (None, id)),
            ..Self::unlimited()
        };
        let mut single_type = false;
        for (name, value) in &request.query {
            match (name.as_str(), array_name(name)) {
                ("limit", _) => query.limit = limit(value)?,
                ("starting_after", _) => {
                    query.set_cursor(Cursor::StartingAfter(value.clone()))?;
                }
                ("ending_before", _) => query.set_cursor(Cursor::EndingBefore(value.clone()))?,
                (_, Some("expand")) => query.expand(resource, value, true)?,
                ("type", _) if resource.types => {
                    single_type = true;
                    query.types.push(value.clone());
                }
                (_, Some("types")) if resource.types => query.types.push(value.clone()),
                (bound, _) if resource.created_filter && bound.starts_with("created") => {
                    query.set_created(bound, value)?;
                }
                (other, _) => query.set_field(target, other, value)?,
            }
        }
        if let Some(name) = resource.required
            && request.param(name).is_none()
        {
            let text = format!("{name} is required");
            return Err(ApiError::invalid("parameter_missing", name, text));
        }
        if resource.name == HIDES_CANCELED && request.param("status").is_none() {
            query.without.push(("status", "canceled".to_owned()));
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

    fn unlimited() -> Self {
        Self {
            limit: 10,
            cursor: None,
            created_from: i64::MIN,
            created_to: i64::MAX,
            types: Vec::new(),
            fields: Vec::new(),
            without: Vec::new(),
            parent: None,
            effects: Vec::new(),
        }
    }

    /// The expansions in a request for one object; it accepts no other parameter.
    pub(super) fn of_object(resource: &Resource, request: &Request) -> Result<Vec<Effect>, ApiError> {
        let mut query = Self::unlimited();
        for (name, value) in &request.query {
            match array_name(name) {
                Some("expand") => query.expand(resource, value, false)?,
                _ => return Err(unknown(name)),
            }
        }
        Ok(query.effects)
    }

    /// The place of the cursor's object, if there is a cursor.
    ///
    /// # Errors
    /// The cursor, if there is no such object.
    pub(super) fn cursor_place(&self, place: impl FnOnce(&str) -> Option<usize>) -> Result<Option<usize>, &Cursor> {
        match &self.cursor {
            Some(cursor) => place(cursor.param_and_id().1).map(Some).ok_or(cursor),
            None => Ok(None),
        }
    }

    fn expand(&mut self, resource: &Resource, value: &str, in_list: bool) -> Result<(), ApiError> {
        let effect = Effect::of(resource, value, in_list)?;
        if !self.effects.iter().any(|known| known.path() == effect.path()) {
            self.effects.push(effect);
        }
        Ok(())
    }

    /// A condition on a field, or the parent.
    fn set_field(&mut self, target: &ListTarget, name: &str, value: &str) -> Result<(), ApiError> {
        let resource = target.resource;
        let of_row = || resource.filters.iter().copied().chain(resource.parent_filter).chain(resource.required);
        let Some(field) = of_row().find(|field| *field == name) else {
            return Err(unknown(name));
        };
        let key = Relation::of_child(resource).map(|relation| relation.key);
        if key == Some(field) || resource.parent_filter == Some(field) {
            self.parent = Some((Some(field), value.to_owned()));
        } else if !(resource.name == HIDES_CANCELED && (field, value) == ("status", "all")) {
            self.fields.push((field, value.to_owned()));
        }
        Ok(())
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
        let text = format!("{name} is not an integer: {value}");
        ApiError::invalid("parameter_invalid_integer", name, text)
    })
}

fn unknown(name: &str) -> ApiError {
    let text = format!("there is no parameter {name} here");
    ApiError::invalid("parameter_unknown", name, text)
}
