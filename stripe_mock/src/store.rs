//! All objects of the mock, and their nesting.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;
use serde_json::value::RawValue;

use super::collection::Collection;
use super::expansion::{Effect, expand_ids};
use super::object::{LEVEL_IN_LIST, Object};
use super::relation::{Nested, Relation};
use super::resource::{RESOURCES, Resource};
use source_http::json::{field_at, with_field};
use source_http_testkit::json_text;

/// The most objects in an inner list.
const NESTED: usize = 10;

/// The collections of all resources, in the order of [`RESOURCES`].
pub(super) struct Store {
    collections: Vec<Collection>,
    pretty: bool,
}

impl Store {
    /// The store of these collections; `pretty` objects are also kept in indented form.
    pub(super) fn new(collections: Vec<Collection>, pretty: bool) -> Self {
        let mut store = Self { collections, pretty };
        // A parent contains its children's texts, so those come first.
        let mut places: Vec<usize> = (0..RESOURCES.len()).collect();
        places.sort_by_key(|place| std::cmp::Reverse(Relation::depth(&RESOURCES[*place])));
        for place in places {
            let ids: Vec<_> = store.collections[place].newest_first().map(|object| object.id.clone()).collect();
            for id in ids {
                store.render(place, &id);
            }
        }
        store
    }

    pub(super) fn collection(&self, place: usize) -> &Collection {
        &self.collections[place]
    }

    /// Adds an object, replacing one with its id. The objects in its inner lists are added to their own collections.
    /// Returns its id.
    ///
    /// # Errors
    /// If the text is not a JSON object with a string `id`.
    pub(super) fn put(&mut self, place: usize, text: &str) -> Result<String, String> {
        let object = Object::new(&RESOURCES[place], text)?;
        let id = object.id.to_string();
        for (relation, children) in brought(&RESOURCES[place], &id, text) {
            for child in children {
                let child = Object::of_compact(&RESOURCES[relation.child_place()], child)?;
                let child_id = child.id.to_string();
                self.collections[relation.child_place()].put(child);
                self.render(relation.child_place(), &child_id);
            }
        }
        let former = self.collections[place].find(&id).and_then(|old| old.parent.clone());
        self.collections[place].put(object);
        self.refresh(place, &id);
        if let Some(relation) = Relation::of_child(&RESOURCES[place])
            && let Some(former) = former
        {
            self.refresh(relation.parent_place(), &former);
        }
        Ok(id)
    }

    /// Makes an object visible from that moment on, in unix seconds.
    pub(super) fn show_from(&mut self, place: usize, id: &str, moment: i64) {
        if let Some(object) = self.collections[place].find_mut(id) {
            object.visible_from = moment;
        }
    }

    /// Removes an object; `None` without that id.
    pub(super) fn remove(&mut self, place: usize, id: &str) -> Option<Object> {
        let removed = self.collections[place].remove(id)?;
        if let (Some(relation), Some(parent)) = (Relation::of_child(&RESOURCES[place]), &removed.parent) {
            self.refresh(relation.parent_place(), parent);
        }
        Some(removed)
    }

    /// Renders an object, and those that contain it.
    fn refresh(&mut self, place: usize, id: &str) {
        self.render(place, id);
        if let Some(relation) = Relation::of_child(&RESOURCES[place])
            && relation.nested.as_ref().is_some_and(|nested| nested.always)
            && let Some(parent) = self.collections[place].find(id).and_then(|object| object.parent.clone())
        {
            self.refresh(relation.parent_place(), &parent);
        }
    }

    /// Renders an object with its permanent inner lists.
    fn render(&mut self, place: usize, id: &str) {
        let Some(object) = self.collections[place].find(id) else {
            return;
        };
        let mut text = object.text.clone();
        for (relation, nested) in Relation::inside(&RESOURCES[place]).filter(|(_, nested)| nested.always) {
            text = with_field(&text, nested.field, &self.nested(relation, nested, id)).into();
        }
        let pretty = self.pretty;
        if let Some(object) = self.collections[place].find_mut(id) {
            object.show(text, pretty);
        }
    }

