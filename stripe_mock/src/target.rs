//! Resolves a path.

use super::relation::Relation;
use super::resource::{RESOURCES, Resource};

/// A list.
pub(super) struct ListTarget {
    /// The index of its resource in the table.
    pub(super) place: usize,
    pub(super) resource: &'static Resource,
    /// The parent of its objects.
    pub(super) parent: Option<String>,
    /// Fields and the values that all its objects have.
    pub(super) fields: Vec<(&'static str, String)>,
}

impl ListTarget {
    /// The list at a path: one of the table, or one that an object's own list names.
    pub(super) fn at(path: &str) -> Option<Self> {
        let of_row = |(place, resource): (usize, &'static Resource)| {
            let mut fields = resource.path_fields(path)?;
            let key = Relation::of_child(resource).map(|relation| relation.key);
            let of_parent = fields.iter().position(|(field, _)| key == Some(field));
            let parent = of_parent.map(|place| fields.remove(place).1);
            fields.extend(resource.shows_only.map(|object| ("object", object.to_owned())));
            Some(Self { place, resource, parent, fields })
        };
        RESOURCES.iter().enumerate().find_map(of_row).or_else(|| {
            let (relation, parent) = Relation::at(path)?;
            let place = relation.child_place();
            Some(Self { place, resource: &RESOURCES[place], parent: Some(parent.to_owned()), fields: Vec::new() })
        })
    }

    /// The list that holds the object at a path, and the object's id.
    pub(super) fn of_object(path: &str) -> Option<(Self, &str)> {
        let (list, id) = path.rsplit_once('/')?;
        let apart = RESOURCES.iter().enumerate().find(|(_, resource)| resource.objects_at == Some(list));
        if let Some((place, resource)) = apart {
            return Some((Self { place, resource, parent: None, fields: Vec::new() }, id));
        }
        Some((Self::at(list)?, id))
    }
}

/// Whether a path matches the pattern, in which a segment `{name}` matches any.
pub(super) fn is_at(path: &str, pattern: &str) -> bool {
    let mut segments = path.split('/');
    let fits = |expected: &str| {
        let any = expected.starts_with('{') && expected.ends_with('}');
        segments.next().is_some_and(|segment| segment == expected || any && !segment.is_empty())
    };
    pattern.split('/').all(fits) && segments.next().is_none()
}
