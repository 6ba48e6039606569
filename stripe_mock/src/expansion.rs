//! What `expand[]` can ask for, and what comes of it.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::api_error::ApiError;
use super::objects::{discount_of, tax_rate_of};
use super::relation::{Nested, Relation};
use super::resource::Resource;
use source_http::json::{field, unquoted, with_field};

/// What is sent in addition, or in another form, to those who ask.
#[derive(Clone, Copy)]
pub(super) enum Effect {
    /// The list of the object's children.
    Children(&'static Relation, &'static Nested),
    /// A field that is left out otherwise.
    Field(&'static str),
    /// In place of an id, the object that has it.
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

    /// The fields of the resource's objects that are left out unless asked for: lists of children
    /// and [`Effect::fields`].
    pub(super) fn left_out(resource: &Resource) -> impl Iterator<Item = &'static str> {
        Self::all(resource).filter(|effect| !matches!(effect, Self::Object(..))).map(|effect| effect.path())
    }

    /// The fields of the resource's objects that are the object's own and left out unless asked for.
    pub(super) fn fields(resource: &Resource) -> impl Iterator<Item = &'static str> {
        Self::all(resource).filter(|effect| matches!(effect, Self::Field(_))).map(|effect| effect.path())
    }
}

/// The object with objects in place of the ids at the path; none if there are no ids there.
/// Of an array, every element is gone into.
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
