//! The request budget: when each request is sent, what is reported, and what the server can add. All waits are in
//! virtual time, so they are exact.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use source_http::Registry;
use source_http::http::budget::{BudgetPolicy, FixedWindow, MovingWindow, RequestBudget, RequestMatcher};
use source_http::json::RecordPath;
use source_http::streams::{HttpStream, Page, PageToken, RequestContext};
use source_http_testkit::{InProcess, Messages, Reply, Routes, Server};
use stripe_mock::StripeMock;

use crate::support::{TestSource, connector};

/// This many pages, each a record, on paths of their own: `NAME/1`, `NAME/2`, ...
struct Pages {
    name: &'static str,
    url: String,
    count: u64,
    budget: Arc<RequestBudget>,
    use_cache: bool,
}

impl Pages {
    fn new(name: &'static str, url: String, count: u64, budget: Arc<RequestBudget>) -> Self {
        Self { name, url, count, budget, use_cache: false }
    }

    fn boxed(self) -> Box<dyn HttpStream> {
        Box::new(self)
    }
}

impl HttpStream for Pages {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        format!("{}/{}", self.name, page_number(cx))
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn next_page_token(&self, _: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        let next = page_number(cx) + 1;
        Ok((next <= self.count).then(|| json!(next)))
    }
    fn request_budget(&self) -> Option<&RequestBudget> {
        Some(&self.budget)
    }
    fn use_cache(&self) -> bool {
        self.use_cache
    }
}

fn page_number(cx: &RequestContext<'_>) -> u64 {
    cx.page_token.and_then(PageToken::as_u64).unwrap_or(1)
}

fn page() -> Reply {
    Reply::json_text(r#"{"data":[{"id":1}]}"#)
}

/// A server with this many pages of a stream, all valid.
fn pages(name: &str, pages: u64) -> Routes {
    (1..=pages).fold(Routes::new(), |routes, n| routes.on("GET", &format!("/{name}/{n}"), [page()]))
}

fn shared(policy: BudgetPolicy) -> Arc<RequestBudget> {
    Arc::new(RequestBudget::new().policy(policy))
}

fn moving(limit: u32, seconds: u64) -> BudgetPolicy {
    BudgetPolicy::new(MovingWindow::new(limit, Duration::from_secs(seconds)))
}

fn seconds(sleeps: &[Duration]) -> Vec<f64> {
    sleeps.iter().map(Duration::as_secs_f64).collect()
}

fn waits(messages: &Messages) -> Vec<(String, String)> {
    let logs = messages.logs().into_iter().filter(|(_, text)| text.contains("waiting"));
    logs.map(|(level, text)| (level.to_owned(), text.to_owned())).collect()
}

#[test]
fn two_a_second_lets_ten_requests_out_in_pairs_a_second_apart() {
    let server = Server::start(pages("items", 10));
    let (url, budget) = (server.url(), shared(moving(2, 1)));
    let done = connector(move || Pages::new("items", url.clone(), 10, budget.clone()).boxed()).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.records("items").len()), (0, 10));
    assert_eq!(seconds(&done.sleeps), [1.0; 4]);
    assert_eq!(server.conversation(), (1..=10).map(|n| format!("GET /items/{n}")).collect::<Vec<_>>());
    assert_eq!(waits(&messages), [], "a second is not worth a line");
}

#[test]
fn the_streams_of_a_source_share_one_window_and_a_long_wait_is_reported_once_and_is_no_rate_limit() {
    let routes = ["a", "b"].iter().fold(Routes::new(), |routes, name| {
        let path = format!("/{name}/1");
        routes.on("GET", &path, [page()])
    });
    let server = Server::start(routes);
    let url = server.url();
    let source = TestSource::new(move |_, _| {
        let budget = shared(moving(1, 90));
        ["a", "b"].map(|name| Pages::new(name, url.clone(), 1, budget.clone()).boxed()).into()
    });
    let done = InProcess::new(source).config(&json!({})).run("read");
    let messages = done.messages();
    assert_eq!((done.status, seconds(&done.sleeps)), (0, vec![90.0]));
    let line = format!("b: waiting 90.0 s before GET {}/b/1: the request budget allows 1 in any 90 s.", server.url());
    assert_eq!(waits(&messages), [("INFO".to_owned(), line)]);
    assert_eq!(messages.statuses("b"), ["STARTED", "RUNNING", "COMPLETE"]);
    assert!(!done.stdout.contains("RATE_LIMITED"));
    assert_eq!(server.conversation(), ["GET /a/1", "GET /b/1"]);
}

