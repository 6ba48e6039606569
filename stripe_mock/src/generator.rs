//! Generates the objects for the builder's settings.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::collection::Collection;
use super::object::Object;
use super::relation::Relation;
use super::resource::{RESOURCES, Resource};
use super::seed::Seed;
use super::store::Store;
use source_http::json::with_field;

/// The distance between the children of one parent, in seconds.
const BETWEEN_CHILDREN: i64 = 60;

/// The wanted objects of one resource.
#[derive(Clone, Default)]
pub(super) struct Wanted {
    pub(super) count: Option<u64>,
    /// How many for each parent.
    pub(super) children: Option<u64>,
    /// Parents with another number.
    pub(super) children_of: Vec<(String, u64)>,
}

/// When objects are created, in unix seconds, and when it is now.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) now: i64,
}

/// The objects of all resources, in the order of [`RESOURCES`].
pub(super) struct Generator {
    made: Vec<Vec<Object>>,
    times: Times,
}

impl Wanted {
    fn is_nothing(&self) -> bool {
        self.count.is_none() && self.children.is_none() && self.children_of.is_empty()
    }

    fn children_of(&self, parent: &str) -> u64 {
        let special = self.children_of.iter().find(|(id, _)| id == parent);
        special.map_or(self.children.unwrap_or(0), |(_, count)| *count)
    }
}

impl Generator {
    /// Makes everything but events.
    pub(super) fn new(wanted: &[Wanted], times: Times) -> Self {
        let mut generator = Self { made: vec![Vec::new(); RESOURCES.len()], times };
        let mut places: Vec<usize> = (0..RESOURCES.len()).filter(|&place| !RESOURCES[place].types).collect();
        places.sort_by_key(|place| Relation::depth(&RESOURCES[*place]));
        for place in places {
            generator.make_counted(place, wanted);
            if let Some(relation) = Relation::of_child(&RESOURCES[place]) {
                generator.make_children(place, relation, wanted);
            }
        }
        generator
    }

    pub(super) fn into_store(self, pretty: bool) -> Store {
        let collections = RESOURCES.iter().zip(self.made).map(|(resource, made)| Collection::new(resource, made));
        Store::new(collections.collect(), pretty)
    }

    fn make_counted(&mut self, place: usize, wanted: &[Wanted]) {
        let resource = &RESOURCES[place];
        let relation = Relation::of_child(resource);
        let parents: Vec<Arc<str>> = relation.map_or(Vec::new(), |relation| self.ids(relation.parent_place()));
        let known: HashSet<&str> = parents.iter().map(|id| &**id).collect();
        for (number, created) in (1..).zip(moments(wanted[place].count.unwrap_or(0), self.times)) {
            let mut value = (resource.generate)(&mut Seed::new(resource, number, created));
            if let Some(relation) = relation
                && !parents.is_empty()
                && value[relation.key].as_str().is_some_and(|parent| !known.contains(parent))
            {
                let in_turn = (number - 1) % parents.len() as u64;
                value[relation.key] = Value::from(&*parents[in_turn as usize]);
            }
            self.add(place, value, wanted);
        }
    }

    fn make_children(&mut self, place: usize, relation: &Relation, wanted: &[Wanted]) {
        let resource = &RESOURCES[place];
        let settings = &wanted[place];
        let mut parents: Vec<(Arc<str>, i64)> = Vec::new();
        if settings.children.is_some() || !settings.children_of.is_empty() {
            let made = &self.made[relation.parent_place()];
            parents.extend(made.iter().map(|parent| (Arc::clone(&parent.id), parent.created)));
        }
        for (id, _) in &settings.children_of {
            if !parents.iter().any(|(known, _)| **known == **id) {
                parents.push((id.as_str().into(), self.times.from));
            }
        }
        for (parent, since) in parents {
            for child in 1..=settings.children_of(&parent) {
                let number = self.made[place].len() as u64 + 1;
                let offset = i64::try_from(child).unwrap_or(0) * BETWEEN_CHILDREN;
                let created = since.max(self.times.from).saturating_add(offset).min(self.times.now.max(since));
                let mut value = (resource.generate)(&mut Seed::new(resource, number, created));
                value[relation.key] = Value::from(&*parent);
                self.add(place, value, wanted);
            }
        }
    }

    fn ids(&self, place: usize) -> Vec<Arc<str>> {
        self.made[place].iter().map(|object| Arc::clone(&object.id)).collect()
    }

    /// Stores an object. The objects of its inner lists are stored as their resource's, unless the settings state their
    /// number.
    fn add(&mut self, place: usize, mut value: Value, wanted: &[Wanted]) {
        for (relation, nested) in Relation::inside(&RESOURCES[place]) {
            let list = value.get_mut(nested.field).map(Value::take);
            let brought = list.and_then(|mut list| list.get_mut("data").map(Value::take));
            let Some(Value::Array(brought)) = brought else { continue };
            if wanted[relation.child_place()].is_nothing() {
                for mut child in brought {
                    child[relation.key] = value["id"].clone();
                    self.add(relation.child_place(), child, wanted);
                }
            }
        }
        self.made[place].push(object(place, value.to_string()));
    }
}

/// A generated object.
fn object(place: usize, text: String) -> Object {
    match Object::of_compact(&RESOURCES[place], text) {
        Ok(object) => object,
        Err(problem) => panic!("{problem}"),
    }
}

/// N moments at equal distances between the bounds.
fn moments(count: u64, times: Times) -> impl Iterator<Item = i64> {
    let steps = i128::from(count.saturating_sub(1).max(1));
    let span = i128::from(times.to - times.from);
    (0..count).map(move |number| times.from + i64::try_from(span * i128::from(number) / steps).unwrap_or(0))
}

/// Adds N events to the store, about its objects in their current form.
pub(super) fn add_events(store: &mut Store, count: u64, times: Times) {
    let place = Resource::place("events");
    let resource = &RESOURCES[place];
    for (number, created) in (1..).zip(moments(count, times)) {
        let event = (resource.generate)(&mut Seed::new(resource, number, created));
        let text = match known(store, &event["data"]["object"]) {
            Some(known) => with_field(&event.to_string(), "data", &format!(r#"{{"object":{known}}}"#)),
            None => event.to_string(),
        };
        if let Err(problem) = store.put(place, &text) {
            panic!("{problem}");
        }
    }
}

/// The text of the store's object with the same id.
fn known(store: &Store, object: &Value) -> Option<Arc<str>> {
    let id = object["id"].as_str()?;
    let found = (0..RESOURCES.len()).find_map(|place| store.collection(place).find(id))?;
    Some(Arc::clone(&found.text))
}
