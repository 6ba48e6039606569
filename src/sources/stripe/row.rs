//! A row of the table: one stream as Stripe's reference describes it. `list` says how it is read.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::api::{Api, list_params};
use super::event::Event;
use crate::streams::{Record, path_segment};

/// A list of the account; or, with a parent, the lists of all objects of another list. Without events its objects never
/// change, and only new ones are requested. With events it is read whole the first time, and from the events after that.
#[derive(Debug)]
pub(super) struct Row {
    /// The stream's name, and that of its schema.
    pub(super) name: &'static str,
    /// The list's path, if it is not the name. `{account_id}` stands for the config's account; in the list of a parent,
    /// a name in braces for that member of the parent.
    pub(super) path: &'static str,
    /// Further query parameters of the list, with the same names in braces.
    pub(super) params: &'static [(&'static str, &'static str)],
    /// Whether the list can be filtered by `created`.
    pub(super) windows: bool,
    /// The API version of the objects.
    pub(super) version: &'static str,
    /// The `object` member of the wanted objects, if their list is not named after it: see [`Row::kind`]. Lists and
    /// events may contain other objects, too.
    pub(super) object: &'static str,
    /// The path of one object, with its own members in braces, if it is not the list's with `{id}` after it.
    pub(super) object_path: &'static str,
    /// The cursor field. `None`: the list is always read whole, and its records have no key.
    pub(super) cursor: Option<&'static str>,
    /// The types of the events with such an object, newly changed.
    pub(super) events: &'static [&'static str],
    /// Whether no event reports a new object.
    pub(super) list_newest: bool,
    /// The member without which an object is in no list.
    pub(super) listed_by: Option<&'static str>,
    /// The list whose objects each have such a list.
    pub(super) parent: Option<&'static Row>,
    /// The name of the parent's id.
    pub(super) key: &'static str,
    /// Fields that are added to records, and their sources in the parent.
    pub(super) of_parent: &'static [(&'static str, &'static str)],
    /// The member of the parent with the list's first page. `None`: every page is requested. Its events are also those
    /// with the parent.
    pub(super) inside: Option<&'static str>,
    /// Whether the objects inside a parent are gone when it is.
    pub(super) deleted_with_parent: bool,
}

impl Row {
    /// The list's path, with names in braces.
    pub(super) fn list(&self) -> &'static str {
        if self.path.is_empty() { self.name } else { self.path }
    }

    /// The `object` member of the wanted objects. Stripe names them after the list: `issuing/cards` has an
    /// `issuing.card`.
    pub(super) fn kind(&self) -> Cow<'static, str> {
        let list = self.list();
        match self.object {
            "" => list.strip_suffix('s').unwrap_or(list).replace('/', ".").into(),
            object => object.into(),
        }
    }

    /// The row of the list around this one, if that has the first page.
    pub(super) fn outer(&self) -> Option<&'static Self> {
        self.parent.filter(|_| self.inside.is_some())
    }

    /// The row of the list that is requested first.
    pub(super) fn listed(&self) -> &Self {
        self.outer().unwrap_or(self)
    }

    /// Whether each parent's list is read on its own.
    pub(super) fn is_child(&self) -> bool {
        self.parent.is_some() && self.inside.is_none()
    }

    /// Whether each parent has a cursor of its own.
    pub(super) fn is_per_parent(&self) -> bool {
        self.is_child() && self.events.is_empty() && self.windows
    }

    /// Further fields of the parent, beside its id.
    pub(super) fn extra_fields(&self) -> impl Iterator<Item = &'static str> {
        self.of_parent.iter().map(|(_, of)| *of).filter(move |of| *of != self.key)
    }

    /// The path of the list of a parent.
    pub(super) fn path(&self, api: &Api, parent: &Map<String, Value>) -> String {
        api.fill(&fill(self.list(), parent, path_segment))
    }

    /// The parameters of the list of a parent, with a window of creation times if there is one.
    pub(super) fn params(&self, parent: &Map<String, Value>, window: Option<(i64, i64)>) -> Vec<(String, String)> {
        list_params(self.params.iter().map(|(name, value)| (*name, fill(value, parent, str::to_owned))), window)
    }

    /// The expansions of one object: where a list expands `data.refunds`, an object does `refunds`.
    pub(super) fn expansions(&self) -> Vec<(&'static str, &'static str)> {
        let expansions = self.params.iter().filter(|(name, _)| *name == "expand[]");
        expansions.map(|(name, path)| (*name, path.strip_prefix("data.").unwrap_or(path))).collect()
    }

    /// The path of an event's object, with its members in braces; `None` if the stream does not need it.
    pub(super) fn path_of(&self, event: &Event<'_>) -> Option<String> {
        let row = [Some(self), self.outer()].into_iter().flatten().find(|row| event.is_about(&row.kind()))?;
        Some(match row.object_path {
            "" => format!("{}/{{id}}", row.list()),
            path => path.to_owned(),
        })
    }

    /// Whether an object is no longer in any list: a payment method of no customer.
    pub(super) fn is_unlisted(&self, object: &Record<'_>) -> bool {
        self.listed_by.is_some_and(|name| object.field(name) == Some("null"))
    }
}

fn fill(template: &str, parent: &Map<String, Value>, encode: impl Fn(&str) -> String) -> String {
    parent.iter().fold(template.to_owned(), |text, (name, value)| {
        value.as_str().map_or(text.clone(), |value| text.replace(&format!("{{{name}}}"), &encode(value)))
    })
}
