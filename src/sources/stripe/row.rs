//! What a row of the table says: where a list is, what it is asked with and which events report its objects. How lists
//! of its kind are read is said where the row's type is used.

use serde_json::{Map, Value};

use super::api::{Api, VERSION};
use crate::streams::{Listing, path_segment};

/// What every row tells.
pub(super) trait Row {
    /// The stream's name, and that of its schema.
    fn name(&self) -> &'static str;

    /// The version of the API that the objects are requested in.
    fn version(&self) -> &'static str {
        VERSION
    }

    /// Whether a record is identified by its `id`.
    fn has_id(&self) -> bool {
        true
    }
}

/// A list of objects that never change: what is new since the last read is asked for by creation time.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
}

/// A list of objects that change: read whole the first time, and from the events about them after that.
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
    /// The events that carry such an object, newly changed.
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
    /// Where the first page is in its objects.
    pub(super) field: &'static str,
    /// How the further pages are requested.
    pub(super) request: Request,
    /// The `object` member of the objects wanted. Lists and events may hold others, too.
    pub(super) object: &'static str,
    pub(super) cursor: &'static str,
    /// Fields that records get, and which of the parent's each is.
    pub(super) of_parent: &'static [(&'static str, &'static str)],
    /// Where one such object is, with members of its own in braces. `None` if no event carries one.
    pub(super) object_path: Option<&'static str>,
    /// The events that carry such an object, or the parent's.
    pub(super) events: &'static [&'static str],
    /// Whether the objects are gone when the parent is.
    pub(super) deleted_with_parent: bool,
}

/// A list that every object of another list has.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: &'static str,
    /// The stream of the other list.
    pub(super) parent: &'static str,
    /// What the parent's id is called.
    pub(super) key: &'static str,
    /// Further fields of the parent that are needed.
    pub(super) extra_fields: &'static [&'static str],
    pub(super) request: Request,
    pub(super) cursor: ChildCursor,
    /// Fields that records get, and which of the key and the further fields each is.
    pub(super) of_parent: &'static [(&'static str, &'static str)],
}

/// A list that every object of another list has, of objects that have events.
#[derive(Debug)]
pub(super) struct UpdatedChild {
    pub(super) name: &'static str,
    /// The stream of the other list.
    pub(super) parent: &'static str,
    /// What the parent's id is called.
    pub(super) key: &'static str,
    pub(super) request: Request,
    /// The objects' `object` member.
    pub(super) object: &'static str,
    /// Where one such object is, with members of its own in braces.
    pub(super) object_path: &'static str,
    /// The member without which an object is in no list.
    pub(super) listed_by: Option<&'static str>,
    /// The events that carry such an object, newly changed.
    pub(super) events: &'static [&'static str],
}

/// What a child's newness is measured by.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChildCursor {
    /// By nothing: it is always read whole, and its records have no key.
    None,
    /// By this field. All children of a changed parent are read.
    Global(&'static str),
    /// By this field. Of a changed parent only the children that are new are read.
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

/// How the list of a parent is requested: `{name}` stands for that member of the parent.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) path: &'static str,
    pub(super) params: &'static [(&'static str, &'static str)],
}

impl Updated {
    /// The slices that the list is read in.
    pub(super) fn listing(&self) -> Listing {
        if self.windows { Listing::Spans } else { Listing::Whole }
    }

    /// Where one such object is; `{id}` stands for its id.
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
