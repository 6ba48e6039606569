//! A running mock.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::api::Api;
use super::api_error::ApiError;
use super::builder::StripeMockBuilder;
use super::changes::{Changes, members as members_of};
use super::expansion::Effect;
use super::plans::EVERYTHING;
use super::resource::{RESOURCES, Resource};
use super::version;
use source_http_testkit::server::{Reply, Server};

/// A mock Stripe API on a local port; it ends when dropped. Its objects, clock and faults can change while it runs, so
/// that a second sync sees something new.
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

    /// The accepted API key.
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

    /// The compact JSON text of each object, newest first, in its default form; events that are too old to be listed
    /// are included.
    pub fn objects(&self, resource: &str) -> Vec<Arc<str>> {
        let store = self.api.read();
        let objects = store.collection(Resource::place(resource)).newest_first();
        objects.map(|object| Arc::clone(&object.text)).collect()
    }

    /// The same, with these values of `expand[]`.
    ///
    /// # Panics
    /// If one of the values is refused.
    pub fn expanded(&self, resource: &str, expand: &[&str]) -> Vec<String> {
        let store = self.api.read();
        let place = Resource::place(resource);
        let effect = |value: &&str| match Effect::of(&RESOURCES[place], value, true) {
            Ok(effect) => effect,
            Err(error) => panic!("{error:?}"),
        };
        let effects: Vec<Effect> = expand.iter().map(effect).collect();
        let objects = store.collection(place).newest_first();
        objects.map(|object| store.expanded(object, &effects).into_owned()).collect()
    }

    /// The id of each object, newest first.
    pub fn ids(&self, resource: &str) -> Vec<Arc<str>> {
        let store = self.api.read();
        let objects = store.collection(Resource::place(resource)).newest_first();
        objects.map(|object| Arc::clone(&object.id)).collect()
    }

    /// Adds an object, replacing one with its id, without an event. See [`StripeMockBuilder::object`].
    pub fn push_object(&self, resource: &str, json: &str) {
        expect(self.api.change().put(Resource::place(resource), json));
    }

    /// Removes an object without an event; pages that start after it fail from now on.
    ///
    /// # Panics
    /// If there is none of that id.
    pub fn remove_object(&self, resource: &str, id: &str) {
        let removed = self.api.change().remove(Resource::place(resource), id);
        assert!(removed.is_some(), "there is no {id} in {resource}");
    }

    /// Makes an object at the mock's clock, and its event if Stripe has one. A child belongs to the newest parent.
    /// Returns the object's id.
    pub fn create(&self, resource: &str) -> String {
        self.create_with(resource, "{}")
    }

    /// The same, with the members of this JSON object replacing the defaults.
    ///
    /// # Panics
    /// If the text is not a JSON object.
    pub fn create_with(&self, resource: &str, members: &str) -> String {
        let members = expect(members_of(members));
        expect(self.change(|changes| changes.create(Resource::place(resource), &members)))
    }

    /// Changes an object's members, and adds its event if Stripe has one, with `previous_attributes`. The `updated` of
    /// a product is set to the mock's clock.
    ///
    /// # Panics
    /// If there is none of that id.
    pub fn update(&self, resource: &str, id: &str, change: impl FnOnce(&mut Map<String, Value>)) {
        expect(self.change(|changes| changes.update(Resource::place(resource), id, change)));
    }

    /// Removes an object, and adds its event if Stripe has one. A subscription stays, canceled.
    ///
    /// # Panics
    /// If there is none of that id.
    pub fn delete(&self, resource: &str, id: &str) {
        expect(self.change(|changes| changes.delete(Resource::place(resource), id)));
    }

    /// Adds an event about the object with this JSON text, in the form of lists, and returns the event's id.
    ///
    /// # Panics
    /// If the text is not JSON.
    pub fn push_event(&self, kind: &str, created: i64, object_json: &str) -> String {
        expect(self.change(|changes| {
            let mut changes = Changes { store: &mut *changes.store, version: version::PINNED, ..*changes };
            changes.add_event(kind, created, object_json, None)
        }))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Changes) -> Result<T, String>) -> Result<T, String> {
        let mut store = self.api.change();
        let (now, lateness, version) = (self.api.now(), self.api.lateness(), self.api.account_version());
        change(&mut Changes { store: &mut store, now, lateness, version })
    }

    /// Answers the next request of a path with this reply; a second call sets the one after it.
    pub fn fault_next(&self, path: &str, reply: Reply) {
        self.api.plans().plan_next(path, reply);
    }

    /// Answers the next N requests of a path with an error of this status.
    pub fn fail_for(&self, path: &str, status: u16, hits: u64) {
        for _ in 0..hits {
            self.fault_next(path, ApiError::failure(status).into_reply());
        }
    }

    /// Answers the next request of a path with 429 and this many seconds to wait.
    pub fn limit_next(&self, path: &str, retry_after: u64) {
        self.fault_next(path, ApiError::rate_limited(Some(retry_after)).into_reply());
    }

    /// Removes the permission to read a path, see [`StripeMockBuilder::forbid`].
    pub fn forbid(&self, path: &str) {
        self.api.plans().refuse(path, 403, None);
    }

    /// Answers the requests for a target with this error from now on. The target is a path, in which a segment `{name}`
    /// matches any, and the parameters that the request must have, for Stripe's refusals of one object, such as
    /// `/v1/balance_transactions?payout=po_1`. See [`StripeMock::allow`].
    pub fn refuse(&self, target: &str, status: u16, code: Option<&str>, message: &str) {
        self.api.plans().refuse_in_words(target, status, code, message);
    }

    /// Answers every request with this error from now on: the account is closed, or its API version is retired. See
    /// [`StripeMock::allow_account`].
    pub fn refuse_account(&self, status: u16, code: Option<&str>, message: &str) {
        self.refuse(EVERYTHING, status, code, message);
    }

    /// Ends the refusal of the account.
    pub fn allow_account(&self) {
        self.allow(EVERYTHING);
    }

    /// Deletes, without an event, the objects after which the next N pages of a path begin, just before these are
    /// requested: the last object of a page is deleted while the list is read.
    pub fn delete_cursors(&self, path: &str, pages: u64) {
        self.api.plans().delete_cursors(path, pages);
    }

    /// The ids of a parent's children, newest first.
    pub fn children(&self, resource: &str, parent: &str) -> Vec<Arc<str>> {
        let store = self.api.read();
        let children = store.collection(Resource::place(resource)).children_of(parent);
        children.map(|object| Arc::clone(&object.id)).collect()
    }

    /// Grants the permission to read a forbidden path, or a refused target, given in the same form.
    pub fn allow(&self, path: &str) {
        self.api.plans().allow(path);
    }
}

/// The value of a call; misuse ends the test.
pub(super) fn expect<T>(result: Result<T, String>) -> T {
    result.unwrap_or_else(|problem| panic!("{problem}"))
}