    /// The list inside a parent.
    fn nested(&self, relation: &Relation, nested: &Nested, parent: &str) -> String {
        let children = self.collections[relation.child_place()].children_of(parent);
        let (count, has_more) = (children.len(), children.len() > NESTED);
        let mut list = r#"{"object":"list","data":["#.to_owned();
        for (place, child) in children.take(NESTED).enumerate() {
            list.push_str(if place > 0 { "," } else { "" });
            list.push_str(&child.text);
        }
        // Writing to a String cannot fail.
        let url = nested.url.replacen("{}", parent, 1);
        let _ = write!(list, r#"],"has_more":{has_more},"total_count":{count},"url":"{url}"}}"#);
        list
    }

    /// Appends the object in its form for lists.
    pub(super) fn write_in_list(&self, out: &mut String, object: &Object, effects: &[Effect]) {
        let (replaced, added) = self.expand(object, effects);
        match (replaced, self.pretty) {
            (None, _) if added.is_empty() => out.push_str(&object.in_list),
            (None, false) => write_with_members(out, &object.text, &added),
            (None, true) => write_with_pretty_members(out, &object.in_list, &added),
            (Some(text), false) => write_with_members(out, &text, &added),
            (Some(text), true) => out.push_str(&json_text::pretty(&with_members(&text, &added), LEVEL_IN_LIST)),
        }
    }

    /// The object's compact text with the requested content.
    pub(super) fn expanded<'a>(&self, object: &'a Object, effects: &[Effect]) -> Cow<'a, str> {
        let (replaced, added) = self.expand(object, effects);
        match (replaced, added.is_empty()) {
            (None, true) => Cow::Borrowed(&object.text),
            (None, false) => Cow::Owned(with_members(&object.text, &added)),
            (Some(text), _) => Cow::Owned(with_members(&text, &added)),
        }
    }

    /// The object's text if something in it was replaced, and the fields to add.
    fn expand<'a>(
        &self,
        object: &'a Object,
        effects: &[Effect],
    ) -> (Option<String>, Vec<(&'static str, Cow<'a, str>)>) {
        let mut replaced: Option<String> = None;
        let mut added = Vec::new();
        for effect in effects {
            match effect {
                Effect::Children(relation, nested) => {
                    added.push((nested.field, Cow::Owned(self.nested(relation, nested, &object.id))));
                }
                Effect::Field(name) => {
                    let has = object.left_out().find(|(known, _)| known == name);
                    added.extend(has.map(|(name, text)| (name, Cow::Borrowed(text))));
                }
                Effect::Object(path, make) => {
                    let text = replaced.as_deref().unwrap_or(&object.text);
                    if let Some(new) = expand_ids(text, path, *make) {
                        replaced = Some(new);
                    }
                }
            }
        }
        (replaced, added)
    }
}

/// The children in an object's inner lists, as texts with their parent.
fn brought(resource: &Resource, id: &str, text: &str) -> Vec<(&'static Relation, Vec<String>)> {
    let children_of = |(relation, nested): (&'static Relation, &'static Nested)| {
        let data = field_at(text, &[nested.field, "data"])?;
        let children: Vec<&RawValue> = serde_json::from_str(data).ok()?;
        let with_parent = |child: &&RawValue| {
            with_field(&json_text::compact(child.get()), relation.key, &Value::from(id).to_string())
        };
        Some((relation, children.iter().map(with_parent).collect()))
    };
    Relation::inside(resource).filter_map(children_of).collect()
}

/// The compact object with members at its end.
fn with_members(object: &str, members: &[(&str, Cow<'_, str>)]) -> String {
    let mut out = String::new();
    write_with_members(&mut out, object, members);
    out
}

fn write_with_members(out: &mut String, object: &str, members: &[(&str, Cow<'_, str>)]) {
    out.push_str(object.strip_suffix('}').unwrap_or(object));
    for (name, text) in members {
        out.extend([",\"", name, "\":", text]);
    }
    out.push('}');
}

/// The same for the indented text of lists.
fn write_with_pretty_members(out: &mut String, in_list: &str, members: &[(&str, Cow<'_, str>)]) {
    let indent = "  ".repeat(LEVEL_IN_LIST);
    let end = format!("\n{indent}}}");
    out.push_str(in_list.strip_suffix(&end).unwrap_or(in_list));
    for (name, text) in members {
        out.extend([",\n  ", &indent, "\"", name, "\": ", &json_text::pretty(text, LEVEL_IN_LIST + 1)]);
    }
    out.push_str(&end);
}
