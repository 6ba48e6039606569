//! A job for each slice: how many run at once, and what the state covers if one fails or the read is stopped.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use source_http::stop::{Stop, StopReason};
use source_http_testkit::{Reply, Request, Routes, Server};

use super::{connector, requester, status, stream};

/// Runs a job for each partition, which its number names; `a` fails on request.
fn partitions(fails: bool) -> (Server, Arc<Mutex<(usize, usize)>>) {
    let running: Arc<Mutex<(usize, usize)>> = Arc::default();
    let known = running.clone();
    let server = Server::start(move |request: &Request| {
        let mut running = known.lock().unwrap();
        if request.path == "/create" {
            running.0 += 1;
            running.1 = running.1.max(running.0);
            let body: Value = serde_json::from_str(&request.body_text()).unwrap();
            return Reply::json(json!({"id": body["k"]}));
        }
        let id = request.path.rsplit('/').next().unwrap();
        if request.path.starts_with("/poll") {
            running.0 -= 1;
            let word = if fails && id == "a" { "failed" } else { "done" };
            return Reply::json(json!({"status": word, "file": id}));
        }
        Reply::json(json!([{"id": id, "u": "2024-01-03"}]))
    });
    (server, running)
}

fn partitioned(server: &Server, more: Value) -> Value {
    let mut creation = requester(&server.url(), "POST", "create");
    creation["request_body_json"] =
        json!({"k": "{{ stream_partition.k }}", "from": "{{ stream_interval.start_time }}"});
    let router = json!({"type": "ListPartitionRouter", "values": ["a", "b", "c", "d"], "cursor_field": "k"});
    stream(&server.url(), json!({"creation_requester": creation, "partition_router": router}), more)
}

#[test]
fn no_more_jobs_run_at_once_than_the_manifest_says() {
    for (most, limit) in [(1, json!({})), (2, json!({"max_concurrent_async_job_count": "{{ 2 }}"}))] {
        let (server, running) = partitions(false);
        let mut limit = limit;
        limit["concurrency_level"] = json!({"type": "ConcurrencyLevel", "default_concurrency": 4});
        let run = connector(&[partitioned(&server, json!({}))], limit).streams(&[("s", "full_refresh")]);
        let done = run.run("read");
        assert_eq!((done.status, done.messages().records("s").len()), (0, 4), "{}", done.stdout);
        assert!(running.lock().unwrap().1 <= most, "{:?}", running.lock().unwrap());
    }
}

#[test]
fn a_slice_whose_jobs_fail_lets_the_others_be_read_and_is_read_whole_the_next_time() {
    let cursor = json!({"incremental_sync": {
        "type": "DatetimeBasedCursor", "cursor_field": "u", "datetime_format": "%Y-%m-%d",
        "start_datetime": "2024-01-01", "end_datetime": "2024-01-04",
    }});
    let run = |server: &Server| {
        let run = connector(&[partitioned(server, cursor.clone())], json!({})).arg("--workers").arg("1");
        run.streams(&[("s", "incremental")])
    };
    let (server, _) = partitions(true);
    let done = run(&server).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.records("s").len()), (1, 3), "{}", done.stdout);
    assert_eq!(messages.statuses("s").last(), Some(&"INCOMPLETE"));
    assert_eq!(messages.errors()[0].failure_type.as_deref(), Some("system_error"));
    // Three jobs for the first.
    assert_eq!(created(&server).len(), 6);
    let state: Value = serde_json::from_str(&messages.state_file()).unwrap();
    let (server, _) = partitions(false);
    let done = run(&server).state(&state).run("read");
    assert_eq!((done.status, done.messages().records("s").len()), (0, 4), "{}", done.stdout);
    let from = |k: &str, from: &str| json!({"k": k, "from": from});
    let new = ["b", "c", "d"].map(|k| from(k, "2024-01-03"));
    assert_eq!(created(&server), [&[from("a", "2024-01-01")][..], &new].concat());
}

/// The requests for jobs.
fn created(server: &Server) -> Vec<Value> {
    let asked = server.requests().into_iter().filter(|request| request.path == "/create");
    asked.map(|request| serde_json::from_str(&request.body_text()).unwrap()).collect()
}

#[test]
fn a_read_that_is_stopped_asks_again_for_what_was_not_finished() {
    let stop: Arc<Mutex<Option<Stop>>> = Arc::default();
    let ends = stop.clone();
    let server = Server::start(move |request: &Request| {
        let body = request.body_text();
        if request.path == "/create" {
            let body: Value = serde_json::from_str(&body).unwrap();
            if body["from"] == "2024-01-03"
                && let Some(stop) = ends.lock().unwrap().take()
            {
                stop.request(StopReason::Terminated);
            }
            return Reply::json(json!({"id": body["from"]}));
        }
        let id = request.path.rsplit('/').next().unwrap();
        match request.path.starts_with("/poll") {
            true => Reply::json(json!({"status": "done", "file": id})),
            false => Reply::json(json!([{"u": id}])),
        }
    });
    let mut creation = requester(&server.url(), "POST", "create");
    creation["request_body_json"] = json!({"from": "{{ stream_interval.start_time }}"});
    let cursor = json!({"incremental_sync": {
        "type": "DatetimeBasedCursor", "cursor_field": "u", "datetime_format": "%Y-%m-%d", "step": "P1D",
        "cursor_granularity": "P1D", "start_datetime": "2024-01-01", "end_datetime": "2024-01-04",
    }});
    let stream = stream(&server.url(), json!({"creation_requester": creation}), cursor);
    let run = || {
        let run = connector(std::slice::from_ref(&stream), json!({})).arg("--workers").arg("1");
        run.streams(&[("s", "incremental")])
    };
    let first = run();
    *stop.lock().unwrap() = Some(first.stop());
    let first = first.run("read");
    assert_eq!((first.status, first.messages().records("s").len()), (143, 2), "{}", first.stdout);
    server.take_requests();
    let state = serde_json::from_str(&first.messages().state_file()).unwrap();
    let rest = run().state(&state).run("read");
    assert_eq!(rest.status, 0, "{}", rest.stdout);
    let days: Vec<Value> = created(&server).into_iter().map(|body| body["from"].clone()).collect();
    assert!(days.contains(&json!("2024-01-03")) && !days.contains(&json!("2024-01-01")), "{days:?}");
    assert_eq!(rest.messages().records("s").last(), Some(&r#"{"u":"2024-01-03"}"#));
}

#[test]
fn a_slice_that_the_api_skips_is_behind_the_state() {
    let server = Server::start(
        Routes::new()
            .on("POST", "/create", [Reply::json(json!({"id": "j"}))])
            .on("GET", "/poll/j", ["cancelled", "done"].map(status))
            .on("GET", "/result/f", [Reply::json(json!([{"u": "2024-01-03"}]))]),
    );
    let cursor = json!({"incremental_sync": {
        "type": "DatetimeBasedCursor", "cursor_field": "u", "datetime_format": "%Y-%m-%d", "step": "P2D",
        "cursor_granularity": "P1D", "start_datetime": "2024-01-01", "end_datetime": "2024-01-04",
    }});
    let stream = stream(&server.url(), json!({"delete_requester": null}), cursor);
    let run = connector(&[stream], json!({})).arg("--workers").arg("1").streams(&[("s", "incremental")]);
    let done = run.run("read");
    assert_eq!((done.status, server.conversation().len()), (0, 5), "{}", done.stdout);
    assert!(done.messages().errors().is_empty());
    assert_eq!(done.messages().states("s").last().unwrap()["u"], "2024-01-03");
}
