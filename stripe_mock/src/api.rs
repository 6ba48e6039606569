//! Answers one request, from the planned fault to the page.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use super::api_error::ApiError;
use super::list_query::{Cursor, ListQuery};
use super::object::Object;
use super::plans::Plans;
use super::relation::Relation;
use super::store::Store;
use super::target::ListTarget;
use super::version;
use source_http_testkit::json_text;
use source_http_testkit::server::{Reply, Request, gzip_bytes};

/// The mock's settings.
pub(super) struct Settings {
    pub(super) key: String,
    pub(super) pretty: bool,
    pub(super) gzip: bool,
    pub(super) latency: Duration,
    pub(super) cached_pages: usize,
    /// Objects a page has at most.
    pub(super) page_size: usize,
    /// The longest delay in seconds before changes are visible.
    pub(super) lateness: i64,
    /// The API version of the objects in events.
    pub(super) account_version: String,
}

/// State that the server's threads share with the test.
pub(super) struct Api {
    settings: Settings,
    now: AtomicI64,
    store: RwLock<Store>,
    /// Rendered pages by target; only used while `store` is held.
    pages: Mutex<HashMap<String, Arc<[u8]>>>,
    plans: Mutex<Plans>,
    answers: AtomicU64,
}

impl Api {
    pub(super) fn new(settings: Settings, now: i64, store: Store, plans: Plans) -> Self {
        Self {
            settings,
            now: AtomicI64::new(now),
            store: RwLock::new(store),
            pages: Mutex::default(),
            plans: Mutex::new(plans),
            answers: AtomicU64::new(0),
        }
    }

    pub(super) fn lateness(&self) -> i64 {
        self.settings.lateness
    }

    pub(super) fn account_version(&self) -> &str {
        &self.settings.account_version
    }

    pub(super) fn key(&self) -> &str {
        &self.settings.key
    }

    pub(super) fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(super) fn set_now(&self, now: i64) {
        let _unread = self.change();
        self.now.store(now, Ordering::SeqCst);
    }

    pub(super) fn plans(&self) -> MutexGuard<'_, Plans> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store for a change, which makes the rendered pages void.
    pub(super) fn change(&self) -> RwLockWriteGuard<'_, Store> {
        let store = self.store.write();
        self.pages().clear();
        store.unwrap_or_else(PoisonError::into_inner)
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<String, Arc<[u8]>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply to one request.
    pub(super) fn answer(&self, request: &Request) -> Reply {
        let planned = self.plans().hit(&request.path);
        let reply = match planned {
            Ok(Some(planned)) => planned,
            Ok(None) => self.served(request).unwrap_or_else(ApiError::into_reply).delay(self.settings.latency),
            Err(limited) => limited.into_reply().delay(self.settings.latency),
        };
        let number = self.answers.fetch_add(1, Ordering::SeqCst) + 1;
        let reply = reply.header("Request-Id", format!("req_{number:014}"));
        match request.header("Stripe-Version") {
            Some(version) => reply.header("Stripe-Version", version),
            None => reply,
        }
    }

    fn served(&self, request: &Request) -> Result<Reply, ApiError> {
        let key = request.header("Authorization").map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
        if key != Some(&self.settings.key) {
            return Err(ApiError::unauthorized(key));
        }
        self.plans().admit(request)?;
        self.find(request)
    }

    fn find(&self, request: &Request) -> Result<Reply, ApiError> {
        let path = request.path.as_str();
        let unknown = || ApiError::unknown_url(&request.method, path);
        let is_served = |target: &ListTarget| version::serves(target.resource, request.header("Stripe-Version"));
        if request.method != "GET" {
            return Err(unknown());
        }
        if let Some(target) = ListTarget::at(path) {
            return if is_served(&target) { self.list(&target, request) } else { Err(unknown()) };
        }
        let (target, id) = ListTarget::of_object(path).filter(|(target, _)| is_served(target)).ok_or_else(unknown)?;
        self.object(&target, id, request)
    }

    fn object(&self, target: &ListTarget, id: &str, request: &Request) -> Result<Reply, ApiError> {
        let effects = ListQuery::of_object(target.resource, request)?;
        let store = self.read();
        check_parent(&store, target, None, target.parent.as_deref(), request)?;
        let of_list = |parent: Option<&str>| target.parent.is_none() || parent == target.parent.as_deref();
        let is_shown = |object: &&Object| of_list(object.parent.as_deref()) && object.visible_from <= self.now();
        let found = store.collection(target.place).find(id).filter(is_shown);
        let object = found.ok_or_else(|| ApiError::missing(404, target.resource.object, "id", id))?;
        let text = store.expanded(object, &effects);
        Ok(Reply::json_text(if self.settings.pretty { json_text::pretty(&text, 0) } else { text.into_owned() }))
    }

    fn list(&self, target: &ListTarget, request: &Request) -> Result<Reply, ApiError> {
        let mut query = ListQuery::new(target, request)?;
        query.limit = query.limit.min(self.settings.page_size);
        if let Some(Cursor::StartingAfter(id)) = &query.cursor
            && self.plans().deletes_cursor(&request.path)
        {
            self.change().remove(target.place, id);
        }
        let accepts = request.header("Accept-Encoding").unwrap_or_default();
        let gzip = self.settings.gzip && accepts.contains("gzip");
        let cache_key = format!("{}{}", if gzip { "gzip " } else { "" }, request.target);
        let store = self.read();
        if let Some((param, parent)) = &query.parent {
            check_parent(&store, target, *param, Some(parent), request)?;
        }
        if self.settings.cached_pages > 0
            && let Some(page) = self.pages().get(&cache_key)
        {
            return Ok(page_reply(Arc::clone(page), gzip));
        }
        let page = store.collection(target.place).page(&query, self.now()).map_err(|cursor| {
            let (param, id) = cursor.param_and_id();
            ApiError::missing(400, target.resource.object, param, id)
        })?;
        let write = |out: &mut String, object: &Object| store.write_in_list(out, object, &query.effects);
        let rendered = page.render(&request.path, self.settings.pretty, write).into_bytes();
        let body: Arc<[u8]> = if gzip { gzip_bytes(&rendered).into() } else { rendered.into() };
        if self.settings.cached_pages > 0 {
            let mut pages = self.pages();
            if pages.len() >= self.settings.cached_pages {
                pages.clear();
            }
            pages.insert(cache_key, Arc::clone(&body));
        }
        Ok(page_reply(body, gzip))
    }
}

/// Refuses a missing parent: with 404 if the path names it, with 400 if a parameter does. The request's own account
/// always exists.
fn check_parent(
    store: &Store,
    target: &ListTarget,
    param: Option<&str>,
    parent: Option<&str>,
    request: &Request,
) -> Result<(), ApiError> {
    let (Some(relation), Some(id)) = (Relation::of_child(target.resource), parent) else {
        return Ok(());
    };
    let own = relation.parent == "accounts" && request.header("Stripe-Account") == Some(id);
    if own || store.collection(relation.parent_place()).find(id).is_some() {
        return Ok(());
    }
    let object = relation.parent_resource().object;
    Err(match param {
        Some(param) => ApiError::missing(400, object, param, id),
        None => ApiError::missing(404, object, object, id),
    })
}

fn page_reply(body: Arc<[u8]>, gzip: bool) -> Reply {
    let reply = Reply::shared("application/json", body);
    if gzip { reply.header("Content-Encoding", "gzip") } else { reply }
}
