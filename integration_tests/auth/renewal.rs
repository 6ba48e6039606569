//! Tokens that expire: renewed ahead of time, replaced when they are refused, once for all threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use source_http::clock::Clock;
use source_http::clock::VirtualClock;
use source_http::http::auth::{OAuth2Authenticator, TokenRequest};
use source_http_testkit::{Handler, Reply, Request, Routes, Server};

use super::oauth2::{connector, kinds, read, token};
use super::{Bench, header, of_server, page, page_of};

/// An API with this lifetime of tokens on the test's clock, and pages that take this long.
struct Expiring {
    clock: Arc<VirtualClock>,
    life: i64,
    expires_in: fn(i64, i64) -> Value,
    page_takes: Duration,
    tokens: AtomicU64,
}

impl Handler for Expiring {
    fn handle(&self, request: &Request) -> Reply {
        let now = self.clock.now().as_second();
        if request.path == "/token" {
            self.tokens.fetch_add(1, Ordering::SeqCst);
            let expires_in = (self.expires_in)(now, self.life);
            return Reply::json(
                json!({"access_token": format!("until-{}", now + self.life), "expires_in": expires_in}),
            );
        }
        let token = request.header("authorization").unwrap_or_default();
        let until: i64 = token.trim_start_matches("Bearer until-").parse().unwrap_or_default();
        if now >= until {
            return Reply::empty(401);
        }
        self.clock.advance(self.page_takes);
        page_of(request, 20)
    }
}

#[test]
fn a_token_that_lives_shorter_than_the_sync_is_renewed_before_the_api_refuses_it() {
    let forms: [fn(i64, i64) -> Value; 3] =
        [|_, life| json!(life), |_, life| json!(life.to_string()), |now, life| json!(now + life)];
    // Life of a token, seconds a page takes, tokens a sync of 20 pages needs.
    for (life, page_takes, tokens) in [(60, 20, 10), (3600, 300, 3), (10, 4, 10)] {
        for expires_in in forms {
            let connector = connector();
            let api = Expiring {
                clock: connector.clock(),
                life,
                expires_in,
                page_takes: Duration::from_secs(page_takes),
                tokens: AtomicU64::new(0),
            };
            let server = Server::start(api);
            let done = connector.config(&json!({"url": server.url()})).arg("--debug").run("read");
            assert_eq!((done.status, done.messages().record_count()), (0, 20), "{}", done.stdout);
            assert!(!done.stdout.contains("401 Unauthorized"), "{}", done.stdout);
            let conversation = server.conversation();
            let asked = conversation.iter().filter(|line| *line == "POST /token").count();
            assert_eq!((asked, conversation.len()), (tokens, 20 + tokens), "{life} s");
        }
    }
}

#[test]
fn a_token_without_a_stated_life_is_used_for_most_of_an_hour() {
    let connector = connector();
    let clock = connector.clock();
    let api = move |request: &Request| {
        if request.path == "/token" {
            return Reply::json(json!({"access_token": "acc3ss"}));
        }
        clock.advance(Duration::from_secs(600));
        page_of(request, 8)
    };
    let server = Server::start(api);
    let done = connector.config(&json!({"url": server.url()})).run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    let asked: Vec<usize> =
        (0..).zip(server.conversation()).filter(|(_, l)| l == "POST /token").map(|(n, _)| n).collect();
    // After 45 minutes: five pages of ten minutes each end after 50.
    assert_eq!(asked, [0, 6]);
}

#[test]
fn a_revoked_token_is_replaced_once_and_the_same_page_is_sent_again() {
    let asked = AtomicU64::new(0);
    let api = move |request: &Request| {
        if request.path == "/token" {
            return token(&format!("acc3ss-{}", asked.fetch_add(1, Ordering::SeqCst) + 1));
        }
        let revoked = request.param("page") == Some("2") && request.header("authorization") == Some("Bearer acc3ss-1");
        if revoked { Reply::empty(401) } else { page_of(request, 3) }
    };
    let server = Server::start(api);
    let done = read(&server);
    assert_eq!((done.status, done.messages().records("items").len()), (0, 3), "{}", done.stdout);
    let pages = ["GET /items?page=2", "POST /token", "GET /items?page=2", "GET /items?page=3"];
    assert_eq!(server.conversation(), [&["POST /token", "GET /items"][..], &pages].concat());
    let sent =
        ["-", "1", "1", "-", "2", "2"].map(|n| if n == "-" { n.to_owned() } else { format!("Bearer acc3ss-{n}") });
    assert_eq!(header(&server.requests(), "authorization"), sent);
    assert!(done.sleeps.is_empty(), "{:?}", done.sleeps);
    let told = "HTTP 401 Unauthorized: sending GET";
    assert_eq!(done.messages().logs().iter().filter(|(_, text)| text.starts_with(told)).count(), 1);
}

