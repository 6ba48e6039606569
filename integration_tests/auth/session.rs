//! Sessions: a login first, then its token with each request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use serde_json::json;
use source_http::http::auth::{LoginRequest, SessionTokenAuthenticator, TokenPlace};
use source_http::http::{HttpRequest, Method, RequestBody};
use source_http::protocol::Redactor;
use source_http_testkit::{InProcess, Reply, Request, Routes, Server};

use super::{Bench, header, of_server, page, page_of, signed_by, url_of};

fn session(token: &str) -> Reply {
    Reply::json(json!({"data": {"token": token}}))
}

fn authenticator(url: &str, redactor: &Redactor) -> SessionTokenAuthenticator {
    redactor.add("passw0rd");
    let login = HttpRequest {
        method: Method::POST,
        body: RequestBody::Json(json!({"user": "ann", "password": "passw0rd"})),
        ..HttpRequest::get(url.parse().unwrap())
    };
    SessionTokenAuthenticator::new(LoginRequest::new(login, ["data", "token"]), redactor)
        .place(TokenPlace::header("X-Session"))
}

fn connector(change: fn(SessionTokenAuthenticator) -> SessionTokenAuthenticator) -> InProcess {
    signed_by(move |config, cx| change(authenticator(&url_of(config, "/login"), &cx.redactor)))
}

fn logins(server: &Server) -> usize {
    server.conversation().iter().filter(|line| *line == "POST /login").count()
}

#[test]
fn one_login_serves_all_pages_until_its_time_is_over() {
    for (change, expected) in [
        ((|auth| auth) as fn(SessionTokenAuthenticator) -> SessionTokenAuthenticator, 1),
        (|auth| auth.lasting(Duration::from_secs(3600)), 2),
        (SessionTokenAuthenticator::for_each_attempt, 4),
    ] {
        let connector = connector(change);
        let clock = connector.clock();
        let asked = AtomicU64::new(0);
        let server = Server::start(move |request: &Request| {
            if request.path == "/login" {
                return session(&format!("s3ssion-{}", asked.fetch_add(1, Ordering::SeqCst)));
            }
            clock.advance(Duration::from_secs(1200));
            page_of(request, 4)
        });
        let done = connector.config(&json!({"url": server.url()})).arg("--debug").run("read");
        assert_eq!((done.status, done.messages().record_count()), (0, 4), "{}", done.stdout);
        assert_eq!(logins(&server), expected);
        assert!(!done.stdout.contains("s3ssion") && !done.stdout.contains("passw0rd"), "{}", done.stdout);
    }
}

#[test]
fn a_session_that_ends_in_the_middle_of_a_read_is_begun_again_once() {
    let routes = Routes::new().once("POST", "/login", [session("s3ssion-1"), session("s3ssion-2")]).once(
        "GET",
        "/items",
        [Reply::empty(401), page()],
    );
    let server = Server::start(routes);
    let done = connector(|auth| auth).config(&json!({"url": server.url()})).run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    assert_eq!(header(&server.requests(), "x-session"), ["-", "s3ssion-1", "-", "s3ssion-2"]);
}

#[test]
fn a_login_that_is_refused_is_not_tried_again_and_one_in_trouble_is() {
    let refused = Reply::json(json!({"message": "no passw0rd"})).status(403);
    let bench = Bench::new();
    let server = Server::start(Routes::new().on("POST", "/login", [refused]));
    let auth = authenticator(&format!("{}/login", server.url()), &bench.redactor);
    let stream = of_server(&server.url(), Arc::new(auth));
    let failures = [(); 2].map(|()| bench.fetch(&stream).err().unwrap().to_string());
    assert_eq!((logins(&server), failures[0] == failures[1]), (1, true), "{failures:?}");
    assert!(failures[0].contains("403 Forbidden: no"), "{failures:?}");

    let routes =
        Routes::new().once("POST", "/login", [Reply::empty(500), session("s3ssion")]).on("GET", "/items", [page()]);
    let server = Server::start(routes);
    let done = connector(|auth| auth).config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, logins(&server)), (0, 2), "{}", done.stdout);
}

#[test]
fn an_answer_without_a_token_is_reported_by_its_place_and_shows_nothing() {
    let html = Reply::shared("text/html", b"<html>s3cret page</html>".to_vec());
    for (reply, told) in [
        (Reply::json(json!({"data": {"other": "s3cret"}})), "without a session token at `data.token`"),
        (Reply::json(json!({"data": {"token": null}})), "without a session token at `data.token`"),
        (html, "with something other than JSON"),
    ] {
        let server = Server::start(Routes::new().on("POST", "/login", [reply]));
        let done = connector(|auth| auth).config(&json!({"url": server.url()})).run("read");
        let message = &done.messages().errors()[0].message.clone();
        assert!(message.contains(told) && !done.stdout.contains("s3cret"), "{}", done.stdout);
    }
}

#[test]
fn eight_threads_that_need_a_session_log_in_once() {
    let slow = session("s3ssion").delay(Duration::from_millis(200));
    let server = Server::start(Routes::new().on("POST", "/login", [slow]).on("GET", "/items", [page()]));
    let bench = Bench::new();
    let stream = of_server(&server.url(), Arc::new(authenticator(&format!("{}/login", server.url()), &bench.redactor)));
    let together = Barrier::new(8);
    let got = thread::scope(|scope| {
        let fetch = || {
            together.wait();
            bench.fetch(&stream).is_ok_and(|page| page.is_some())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(fetch)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread")).filter(|got| *got).count()
    });
    assert_eq!((got, logins(&server)), (8, 1));
}
