//! Streams whose records are made by jobs: errors of the API, and jobs that nobody needs any longer.

mod results;
mod slices;

use std::sync::{Arc, Mutex};

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
