//! Signs of life: Airbyte's platform ends a source that writes neither a record nor a state for long. During everything
//! that takes long a state is written every ten minutes, and each of them is true.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use source_http::clock::VirtualClock;
use source_http::http::budget::{BudgetPolicy, MovingWindow, RequestBudget};
use source_http_testkit::{Finished, InProcess, Reply, Request, Routes, Server};

use crate::support::{Steps, connector};

const HOUR: Duration = Duration::from_secs(3600);

fn reading(stream: Steps) -> InProcess {
    connector(move || stream.clone().boxed())
}

fn page(number: u64) -> Reply {
    Reply::json(json!({"data": [{"id": number}]}))
}

fn states(done: &Finished) -> Vec<Value> {
    done.messages().states("a").into_iter().cloned().collect()
}

/// The state of a stream that resumes at a page.
fn at_page(number: u64) -> Value {
    json!({"__resume": [{"slice": {}, "next_page_token": number}]})
}

fn complete() -> Value {
    json!({"__ab_full_refresh_sync_complete": true})
}

#[test]
fn a_long_wait_for_a_retry_repeats_the_last_state() {
    let limited = Reply::empty(429).header("Retry-After", "7200");
    let server = Server::start(Routes::new().on("GET", "/a/1", [page(1)]).on("GET", "/a/2", [limited, page(2)]));
    let done = reading(Steps { max_time: 3 * HOUR, ..Steps::new("a", server.url(), 2) }).run("read");
    // Two hours, and a twentieth more: the test's random number is one half.
    let mut waits = vec![Duration::from_secs(600); 12];
    waits.push(Duration::from_secs(360));
    assert_eq!((done.status, &done.sleeps), (0, &waits));
    let mut expected = vec![at_page(2); 13];
    expected.push(complete());
    assert_eq!(states(&done), expected);
    assert_eq!(done.messages().records("a"), [r#"{"id":1}"#, r#"{"id":2}"#]);
    assert_eq!(done.messages().statuses("a").last(), Some(&"COMPLETE"));
}

#[test]
fn a_wait_before_anything_was_read_repeats_the_state_that_was_given() {
    let limited = Reply::empty(429).header("Retry-After", "1200");
    let server = Server::start(Routes::new().on("GET", "/a/2", [limited, page(2)]));
    let stream = Steps { max_time: HOUR, ..Steps::new("a", server.url(), 2) };
    let given = json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "a"}, "stream_state": at_page(2)}}]);
    let done = reading(stream).state(&given).run("read");
    assert_eq!(states(&done), [at_page(2), at_page(2), complete()]);
}

#[test]
fn a_long_wait_for_the_request_budget_repeats_the_last_state() {
    let server = Server::start(Routes::new().on("GET", "/a/1", [page(1)]).on("GET", "/a/2", [page(2)]));
    let budget = RequestBudget::new().policy(BudgetPolicy::new(MovingWindow::new(1, HOUR)));
    let done = reading(Steps { budget: Some(Arc::new(budget)), ..Steps::new("a", server.url(), 2) }).run("read");
    let mut expected = vec![at_page(2); 7];
    expected.push(complete());
    assert_eq!((states(&done), done.sleeps.len()), (expected, 6));
}

#[test]
fn pages_without_a_record_are_not_read_silently() {
    // Not resumable, so no page has a state.
    let clock = Arc::new(Mutex::new(None::<Arc<VirtualClock>>));
    let time = clock.clone();
    let server = Server::start(move |_: &Request| {
        if let Some(clock) = &*time.lock().unwrap() {
            clock.advance(Duration::from_secs(250));
        }
        page(1)
    });
    let stream = Steps { filtered: true, resumable: false, ..Steps::new("a", server.url(), 8) };
    let connector = reading(stream);
    *clock.lock().unwrap() = Some(connector.clock());
    let done = connector.run("read");
    // After every third page, and at the end.
    assert_eq!(states(&done), [json!({}), json!({}), complete()]);
    assert_eq!(done.messages().record_count(), 0);
}

#[test]
fn a_body_that_takes_long_is_not_read_silently() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let connector = reading(Steps::new("a", format!("http://{}", listener.local_addr().unwrap()), 1));
    let clock = connector.clock();
    let server = thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let mut request = BufReader::new(&client).lines();
        while !request.next().unwrap().unwrap().is_empty() {}
        let body = r#"{"data":[{"id":1}]}"#;
        write!(&client, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.len(), &body[..5]).unwrap();
        clock.advance(HOUR);
        (&client).write_all(&body.as_bytes()[5..]).unwrap();
    });
    let done = connector.run("read");
    server.join().unwrap();
    assert_eq!((states(&done), done.status), (vec![json!({}), complete()], 0));
    assert_eq!(done.messages().records("a"), [r#"{"id":1}"#]);
}