#[test]
fn weights_count_and_what_no_policy_is_for_is_free() {
    let routes = pages("heavy", 3).on("GET", "/free/1", [page()]).on("GET", "/free/2", [page()]);
    let server = Server::start(routes);
    let url = server.url();
    let source = TestSource::new(move |_, _| {
        let window = FixedWindow::new(10, Duration::from_secs(60));
        let policy = BudgetPolicy::new(window).matching(RequestMatcher::path("/heavy/*").weight(6));
        let budget = shared(policy);
        vec![
            Pages::new("heavy", url.clone(), 3, budget.clone()).boxed(),
            Pages::new("free", url.clone(), 2, budget).boxed(),
        ]
    });
    let done = InProcess::new(source).config(&json!({})).run("read");
    assert_eq!((done.status, seconds(&done.sleeps)), (0, vec![60.0, 60.0]));
    assert_eq!(server.requests().len(), 5);
    done.messages();
}

#[test]
fn headers_tighten_the_window_whether_the_reset_is_relative_or_absolute() {
    // The test's clock begins at 1,793,491,200.
    for reset in ["40", "1793491240"] {
        let first = page().header("X-RateLimit-Remaining", "1").header("X-RateLimit-Reset", reset);
        let nonsense = page().header("X-RateLimit-Remaining", "plenty").header("X-RateLimit-Reset", "later");
        let server = Server::start(Routes::new().on("GET", "/items/1", [first]).on("GET", "/items/2", [nonsense]).on(
            "GET",
            "/items/3",
            [page()],
        ));
        let (url, budget) = (server.url(), shared(moving(100, 1)));
        let done = connector(move || Pages::new("items", url.clone(), 3, budget.clone()).boxed()).run("read");
        assert_eq!((done.status, seconds(&done.sleeps)), (0, vec![40.0]), "{reset}");
        let text = "the server says x-ratelimit-remaining: 1, for 40 s from then";
        assert!(waits(&done.messages())[0].1.contains(text), "{:?}", waits(&done.messages()));
    }
}

#[test]
fn a_429_holds_the_other_streams_back_too_and_each_attempt_is_counted() {
    let limited = Reply::empty(429).header("Retry-After", "20");
    let server = Server::start(Routes::new().on("GET", "/a/1", [limited, page()]).on("GET", "/b/1", [page()]).on(
        "GET",
        "/b/2",
        [page()],
    ));
    let url = server.url();
    let source = TestSource::new(move |_, _| {
        let budget = shared(moving(2, 100));
        vec![Pages::new("a", url.clone(), 1, budget.clone()).boxed(), Pages::new("b", url.clone(), 2, budget).boxed()]
    });
    let done = InProcess::new(source).config(&json!({})).fraction(0.0).run("read");
    assert_eq!(done.status, 0);
    // The retry waits for the hint; by then two attempts were made, and the third waits until the first leaves the
    // window.
    assert_eq!(seconds(&done.sleeps), [20.0, 80.0, 20.0]);
    assert_eq!(server.conversation(), ["GET /a/1", "GET /a/1", "GET /b/1", "GET /b/2"]);
    done.messages();
}

