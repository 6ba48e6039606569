//! The objects of one resource, in the order of their creation.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::list_query::{Cursor, ListQuery};
use super::object::Object;
use super::page::Page;
use super::resource::Resource;

/// The objects of one resource.
pub(super) struct Collection {
    resource: &'static Resource,
    /// By creation; objects of the same second, as they came. Those without a creation time come first, in reverse
    /// order, so that a list, which goes backwards, has them as they came.
    oldest_first: Vec<Object>,
    places: HashMap<Arc<str>, usize>,
    /// The ids of each parent's children, in the order of `oldest_first`.
    children: HashMap<Arc<str>, Vec<Arc<str>>>,
    /// How often an object was inserted, so that the next number is never that of an id in use.
    added: u64,
}

impl Collection {
    /// A collection of objects of different ids.
    pub(super) fn new(resource: &'static Resource, mut objects: Vec<Object>) -> Self {
        let added = objects.len() as u64;
        objects.sort_by_key(|object| object.created);
        let undated = objects.partition_point(Object::is_undated);
        objects[..undated].reverse();
        let mut children: HashMap<Arc<str>, Vec<Arc<str>>> = HashMap::new();
        for object in &objects {
            if let Some(parent) = &object.parent {
                children.entry(Arc::clone(parent)).or_default().push(Arc::clone(&object.id));
            }
        }
        let mut collection = Self { resource, oldest_first: objects, places: HashMap::new(), children, added };
        collection.number_from(0);
        collection
    }

    /// A number that no generated id has.
    pub(super) fn next_number(&self) -> u64 {
        self.added + 1
    }

    pub(super) fn newest_first(&self) -> impl DoubleEndedIterator<Item = &Object> + ExactSizeIterator {
        self.oldest_first.iter().rev()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Object> {
        Some(&self.oldest_first[*self.places.get(id)?])
    }

    pub(super) fn find_mut(&mut self, id: &str) -> Option<&mut Object> {
        Some(&mut self.oldest_first[*self.places.get(id)?])
    }

    /// The children of a parent, in the order in which they are listed.
    pub(super) fn children_of(&self, parent: &str) -> impl DoubleEndedIterator<Item = &Object> + ExactSizeIterator {
        let ids = self.children.get(parent).map(Vec::as_slice).unwrap_or_default();
        ids.iter().rev().map(|id| &self.oldest_first[self.places[id]])
    }

    /// Adds an object, replacing one with its id.
    pub(super) fn put(&mut self, mut object: Object) {
        self.added += 1;
        if let Some(old) = self.find(&object.id) {
            object.visible_from = old.visible_from;
        }
        if let Some(old) = self.find_mut(&object.id)
            && old.created == object.created
            && old.parent == object.parent
        {
            *old = object;
            return;
        }
        self.remove(&object.id.clone());
        let place = match object.is_undated() {
            true => 0,
            false => self.oldest_first.partition_point(|earlier| earlier.created <= object.created),
        };
        let (id, parent) = (Arc::clone(&object.id), object.parent.clone());
        self.oldest_first.insert(place, object);
        self.number_from(place);
        if let Some(parent) = parent {
            let siblings = self.children.entry(parent).or_default();
            let among = siblings.partition_point(|sibling| self.places[sibling] < place);
            siblings.insert(among, id);
        }
    }

    /// Removes an object and returns it; `None` without that id.
    pub(super) fn remove(&mut self, id: &str) -> Option<Object> {
        let place = self.places.remove(id)?;
        let removed = self.oldest_first.remove(place);
        self.number_from(place);
        if let Some(siblings) = removed.parent.as_ref().and_then(|parent| self.children.get_mut(parent)) {
            siblings.retain(|sibling| **sibling != *removed.id);
        }
        Some(removed)
    }

    fn number_from(&mut self, place: usize) {
        for (place, object) in self.oldest_first.iter().enumerate().skip(place) {
            self.places.insert(Arc::clone(&object.id), place);
        }
    }

    /// The page for the query at that time.
    ///
    /// # Errors
    /// The query's cursor, if it names no object of the list.
    pub(super) fn page<'q>(&self, query: &'q ListQuery, now: i64) -> Result<Page<'_>, &'q Cursor> {
        let kept_since = self.resource.retention.map_or(i64::MIN, |age| now - age);
        if let Some((_, parent)) = &query.parent {
            // A list of one kind of object does not know the others, which share the list inside the parent.
            let mut all: Vec<&Object> = self.children_of(parent).filter(|object| object.is_shown_by(query)).collect();
            all.reverse();
            let cursor = query.cursor_place(|id| all.iter().position(|object| *object.id == *id))?;
            let listed = all.get(range(&all, cursor, query, kept_since)).unwrap_or_default();
            return Ok(page(listed.iter().copied().filter(|object| object.visible_from <= now), query));
        }
        let all = &self.oldest_first;
        let cursor = query.cursor_place(|id| self.places.get(id).copied())?;
        let listed = all.get(range(all, cursor, query, kept_since)).unwrap_or_default();
        Ok(page(listed.iter().filter(|object| object.visible_from <= now), query))
    }
}

/// The range of objects selected by the query's time and cursor, given as an index.
fn range<T: Borrow<Object>>(all: &[T], cursor: Option<usize>, query: &ListQuery, kept_since: i64) -> Range<usize> {
    let since = query.created_from.max(kept_since);
    let mut start = all.partition_point(|object| object.borrow().created < since);
    let mut end = all.partition_point(|object| object.borrow().created <= query.created_to);
    match (cursor, &query.cursor) {
        (Some(place), Some(Cursor::EndingBefore(_))) => start = start.max(place + 1),
        (Some(place), _) => end = end.min(place),
        (None, _) => {}
    }
    start..end
}

/// The first page of these objects, oldest first.
fn page<'a>(listed: impl DoubleEndedIterator<Item = &'a Object>, query: &ListQuery) -> Page<'a> {
    let matching = listed.filter(|object| object.matches(query));
    let backwards = matches!(query.cursor, Some(Cursor::EndingBefore(_)));
    let one_more = query.limit + 1;
    let mut objects: Vec<&Object> =
        if backwards { matching.take(one_more).collect() } else { matching.rev().take(one_more).collect() };
    let has_more = objects.len() > query.limit;
    objects.truncate(query.limit);
    if backwards {
        objects.reverse();
    }
    Page { objects, has_more }
}
