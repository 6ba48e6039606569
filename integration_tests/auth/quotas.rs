//! Tokens whose quotas the API reports.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use source_http::http::HttpRequest;
use source_http::http::auth::{QuotaTokenAuthenticator, TokenQuota};
use source_http_testkit::{InProcess, Reply, Request, Routes, Server};

use super::{header, page, page_of, signed_by, url_of};

/// The clock of the tests begins here.
const BEGIN: i64 = 1_793_491_200;

fn status(left: i64, reset: i64) -> Reply {
    Reply::json(json!({"core": {"left": left, "reset": BEGIN + reset, "limit": 100}}))
}

fn connector(change: fn(QuotaTokenAuthenticator) -> QuotaTokenAuthenticator) -> InProcess {
    signed_by(move |config, cx| {
        let request = HttpRequest::get(url_of(config, "/status").parse().unwrap());
        let quota = TokenQuota::new("core", ["core", "left"], ["core", "reset"])
            .limit_at(["core", "limit"])
            .headers(Some("X-Left"), None, None)
            .exhausted_by([403, 429]);
        let auth = QuotaTokenAuthenticator::new(["t0ken-one", "t0ken-two"], request, [quota], &cx.redactor);
        change(auth.reserve(0.0, 0))
    })
}

#[test]
fn a_token_without_quota_is_left_before_the_api_has_to_refuse_it() {
    let server = Server::start(|request: &Request| match (request.path.as_str(), request.header("authorization")) {
        ("/status", Some("Bearer t0ken-one")) => status(2, 3600),
        ("/status", _) => status(90, 3600),
        _ => page_of(request, 4),
    });
    let done = connector(|auth| auth).config(&json!({"url": server.url()})).arg("--debug").run("read");
    assert_eq!((done.status, done.messages().record_count()), (0, 4), "{}", done.stdout);
    let sent = ["one", "two", "one", "one", "two", "two"].map(|token| format!("Bearer t0ken-{token}"));
    assert_eq!(header(&server.requests(), "authorization"), sent);
    assert!(done.sleeps.is_empty() && !done.stdout.contains("t0ken-"), "{}", done.stdout);
}

#[test]
fn when_no_token_has_any_left_the_first_reset_is_waited_for_and_what_is_left_is_asked_again() {
    let asked = AtomicU64::new(0);
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        "/status" => match asked.fetch_add(1, Ordering::SeqCst) {
            0 => status(0, 900),
            1 => status(0, 300),
            _ => status(50, 4000),
        },
        _ => page(),
    });
    let done = connector(|auth| auth).config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, done.sleeps.clone()), (0, vec![Duration::from_secs(300)]), "{}", done.stdout);
    assert_eq!(server.conversation(), ["GET /status", "GET /status", "GET /status", "GET /status", "GET /items"]);
    let told = "All tokens have used up their quota \\\"core\\\". Waiting 300 s for more.";
    assert!(done.stdout.contains(told), "{}", done.stdout);
}

#[test]
fn a_reset_that_is_too_far_away_is_a_transient_failure() {
    let server = Server::start(Routes::new().on("GET", "/status", [status(0, 9000)]));
    let done = connector(|auth| auth).config(&json!({"url": server.url()})).run("read");
    let messages = done.messages();
    let error = &messages.errors()[0];
    assert_eq!((done.status, error.failure_type.as_deref()), (1, Some("transient_error")));
    assert!(error.message.contains("9000 s") && error.message.contains("the 7200 s"), "{}", error.message);
    assert!(done.sleeps.is_empty());
}

#[test]
fn a_status_that_says_that_nothing_is_counted_lets_the_tokens_take_turns() {
    let server = Server::start(|request: &Request| match request.path.as_str() {
        "/status" => Reply::empty(404),
        _ => page_of(request, 3),
    });
    let done = connector(|auth| auth.uncounted_at([404])).config(&json!({"url": server.url()})).run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    let sent = ["one", "two", "one", "two", "one"].map(|token| format!("Bearer t0ken-{token}"));
    assert_eq!(header(&server.requests(), "authorization"), sent);
}

#[test]
fn a_token_that_is_refused_makes_room_for_the_other_at_once() {
    let routes = Routes::new().on("GET", "/status", [status(50, 3600)]).once(
        "GET",
        "/items",
        [Reply::empty(429).header("X-Left", "0"), page()],
    );
    let server = Server::start(routes);
    let done = connector(|auth| auth).config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, done.sleeps.len()), (0, 0), "{}", done.stdout);
    let sent = header(&server.requests(), "authorization");
    assert_eq!(sent[2..], ["Bearer t0ken-one", "Bearer t0ken-two"]);
}

#[test]
fn a_status_without_what_is_left_names_the_quota_and_the_place() {
    for body in [json!({}), json!({"core": {"left": "many", "reset": 1}})] {
        let server = Server::start(Routes::new().on("GET", "/status", [Reply::json(Value::clone(&body))]));
        let done = connector(|auth| auth).config(&json!({"url": server.url()})).run("read");
        let message = &done.messages().errors()[0].message.clone();
        assert!(message.contains("the remaining quota \"core\" at `core.left`"), "{message}");
    }
}