#[test]
fn a_servers_reset_past_the_longest_time_of_a_request_ends_the_stream_as_transient_with_its_state() {
    let last = page().header("RateLimit-Remaining", "0").header("RateLimit-Reset", "86400");
    let server = Server::start(Routes::new().on("GET", "/items/1", [last]));
    let (url, budget) = (server.url(), shared(moving(10, 1)));
    let done = connector(move || Pages::new("items", url.clone(), 2, budget.clone()).boxed()).run("read");
    let messages = done.messages();
    assert_eq!((done.status, done.sleeps.len(), messages.records("items").len()), (1, 0, 1));
    assert_eq!(messages.statuses("items"), ["STARTED", "RUNNING", "RUNNING", "INCOMPLETE"]);
    let errors = messages.errors();
    assert!(errors.iter().all(|error| error.failure_type.as_deref() == Some("transient_error")));
    assert!(errors[0].message.contains("would have to wait 86400 s"), "{}", errors[0].message);
    assert_eq!(messages.rate_limited("items"), 1, "the platform is informed when to come back");
}

#[test]
fn a_429_without_a_hint_costs_the_backoff_and_not_the_whole_window() {
    let server = Server::start(Routes::new().on("GET", "/items/1", [Reply::empty(429), page()]));
    let (url, budget) = (server.url(), shared(moving(100, 3_600)));
    let done = connector(move || Pages::new("items", url.clone(), 1, budget.clone()).boxed()).run("read");
    assert_eq!((done.status, seconds(&done.sleeps)), (0, vec![0.25]), "{}", done.stdout);
}

#[test]
fn answers_of_the_cache_are_free() {
    let server = Server::start(pages("items", 1));
    let url = server.url();
    let source = TestSource::new(move |_, _| {
        let budget = shared(moving(1, 100));
        // The same URL under other names: only the first is requested.
        let stream =
            |name| Named(Pages { use_cache: true, ..Pages::new("items", url.clone(), 1, budget.clone()) }, name);
        ["x", "y", "z"].map(|name| Box::new(stream(name)) as Box<dyn HttpStream>).into()
    });
    let done = InProcess::new(source).config(&json!({})).run("read");
    assert_eq!((done.status, done.sleeps.len()), (0, 0));
    assert_eq!(server.conversation(), ["GET /items/1"]);
    let messages = done.messages();
    assert!(["x", "y", "z"].iter().all(|name| messages.records(name) == [r#"{"id":1}"#]));
}

/// Pages under another stream name.
struct Named(Pages, &'static str);

impl HttpStream for Named {
    fn name(&self) -> &str {
        self.1
    }
    fn url_base(&self) -> &str {
        self.0.url_base()
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        self.0.path(cx)
    }
    fn record_path(&self) -> RecordPath {
        self.0.record_path()
    }
    fn request_budget(&self) -> Option<&RequestBudget> {
        self.0.request_budget()
    }
    fn use_cache(&self) -> bool {
        self.0.use_cache
    }
}

#[test]
fn stripes_call_rate_limit_holds_for_all_its_streams_together() {
    let now = 1_793_491_200;
    let spread = (now - 86_400, now - 60);
    let mock = StripeMock::builder()
        .now(now)
        .spread(spread.0, spread.1)
        .count("customers", 1_000)
        .count("products", 1_000)
        .recording(true)
        .start();
    for (limit, least) in [(Some(5), 3.0), (None, 0.0)] {
        let mut config = json!({
            "account_id": "acct_1",
            "client_secret": mock.key(),
            "start_date": "2026-10-01T00:00:00Z",
            "api_url": format!("{}/v1", mock.url()),
            // Simultaneous waits of workers would be counted twice.
            "num_workers": 1,
        });
        if let Some(limit) = limit {
            config["call_rate_limit"] = json!(limit);
        }
        mock.server().take_requests();
        let done = InProcess::with_registry(Registry::built_in())
            .config(&config)
            .streams(&[("customers", "full_refresh"), ("products", "full_refresh")])
            .run("read");
        let messages = done.messages();
        assert_eq!((done.status, messages.records("customers").len()), (0, 1_000), "{}", done.stdout);
        assert_eq!(mock.server().requests().len(), 20);
        let waited: f64 = seconds(&done.sleeps).iter().sum();
        assert!((waited - least).abs() < 1e-9, "20 calls waited {waited} s at a limit of {limit:?}");
    }
}
