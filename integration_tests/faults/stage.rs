//! The servers of a row, what is in front of them, and the streams that are read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use source_http::clock::VirtualClock;
use source_http::http::auth::{Authenticator, TokenAuthenticator};
use source_http::http::{Outcome as Attempted, Pem, RequestOptions, RetryRules};
use source_http::json::RecordPath;
use source_http::protocol::{Failure, Redactor};
use source_http::streams::pager::{NextUrl, Pager};
use source_http::streams::{HttpStream, RequestContext};
use source_http_testkit::{Finished, InProcess, Reply, Request, Server};

use super::matrix::{Fault, PAGES, Row};
use crate::support::{Authority, ClosedPort, Gate, TestSource, TlsServer};

/// The values for a reply.
pub(super) struct Scene {
    /// `http://HOST` of the server.
    pub(super) url: String,
    /// The URL of another server, which has the page at `/page` for clients without credentials.
    pub(super) elsewhere: String,
    /// Where nobody listens.
    pub(super) closed: String,
    /// The URL of the next page, as JSON.
    next: String,
    /// The connector's clock.
    pub(super) clock: Arc<VirtualClock>,
}

impl Scene {
    /// A page with these records, and the URL of the next one.
    pub(super) fn page(&self, records: &str) -> String {
        format!(r#"{{"data":[{records}],"next":{}}}"#, self.next)
    }
}

/// The URLs of a stage, for replies that were made before them.
#[derive(Default)]
struct Known {
    server: OnceLock<String>,
    gate: OnceLock<String>,
    elsewhere: OnceLock<String>,
    closed: OnceLock<String>,
    clock: Mutex<Option<Arc<VirtualClock>>>,
    /// No faults from now on.
    mended: AtomicBool,
    /// No faults after the next one.
    once: AtomicBool,
}

/// The servers of a row. Fields are dropped in the order in which others wait for them.
pub(super) struct Stage<'r> {
    row: &'r Row,
    place: usize,
    known: Arc<Known>,
    gate: Option<Arc<Gate>>,
    authority: Option<String>,
    _tls: Option<TlsServer>,
    _servers: [Server; 2],
    _closed: ClosedPort,
}

fn url(known: &OnceLock<String>) -> String {
    known.get().cloned().unwrap_or_default()
}

impl Known {
    /// The URL of the server that has a page, or of the gate in front of it.
    fn base(&self, page: usize, place: usize) -> String {
        if page == place && self.gate.get().is_some() { url(&self.gate) } else { url(&self.server) }
    }

    /// The page after this one, as JSON.
    fn next(&self, page: usize, place: usize) -> String {
        match page == PAGES {
            true => "null".to_owned(),
            false => format!("\"{}/faulty/{}\"", self.base(page + 1, place), page + 1),
        }
    }

    fn scene(&self, page: usize, place: usize) -> Scene {
        let clock = self.clock.lock().unwrap().clone();
        Scene {
            url: url(&self.server),
            elsewhere: url(&self.elsewhere),
            closed: url(&self.closed),
            next: self.next(page, place),
            clock: clock.expect("a run"),
        }
    }

    fn good(&self, page: usize, place: usize) -> Reply {
        let records: Vec<String> = (3 * page - 2..=3 * page).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        Reply::json_text(self.scene(page, place).page(&records.join(",")))
    }
}

