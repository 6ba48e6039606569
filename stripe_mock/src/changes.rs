//! Changes to the objects of a running mock, with the events that Stripe would send about them.

use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::list_query::HIDES_CANCELED;
use super::object::Object;
use super::relation::{PARENT, Relation};
use super::resource::{RESOURCES, Resource};
use super::seed::Seed;
use super::store::Store;
use super::version;
use sha2::{Digest, Sha256};
use source_http::json::{field, with_field};

/// The store at a moment, for changes.
pub(super) struct Changes<'a> {
    pub(super) store: &'a mut Store,
    /// Unix seconds.
    pub(super) now: i64,
    /// The longest delay in seconds before changes are visible.
    pub(super) lateness: i64,
    /// The API version of the objects in events.
    pub(super) version: &'a str,
}

impl Changes<'_> {
    /// Makes an object, with these members replacing its defaults, and returns its id.
    pub(super) fn create(&mut self, place: usize, members: &Map<String, Value>) -> Result<String, String> {
        let resource = &RESOURCES[place];
        let mut number = self.store.collection(place).next_number();
        while self.store.collection(place).find(&resource.id(number)).is_some() {
            number += 1;
        }
        let mut object = (resource.generate)(&mut Seed::new(resource, number, self.now));
        if let Some(relation) = Relation::of_child(resource) {
            let parents = self.store.collection(relation.parent_place());
            let unknown = object[relation.key].as_str().is_some_and(|id| parents.find(id).is_none());
            if unknown && let Some(newest) = parents.newest_first().next() {
                object[relation.key] = Value::from(&*newest.id);
            }
        }
        // A new object has not changed since.
        if object.get("updated").is_some() {
            object["updated"] = self.now.into();
        }
        for (name, value) in members {
            object[name] = value.clone();
        }
        let id = self.store.put(place, &object.to_string())?;
        self.delay(place, &id, self.now);
        self.tell(resource.event_created, &self.text(place, &id)?, None)?;
        Ok(id)
    }

    /// Changes the members of an object. Its `updated`, if it has one, is set to now.
    pub(super) fn update(
        &mut self,
        place: usize,
        id: &str,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Result<(), String> {
        let resource = &RESOURCES[place];
        let before = self.change(place, id, change)?;
        let after = self.text(place, id)?;
        let previous = previous_attributes(&members(&before)?, &members(&after)?);
        self.tell(resource.event_updated, &after, Some(&previous))
    }

    /// Removes an object; a subscription is canceled, as Stripe keeps those.
    pub(super) fn delete(&mut self, place: usize, id: &str) -> Result<(), String> {
        let resource = &RESOURCES[place];
        let last = if resource.name == HIDES_CANCELED {
            let now = self.now;
            self.change(place, id, |subscription| {
                subscription.insert("status".to_owned(), "canceled".into());
                subscription.insert("canceled_at".to_owned(), now.into());
                subscription.insert("ended_at".to_owned(), now.into());
            })?;
            self.text(place, id)?
        } else {
            self.store.remove(place, id).ok_or_else(|| none_of(resource, id))?.text
        };
        self.tell(resource.event_deleted, &last, None)
    }

    /// Adds an event about an object, and returns the event's id.
    pub(super) fn add_event(
        &mut self,
        kind: &str,
        created: i64,
        object: &str,
        previous: Option<&Map<String, Value>>,
    ) -> Result<String, String> {
        let place = Resource::place("events");
        let number = self.store.collection(place).next_number();
        let object = version::rendered(object, self.version);
        let id = self.store.put(place, &event_text(number, kind, created, &object, previous, self.version)?)?;
        self.delay(place, &id, created);
        Ok(id)
    }

    /// Adds an event about an object in its current form, and returns the event's id.
    pub(super) fn event_about(&mut self, kind: &str, place: usize, id: &str) -> Result<String, String> {
        let text = self.text(place, id)?;
        self.add_event(kind, self.now, &text, None)
    }

    /// Delays the visibility of an object, by a time that depends on its id.
    fn delay(&mut self, place: usize, id: &str, stamp: i64) {
        if self.lateness == 0 {
            return;
        }
        let digest = Sha256::digest(id.as_bytes());
        let number = digest[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let late = i64::try_from(number >> 1).unwrap_or(0) % (self.lateness + 1);
        self.store.show_from(place, id, stamp.saturating_add(late));
    }

    fn tell(&mut self, kind: Option<&str>, object: &str, previous: Option<&Map<String, Value>>) -> Result<(), String> {
        match kind {
            Some(kind) => self.add_event(kind, self.now, object, previous).map(drop),
            None => Ok(()),
        }
    }

    /// Changes an object and returns its previous text. Unchanged parts keep their digits.
    fn change(
        &mut self,
        place: usize,
        id: &str,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Result<Arc<str>, String> {
        let resource = &RESOURCES[place];
        let object = self.store.collection(place).find(id).ok_or_else(|| none_of(resource, id))?;
        let before = Arc::clone(&object.text);
        let whole = whole(object, resource);
        let old = members(&whole)?;
        let mut new = old.clone();
        change(&mut new);
        if new.contains_key("updated") && new.get("updated") == old.get("updated") {
            new.insert("updated".to_owned(), self.now.into());
        }
        if new.get("id") != old.get("id") {
            return Err(format!("the id of {id} cannot change"));
        }
        let mut text = "{}".to_owned();
        for (name, value) in &new {
            let kept = if old.get(name) == Some(value) { field(&whole, name) } else { None };
            text = with_field(&text, name, &kept.map_or_else(|| value.to_string(), str::to_owned));
        }
        self.store.put(place, &text)?;
        Ok(before)
    }

    fn text(&self, place: usize, id: &str) -> Result<Arc<str>, String> {
        let object = self.store.collection(place).find(id);
        object.map(|object| Arc::clone(&object.text)).ok_or_else(|| none_of(&RESOURCES[place], id))
    }
}

fn none_of(resource: &Resource, id: &str) -> String {
    format!("there is no {id} in {}", resource.name)
}

pub(super) fn members(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON object: {error}\n{text}"))
}

/// The object's text with the fields that are hidden by default.
fn whole(object: &Object, resource: &Resource) -> String {
    let mut text = object.text.to_string();
    for (name, value) in object.left_out() {
        text = with_field(&text, name, value);
    }
    let hides_parent = Relation::of_child(resource).is_some_and(|relation| relation.key == PARENT);
    match &object.parent {
        Some(parent) if hides_parent => with_field(&text, PARENT, &Value::from(&**parent).to_string()),
        _ => text,
    }
}

/// The previous values: of an object only the changed members, of anything else all of it; null for new values.
fn previous_attributes(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let mut previous = Map::new();
    for (name, old) in before {
        match (old, after.get(name)) {
            (old, Some(new)) if old == new => {}
            (Value::Object(old), Some(Value::Object(new))) => {
                previous.insert(name.clone(), previous_attributes(old, new).into());
            }
            (old, _) => {
                previous.insert(name.clone(), old.clone());
            }
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        previous.insert(name.clone(), Value::Null);
    }
    previous
}

/// An event around an object whose text stays unchanged.
///
/// # Errors
/// If the object is not JSON.
fn event_text(
    number: u64,
    kind: &str,
    created: i64,
    object: &str,
    previous: Option<&Map<String, Value>>,
    version: &str,
) -> Result<String, String> {
    let object: &RawValue =
        serde_json::from_str(object).map_err(|error| format!("an event about what is not JSON: {error}\n{object}"))?;
    let previous = previous
        .map_or(String::new(), |previous| format!(r#","previous_attributes":{}"#, Value::from(previous.clone())));
    let id = Value::from(RESOURCES[Resource::place("events")].id(number));
    let kind = Value::from(kind);
    let request = r#"{"id":null,"idempotency_key":null}"#;
    Ok(format!(
        r#"{{"id":{id},"object":"event","api_version":"{version}","created":{created},"data":{{"object":{object}{previous}}},"livemode":false,"pending_webhooks":0,"request":{request},"type":{kind}}}"#
    ))
}
