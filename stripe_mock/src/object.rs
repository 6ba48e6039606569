//! One object, as text.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::expansion::Effect;
use super::list_query::ListQuery;
use super::relation::{PARENT, Relation};
use super::resource::Resource;
use source_http::json::{field as json_field, for_each_member, unquoted};
use source_http_testkit::json_text;

/// The depth of an object in a list.
pub(super) const LEVEL_IN_LIST: usize = 2;

/// An object and its properties for lists.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) id: Arc<str>,
    /// Unix seconds. An object without it is older than any other.
    pub(super) created: i64,
    /// The id of the object that it is a child of.
    pub(super) parent: Option<Arc<str>>,
    /// The `type` of an event.
    kind: Option<String>,
    /// The fields that the resource's lists are filtered by.
    fields: Vec<(&'static str, String)>,
    /// Fields that are sent to those who ask for them, with their compact JSON.
    left_out: Vec<(&'static str, Arc<str>)>,
    /// Compact JSON, as it is sent by default.
    pub(super) text: Arc<str>,
    /// When it becomes visible, in unix seconds.
    pub(super) visible_from: i64,
    /// The text in lists: the same, or indented over several lines.
    pub(super) in_list: Arc<str>,
}

impl Object {
    /// An object from its JSON text, whose numbers and strings stay unchanged.
    ///
    /// # Errors
    /// If the text is not a JSON object with a string `id`.
    pub(super) fn new(resource: &Resource, text: &str) -> Result<Self, String> {
        Self::of_compact(resource, json_text::compact(text))
    }

    /// Like [`Object::new`], for text without whitespace between its tokens.
    pub(super) fn of_compact(resource: &Resource, text: String) -> Result<Self, String> {
        let name = resource.name;
        let all: HashMap<String, &RawValue> =
            serde_json::from_str(&text).map_err(|error| format!("no object of {name}: {error}\n{text}"))?;
        let field = |name: &str| all.get(name).map(|raw| unquoted(raw.get()).into_owned());
        let id = field("id").ok_or_else(|| format!("an object of {name} without id\n{text}"))?;
        let created = field(resource.created_field).and_then(|created| created.parse().ok());
        let kind = if resource.types { field("type") } else { None };
        // An object in place of an id is compared by its id.
        let compared = |name: &str| match json_field(all.get(name)?.get(), "id") {
            Some(id) => Some(unquoted(id).into_owned()),
            None => field(name),
        };
        let fields = resource
            .filter_fields()
            .chain(resource.shows_only.map(|_| "object"))
            .filter_map(|name| Some((name, compared(name)?)))
            .collect();
        let parent = Relation::of_child(resource).and_then(|relation| field(relation.key));
        let left_out: Vec<(&'static str, Arc<str>)> =
            Effect::fields(resource).filter_map(|name| Some((name, all.get(name)?.get().into()))).collect();
        let unsent: Vec<&str> = Effect::left_out(resource).chain([PARENT]).collect();
        let stays = |name: &str| !unsent.contains(&name);
        let sent = if all.keys().all(|name| stays(name)) { None } else { Some(only(&text, stays)) };
        drop(all);
        let text: Arc<str> = sent.unwrap_or(text).into();
        Ok(Self {
            id: id.into(),
            created: created.unwrap_or(i64::MIN),
            parent: parent.map(Into::into),
            kind,
            fields,
            left_out,
            in_list: Arc::clone(&text),
            visible_from: i64::MIN,
            text,
        })
    }

    /// Whether it is listed in order of insertion, because it has no creation time.
    pub(super) fn is_undated(&self) -> bool {
        self.created == i64::MIN
    }

    /// The fields that are sent only on request.
    pub(super) fn left_out(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.left_out.iter().map(|(name, text)| (*name, &**text))
    }

    /// Sets the default content.
    pub(super) fn show(&mut self, text: impl Into<Arc<str>>, pretty: bool) {
        self.text = text.into();
        self.in_list =
            if pretty { json_text::pretty(&self.text, LEVEL_IN_LIST).into() } else { Arc::clone(&self.text) };
    }

    /// Whether it has the list's kind.
    pub(super) fn is_shown_by(&self, query: &ListQuery) -> bool {
        let kind = query.fields.iter().find(|(name, _)| *name == "object");
        kind.is_none_or(|kind| self.fields.contains(kind))
    }

    /// Whether the query's conditions hold, except those of time.
    pub(super) fn matches(&self, query: &ListQuery) -> bool {
        let kind = self.kind.as_deref().unwrap_or_default();
        let of_type = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => kind.starts_with(prefix),
            None => kind == pattern,
        };
        let has = |(name, value): &(&'static str, String)| {
            self.fields.iter().any(|field| field.0 == *name && field.1 == *value)
        };
        (query.types.is_empty() || query.types.iter().any(of_type))
            && query.fields.iter().all(has)
            && !query.without.iter().any(has)
    }
}

/// The object with only the members whose names pass.
fn only(text: &str, passes: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for_each_member(text, |name, value| {
        if passes(&unquoted(name)) {
            out.push(if out.is_empty() { '{' } else { ',' });
            out.extend([name, ":", value]);
        }
    });
    out.push_str(if out.is_empty() { "{}" } else { "}" });
    out
}
