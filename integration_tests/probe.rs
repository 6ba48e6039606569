//! Probes of all streams at once, as a source's `check` makes them: the number of requests, their order, and the
//! results.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use source_http::Source;
use source_http::protocol::{ConnectorSpecification, Failure};
use source_http::source::{CheckContext, Config, SourceContext};
use source_http::stop::Stop;
use source_http::streams::{HttpStream, RequestContext};
use source_http_testkit::{InProcess, Reply, Request, Server};

use crate::support::List;

/// A source whose check reports the result of each probe.
struct Probing {
    url: String,
    workers: usize,
    make: fn(&str) -> Vec<Arc<dyn HttpStream>>,
}

impl Source for Probing {
    fn name(&self) -> &str {
        "probing"
    }
    fn spec(&self) -> ConnectorSpecification {
        ConnectorSpecification { connection_specification: json!({"type": "object"}), ..Default::default() }
    }
    fn streams(&self, _: &Config, _: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        Ok((self.make)(&self.url))
    }
    fn check(&self, streams: &[Arc<dyn HttpStream>], cx: &CheckContext<'_>) -> anyhow::Result<Option<String>> {
        let told = cx.probe_all(streams, self.workers).into_iter().map(|result| match result {
            Ok(true) => "read".to_owned(),
            Ok(false) => "not asked".to_owned(),
            Err(error) => Failure::from_error(&error).message.replace(&self.url, "URL"),
        });
        Ok(Some(told.collect::<Vec<_>>().join("; ")))
    }
}

/// The results of the probes of a source with these streams.
fn probe(server: &Server, workers: usize, make: fn(&str) -> Vec<Arc<dyn HttpStream>>) -> String {
    let done = InProcess::new(Probing { url: server.url(), workers, make }).config(&json!({})).run("check");
    let messages = done.messages();
    let (status, message) = messages.connection_status();
    assert_eq!(status, "SUCCEEDED");
    let (asked, told) = message.unwrap().split_once(": ").unwrap();
    assert!(asked.starts_with("Asked for the first page of "), "{asked}");
    let (_, told) = told.split_once(". ").unwrap();
    told.to_owned()
}

fn seven(url: &str) -> Vec<Arc<dyn HttpStream>> {
    ["a", "b", "c", "d", "e", "f", "g"].map(|name| Arc::new(List::new(name, url)) as _).into()
}

/// A page of two records, or this status for one list.
fn api(refused: &'static [(&'static str, u16)]) -> Server {
    Server::start(move |request: &Request| match refused.iter().find(|(path, _)| *path == request.path) {
        Some((_, status)) => Reply::json(json!({"error": "no"})).status(*status),
        None => Reply::json(json!({"data": [{"id": 1}, {"id": 2}]})),
    })
}

#[test]
fn the_first_stream_goes_ahead_and_then_as_many_are_asked_at_once_as_there_are_workers() {
    let (under_way, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let (seen, first) = (most.clone(), Arc::new(AtomicUsize::new(0)));
    let while_first = first.clone();
    let server = Server::start(move |request: &Request| {
        seen.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        if request.path == "/a" {
            while_first.store(seen.load(Ordering::SeqCst), Ordering::SeqCst);
        } else {
            // Each waits for the others, but not forever.
            for _ in 0..500 {
                if seen.load(Ordering::SeqCst) == 3 {
                    break;
                }
                Stop::default().wait(Duration::from_millis(10));
            }
        }
        under_way.fetch_sub(1, Ordering::SeqCst);
        Reply::json(json!({"data": []}))
    });
    assert_eq!(probe(&server, 3, seven), ["read"; 7].join("; "));
    assert_eq!((first.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (1, 3));
    assert_eq!(server.requests().len(), 7);
}

#[test]
fn a_stream_that_cannot_be_read_stops_nothing_and_any_other_fault_stops_what_was_not_begun() {
    let server = api(&[("/a", 403), ("/c", 403), ("/e", 404)]);
    let refusal =
        |name: &str| format!("GET URL/{name}?page=1 answered 403 Forbidden: no. Give the token the scope read.");
    let fault = "GET URL/e?page=1 answered 404 Not Found: no. Check the URL and the ids in the config.".to_owned();
    let read = || "read".to_owned();
    let not_asked = || "not asked".to_owned();
    let told = [refusal("a"), read(), refusal("c"), read(), fault, not_asked(), not_asked()];
    assert_eq!(probe(&server, 1, seven), told.join("; "));
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn what_is_wrong_for_all_costs_one_request() {
    let server = api(&[("/a", 401)]);
    let told = probe(&server, 7, seven);
    assert!(told.starts_with("GET URL/a?page=1 answered 401") && told.ends_with(&"; not asked".repeat(6)), "{told}");
    assert_eq!(server.conversation(), ["GET /a?page=1"]);
}

#[test]
fn a_page_that_a_parent_and_its_children_want_is_requested_once() {
    let server = api(&[]);
    let told = probe(&server, 4, |url| {
        let users = || List::new("users", url).cached();
        let streams = [
            List::new("rooms", url),
            List::new("posts", url).below(users()),
            users(),
            List::new("likes", url).below(users()),
        ];
        streams.map(|list| Arc::new(list) as _).into()
    });
    assert_eq!(told, ["read"; 4].join("; "));
    let mut asked = server.conversation();
    asked.sort_unstable();
    assert_eq!(asked, ["GET /likes/1?page=1", "GET /posts/1?page=1", "GET /rooms?page=1", "GET /users?page=1"]);
}

/// Fails with a bug.
struct Buggy;

impl HttpStream for Buggy {
    fn name(&self) -> &'static str {
        "buggy"
    }
    fn url_base(&self) -> &'static str {
        "http://127.0.0.1:1"
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        panic!("a bug on purpose")
    }
}

#[test]
fn a_bug_in_one_stream_is_a_failure_of_its_probe() {
    let server = api(&[]);
    let told = probe(&server, 2, |url| vec![Arc::new(List::new("a", url)), Arc::new(Buggy)]);
    assert_eq!(told, "read; The connector has hit a bug. Everything up to the last state is safe.");
}
