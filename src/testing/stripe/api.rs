//! What happens to one request, from the planned fault to the page.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use super::super::json_text;
use super::super::server::{Reply, Request, gzip_bytes};
use super::api_error::ApiError;
use super::collection::{Collection, Object};
use super::list_query::ListQuery;
use super::resource::{RESOURCES, Resource};
use super::seed::Seed;

/// How the mock answers, set once.
pub(super) struct Settings {
    pub(super) key: String,
    pub(super) pretty: bool,
    pub(super) gzip: bool,
    pub(super) latency: Duration,
    pub(super) cached_pages: usize,
    /// Paths that answer 403.
    pub(super) forbidden: Vec<String>,
    /// Path, number of hits that answer 429, and their `Retry-After`.
    pub(super) limited: Vec<(String, u64, u64)>,
}

/// The state that the server's threads share with the test.
pub(super) struct Api {
    settings: Settings,
    now: AtomicI64,
    /// In the order of [`RESOURCES`].
    collections: RwLock<Vec<Collection>>,
    /// Rendered pages by target; only used while `collections` is held.
    pages: Mutex<HashMap<String, Arc<[u8]>>>,
    hits: Mutex<Hits>,
    answers: AtomicU64,
}

/// How often each path was asked for, and what is planned for it.
#[derive(Default)]
pub(super) struct Hits {
    counts: HashMap<String, u64>,
    faults: HashMap<(String, u64), Reply>,
}

impl Hits {
    /// Plans the reply to the n-th hit of the path, counted from 1.
    pub(super) fn plan(&mut self, path: &str, hit: u64, reply: Reply) {
        self.faults.insert((path.to_owned(), hit), reply);
    }

    /// Plans the reply to the next hit of the path that has no plan yet.
    pub(super) fn plan_next(&mut self, path: &str, reply: Reply) {
        let mut hit = self.counts.get(path).copied().unwrap_or(0) + 1;
        while self.faults.contains_key(&(path.to_owned(), hit)) {
            hit += 1;
        }
        self.plan(path, hit, reply);
    }
}

impl Api {
    pub(super) fn new(settings: Settings, now: i64, collections: Vec<Collection>, hits: Hits) -> Self {
        Self {
            settings,
            now: AtomicI64::new(now),
            collections: RwLock::new(collections),
            pages: Mutex::default(),
            hits: Mutex::new(hits),
            answers: AtomicU64::new(0),
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.settings.key
    }

    pub(super) fn pretty(&self) -> bool {
        self.settings.pretty
    }

    pub(super) fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(super) fn set_now(&self, now: i64) {
        let _unread = self.change();
        self.now.store(now, Ordering::SeqCst);
    }

    pub(super) fn hits(&self) -> MutexGuard<'_, Hits> {
        self.hits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Vec<Collection>> {
        self.collections.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The collections for a change, which makes the rendered pages void.
    pub(super) fn change(&self) -> RwLockWriteGuard<'_, Vec<Collection>> {
        let collections = self.collections.write();
        self.pages().clear();
        collections.unwrap_or_else(PoisonError::into_inner)
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<String, Arc<[u8]>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply to one request.
    pub(super) fn answer(&self, request: &Request) -> Reply {
        let (hit, planned) = {
            let mut hits = self.hits();
            let count = hits.counts.entry(request.path.clone()).or_default();
            *count += 1;
            let hit = *count;
            (hit, hits.faults.remove(&(request.path.clone(), hit)))
        };
        let reply = planned.unwrap_or_else(|| {
            self.check(request, hit)
                .and_then(|()| self.find(request))
                .unwrap_or_else(ApiError::into_reply)
                .delay(self.settings.latency)
        });
        let number = self.answers.fetch_add(1, Ordering::SeqCst) + 1;
        let reply = reply.header("Request-Id", format!("req_{number:014}"));
        match request.header("Stripe-Version") {
            Some(version) => reply.header("Stripe-Version", version),
            None => reply,
        }
    }

    /// Everything that can refuse a request before it is looked at.
    fn check(&self, request: &Request, hit: u64) -> Result<(), ApiError> {
        let path = &request.path;
        let of_path = |(limited, _, _): &&(String, u64, u64)| limited == path;
        match self.settings.limited.iter().find(of_path) {
            Some((_, hits, retry_after)) if hit <= *hits => {
                return Err(ApiError::rate_limited(*retry_after));
            }
            _ => {}
        }
        let key = request.header("Authorization").map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
        if key != Some(&self.settings.key) {
            return Err(ApiError::unauthorized(key));
        }
        if self.settings.forbidden.contains(path) {
            return Err(ApiError::forbidden(path));
        }
        Ok(())
    }

    fn find(&self, request: &Request) -> Result<Reply, ApiError> {
        let path = request.path.as_str();
        let unknown = || ApiError::unknown_url(&request.method, path);
        if request.method != "GET" {
            return Err(unknown());
        }
        for (place, resource) in RESOURCES.iter().enumerate() {
            if let Some(fields) = resource.path_fields(path) {
                let query = ListQuery::new(resource, fields, request)?;
                return self.list(place, &query, request);
            }
        }
        let (list, id) = path.rsplit_once('/').ok_or_else(unknown)?;
        let found = RESOURCES.iter().position(|resource| resource.path == list);
        let place = found.ok_or_else(unknown)?;
        let collections = self.read();
        match collections[place].find(id) {
            Some(object) => Ok(self.whole(object)),
            None => Err(ApiError::missing(404, RESOURCES[place].object, "id", id)),
        }
    }

    fn list(&self, place: usize, query: &ListQuery, request: &Request) -> Result<Reply, ApiError> {
        let accepts = request.header("Accept-Encoding").unwrap_or_default();
        let gzip = self.settings.gzip && accepts.contains("gzip");
        let cache_key = format!("{}{}", if gzip { "gzip " } else { "" }, request.target);
        let collections = self.read();
        if self.settings.cached_pages > 0
            && let Some(page) = self.pages().get(&cache_key)
        {
            return Ok(page_reply(Arc::clone(page), gzip));
        }
        let Some(page) = collections[place].page(query, self.now()) else {
            let (param, id) = query.cursor.as_ref().map_or(("", ""), super::list_query::Cursor::param_and_id);
            return Err(ApiError::missing(400, RESOURCES[place].object, param, id));
        };
        let rendered = page.render(&request.path, self.settings.pretty);
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

    fn whole(&self, object: &Object) -> Reply {
        Reply::json_text(if self.settings.pretty {
            json_text::pretty(&object.text, 0)
        } else {
            object.text.to_string()
        })
    }
}

fn page_reply(body: Arc<[u8]>, gzip: bool) -> Reply {
    let reply = Reply::shared("application/json", body);
    if gzip { reply.header("Content-Encoding", "gzip") } else { reply }
}

/// A collection with so many made-up objects, created at equal distances between the bounds.
pub(super) fn generated(resource: &'static Resource, count: u64, (from, to): (i64, i64), pretty: bool) -> Collection {
    let mut collection = Collection::new(resource);
    let steps = i128::from(count.saturating_sub(1).max(1));
    for number in 1..=count {
        let distance = i128::from(to - from) * i128::from(number - 1) / steps;
        let created = from + i64::try_from(distance).unwrap_or(0);
        let value = (resource.generate)(&mut Seed::new(resource, number, created));
        collection.put(Object::of_compact(resource, value.to_string(), pretty));
    }
    collection
}
