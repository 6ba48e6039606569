//! Where a value goes in a request: `RequestOption` and `RequestPath`. The authenticator, the paginator, the partition
//! routers and the cursor add values to the requester's request. Two for the same place are reported when the manifest
//! is read, if that is known then; otherwise the request fails.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::part::{Builder, Part, literal};
use super::placed::Text;
use crate::protocol::Failure;

/// The part of a request that a value is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// The query.
    Parameter,
    /// The headers.
    Header,
    /// A form.
    BodyData,
    /// A JSON body.
    BodyJson,
}

impl Place {
    /// The word for a field of it in messages.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Parameter => "query parameter",
            Self::Header => "header",
            Self::BodyData => "field of the form",
            Self::BodyJson => "field of the JSON body",
        }
    }
}

/// The owner of a value, in the order in which values are added to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum By {
    /// The authenticator.
    Authenticator,
    /// The paginator.
    Paginator,
    /// A partition router.
    Router,
    /// The cursor.
    Cursor,
}

/// A value for a request.
#[derive(Debug, Clone)]
pub(super) struct Injection {
    /// Its place.
    pub(super) place: Place,
    /// The name of the field; in a JSON body the path to it.
    pub(super) path: Arc<[String]>,
    /// The value.
    pub(super) value: Value,
    /// Its owner.
    pub(super) by: By,
    /// The component, for messages.
    pub(super) from: Arc<str>,
}

/// `RequestOption`: a place in a request. Its names depend on the config alone and are known when it is built.
#[derive(Debug, Clone)]
pub(super) struct RequestOption {
    pub(super) place: Place,
    pub(super) path: Arc<[String]>,
    pub(super) by: By,
    pub(super) from: Arc<str>,
}

impl RequestOption {
    /// The option that a part describes.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, by: By) -> Option<Self> {
        let into = match part.text("inject_into")? {
            "request_parameter" => Place::Parameter,
            "header" => Place::Header,
            "body_data" => Place::BodyData,
            "body_json" => Place::BodyJson,
            other => {
                builder.error(part, format!("`inject_into` cannot be `{other}`"));
                return None;
            }
        };
        let path = match (part.field("field_name"), part.field("field_path")) {
            (Some(name), None) => vec![key(builder, &name)?],
            (None, Some(path)) if into == Place::BodyJson => {
                let keys: Option<Vec<_>> = path.items().map(|item| key(builder, &item)).collect();
                keys?
            }
            (None, Some(path)) => {
                builder.error(&path, "`field_path` is for `inject_into: body_json` only. Use `field_name`");
                return None;
            }
            (Some(_), Some(path)) => {
                builder.error(&path, "`field_name` and `field_path` exclude each other: keep one of them");
                return None;
            }
            (None, None) => {
                builder.error(part, "it has no name for its value: add `field_name`");
                return None;
            }
        };
        if path.is_empty() {
            builder.error(part, "`field_path` has no names");
            return None;
        }
        Some(Self { place: into, path: path.into(), by, from: builder.place(part).into() })
    }

    /// A value for this place.
    pub(super) fn inject(&self, value: Value) -> Injection {
        let (path, from) = (Arc::clone(&self.path), Arc::clone(&self.from));
        Injection { place: self.place, path, value, by: self.by, from }
    }

    /// A header that a part names.
    pub(super) fn header(builder: &Builder<'_>, part: &Part<'_>, name: String, by: By) -> Self {
        Self { place: Place::Header, path: [name].into(), by, from: builder.place(part).into() }
    }

    /// Whether one request cannot have both values: the same name, or one inside the other.
    pub(super) fn clashes(&self, other: &Self) -> bool {
        let shorter = self.path.len().min(other.path.len());
        self.place == other.place && self.path[..shorter] == other.path[..shorter]
    }
}

/// A name, which depends on the config alone.
fn key(builder: &Builder<'_>, part: &Part<'_>) -> Option<String> {
    let key = builder.value(part)?.to_text();
    if key.is_empty() {
        builder.error(part, "the name is empty with this config");
        return None;
    }
    Some(key)
}

/// A number that depends on the config alone, such as a page size. `None` if it is missing or gives nothing.
pub(super) fn whole_number(builder: &Builder<'_>, part: &Part<'_>) -> Option<i64> {
    use super::template::Literal;
    match builder.value(part)? {
        Literal::Int(number) => Some(number),
        Literal::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}").parse().ok(),
        other => {
            builder.error(part, format!("it has to be a whole number with this config, not {}", other.type_name()));
            None
        }
    }
}

/// The names that a part sets whatever the slice is, for [`super::request::tell_collisions`]: those that the config alone decides.
pub(super) fn fixed_names(builder: &Builder<'_>, part: &Part<'_>, into: Place) -> Vec<(Place, String, Arc<str>)> {
    use super::template::{InputPlace, Literal, RequestInputs};
    let inputs = match into {
        Place::Parameter => InputPlace::Parameters,
        Place::Header => InputPlace::Headers,
        Place::BodyData => InputPlace::BodyData,
        Place::BodyJson => InputPlace::BodyJson,
    };
    let Literal::Dict(entries) = literal(part.node) else { return Vec::new() };
    let place: Arc<str> = builder.place(part).into();
    // Faults of one are reported where all of them are built.
    let fixed = entries.into_iter().filter_map(|entry| {
        let one = RequestInputs::compile(inputs, &Literal::Dict(vec![entry])).ok()?;
        let mut is_constant = true;
        one.templates(&mut |template| is_constant &= template.is_constant());
        match builder.placed(part, one).eval(&[]).ok().filter(|_| is_constant)? {
            // Nothing is sent for null or an empty list.
            Literal::Dict(sent) => sent.into_iter().find(|(_, value)| *value != Literal::List(Vec::new())),
            _ => None,
        }
    });
    fixed.map(|(key, _)| (into, key.to_text(), Arc::clone(&place))).collect()
}

/// The values added to a request, by place.
pub(super) fn by_place(injections: &[Injection]) -> HashMap<Place, Vec<&Injection>> {
    let mut placed: HashMap<Place, Vec<&Injection>> = HashMap::new();
    let mut ordered: Vec<&Injection> = injections.iter().collect();
    ordered.sort_by_key(|injection| injection.by);
    for injection in ordered {
        placed.entry(injection.place).or_default().push(injection);
    }
    placed
}

/// The text that a template of the config gives, as it is sent: nothing if its value is null.
pub(super) fn credential(text: &Text) -> Result<String, Failure> {
    match text.template().is_one_expression() && text.kept(&[])? == super::template::Literal::None {
        true => Ok(String::new()),
        false => text.text(&[]),
    }
}
