//! Several tokens for one API.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use source_http::clock::Clock;
use source_http::clock::VirtualClock;
use source_http::http::auth::RotatingTokenAuthenticator;
use source_http::http::budget::{BudgetPolicy, RequestBudget, Window};
use source_http_testkit::{Handler, InProcess, Reply, Request, Routes, Server};

use super::{header, page, page_of, paged, signed_by, stream};

fn limited(seconds: u32) -> Reply {
    Reply::empty(429).header("Retry-After", seconds.to_string())
}

fn connector(tokens: &'static [&'static str]) -> InProcess {
    signed_by(move |_, cx| RotatingTokenAuthenticator::new(tokens, &cx.redactor).method("token"))
}

#[test]
fn a_token_is_used_until_it_is_limited_and_the_next_one_takes_over_without_a_wait() {
    // Page 2 is limited for the first token.
    let handler = |request: &Request| match (request.param("page"), request.header("authorization")) {
        (Some("2"), Some("token one")) => limited(3600),
        _ => page_of(request, 4),
    };
    let server = Server::start(handler);
    let done = connector(&["one", "two", "three"]).config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, done.messages().records("items").len()), (0, 4));
    assert_eq!(
        server.conversation(),
        ["GET /items", "GET /items?page=2", "GET /items?page=2", "GET /items?page=3", "GET /items?page=4"]
    );
    let sent = ["token one", "token one", "token two", "token two", "token two"];
    assert_eq!(header(&server.requests(), "authorization"), sent);
    assert!(done.sleeps.is_empty(), "{:?}", done.sleeps);
    assert_eq!(done.messages().rate_limited("items"), 0);
}

#[test]
fn when_all_are_limited_the_wait_is_the_one_until_the_first_is_free() {
    let replies = [limited(60), limited(3600), page()];
    let server = Server::start(Routes::new().once("GET", "/items", replies));
    let done = connector(&["one", "two"]).config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, done.messages().record_count()), (0, 1), "{}", done.stdout);
    assert_eq!(header(&server.requests(), "authorization"), ["token one", "token two", "token one"]);
    // The minute of the first token, with half of the jitter of a tenth: the test's random number is one half.
    assert_eq!(done.sleeps, [Duration::from_secs(63)]);
    assert_eq!(done.messages().rate_limited("items"), 1);
}

#[test]
fn without_a_hint_limited_tokens_cost_the_usual_backoff_and_retries_end() {
    let server = Server::start(|_: &Request| Reply::empty(429));
    let done = connector(&["one", "two"]).config(&json!({"url": server.url()})).run("read");
    assert_eq!(done.status, 1);
    assert_eq!(done.sleeps, [250, 500, 1000, 2000, 4000].map(Duration::from_millis));
    // Six attempts, and one more for the switch to the second token.
    let sent = header(&server.requests(), "authorization");
    assert_eq!(sent, ["one", "two", "one", "two", "one", "two", "one"].map(|token| format!("token {token}")));
    assert!(done.messages().errors().iter().all(|error| error.failure_type.as_deref() == Some("transient_error")));
}

#[test]
fn tokens_that_are_limited_for_moments_do_not_go_round_forever() {
    struct Moments(Arc<VirtualClock>);
    impl Handler for Moments {
        fn handle(&self, _: &Request) -> Reply {
            // By the time the next token is refused, this one is free again.
            self.0.advance(Duration::from_secs(1));
            Reply::empty(429).header("Retry-After", "0.5")
        }
    }
    let connector = connector(&["one", "two"]);
    let server = Server::start(Moments(connector.clock()));
    let done = connector.config(&json!({"url": server.url()})).run("read");
    assert_eq!(done.status, 1);
    // Six times one round and the request that completes it, with a wait between.
    assert_eq!((server.requests().len(), done.sleeps.len()), (18, 5));
    assert!(done.stdout.contains("Gave up after 6 attempts"), "{}", done.stdout);
}

