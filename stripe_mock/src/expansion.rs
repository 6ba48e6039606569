//! The values of `expand[]`, and their effects.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::api_error::ApiError;
use super::objects::{discount_of, tax_rate_of};
use super::relation::{Nested, Relation};
use super::resource::Resource;
use source_http::json::{field, unquoted, with_field};

/// The additional or changed content on request.
#[derive(Clone, Copy)]
pub(super) enum Effect {
    /// The list of the object's children.
    Children(&'static Relation, &'static Nested),
    /// A field that is otherwise omitted.
    Field(&'static str),
    /// Replaces an id by its object.
    Object(&'static str, fn(&str) -> Value),
}

/// By resource.
const ROWS: &[(&str, Effect)] = &[
    ("checkout_sessions_line_items", Effect::Field("discounts")),
    ("checkout_sessions_line_items", Effect::Field("taxes")),
    ("invoices", Effect::Object("discounts", discount_of)),
    ("invoices", Effect::Object("total_tax_amounts.tax_rate", tax_rate_of)),
    ("plans", Effect::Field("tiers")),
    ("prices", Effect::Field("tiers")),
];

impl Effect {
    fn all(resource: &Resource) -> impl Iterator<Item = Self> {
        let name = resource.name;
        let lists = Relation::inside(resource).filter(|(_, nested)| !nested.always);
        let lists = lists.map(|(relation, nested)| Self::Children(relation, nested));
        lists.chain(ROWS.iter().filter(move |row| row.0 == name).map(|row| row.1))
    }

    /// The effect of a value of `expand[]`. The paths of a list begin with `data.`.
    pub(super) fn of(resource: &Resource, value: &str, in_list: bool) -> Result<Self, ApiError> {
        let path = if in_list { value.strip_prefix("data.") } else { Some(value) };
        let found = Self::all(resource).find(|effect| path == Some(effect.path()));
        found.ok_or_else(|| {
            let text = format!("{value} cannot be expanded here");
            ApiError::invalid("parameter_invalid", "expand", text)
        })
    }

    pub(super) fn path(&self) -> &'static str {
        match self {
            Self::Children(_, nested) => nested.field,
            Self::Field(path) | Self::Object(path, _) => path,
        }
    }

    /// The fields of the resource's objects that are omitted by default: lists of children and [`Effect::fields`].
    pub(super) fn left_out(resource: &Resource) -> impl Iterator<Item = &'static str> {
        Self::all(resource).filter(|effect| !matches!(effect, Self::Object(..))).map(|effect| effect.path())
    }

    /// The objects' own fields that are omitted by default.
    pub(super) fn fields(resource: &Resource) -> impl Iterator<Item = &'static str> {
        Self::all(resource).filter(|effect| matches!(effect, Self::Field(_))).map(|effect| effect.path())
    }
}

/// The object with ids at the path replaced by objects; `None` if there are no ids there. All elements of an array are
/// handled.
pub(super) fn expand_ids(text: &str, path: &str, make: fn(&str) -> Value) -> Option<String> {
    if text.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        let expanded: Vec<Option<String>> = elements.iter().map(|one| expand_ids(one.get(), path, make)).collect();
        if expanded.iter().all(Option::is_none) {
            return None;
        }
        let texts: Vec<Cow<'_, str>> =
            elements.iter().zip(expanded).map(|(old, new)| new.map_or(Cow::Borrowed(old.get()), Cow::Owned)).collect();
        return Some(format!("[{}]", texts.join(",")));
    }
    if path.is_empty() {
        let id: &RawValue = serde_json::from_str(text).ok()?;
        return text.starts_with('"').then(|| make(&unquoted(id.get())).to_string());
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let new = expand_ids(field(text, name)?, rest, make)?;
    Some(with_field(text, name, &new))
}
