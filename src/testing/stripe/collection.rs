//! The objects of one resource, rendered, in the order of their creation.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::super::json_text;
use super::list_query::{Cursor, ListQuery};
use super::resource::Resource;

/// How deep an object lies in a list.
const LEVEL_IN_LIST: usize = 2;

/// One object, as text.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) id: Arc<str>,
    pub(super) created: i64,
    /// The `type` of an event.
    kind: Option<String>,
    /// The fields that the resource's lists are filtered by.
    fields: Vec<(&'static str, String)>,
    /// Compact JSON.
    pub(super) text: Arc<str>,
    /// What a list holds: the same, or the same over several lines.
    pub(super) in_list: Arc<str>,
}

/// The objects of one resource.
pub(super) struct Collection {
    resource: &'static Resource,
    /// By creation; of the same second, as they came.
    oldest_first: Vec<Object>,
    places: HashMap<Arc<str>, usize>,
    /// How often an object was put in, so that the next number is never one of an id in use.
    added: u64,
}

/// What one list request gets.
pub(super) struct Page<'a> {
    pub(super) objects: Vec<&'a Object>,
    pub(super) has_more: bool,
}

impl Object {
    /// An object from its JSON text, whose numbers and strings are kept as they are.
    ///
    /// # Panics
    /// If the text is no JSON object with a string `id`.
    pub(super) fn new(resource: &Resource, text: &str, pretty: bool) -> Self {
        Self::of_compact(resource, json_text::compact(text), pretty)
    }

    /// Like [`Object::new`], for text without whitespace between its tokens.
    pub(super) fn of_compact(resource: &Resource, text: String, pretty: bool) -> Self {
        let name = resource.name;
        let all: HashMap<String, &RawValue> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("no object of {name}: {error}\n{text}"));
        let field = |name: &str| {
            let raw = all.get(name)?.get();
            Some(serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned()))
        };
        let id = field("id").unwrap_or_else(|| panic!("an object of {name} without id\n{text}"));
        let created = field(resource.created_field).and_then(|created| created.parse().ok());
        let kind = if resource.types { field("type") } else { None };
        let fields = resource.filter_fields().filter_map(|name| Some((name, field(name)?))).collect();
        let text: Arc<str> = text.into();
        Self {
            id: id.into(),
            created: created.unwrap_or(0),
            kind,
            fields,
            in_list: if pretty { json_text::pretty(&text, LEVEL_IN_LIST).into() } else { Arc::clone(&text) },
            text,
        }
    }

    fn matches(&self, query: &ListQuery) -> bool {
        let kind = self.kind.as_deref().unwrap_or_default();
        let of_type = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => kind.starts_with(prefix),
            None => kind == pattern,
        };
        let has = |(name, value): &(&'static str, String)| {
            self.fields.iter().any(|field| field.0 == *name && field.1 == *value)
        };
        (query.types.is_empty() || query.types.iter().any(of_type)) && query.fields.iter().all(has)
    }
}

impl Collection {
    pub(super) fn new(resource: &'static Resource) -> Self {
        Self { resource, oldest_first: Vec::new(), places: HashMap::new(), added: 0 }
    }

    /// A number that no generated id has.
    pub(super) fn next_number(&self) -> u64 {
        self.added + 1
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Object> {
        self.oldest_first.iter().rev()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Object> {
        Some(&self.oldest_first[*self.places.get(id)?])
    }

    /// Adds an object, in place of the one with its id if there is one.
    pub(super) fn put(&mut self, object: Object) {
        self.added += 1;
        if let Some(&place) = self.places.get(&object.id)
            && self.oldest_first[place].created == object.created
        {
            self.oldest_first[place] = object;
            return;
        }
        self.remove(&object.id.clone());
        let place = self.oldest_first.partition_point(|earlier| earlier.created <= object.created);
        self.oldest_first.insert(place, object);
        self.number_from(place);
    }

    /// Removes an object; false if there is none of that id.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let Some(place) = self.places.remove(id) else {
            return false;
        };
        self.oldest_first.remove(place);
        self.number_from(place);
        true
    }

    fn number_from(&mut self, place: usize) {
        for (place, object) in self.oldest_first.iter().enumerate().skip(place) {
            self.places.insert(Arc::clone(&object.id), place);
        }
    }

    /// The page that the query asks for at that time; none if its cursor does not exist.
    pub(super) fn page(&self, query: &ListQuery, now: i64) -> Option<Page<'_>> {
        let kept_since = self.resource.retention.map_or(i64::MIN, |age| now - age);
        let since = query.created_from.max(kept_since);
        let all = &self.oldest_first;
        let mut start = all.partition_point(|object| object.created < since);
        let mut end = all.partition_point(|object| object.created <= query.created_to);
        match &query.cursor {
            Some(Cursor::StartingAfter(id)) => end = end.min(*self.places.get(id.as_str())?),
            Some(Cursor::EndingBefore(id)) => start = start.max(*self.places.get(id.as_str())? + 1),
            None => {}
        }
        let listed = all.get(start..end).unwrap_or_default();
        let one_more = query.limit + 1;
        let matching = |object: &&Object| object.matches(query);
        let backwards = matches!(query.cursor, Some(Cursor::EndingBefore(_)));
        let mut objects: Vec<&Object> = if backwards {
            listed.iter().filter(matching).take(one_more).collect()
        } else {
            listed.iter().rev().filter(matching).take(one_more).collect()
        };
        let has_more = objects.len() > query.limit;
        objects.truncate(query.limit);
        if backwards {
            objects.reverse();
        }
        Some(Page { objects, has_more })
    }
}

impl Page<'_> {
    /// The page as Stripe's list object.
    pub(super) fn render(&self, path: &str, pretty: bool) -> Vec<u8> {
        let url = serde_json::Value::from(path);
        let has_more = self.has_more;
        let (open, between, close) = match (pretty, self.objects.is_empty()) {
            (false, _) => (r#"{"object":"list","data":["#, ",", format!(r#"],"has_more":{has_more},"url":{url}}}"#)),
            (true, empty) => (
                if empty {
                    "{\n  \"object\": \"list\",\n  \"data\": [\n"
                } else {
                    "{\n  \"object\": \"list\",\n  \"data\": [\n    "
                },
                ",\n    ",
                format!("\n  ],\n  \"has_more\": {has_more},\n  \"url\": {url}\n}}"),
            ),
        };
        let length: usize = self.objects.iter().map(|o| o.in_list.len() + between.len()).sum();
        let mut out = Vec::with_capacity(open.len() + length + close.len());
        out.extend_from_slice(open.as_bytes());
        for (place, object) in self.objects.iter().enumerate() {
            if place > 0 {
                out.extend_from_slice(between.as_bytes());
            }
            out.extend_from_slice(object.in_list.as_bytes());
        }
        out.extend_from_slice(close.as_bytes());
        out
    }
}