impl<'r> Stage<'r> {
    pub(super) fn new(row: &'r Row, place: usize) -> Self {
        let known = Arc::new(Known::default());
        let spoil = match &row.fault {
            Fault::Reply(spoil) => Some(spoil.clone()),
            _ => None,
        };
        let shared = known.clone();
        let server = Server::start(move |request: &Request| {
            let page = request.path.strip_prefix("/faulty/").and_then(|page| page.parse().ok());
            let Some(page) = page else {
                return match request.path == "/other" {
                    true => Reply::json_text(r#"{"data":[{"id":1},{"id":2},{"id":3}]}"#),
                    false => Reply::empty(599),
                };
            };
            let good = shared.good(page, place);
            match &spoil {
                Some(spoil) if page == place && !shared.mended.load(Ordering::SeqCst) => {
                    let once = shared.once.load(Ordering::SeqCst);
                    shared.mended.store(once, Ordering::SeqCst);
                    spoil(good, &shared.scene(page, place))
                }
                _ => good,
            }
        });
        let shared = known.clone();
        let elsewhere = Server::start(move |request: &Request| match request.header("authorization") {
            Some(_) => Reply::empty(599),
            None => shared.good(place, place),
        });
        let (mut tls, mut authority) = (None, None);
        let gate = match &row.fault {
            Fault::Reply(_) => None,
            Fault::Gate(misbehaviour) => Some(Gate::close(server.addr(), misbehaviour.clone())),
            Fault::Tls(misbehaviour) => {
                let root = Authority::new();
                let inner = TlsServer::start(server.addr(), &root.sign("127.0.0.1"), None);
                authority = Some(root.pem());
                let gate = Gate::close(inner.addr(), misbehaviour.clone());
                tls = Some(inner);
                Some(gate)
            }
        };
        let closed = ClosedPort::new();
        let scheme = if tls.is_some() { "https" } else { "http" };
        known.server.set(server.url()).unwrap();
        known.elsewhere.set(elsewhere.url()).unwrap();
        known.closed.set(format!("http://{}", closed.addr())).unwrap();
        if let Some(gate) = &gate {
            known.gate.set(format!("{scheme}://{}", gate.addr())).unwrap();
        }
        let gate = gate.map(Arc::new);
        Self { row, place, known, gate, authority, _tls: tls, _servers: [server, elsewhere], _closed: closed }
    }

    /// Reads both streams. With `once`, there is only one fault.
    pub(super) fn read(&self, once: bool, state: Option<&Value>) -> Finished {
        let mut options = RequestOptions::default();
        (self.row.options)(&mut options);
        options.extra_ca = self.authority.iter().cloned().map(Pem::Text).collect();
        let (gate, first) = (self.gate.clone(), self.known.base(1, self.place));
        let server = url(&self.known.server);
        let source = TestSource::new(move |_, _| {
            let gate = gate.clone();
            let mend = move || {
                if let Some(gate) = gate.as_ref().filter(|_| once) {
                    gate.open();
                }
            };
            let faulty = Pages::new("faulty", "faulty/1", &first, options.clone(), Box::new(mend));
            let other = Pages::new("other", "other", &server, RequestOptions::default(), Box::new(|| ()));
            vec![Box::new(faulty), Box::new(other)]
        });
        self.run(once, InProcess::new(source).config(&json!({})), state)
    }

    /// The URLs of the first page of the stream with the fault, and of the other stream.
    pub(super) fn first_pages(&self) -> [String; 2] {
        [format!("{}/faulty/1", self.known.base(1, self.place)), format!("{}/other", url(&self.known.server))]
    }

    /// The authority that signed the server's certificate, if it has one, as PEM.
    pub(super) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Reads with a connector. With `once`, the server makes only one fault.
    pub(super) fn run(&self, once: bool, connector: InProcess, state: Option<&Value>) -> Finished {
        self.known.once.store(once, Ordering::SeqCst);
        let connector = state.into_iter().fold(connector, InProcess::state);
        *self.known.clock.lock().unwrap() = Some(connector.clock());
        connector.run("read")
    }

    /// From now on there are no faults.
    pub(super) fn mend(&self) {
        self.known.mended.store(true, Ordering::SeqCst);
        if let Some(gate) = &self.gate {
            gate.open();
        }
    }

    /// The state before this page was read.
    pub(super) fn state_before(&self, page: usize) -> Value {
        let token: Value = serde_json::from_str(&self.known.next(page - 1, self.place)).unwrap();
        json!({"__resume": [{"slice": {}, "next_page_token": token}]})
    }

    /// A text without the addresses of this run.
    pub(super) fn anonymous(&self, text: &str) -> String {
        let base = self.known.base(self.place, self.place);
        let host = base.split_once("://").map(|(_, host)| host.to_owned()).unwrap_or_default();
        let scene = self.known.scene(self.place, self.place);
        text.replace(&format!("GET {base}/faulty/{}", self.place), "REQUEST")
            .replace(&base, "URL")
            .replace(&host, "HOST")
            .replace(&scene.elsewhere, "ELSEWHERE")
            .replace(scene.closed.trim_start_matches("http://"), "CLOSED")
    }
}

/// A list whose pages contain the URLs of the next ones.
struct Pages {
    name: &'static str,
    path: &'static str,
    url: String,
    options: RequestOptions,
    pager: NextUrl,
    authenticator: TokenAuthenticator,
    on_failed: Box<dyn Fn() + Send + Sync>,
}

impl Pages {
    fn new(
        name: &'static str,
        path: &'static str,
        url: &str,
        options: RequestOptions,
        on_failed: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let authenticator = TokenAuthenticator::bearer("hunter2", &Redactor::default());
        Self { name, path, url: url.to_owned(), options, pager: NextUrl::new("next"), authenticator, on_failed }
    }
}

impl HttpStream for Pages {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        self.path.into()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn authenticator(&self) -> &dyn Authenticator {
        &self.authenticator
    }
    fn pager(&self) -> &dyn Pager {
        &self.pager
    }
    fn request_options(&self, _: &RequestContext<'_>) -> RequestOptions {
        self.options.clone()
    }
    fn retry_rules(&self) -> &dyn RetryRules {
        self
    }
}

impl RetryRules for Pages {
    fn backoff_time(&self, _: Attempted<'_>, _: u32) -> Result<Option<Duration>, Failure> {
        (self.on_failed)();
        Ok(None)
    }
}
