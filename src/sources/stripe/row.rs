//! A row of the table: a list's path, its parameters, and the events about its objects. The module of each row type
//! says how its lists are read.

use serde_json::{Map, Value};

use super::api::{Api, VERSION};
use crate::streams::{Listing, path_segment};

/// The common part of all rows.
pub(super) trait Row {
    /// The stream's name, and that of its schema.
    fn name(&self) -> &'static str;

    /// The API version of the objects.
    fn version(&self) -> &'static str {
        VERSION
    }

    /// Whether a record is identified by its `id`.
    fn has_id(&self) -> bool {
        true
    }
}

/// A list of objects that never change: new ones are requested by creation time.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
}

/// A list of objects that change: read whole the first time, and from events after that.
#[derive(Debug)]
pub(super) struct Updated {
    pub(super) name: &'static str,
    /// The list's path; `{account_id}` stands for the config's account.
    pub(super) path: &'static str,
    /// The objects' `object` member. Events of the types below carry other objects, too.
    pub(super) object: &'static str,
    /// Whether the list can be filtered by `created`.
    pub(super) windows: bool,
    /// Further query parameters of the list.
    pub(super) params: &'static [(&'static str, &'static str)],
    /// The events with such an object, newly changed.
    pub(super) events: &'static [&'static str],
    /// Whether no event reports a new object.
    pub(super) list_newest: bool,
    pub(super) version: &'static str,
}

/// A list whose first page is inside the objects of another one.
#[derive(Debug)]
pub(super) struct Nested {
    pub(super) name: &'static str,
    /// The other list.
    pub(super) parent: &'static Updated,
    /// The path of the first page in its objects.
    pub(super) field: &'static str,
    /// How further pages are requested.
    pub(super) request: Request,
    /// The `object` member of the wanted objects. Lists and events may contain others, too.
    pub(super) object: &'static str,
    pub(super) cursor: &'static str,
    /// Fields that are added to records, and their sources in the parent.
    pub(super) of_parent: &'static [(&'static str, &'static str)],
    /// The path of one such object, with its own members in braces. `None` if no event carries one.
    pub(super) object_path: Option<&'static str>,
    /// The events with such an object, or the parent's.
    pub(super) events: &'static [&'static str],
    /// Whether the objects are gone when the parent is.
    pub(super) deleted_with_parent: bool,
}

/// A list of every object of another list.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: &'static str,
    /// The stream of the other list.
    pub(super) parent: &'static str,
    /// The name of the parent's id.
    pub(super) key: &'static str,
    /// Further fields of the parent.
    pub(super) extra_fields: &'static [&'static str],
    pub(super) request: Request,
    pub(super) cursor: ChildCursor,
    /// Fields that are added to records, and their sources among the key and the further fields.
    pub(super) of_parent: &'static [(&'static str, &'static str)],
}

/// A list of every object of another list, of objects that have events.
#[derive(Debug)]
pub(super) struct UpdatedChild {
    pub(super) name: &'static str,
    /// The stream of the other list.
    pub(super) parent: &'static str,
    /// The name of the parent's id.
    pub(super) key: &'static str,
    pub(super) request: Request,
    /// The objects' `object` member.
    pub(super) object: &'static str,
    /// The path of one such object, with its own members in braces.
    pub(super) object_path: &'static str,
    /// The member without which an object is in no list.
    pub(super) listed_by: Option<&'static str>,
    /// The events with such an object, newly changed.
    pub(super) events: &'static [&'static str],
}

/// How new a child is.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChildCursor {
    /// Unknown: the list is always read whole, and its records have no key.
    None,
    /// By this field. All children of a changed parent are read.
    Global(&'static str),
    /// By this field. Only the new children of a changed parent are read.
    PerParent(&'static str),
}

impl ChildCursor {
    pub(super) fn field(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Global(field) | Self::PerParent(field) => Some(field),
        }
    }

    pub(super) fn is_per_parent(self) -> bool {
        matches!(self, Self::PerParent(_))
    }
}

/// How a parent's list is requested: `{name}` stands for that member of the parent.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) path: &'static str,
    pub(super) params: &'static [(&'static str, &'static str)],
}

impl Updated {
    /// The slices of the list.
    pub(super) fn listing(&self) -> Listing {
        if self.windows { Listing::Spans } else { Listing::Whole }
    }

    /// The path of one such object; `{id}` stands for its id.
    pub(super) fn object_path(&self) -> String {
        format!("{}/{{id}}", self.path)
    }
}

impl Request {
    pub(super) fn path(&self, api: &Api, parent: &Map<String, Value>) -> String {
        api.fill(&fill(self.path, parent, path_segment))
    }

    /// The parameters, with a window of creation times if there is one.
    pub(super) fn params(&self, parent: &Map<String, Value>, window: Option<(i64, i64)>) -> Vec<(String, String)> {
        let own: Vec<_> = self.params.iter().map(|(name, value)| (*name, fill(value, parent, str::to_owned))).collect();
        Api::list_params(own.iter().map(|(name, value)| (*name, value.as_str())), window)
    }
}

fn fill(template: &str, parent: &Map<String, Value>, encode: impl Fn(&str) -> String) -> String {
    parent.iter().fold(template.to_owned(), |text, (name, value)| {
        value.as_str().map_or(text.clone(), |value| text.replace(&format!("{{{name}}}"), &encode(value)))
    })
}

macro_rules! named {
    ($($row:ident),*) => {
        $(impl Row for $row {
            fn name(&self) -> &'static str {
                self.name
            }
        })*
    };
}
named!(Created, Nested, UpdatedChild);

impl Row for Updated {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> &'static str {
        self.version
    }
}

impl Row for Child {
    fn name(&self) -> &'static str {
        self.name
    }

    fn has_id(&self) -> bool {
        self.cursor.field().is_some()
    }
}
