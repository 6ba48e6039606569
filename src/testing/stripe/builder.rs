//! The settings of a mock.

use std::sync::Arc;
use std::time::Duration;

use super::super::server::{Reply, Request, Server};
use super::api::{Api, Hits, Settings, generated};
use super::collection::Object;
use super::mock::{StripeMock, event_text};
use super::resource::{RESOURCES, Resource};
use super::{DAY, DEFAULT_KEY, DEFAULT_NOW};

/// Builds a [`StripeMock`]. Resources are named like the Stripe source's streams; an unknown name
/// panics with the list of the known ones.
pub struct StripeMockBuilder {
    settings: Settings,
    now: i64,
    spread: Option<(i64, i64)>,
    counts: Vec<u64>,
    objects: Vec<(usize, String)>,
    events: Vec<(String, i64, String)>,
    hits: Hits,
    recording: bool,
}

impl StripeMockBuilder {
    pub(super) fn new() -> Self {
        Self {
            settings: Settings {
                key: DEFAULT_KEY.to_owned(),
                pretty: false,
                gzip: false,
                latency: Duration::ZERO,
                cached_pages: 256,
                forbidden: Vec::new(),
                limited: Vec::new(),
            },
            now: DEFAULT_NOW,
            spread: None,
            counts: vec![0; RESOURCES.len()],
            objects: Vec::new(),
            events: Vec::new(),
            hits: Hits::default(),
            recording: true,
        }
    }

    /// The only API key that is let in. Default: [`DEFAULT_KEY`].
    pub fn key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.settings.key);
        self
    }

    /// The mock's clock, in unix seconds; it does not move by itself. Default: [`DEFAULT_NOW`].
    ///
    /// The clock only decides which events are older than the 30 days that Stripe keeps them, and
    /// the default of [`StripeMockBuilder::spread`].
    pub fn now(mut self, unix: i64) -> Self {
        self.now = unix;
        self
    }

    /// How many objects of a resource to make. Default: none.
    pub fn count(mut self, resource: &str, count: u64) -> Self {
        self.counts[Resource::place(resource)] = count;
        self
    }

    /// When the made objects were created, in unix seconds: the oldest at `from`, the newest at
    /// `to`, the others at equal distances. Default: the 365 days before the clock. Events start
    /// no earlier than 29 days before the clock, as older ones would not be listed.
    pub fn spread(mut self, from: i64, to: i64) -> Self {
        assert!(from <= to, "the spread ends before it starts");
        self.spread = Some((from, to));
        self
    }

    /// Adds an object with this JSON text, whose numbers are kept as they are. It needs an `id`
    /// and, to be found by time, `created`.
    pub fn object(mut self, resource: &str, json: &str) -> Self {
        self.objects.push((Resource::place(resource), json.to_owned()));
        self
    }

    /// Adds an event about the object with this JSON text.
    pub fn event(mut self, kind: &str, created: i64, object_json: &str) -> Self {
        self.events.push((kind.to_owned(), created, object_json.to_owned()));
        self
    }

    /// Whether answers are indented over many lines, as Stripe's are. Default: false.
    pub fn pretty(mut self, on: bool) -> Self {
        self.settings.pretty = on;
        self
    }

    /// Whether pages are compressed for clients that accept gzip. Default: false.
    pub fn gzip(mut self, on: bool) -> Self {
        self.settings.gzip = on;
        self
    }

    /// How many rendered pages to keep for requests with the same target. Default: 256; 0 renders
    /// every page anew.
    pub fn page_cache(mut self, pages: usize) -> Self {
        self.settings.cached_pages = pages;
        self
    }

    /// How long every answer takes at least, planned faults excepted. Default: none.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.settings.latency = latency;
        self
    }

    /// Answers a path with 403, as Stripe does for a restricted key.
    pub fn forbid(mut self, path: &str) -> Self {
        self.settings.forbidden.push(path.to_owned());
        self
    }

    /// Answers the first `hits` requests of a path with 429 and this `Retry-After`, in seconds.
    pub fn rate_limit(mut self, path: &str, hits: u64, retry_after: u64) -> Self {
        self.settings.limited.push((path.to_owned(), hits, retry_after));
        self
    }

    /// Answers the n-th hit of a path, counted from 1, with this reply.
    pub fn fault(mut self, path: &str, hit: u64, reply: Reply) -> Self {
        self.hits.plan(path, hit, reply);
        self
    }

    /// Whether the server records requests, see [`Server::set_recording`]. Default: true.
    pub fn recording(mut self, on: bool) -> Self {
        self.recording = on;
        self
    }

    /// Makes and renders the objects, and starts to serve them.
    pub fn start(self) -> StripeMock {
        let pretty = self.settings.pretty;
        let (from, to) = self.spread.unwrap_or((self.now - 365 * DAY, self.now));
        let mut collections: Vec<_> = RESOURCES
            .iter()
            .zip(&self.counts)
            .map(|(resource, count)| {
                let kept_since = resource.retention.map(|age| self.now - age + DAY);
                let from = kept_since.map_or(from, |since| from.max(since).min(to));
                generated(resource, *count, (from, to), pretty)
            })
            .collect();
        for (place, json) in &self.objects {
            collections[*place].put(Object::new(&RESOURCES[*place], json, pretty));
        }
        let events = Resource::place("events");
        for (kind, created, object) in &self.events {
            let number = collections[events].next_number();
            let text = event_text(number, kind, *created, object);
            collections[events].put(Object::new(&RESOURCES[events], &text, pretty));
        }
        let api = Arc::new(Api::new(self.settings, self.now, collections, self.hits));
        let of_server = Arc::clone(&api);
        let server = Server::start(move |request: &Request| of_server.answer(request));
        server.set_recording(self.recording);
        StripeMock::new(api, server)
    }
}