#[test]
fn a_second_refusal_is_a_config_failure() {
    let refused = Reply::json(json!({"message": "account closed"})).status(401);
    let routes = Routes::new().on("POST", "/token", [token("first"), token("second")]).on("GET", "/items", [refused]);
    let server = Server::start(routes);
    let done = read(&server);
    assert_eq!((done.status, kinds(&done)), (1, vec!["config_error".to_owned(); 2]));
    assert_eq!(server.conversation(), ["POST /token", "GET /items", "POST /token", "GET /items"]);
    let message = &done.messages().errors()[0].message;
    assert!(message.contains("401 Unauthorized: account closed.") && message.contains("re-authenticate"), "{message}");
}

#[test]
fn a_refusal_does_not_use_up_retries_and_comes_once_a_request() {
    let items = [500, 401, 500, 500, 500, 500].map(Reply::empty).into_iter().chain([page()]);
    let routes = Routes::new().on("POST", "/token", [token("first"), token("second")]).once("GET", "/items", items);
    let server = Server::start(routes);
    let done = read(&server);
    assert_eq!((done.status, server.requests().len()), (0, 9), "{}", done.stdout);
    assert_eq!(done.sleeps, [250, 500, 1000, 2000, 4000].map(Duration::from_millis));
}

#[test]
fn an_endpoint_that_fails_while_the_token_is_good_does_not_stop_the_sync() {
    let connector = connector();
    let clock = connector.clock();
    let asked = AtomicU64::new(0);
    let api = move |request: &Request| {
        if request.path == "/token" {
            // One good answer, then six bad ones: all retries of one renewal.
            return match asked.fetch_add(1, Ordering::SeqCst) {
                0 => token("first"),
                1..=6 => Reply::empty(503),
                _ => token("second"),
            };
        }
        clock.advance(Duration::from_secs(900));
        page_of(request, 5)
    };
    let server = Server::start(api);
    let done = connector.config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, done.messages().record_count()), (0, 5), "{}", done.stdout);
    let sent = header(&server.requests(), "authorization").into_iter().filter(|value| value != "-");
    // Three pages of a quarter of an hour each, one more with the old token because its renewal failed, then a new
    // one.
    let first = ["Bearer first"; 4];
    assert_eq!(sent.collect::<Vec<_>>(), [&first[..], &["Bearer second"]].concat());
    let warnings = done.messages();
    let warnings: Vec<_> = warnings.logs().into_iter().filter(|(level, _)| *level == "WARN").collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn eight_threads_that_need_a_token_request_one() {
    let slow = token("acc3ss").delay(Duration::from_millis(200));
    let server = Server::start(Routes::new().on("POST", "/token", [slow]).on("GET", "/items", [page()]));
    assert_eq!(eight_threads(&server, &Bench::new(), None), 8);
    let conversation = server.conversation();
    assert_eq!(conversation[0], "POST /token");
    assert_eq!(conversation[1..], ["GET /items"; 8]);
    assert_eq!(header(&server.requests()[1..], "authorization"), ["Bearer acc3ss"; 8]);
}

#[test]
fn eight_threads_whose_token_is_refused_replace_it_once() {
    let refusals = Arc::new(AtomicU64::new(0));
    let asked = AtomicU64::new(0);
    let counted = refusals.clone();
    let api = move |request: &Request| match (request.path.as_str(), request.header("authorization")) {
        ("/token", _) => token(&format!("acc3ss-{}", asked.fetch_add(1, Ordering::SeqCst))),
        // Slow: every thread has sent the old token before the first refusal arrives.
        ("/items", Some("Bearer acc3ss-0")) => {
            counted.fetch_add(1, Ordering::SeqCst);
            Reply::empty(401).delay(Duration::from_millis(300))
        }
        _ => page(),
    };
    let server = Server::start(api);
    assert_eq!(eight_threads(&server, &Bench::new(), Some("/warm-up")), 8);
    let asked = server.conversation().iter().filter(|line| *line == "POST /token").count();
    assert_eq!(asked, 2, "one token to begin with, one to replace it");
    assert!(refusals.load(Ordering::SeqCst) > 1, "only one thread was refused: the test has not tested anything");
}

/// Fetches a page in eight threads at once, with one authenticator that has asked for a token already if there is a
/// path to fetch with it. Returns how many got their page.
fn eight_threads(server: &Server, bench: &Bench, before: Option<&str>) -> usize {
    let url = format!("{}/token", server.url());
    let request = TokenRequest::refresh_token(&url, "client", "cl1ent-secret", "r3fresh", &bench.redactor);
    let auth = Arc::new(OAuth2Authenticator::new(request));
    if let Some(path) = before {
        let stream = of_server(&server.url(), auth.clone()).with(|items| {
            path.clone_into(&mut items.path);
        });
        assert!(bench.fetch(&stream).is_ok_and(|page| page.is_some()));
    }
    let stream = of_server(&server.url(), auth);
    let together = Barrier::new(8);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    bench.fetch(&stream).is_ok_and(|page| page.is_some())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread")).filter(|got| *got).count()
    })
}
