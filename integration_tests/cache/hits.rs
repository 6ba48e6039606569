//! Requests that are answered from the cache, and their answers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use source_http::http::auth::{AuthContext, Authenticator, TokenAuthenticator};
use source_http::http::{HttpRequest, Method, RequestBody, RequestOptions};
use source_http::protocol::Redactor;
use source_http_testkit::{Reply, Request, Routes, Server};

use super::{List, one_page, page, read, warnings};

#[test]
fn two_streams_over_one_url_send_one_request_and_a_hit_is_reported_at_debug_level() {
    let server = one_page();
    let with_params = |name, url: &str, params: &[(&str, &str)]| List {
        params: params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..List::new(name, url)
    };
    let done = read(&server.url(), move |url| {
        vec![with_params("a", url, &[("x", "1"), ("y", "2")]), with_params("b", url, &[("y", "2"), ("x", "1")])]
    })
    .arg("--debug")
    .run("read");
    let messages = done.messages();
    assert_eq!((done.status, server.conversation()), (0, vec!["GET /list/1?x=1&y=2".to_owned()]));
    assert_eq!((messages.records("a"), messages.records("b")), (vec![r#"{"id":1}"#], vec![r#"{"id":1}"#]));
    let hits: Vec<_> = messages.logs().into_iter().filter(|(_, text)| text.contains("response cache")).collect();
    let line = format!("GET {}/list/1?y=2&x=1: 200 OK, 19 bytes from the response cache", server.url());
    assert_eq!(hits, [("DEBUG", line.as_str())]);
}

#[test]
fn other_credentials_and_other_headers_share_nothing() {
    let server = one_page();
    let done = read(&server.url(), |url| {
        let token = |token| Box::new(TokenAuthenticator::bearer(token, &Redactor::default()));
        let header = |value: &str| vec![("X-Account".to_owned(), value.to_owned())];
        vec![
            List { authenticator: token("one"), ..List::new("a", url) },
            List { authenticator: token("two"), ..List::new("b", url) },
            List { authenticator: token("one"), ..List::new("c", url) },
            List { headers: header("1"), ..List::new("d", url) },
            List { headers: header("2"), ..List::new("e", url) },
            List { headers: header("1"), ..List::new("f", url) },
        ]
    })
    .run("read");
    done.messages();
    let sent: Vec<_> = server
        .requests()
        .iter()
        .map(|request| ["authorization", "x-account"].map(|name| request.header(name).unwrap_or("-").to_owned()))
        .collect();
    assert_eq!(sent, [["Bearer one", "-"], ["Bearer two", "-"], ["-", "1"], ["-", "2"]]);
}

#[test]
fn a_search_by_post_is_kept_by_its_body() {
    let server = one_page();
    let done = read(&server.url(), |url| {
        let search = |name, q: &str| List {
            method: Method::POST,
            body: RequestBody::Json(json!({ "q": q })),
            ..List::new(name, url)
        };
        vec![search("a", "x"), search("b", "y"), search("c", "x")]
    })
    .run("read");
    assert_eq!(done.messages().records("c"), [r#"{"id":2}"#]);
    let bodies: Vec<_> = server.requests().iter().map(Request::body_text).collect();
    assert_eq!(bodies, [r#"{"q":"x"}"#, r#"{"q":"y"}"#]);
}

#[test]
fn a_response_from_the_cache_answers_the_url_that_redirects_led_to() {
    let moved = Reply::empty(302).header("Location", "/elsewhere/list");
    let page = Reply::json_text(r#"{"data":[{"id":1}]}"#);
    let server = Server::start(Routes::new().on("GET", "/list/1", [moved]).on("GET", "/elsewhere/list", [page]));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let done = read(&server.url(), move |url| {
        ["a", "b"].map(|name| List { answered: Some(noted.clone()), ..List::new(name, url) }).into()
    })
    .run("read");
    assert_eq!((done.status, server.requests().len()), (0, 2));
    assert_eq!(*seen.lock().expect("a list"), vec![format!("{}/elsewhere/list", server.url()); 2]);
}

#[test]
fn other_network_options_share_nothing() {
    let server = one_page();
    let done = read(&server.url(), |url| {
        let agent = |name, agent: &str| {
            let options = RequestOptions { user_agent: agent.to_owned(), ..RequestOptions::default() };
            List { options, ..List::new(name, url) }
        };
        vec![agent("a", "one"), agent("b", "two"), agent("c", "one")]
    })
    .run("read");
    assert_eq!((done.status, server.requests().len()), (0, 2));
}

/// Signs with a number that is used once.
#[derive(Default)]
struct Nonce(AtomicU32);

impl Authenticator for Nonce {
    fn authenticate(&self, request: &mut HttpRequest, _: &AuthContext<'_>) -> anyhow::Result<()> {
        let nonce = self.0.fetch_add(1, Ordering::SeqCst).to_string();
        Ok(request.set_secret_header("X-Signature", &nonce)?)
    }
}

#[test]
fn signatures_that_are_never_the_same_bypass_the_cache_and_that_is_reported_once() {
    let server = one_page();
    let done = read(&server.url(), |url| {
        ["a", "b"].map(|name| List { authenticator: Box::new(Nonce::default()), ..List::new(name, url) }).into()
    })
    .run("read");
    assert_eq!((done.status, server.requests().len()), (0, 2));
    let warnings = warnings(&done);
    assert!(warnings.len() == 1 && warnings[0].contains("identity()"), "{warnings:?}");
}

#[test]
fn only_good_responses_that_could_be_read_are_kept() {
    let error = Reply::empty(500);
    let unreadable = Reply::json_text("{\"data\":[");
    let server = Server::start(Routes::new().on("GET", "/list/1", [error, unreadable, page(1)]));
    let done = read(&server.url(), |url| ["a", "b", "c", "d"].map(|name| List::new(name, url)).into()).run("read");
    let messages = done.messages();
    assert_eq!((done.status, server.conversation()), (1, vec!["GET /list/1".to_owned(); 3]));
    assert_eq!((messages.records("a").len(), messages.records("b").len()), (0, 0));
    assert_eq!((messages.records("c").len(), messages.records("d").len()), (1, 1));
}

#[test]
fn a_response_that_one_stream_kept_and_another_cannot_read_is_fetched_and_judged_again() {
    let server = one_page();
    let done = read(&server.url(), |url| {
        vec![List::new("a", url), List { record_path: "items", ..List::new("b", url) }, List::new("c", url)]
    })
    .run("read");
    let messages = done.messages();
    assert_eq!((done.status, server.conversation().len()), (1, 2));
    assert_eq!((messages.records("a").len(), messages.records("c").len()), (1, 1));
    assert_eq!(messages.statuses("b"), ["STARTED", "INCOMPLETE"]);
}
