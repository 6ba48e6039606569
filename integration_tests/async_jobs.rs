//! Streams whose records are made by jobs: errors of the API, and jobs that nobody needs any longer.

use std::io::{Cursor, Write as _};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use source_http::stop::{Stop, StopReason};
use source_http_testkit::{Finished, Handler, InProcess, Reply, Request, Routes, Server};

use crate::support::{self, extractor, manifest_stream, of_manifest, with};

fn requester(server: &str, method: &str, path: &str) -> Value {
    support::requester(server, path, json!({"http_method": method}))
}

/// A stream whose retriever has these additional members.
fn stream(server: &str, retriever: Value, more: Value) -> Value {
    let job = "{{ creation_response['id'] }}";
    let whole = json!({
        "type": "AsyncRetriever",
        "status_mapping": {"type": "AsyncJobStatusMap", "running": ["running"], "completed": ["done"],
            "failed": ["failed"], "timeout": ["expired"], "skipped": ["cancelled"]},
        "status_extractor": extractor(&["status"]),
        "creation_requester": requester(server, "POST", "create"),
        "polling_requester": requester(server, "GET", &format!("poll/{job}")),
        "abort_requester": requester(server, "POST", &format!("abort/{job}")),
        "delete_requester": requester(server, "POST", &format!("delete/{job}")),
        "download_requester": requester(server, "GET", "result/{{ polling_response['file'] }}"),
        "record_selector": {"type": "RecordSelector", "extractor": extractor(&["ignored"])},
    });
    manifest_stream("s", with(whole, retriever), more)
}