#[test]
fn going_round_ends_with_the_time_of_the_request() {
    let connector = connector(&["one", "two"]);
    let clock = connector.clock();
    let server = Server::start(move |_: &Request| {
        clock.advance(Duration::from_secs(700));
        limited(1)
    });
    let done = connector.config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, server.requests().len(), done.sleeps.len()), (1, 1, 0));
    assert!(done.stdout.contains("limit per request was reached"), "{}", done.stdout);
}

/// As [`connector`], with a budget that the server's headers tighten.
fn budgeted(tokens: &'static [&'static str]) -> InProcess {
    stream(move |config, cx| {
        let auth = RotatingTokenAuthenticator::new(tokens, &cx.redactor).method("token");
        let budget = RequestBudget::new().policy(BudgetPolicy::new(Window::Unlimited));
        paged(config, Arc::new(auth)).with(|items| items.budget = Some(Arc::new(budget)))
    })
}

#[test]
fn the_limit_of_one_token_does_not_hold_back_the_others_of_a_request_budget() {
    let handler = |request: &Request| match (request.param("page"), request.header("authorization")) {
        (Some("2"), Some("token one")) => limited(3600),
        _ => page_of(request, 4),
    };
    let server = Server::start(handler);
    let done = budgeted(&["one", "two"]).config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, done.sleeps.len()), (0, 0), "{}", done.stdout);
    let sent = ["token one", "token one", "token two", "token two", "token two"];
    assert_eq!(header(&server.requests(), "authorization"), sent);
}

#[test]
fn a_token_whose_quota_is_reported_empty_makes_room_for_the_next_and_the_last_one_for_a_wait() {
    // Each token has two requests an hour, as its headers say.
    let used = Mutex::new(HashMap::<String, u32>::new());
    let server = Server::start(move |request: &Request| {
        let mut used = used.lock().expect("a table");
        let used = used.entry(request.header("authorization").unwrap_or_default().to_owned()).or_default();
        *used += 1;
        let left = 2_u32.saturating_sub(*used).to_string();
        page_of(request, 5).header("X-RateLimit-Remaining", left).header("X-RateLimit-Reset", "300")
    });
    let done = budgeted(&["one", "two"]).config(&json!({"url": server.url()})).run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    let sent = ["one", "one", "two", "two", "one"].map(|token| format!("token {token}"));
    assert_eq!(header(&server.requests(), "authorization"), sent);
    assert_eq!(done.sleeps, [Duration::from_secs(300)]);
}

#[test]
fn with_all_tokens_limited_the_budget_waits_for_the_first_that_is_free_and_not_for_the_last_that_was_refused() {
    let server = Server::start(Routes::new().once("GET", "/items", [limited(60), limited(3600), page()]));
    let done = budgeted(&["one", "two"]).config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, done.messages().record_count()), (0, 1), "{}", done.stdout);
    assert_eq!(done.sleeps, [Duration::from_secs(63)]);
}

#[test]
fn every_quota_is_used_before_anyone_waits() {
    struct Hourly {
        clock: Arc<VirtualClock>,
        left: Mutex<HashMap<String, u32>>,
    }
    impl Handler for Hourly {
        fn handle(&self, request: &Request) -> Reply {
            let token = request.header("authorization").unwrap_or_default().to_owned();
            let hour = self.clock.now().as_second() / 300;
            let mut left = self.left.lock().expect("a table");
            let left = left.entry(format!("{token} {hour}")).or_insert(3);
            match left.checked_sub(1) {
                Some(fewer) => {
                    *left = fewer;
                    page_of(request, 8)
                }
                None => limited(300),
            }
        }
    }
    let connector = connector(&["one", "two"]);
    let server = Server::start(Hourly { clock: connector.clock(), left: Mutex::default() });
    let done = connector.config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, done.messages().records("items").len()), (0, 8), "{}", done.stdout);
    // 3 + 3 pages, a refusal of each token, a wait of one window, 2 more pages.
    assert_eq!((server.requests().len(), done.sleeps.len()), (10, 1));
}
