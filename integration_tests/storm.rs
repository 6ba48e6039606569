//! A failing server gets a bounded number of requests, for any number of workers.

use std::time::Duration;

use serde_json::json;
use source_http::streams::{HttpStream, RequestContext, Slice, SliceContext, Slices};
use source_http_testkit::{Fault, Finished, InProcess, Reply, Request, Server};

use crate::support::{TestSource, connector};

/// The retries within a host's quota of 500 tokens, at 5 after an answer and 10 without one.
const AFTER_ANSWERS: usize = 100;
const AFTER_NONE: usize = 50;

struct Numbered {
    name: String,
    url: String,
    slices: usize,
}

impl HttpStream for Numbered {
    fn name(&self) -> &str {
        &self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        self.name.clone()
    }
    fn stream_slices<'a>(&'a self, _: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let slices = (0..self.slices).map(|n| Ok(Slice::of_partition([("n", n)])));
        Ok(Box::new(slices.collect::<Vec<_>>().into_iter()))
    }
}

/// Reads 1,000 streams of one request each; returns the run and the number of requests.
fn thousand(reply: Reply, workers: &str) -> (Finished, usize) {
    let server = Server::start(move |_: &Request| reply.clone());
    let url = server.url();
    let source = TestSource::new(move |_, _| {
        let stream = |n| Numbered { name: format!("items_{n}"), url: url.clone(), slices: 1 };
        (0..1_000).map(|n| Box::new(stream(n)) as _).collect()
    });
    let done = InProcess::new(source).config(&json!({})).arg("--workers").arg(workers).run("read");
    let failed = done.messages().errors().iter().filter(|error| error.stream.is_some()).count();
    assert_eq!((done.status, failed), (1, 1_000), "{workers} workers");
    (done, server.requests().len())
}

#[test]
fn a_server_that_always_fails_gets_a_request_for_each_and_the_retries_of_its_quota_for_any_number_of_workers() {
    for workers in ["1", "10"] {
        let (done, requests) = thousand(Reply::empty(503), workers);
        assert_eq!((requests, done.sleeps.len()), (1_000 + AFTER_ANSWERS, AFTER_ANSWERS), "{workers} workers");
        let (done, requests) = thousand(Reply::empty(200).fault(Fault::RefuseHead), workers);
        assert_eq!((requests, done.sleeps.len()), (1_000 + AFTER_NONE, AFTER_NONE), "{workers} workers");
    }
}

#[test]
fn a_server_that_limits_everyone_gets_no_more_and_each_wait_is_as_long_as_it_asks() {
    for workers in ["1", "10"] {
        let (done, requests) = thousand(Reply::empty(429).header("Retry-After", "2"), workers);
        assert_eq!((requests, done.sleeps.len()), (1_000 + AFTER_ANSWERS, AFTER_ANSWERS), "{workers} workers");
        assert!(done.sleeps.iter().all(|wait| *wait >= Duration::from_secs(2)), "{workers} workers");
    }
}

#[test]
fn a_stream_of_many_slices_fails_with_the_first_of_them_and_begins_no_further_one() {
    for (workers, most) in [("1", 6), ("10", 60)] {
        let server = Server::start(|_: &Request| Reply::empty(503));
        let url = server.url();
        let done = connector(move || Box::new(Numbered { name: "items".into(), url: url.clone(), slices: 500 }))
            .arg("--workers")
            .arg(workers)
            .run("read");
        let requests = server.requests().len();
        // Each worker has one request under way, with its five retries.
        assert!(done.status == 1 && requests <= most, "{workers} workers: {requests} requests");
    }
}
