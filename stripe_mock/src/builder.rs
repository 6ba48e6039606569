//! The settings of a mock.

use std::sync::Arc;
use std::time::Duration;

use super::api::{Api, Settings};
use super::changes::Changes;
use super::generator::{Generator, Times, Wanted, add_events};
use super::mock::{StripeMock, expect};
use super::plans::Plans;
use super::relation::Relation;
use super::resource::{RESOURCES, Resource};
use super::version;
use super::{DAY, DEFAULT_KEY, DEFAULT_NOW};
use source_http::clock::Clock;
use source_http_testkit::server::{Reply, Request, Server};

/// Changes a reply before it is sent.
type OnReply = dyn Fn(&Request, Reply) -> Reply + Send + Sync;

/// Builds a [`StripeMock`]. Resources are named like the Stripe source's streams; an unknown name
/// panics with the list of the known ones.
pub struct StripeMockBuilder {
    settings: Settings,
    now: i64,
    spread: Option<(i64, i64)>,
    /// In the order of [`RESOURCES`].
    wanted: Vec<Wanted>,
    objects: Vec<(usize, String)>,
    events: Vec<(String, i64, String)>,
    plans: Plans,
    recording: bool,
    port: u16,
    on_request: Box<dyn Fn(&Request) + Send + Sync>,
    on_reply: Box<OnReply>,
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
                page_size: usize::MAX,
                lateness: 120,
                account_version: "2020-08-27".to_owned(),
            },
            now: DEFAULT_NOW,
            spread: None,
            wanted: vec![Wanted::default(); RESOURCES.len()],
            objects: Vec::new(),
            events: Vec::new(),
            plans: Plans::default(),
            recording: true,
            port: 0,
            on_request: Box::new(|_| ()),
            on_reply: Box::new(|_, reply| reply),
        }
    }

    /// The only accepted API key. Default: [`DEFAULT_KEY`].
    pub fn key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.settings.key);
        self
    }

    /// The mock's clock, in unix seconds; it does not move by itself. Default: [`DEFAULT_NOW`].
    ///
    /// The clock only decides which events are older than Stripe's 30 days, and the default of
    /// [`StripeMockBuilder::spread`].
    pub fn now(mut self, unix: i64) -> Self {
        self.now = unix;
        self
    }

    /// How many objects of a resource to make. Default: none. Children are distributed over the existing parents.
    pub fn count(mut self, resource: &str, count: u64) -> Self {
        self.wanted[Resource::place(resource)].count = Some(count);
        self
    }

    /// How many objects of a resource each of its parents has, for example `children("invoice_line_items", 3)` for each
    /// invoice. Default: those that the generated parents contain.
    ///
    /// # Panics
    /// If the resource's objects are nobody's children.
    pub fn children(mut self, resource: &str, count: u64) -> Self {
        self.wanted_of_child(resource).children = Some(count);
        self
    }

    /// The same for the parent of that id alone, made or not.
    pub fn children_of(mut self, resource: &str, parent: &str, count: u64) -> Self {
        self.wanted_of_child(resource).children_of.push((parent.to_owned(), count));
        self
    }

    /// N objects of every resource with a list of its own, and N children of each parent of the others. Later settings
    /// for one resource override it.
    pub fn everything(mut self, count: u64, children: u64) -> Self {
        for (resource, wanted) in RESOURCES.iter().zip(&mut self.wanted) {
            let by_parent = resource.required.is_some() || resource.path.contains('{');
            *wanted = match by_parent {
                true => Wanted { children: Some(children), ..Wanted::default() },
                false => Wanted { count: Some(count), ..Wanted::default() },
            };
        }
        self
    }

    fn wanted_of_child(&mut self, resource: &str) -> &mut Wanted {
        let place = Resource::place(resource);
        assert!(Relation::of_child(&RESOURCES[place]).is_some(), "{resource} are nobody's children");
        &mut self.wanted[place]
    }

    /// When the generated objects were created, in unix seconds: the oldest at `from`, the newest at `to`, the others
    /// at equal distances. Default: the 365 days before the clock. Events start no earlier than 29 days before the
    /// clock, as older ones would not be listed.
    pub fn spread(mut self, from: i64, to: i64) -> Self {
        assert!(from <= to, "the spread ends before it starts");
        self.spread = Some((from, to));
        self
    }

    /// Adds an object with this JSON text, whose numbers stay unchanged. It needs an `id` and, to be found by time,
    /// `created`.
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
    /// every page again.
    pub fn page_cache(mut self, pages: usize) -> Self {
        self.settings.cached_pages = pages;
        self
    }

    /// The most objects of a page, whatever limit a request gives: several pages of few objects. Default: no such
    /// limit.
    pub fn page_size(mut self, objects: usize) -> Self {
        self.settings.page_size = objects.max(1);
        self
    }

    /// The longest delay in seconds before changes to the running mock are visible: each new object and each event has
    /// its own. Default: 120.
    pub fn late_by(mut self, seconds: u32) -> Self {
        self.settings.lateness = seconds.into();
        self
    }

    /// The API version of the account, which events use for their objects, whatever version a request names. Default:
    /// 2020-08-27, which differs from that of lists.
    pub fn account_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.settings.account_version);
        self
    }

    /// How long every answer takes at least, planned faults excepted. Default: none.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.settings.latency = latency;
        self
    }

    /// Answers a path with 403, as Stripe does for a restricted key. A segment `{name}` of the path matches any. See
    /// [`StripeMock::allow`].
    pub fn forbid(mut self, path: &str) -> Self {
        self.plans.refuse(path, 403, None);
        self
    }

    /// The same with another status, 400 or 403, and message.
    pub fn forbid_with(mut self, path: &str, status: u16, message: &str) -> Self {
        self.plans.refuse(path, status, Some(message));
        self
    }

    /// Answers the requests for a target with this error: see [`StripeMock::refuse`].
    pub fn refuse(mut self, target: &str, status: u16, code: Option<&str>, message: &str) -> Self {
        self.plans.refuse_in_words(target, status, code, message);
        self
    }

    /// Deletes objects while their list is read: see [`StripeMock::delete_cursors`].
    pub fn delete_cursors(mut self, path: &str, pages: u64) -> Self {
        self.plans.delete_cursors(path, pages);
        self
    }

    /// Answers the first `hits` requests of a path with 429 and this `Retry-After`, in seconds.
    pub fn rate_limit(mut self, path: &str, hits: u64, retry_after: u64) -> Self {
        self.plans.limit(path, hits, retry_after);
        self
    }

    /// Accepts at most this many requests within any second of that clock, and answers the others with 429. With the
    /// virtual clock of the connector under test, nothing depends on the test's speed; with any other clock, a test
    /// must not rely on either answer.
    pub fn rate_limit_per_second(mut self, requests: usize, clock: Arc<dyn Clock>) -> Self {
        self.plans.limit_rate(requests, clock);
        self
    }

    /// Answers the n-th hit of a path, counted from 1, with this reply.
    pub fn fault(mut self, path: &str, hit: u64, reply: Reply) -> Self {
        self.plans.plan(path, hit, reply);
        self
    }

    /// Whether the server records requests, see [`Server::set_recording`]. Default: true.
    pub fn recording(mut self, on: bool) -> Self {
        self.recording = on;
        self
    }

    /// Serves on that port of 127.0.0.1. Default: any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Shows every request to this function before it is answered; called from many threads.
    pub fn on_request(mut self, look: impl Fn(&Request) + Send + Sync + 'static) -> Self {
        self.on_request = Box::new(look);
        self
    }

    /// Passes every reply through this function before it is sent; called from many threads. For unplanned faults.
    pub fn on_reply(mut self, change: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static) -> Self {
        self.on_reply = Box::new(change);
        self
    }

    /// Makes and renders the objects, and starts to serve them.
    ///
    /// # Panics
    /// If an object that was given is not a JSON object with an `id`.
    pub fn start(self) -> StripeMock {
        let now = self.now;
        let (from, to) = self.spread.unwrap_or((now - 365 * DAY, now));
        let times = Times { from, to, now };
        let mut store = Generator::new(&self.wanted, times).into_store(self.settings.pretty);
        for (place, json) in &self.objects {
            expect(store.put(*place, json));
        }
        let events = Resource::place("events");
        let kept_since = RESOURCES[events].retention.map_or(from, |age| now - age + DAY);
        let listed = Times { from: from.max(kept_since).min(to), ..times };
        add_events(&mut store, self.wanted[events].count.unwrap_or(0), listed);
        for (kind, created, object) in &self.events {
            let mut changes = Changes { store: &mut store, now, lateness: 0, version: version::PINNED };
            expect(changes.add_event(kind, *created, object, None));
        }
        let api = Arc::new(Api::new(self.settings, now, store, self.plans));
        let (of_server, on_request, on_reply) = (Arc::clone(&api), self.on_request, self.on_reply);
        let server = Server::start_at(self.port, move |request: &Request| {
            on_request(request);
            on_reply(request, of_server.answer(request))
        });
        server.set_recording(self.recording);
        StripeMock::new(api, server)
    }
}