fn connector(streams: &[Value], more: Value) -> InProcess {
    let workers = json!({"concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 2}});
    of_manifest(streams, with(workers, more), json!({}))
}

fn read(server: &Server, retriever: Value) -> Finished {
    let stream = stream(&server.url(), retriever, json!({}));
    connector(&[stream], json!({})).streams(&[("s", "full_refresh")]).run("read")
}

fn status(status: &str) -> Reply {
    Reply::json(json!({"status": status, "file": "f", "files": ["f", "g"]}))
}

/// A server of one job, whose result is one record.
fn routes(polls: &[&str]) -> Routes {
    with_polls(polls.iter().map(|word| status(word)))
}

fn with_polls(polls: impl IntoIterator<Item = Reply>) -> Routes {
    Routes::new()
        .on("POST", "/create", [Reply::json(json!({"id": "j"}))])
        .on("GET", "/poll/j", polls)
        .on("POST", "/abort/j", [Reply::json(json!({}))])
        .on("POST", "/delete/j", [Reply::json(json!({}))])
        .on("GET", "/result/f", [Reply::json(json!([{"id": 1}]))])
}

fn warnings(done: &Finished) -> Vec<String> {
    let messages = done.messages();
    messages.logs().into_iter().filter(|(level, _)| *level == "WARN").map(|(_, text)| text.to_owned()).collect()
}

#[test]
fn a_job_that_fails_twice_is_created_again_and_its_result_is_deleted_once_it_is_read() {
    let server = Server::start(routes(&["failed", "failed", "running", "done"]));
    let done = read(&server, json!({"failed_retry_wait_time_in_seconds": 30}));
    assert_eq!((done.status, done.messages().records("s")), (0, vec![r#"{"id":1}"#]), "{}", done.stdout);
    let one = ["POST /create", "GET /poll/j"];
    let rest = ["POST /create", "GET /poll/j", "GET /poll/j", "GET /result/f", "POST /delete/j"];
    assert_eq!(server.conversation(), [&one[..], &one, &rest].concat());
    assert_eq!(done.sleeps.iter().map(std::time::Duration::as_secs).collect::<Vec<_>>(), [30, 30, 5]);
    assert_eq!(warnings(&done).len(), 2, "{:?}", warnings(&done));
    assert!(done.messages().errors().is_empty());
}

#[test]
fn requests_about_a_job_see_the_request_that_created_it() {
    let server = Server::start(routes(&["done"]));
    let mut create = requester(&server.url(), "POST", "create");
    create["request_headers"] = json!({"X-Account-ID": "a7"});
    create["request_body_json"] = json!({"kind": "sales"});
    let mut poll = requester(&server.url(), "GET", "poll/{{ creation_response['id'] }}");
    poll["request_headers"] = json!({
        "X-Account": "{{ stream_slice.extra_fields['creation_response'].request.headers['X-Account-ID'] }}",
        "X-Same": "{{ creation_response.request.headers['x-account-id'] }}",
        "X-Body": "{{ (creation_response.request.body | string)[:7] }}",
    });
    let done = read(&server, json!({"creation_requester": create, "polling_requester": poll}));
    assert_eq!(done.status, 0, "{}", done.stdout);
    let polled = &server.requests()[1];
    let named = |name| polled.header(name).unwrap_or("-").to_owned();
    assert_eq!([named("x-account"), named("x-same"), named("x-body")], ["a7", "a7", r#"{"kind""#]);
}

#[test]
fn answers_about_a_job_are_decoded_by_the_decoder_of_the_retriever() {
    let xml = |members: &str| Reply::text(format!("<job>{members}</job>"));
    let server =
        Server::start(with_polls([xml("<status>running</status>"), xml("<status>done</status><file>f</file>")]).on(
            "POST",
            "/make",
            [xml("<id>j</id>")],
        ));
    let job = "{{ creation_response['job']['id'] }}";
    let done = read(
        &server,
        json!({
            "decoder": {"type": "XmlDecoder"}, "status_extractor": extractor(&["job", "status"]),
            "creation_requester": requester(&server.url(), "POST", "make"),
            "polling_requester": requester(&server.url(), "GET", &format!("poll/{job}")),
            "download_requester": requester(&server.url(), "GET", "result/{{ polling_response['job']['file'] }}"),
            "abort_requester": null, "delete_requester": null,
        }),
    );
    assert_eq!((done.status, done.messages().records("s")), (0, vec![r#"{"id":1}"#]), "{}", done.stdout);

    // The answer to the request for a job is in JSON, which is no XML.
    let server = Server::start(with_polls([xml("<status>done</status>")]));
    let done = read(
        &server,
        json!({
            "decoder": {"type": "XmlDecoder"}, "status_extractor": extractor(&["job", "status"]),
            "download_requester": requester(&server.url(), "GET", "result/f"),
        }),
    );
    assert_eq!((done.status, done.messages().records("s")), (0, vec![r#"{"id":1}"#]), "{}", done.stdout);

    // Of lines, the first has the status, and each has a place.
    let lines = |rest: &str| Reply::text(format!("{{\"status\": \"done\", \"file\": \"f\"}}\n{rest}"));
    let retriever = |server: &Server| {
        json!({
            "decoder": {"type": "JsonlDecoder"}, "download_target_extractor": extractor(&["file"]),
            "download_requester": requester(&server.url(), "GET", "result/{{ download_target }}"),
        })
    };
    let whole = Server::start(with_polls([lines("{\"file\": \"f\"}\n")]));
    let done = read(&whole, retriever(&whole));
    assert_eq!((done.status, done.messages().records("s").len()), (0, 2), "{}", done.stdout);

    // A line that cannot be read may be the place of a result.
    let broken = Server::start(with_polls([lines("{\"file\": \n")]));
    let done = read(&broken, retriever(&broken));
    assert_eq!((done.status, done.messages().records("s").len()), (1, 0), "{}", done.stdout);
    assert!(done.stdout.contains("the answer cannot be read"), "{}", done.stdout);
}

#[test]
fn a_job_that_takes_too_long_is_aborted_and_the_slice_fails_after_three() {
    let server = Server::start(routes(&["running"]));
    let done = read(&server, json!({"polling_job_timeout": 1}));
    assert_eq!(done.status, 1);
    let errors = done.messages().errors();
    assert!(errors[0].message.contains("in 3 attempts") && errors[0].message.contains("after 1 minutes"), "{errors:?}");
    assert_eq!(errors[0].failure_type.as_deref(), Some("system_error"));
    let asked = server.conversation();
    let count = |what: &str| asked.iter().filter(|asked| *asked == what).count();
    assert_eq!((count("POST /create"), count("GET /poll/j"), count("POST /abort/j")), (3, 39, 3));
    assert_eq!(asked.last().unwrap(), "POST /abort/j");
}

#[test]
fn polls_without_success_are_repeated_with_a_wait_and_not_forever() {
    let polls = [Reply::json(json!({})).status(404), status("odd"), Reply::json(json!([])), status("done")];
    let server = Server::start(
        Routes::new().on("POST", "/create", [Reply::json(json!({"id": "j"}))]).on("GET", "/poll/j", polls).on(
            "GET",
            "/result/f",
            [Reply::json(json!([{"id": 1}]))],
        ),
    );
    let done = read(&server, json!({"delete_requester": null}));
    assert_eq!((done.status, done.messages().records("s").len()), (0, 1), "{}", done.stdout);
    assert_eq!(done.sleeps.len(), 3);
    assert!(warnings(&done)[1].contains("a job is `odd`"), "{:?}", warnings(&done));

    let server = Server::start(routes(&["odd"]));
    let done = read(&server, json!({}));
    assert_eq!(done.status, 1);
    let asked = server.conversation();
    let count = |what: &str| asked.iter().filter(|asked| *asked == what).count();
    assert_eq!((count("POST /create"), count("GET /poll/j"), count("POST /abort/j")), (3, 15, 3));
}

#[test]
fn a_create_reply_that_is_no_object_is_a_failed_job_and_one_that_is_good_later_a_warning() {
    let server = Server::start(
        Routes::new()
            .on("POST", "/create", [Reply::json(json!([1])), Reply::empty(400), Reply::json(json!({"id": "j"}))])
            .on("GET", "/poll/j", [status("done")])
            .on("GET", "/result/f", [Reply::json(json!([{"id": 1}]))]),
    );
    let done = read(&server, json!({"delete_requester": null}));
    assert_eq!((done.status, done.messages().records("s").len()), (0, 1), "{}", done.stdout);
    assert!(done.messages().errors().is_empty());
    assert_eq!((warnings(&done).len(), done.sleeps.len()), (2, 2));
}

#[test]
fn a_stop_aborts_the_job_that_runs() {
    let stop: Arc<Mutex<Option<Stop>>> = Arc::default();
    let (ends, routes) = (stop.clone(), routes(&["running"]));
    let polls = Mutex::new(0);
    let server = Server::start(move |request: &Request| {
        let mut polls = polls.lock().unwrap();
        if request.path == "/poll/j" {
            *polls += 1;
            if *polls == 3 {
                ends.lock().unwrap().as_ref().unwrap().request(StopReason::Terminated);
            }
        }
        routes.handle(request)
    });
    let run = connector(&[stream(&server.url(), json!({}), json!({}))], json!({})).streams(&[("s", "full_refresh")]);
    *stop.lock().unwrap() = Some(run.stop());
    let done = run.run("read");
    assert_eq!((done.status, done.messages().statuses("s")), (143, vec!["STARTED", "INCOMPLETE"]));
    let poll = "GET /poll/j";
    assert_eq!(server.conversation(), ["POST /create", poll, poll, poll, "POST /abort/j"]);
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A ZIP archive of one file.
fn zipped(content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("rows.csv", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn results_in_archives_are_decoded_and_filtered() {
    let csv = b"id,name\n1,a\n2,b\n";
    let inner = json!({"type": "CsvDecoder"});
    for (decoder, body) in [("GzipDecoder", gzipped(csv)), ("ZipfileDecoder", zipped(csv))] {
        let server = Server::start(
            Routes::new()
                .on("POST", "/create", [Reply::json(json!({"id": "j"}))])
                .on("GET", "/poll/j", [status("done")])
                .on("GET", "/result/f", [Reply::bytes(body)]),
        );
        let filter = json!({"type": "RecordFilter", "condition": "{{ record['name'] == 'b' }}"});
        let done = read(
            &server,
            json!({
                "delete_requester": null,
                "download_decoder": {"type": decoder, "decoder": inner},
                "record_selector": {"type": "RecordSelector", "extractor": extractor(&[]), "record_filter": filter},
            }),
        );
        assert_eq!(done.messages().records("s"), [r#"{"id":"2","name":"b"}"#], "{decoder}: {}", done.stdout);
    }
}

#[test]
fn several_results_are_read_each_with_its_pages() {
    let server = Server::start(|request: &Request| match (request.path.as_str(), request.param("p")) {
        ("/create", _) => Reply::json(json!({"id": "j"})),
        ("/poll/j", _) => status("done"),
        ("/where/f", _) => Reply::json(json!({"files": ["a", "b", "c"]})),
        ("/file/a", None) => Reply::json(json!({"rows": [{"id": 1}], "next": "2"})),
        ("/file/a", Some("2")) => Reply::json(json!({"rows": [{"id": 2}]})),
        ("/file/b", None) => Reply::json(json!({"rows": []})),
        ("/file/c", None) => Reply::json(json!({"rows": [{"id": 3}]})),
        _ => Reply::json(json!({})),
    });
    let done = read(
        &server,
        json!({
            "download_target_requester": requester(&server.url(), "GET", "where/{{ polling_response['file'] }}"),
            "download_target_extractor": extractor(&["files"]),
            "download_requester": requester(&server.url(), "GET", "file/{{ download_target }}"),
            "download_extractor": extractor(&["rows"]),
            "download_paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "p"},
                "pagination_strategy": {"type": "CursorPagination", "cursor_value": "{{ response.next }}",
                    "stop_condition": "{{ not response.next }}"},
            },
        }),
    );
    assert_eq!(done.messages().records("s"), [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#], "{}", done.stdout);
    assert_eq!(
        server.conversation(),
        [
            "POST /create",
            "GET /poll/j",
            "GET /where/f",
            "GET /file/a",
            "GET /file/a?p=2",
            "GET /file/b",
            "GET /file/c",
            "POST /delete/j",
        ]
    );
}

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

#[test]
fn a_check_reads_a_first_result_and_deletes_its_job() {
    let server = Server::start(routes(&["running", "done"]));
    let results = json!({
        "download_target_extractor": extractor(&["files"]),
        "download_requester": requester(&server.url(), "GET", "result/{{ download_target }}"),
    });
    let done = connector(&[stream(&server.url(), results, json!({}))], json!({})).run("check");
    assert_eq!(done.messages().connection_status().0, "SUCCEEDED", "{}", done.stdout);
    let asked = server.conversation();
    assert_eq!(asked, ["POST /create", "GET /poll/j", "GET /poll/j", "GET /result/f", "POST /delete/j"]);
}

#[test]
fn one_status_in_two_lists_is_an_error_with_its_place() {
    let server = Server::start(routes(&["done"]));
    let mapping = json!({"running": ["x"], "completed": ["x"], "failed": [], "timeout": []});
    let done = read(&server, json!({ "status_mapping": mapping }));
    let errors = done.messages().errors();
    assert!(errors[0].message.contains("the status `x` is in two lists"), "{errors:?}");
    assert!(server.conversation().is_empty());
}

/// A read of the results `f` and `g`, where `g` is refused.
fn with_a_refusal(polls: [Value; 2], refused: u16) -> (Finished, Vec<String>) {
    let server = Server::start(
        with_polls(polls.map(Reply::json))
            .on("GET", "/result/g", [Reply::json(json!({"error": "expired"})).status(refused)])
            .on("GET", "/result/h", [Reply::json(json!([{"id": 2}]))]),
    );
    let done = read(
        &server,
        json!({
            "download_target_extractor": extractor(&["files"]),
            "download_requester": requester(&server.url(), "GET", "result/{{ download_target }}"),
        }),
    );
    (done, server.conversation())
}

#[test]
fn a_result_whose_address_has_expired_is_requested_where_it_is_now() {
    for status in [400, 403, 404, 410] {
        let files = |last: &str| json!({"status": "done", "files": ["f", last]});
        let (done, asked) = with_a_refusal([files("g"), files("h")], status);
        assert_eq!((done.status, done.messages().records("s").len()), (0, 2), "{status}: {}", done.stdout);
        let poll = "GET /poll/j";
        let results = ["GET /result/f", "GET /result/g", poll, "GET /result/h"];
        assert_eq!(asked, [&["POST /create", poll][..], &results, &["POST /delete/j"]].concat(), "{status}");
    }
}

#[test]
fn a_result_that_is_refused_for_good_fails_its_slice_and_the_job_is_deleted() {
    let files = json!({"status": "done", "files": ["f", "g"]});
    let (done, asked) = with_a_refusal([files.clone(), files], 403);
    assert_eq!((done.status, done.messages().records("s").len()), (1, 1), "{}", done.stdout);
    let message = &done.messages().errors()[0].message;
    assert!(
        message.contains("/result/g answered 403") && message.ends_with("the next run creates a new job."),
        "{message}"
    );
    assert_eq!(asked[asked.len() - 3..], ["GET /result/g", "GET /poll/j", "POST /delete/j"]);
}

#[test]
fn a_job_without_results_is_a_warning_where_the_path_leads_nowhere_and_null_is_no_result() {
    let polled = |answer: Value, retriever: Value| {
        let server = Server::start(with_polls([Reply::json(answer)]));
        read(&server, retriever)
    };
    let retriever = json!({"download_target_extractor": extractor(&["files"])});
    let nowhere = polled(json!({"status": "done", "file": "f"}), retriever.clone());
    assert_eq!((nowhere.status, nowhere.messages().records("s").len()), (0, 0), "{}", nowhere.stdout);
    let told = warnings(&nowhere);
    assert!(told.len() == 1 && told[0].contains("Did you mean `file`?"), "{told:?}");
    let empty = polled(json!({"status": "done", "files": []}), retriever.clone());
    assert_eq!((empty.status, warnings(&empty).len()), (0, 0), "{}", empty.stdout);
    let null = polled(json!({"status": "done", "file": "f", "files": [null, "f"]}), retriever);
    assert_eq!((null.status, null.messages().records("s").len()), (0, 1), "{}", null.stdout);
}

#[test]
fn an_answer_without_a_status_is_told_so() {
    let server = Server::start(with_polls([Reply::json(json!({"state": "done"}))]));
    let done = read(&server, json!({}));
    let text = "The answer about a job has no status where `status_extractor` looks.";
    assert!(done.status == 1 && done.messages().errors()[0].message.contains(text), "{}", done.stdout);
}

#[test]
fn xml_or_a_web_page_is_no_csv_and_a_column_may_have_a_name_in_brackets() {
    let result = |body: &str| {
        let server = Server::start(
            Routes::new()
                .on("POST", "/create", [Reply::json(json!({"id": "j"}))])
                .on("GET", "/poll/j", [status("done")])
                .on("GET", "/result/f", [Reply::bytes(body.as_bytes())]),
        );
        read(&server, json!({"delete_requester": null, "download_decoder": {"type": "CsvDecoder"}}))
    };
    for markup in
        ["<?xml version=\"1.0\"?>\n<Error/>\n", "<Error><Code>Denied</Code></Error>", "\u{feff}<!DOCTYPE html>\n"]
    {
        let done = result(markup);
        let text = &done.messages().errors()[0].message;
        assert!(done.status == 1 && text.contains("it is XML or a web page, and no CSV"), "{markup}: {}", done.stdout);
    }
    let done = result("<DAY>,<OPEN>\n1,2\n");
    assert_eq!(
        (done.status, done.messages().records("s")),
        (0, vec![r#"{"<DAY>":"1","<OPEN>":"2"}"#]),
        "{}",
        done.stdout
    );
}
