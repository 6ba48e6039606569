//! A running mock.

use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::super::server::{Reply, Server};
use super::api::Api;
use super::builder::StripeMockBuilder;
use super::collection::Object;
use super::resource::{RESOURCES, Resource};

/// A mock Stripe API on a local port; it ends when dropped. Its objects, clock and faults can be
/// changed while it runs, so that a second sync sees something new.
pub struct StripeMock {
    api: Arc<Api>,
    server: Server,
}

impl StripeMock {
    /// The settings of a mock without objects.
    pub fn builder() -> StripeMockBuilder {
        StripeMockBuilder::new()
    }

    pub(super) fn new(api: Arc<Api>, server: Server) -> Self {
        Self { api, server }
    }

    /// The server, for its requests.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// `http://127.0.0.1:PORT`; the API's paths start with `/v1/`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The API key that is let in.
    pub fn key(&self) -> &str {
        self.api.key()
    }

    /// The mock's clock, in unix seconds.
    pub fn now(&self) -> i64 {
        self.api.now()
    }

    /// Sets the mock's clock, in unix seconds.
    pub fn set_now(&self, unix: i64) {
        self.api.set_now(unix);
    }

    /// The compact JSON text of each object, newest first; events that are too old to be listed
    /// are included.
    pub fn objects(&self, resource: &str) -> Vec<Arc<str>> {
        let collections = self.api.read();
        let objects = collections[Resource::place(resource)].newest_first();
        objects.map(|object| Arc::clone(&object.text)).collect()
    }

    /// The id of each object, newest first.
    pub fn ids(&self, resource: &str) -> Vec<Arc<str>> {
        let collections = self.api.read();
        let objects = collections[Resource::place(resource)].newest_first();
        objects.map(|object| Arc::clone(&object.id)).collect()
    }

    /// Adds an object, in place of the one with its id if there is one. See
    /// [`StripeMockBuilder::object`].
    pub fn push_object(&self, resource: &str, json: &str) {
        let place = Resource::place(resource);
        let object = Object::new(&RESOURCES[place], json, self.api.pretty());
        self.api.change()[place].put(object);
    }

    /// Removes an object; pages that start after it fail from now on.
    ///
    /// # Panics
    /// If there is none of that id.
    pub fn remove_object(&self, resource: &str, id: &str) {
        let removed = self.api.change()[Resource::place(resource)].remove(id);
        assert!(removed, "there is no {id} in {resource}");
    }

    /// Adds an event about the object with this JSON text and returns the event's id.
    pub fn push_event(&self, kind: &str, created: i64, object_json: &str) -> String {
        let place = Resource::place("events");
        let mut collections = self.api.change();
        let number = collections[place].next_number();
        let text = event_text(number, kind, created, object_json);
        let event = Object::new(&RESOURCES[place], &text, self.api.pretty());
        let id = event.id.to_string();
        collections[place].put(event);
        id
    }

    /// Answers the next request of a path with this reply; called again, the one after it.
    pub fn fault_next(&self, path: &str, reply: Reply) {
        self.api.hits().plan_next(path, reply);
    }
}

/// An event around an object whose text is kept as it is.
///
/// # Panics
/// If the object is no JSON.
pub(super) fn event_text(number: u64, kind: &str, created: i64, object: &str) -> String {
    let object: Box<RawValue> = serde_json::from_str(object)
        .unwrap_or_else(|error| panic!("an event about what is no JSON: {error}\n{object}"));
    let id = Value::from(RESOURCES[Resource::place("events")].id(number));
    let kind = Value::from(kind);
    let request = r#"{"id":null,"idempotency_key":null}"#;
    format!(
        r#"{{"id":{id},"object":"event","api_version":"2022-11-15","created":{created},"data":{{"object":{object}}},"livemode":false,"pending_webhooks":0,"request":{request},"type":{kind}}}"#
    )
}
