//! `read --format jsonl`: only the records of one stream on stdout, and every message on stderr.

use serde_json::{Value, json};
use source_http::streams::HttpStream;
use source_http::terminal::Terminal;
use source_http_testkit::{InProcess, Items, Reply, Request, Routes, Server};
use stripe_mock::StripeMock;

use crate::support::binary::{Binary, config};
use crate::support::{List, TestSource};

/// A read of one stream, whose last response is this.
fn read(replies: Vec<Reply>, change: impl FnOnce(InProcess) -> InProcess) -> (u8, String, String) {
    let server = Server::start(Routes::new().on("GET", "/items", replies));
    let connector = Items::new(server.url()).connector().arg("--format").arg("jsonl");
    let done = change(connector).run("read");
    (done.status, done.stdout.replace(&server.url(), "URL"), done.stderr.replace(&server.url(), "URL"))
}

fn same(connector: InProcess) -> InProcess {
    connector
}

#[test]
fn records_are_what_the_api_sent_one_a_line_and_the_rest_is_text_on_stderr() {
    let page = Reply::json_text("{\"data\":[{\"a\": 1.10},\n{\n  \"b\": [null,\n 1e400]}\n]}");
    let replies = || vec![Reply::empty(503), page.clone()];
    let (status, stdout, stderr) = read(replies(), same);
    let records = "{\"a\": 1.10}\n{\"b\":[null,1e400]}\n";
    assert_eq!((status, stdout.as_str(), stderr.as_str()), (0, records, ""), "nobody watches, and nothing fails");
    let (status, stdout, stderr) = read(replies(), |connector| connector.arg("--debug"));
    assert_eq!((status, stdout.as_str()), (0, records));
    let stderr: String = stderr.split_inclusive('\n').filter(|line| !line.starts_with("debug: ")).collect();
    assert_eq!(
        stderr,
        "\
info: items: started.
info: items: waiting 0.2 s before retry 1 of 5 of GET URL/items: HTTP 503 Service Unavailable (backoff with full jitter up to 0.5 s).
info: items: 2 records read.
info: items: complete.
"
    );
}

#[test]
fn they_are_the_records_of_the_protocol_byte_for_byte() {
    let mock = StripeMock::builder().count("charges", 250).pretty(true).start();
    let read = |args: &[&str]| {
        let args: Vec<&str> = ["read", "--config", "-", "--streams", "charges"].iter().chain(args).copied().collect();
        Binary::new(&args).stdin(config(&mock)).run()
    };
    let messages = read(&[]).messages();
    let bare = read(&["--format", "jsonl", "--quiet"]);
    assert_eq!((bare.status, bare.stderr.as_str()), (Some(0), ""));
    assert_eq!(bare.stdout.lines().collect::<Vec<_>>(), messages.records("charges"));
    assert_eq!(bare.stdout.lines().count(), 250);
}

#[test]
fn a_failure_is_reported_once_on_stderr_also_if_it_is_to_be_quiet() {
    let refused = || vec![Reply::json(json!({"error": "no such list"})).status(400)];
    let error = "error: items: GET URL/items answered 400 Bad Request: no such list.\n";
    let (status, stdout, stderr) = read(refused(), same);
    assert_eq!((status, stdout.as_str()), (1, ""));
    assert_eq!(stderr, format!("warning: items: incomplete.\n{error}"));
    let (status, stdout, stderr) = read(refused(), |connector| connector.arg("-q"));
    assert_eq!((status, stdout.as_str(), stderr.as_str()), (1, "", error));
}

#[test]
fn at_a_terminal_the_summary_reports_a_failure() {
    let terminal = Terminal::of_size(80, 24).with_vars(|_| None);
    let refused = vec![Reply::json(json!({"error": "no such list"})).status(400)];
    let (status, _, stderr) = read(refused, |connector| connector.terminal(terminal));
    let expected = "\
info: items: started.
warning: items: incomplete.
stream  records  requests  retries  waits  cached  bytes   time  status
items         0         1        0      0       0   24 B  0.0 s  incomplete
total         0         1        0      0       0   24 B  0.0 s  failed
error (system): 1 of 1 streams failed.
items: GET URL/items answered 400 Bad Request: no such list.
";
    assert_eq!((status, stderr.as_str()), (1, expected));
}

#[test]
fn a_failure_before_the_read_is_reported_on_stderr() {
    for config in ["{", r#"{"client_secret":7,"account_id":"a"}"#] {
        let args = ["read", "--config", "-", "--format", "jsonl", "--streams", "charges"];
        let output = Binary::new(&args).stdin(config).run();
        assert_eq!((output.status, output.stdout.as_str()), (Some(1), ""));
        assert!(output.stderr.starts_with("error: ") && output.stderr.lines().count() <= 3, "{}", output.stderr);
    }
}

#[test]
fn more_streams_than_one_are_refused_and_streams_is_named() {
    let connector = |names: &'static [&'static str]| {
        let lists = move |_: &_, _: &_| {
            names.iter().map(|name| Box::new(List::new(name, "http://127.0.0.1:1")) as Box<dyn HttpStream>).collect()
        };
        InProcess::new(TestSource::new(lists)).config(&json!({})).arg("--format").arg("jsonl")
    };
    let done = connector(&["users", "rooms", "tags"]).run("read");
    let error = "error: --format jsonl writes the records of one stream, and 3 are chosen. Name one of them with --streams: \
                 users, rooms, tags.\n";
    assert_eq!((done.status, done.stdout.as_str(), done.stderr.as_str()), (1, "", error));
    let done = connector(&["users", "rooms", "tags"]).arg("--streams").arg("rooms,tags").run("read");
    assert!(done.stderr.contains("and 2 are chosen") && done.stderr.contains("--streams: rooms, tags."), "{done:?}");
    let done = connector(&["users"]).catalog(&json!({"streams": []})).run("read");
    assert_eq!(
        done.stderr,
        "error: --format jsonl writes the records of one stream, and the catalog has none. Add one.\n"
    );
}

#[test]
fn a_stream_that_cannot_be_read_is_a_warning_and_a_failed_read() {
    let server = Server::start(|_: &Request| Reply::json(json!({"error": "no scope"})).status(403));
    let url = server.url();
    let lists = move |_: &_, _: &_| vec![Box::new(List::new("rooms", &url)) as Box<dyn HttpStream>];
    let connector = InProcess::new(TestSource::new(lists)).config(&json!({})).arg("--format").arg("jsonl");
    let done = connector.run("read");
    assert_eq!((done.status, done.stdout.as_str()), (1, ""));
    let error = "error: Nothing could be read: all chosen streams were skipped.";
    assert!(done.stderr.contains(error), "{}", done.stderr);
    let warning = "warning: rooms: skipped, and its state stays as it is: ";
    assert!(done.stderr.lines().any(|line| line.starts_with(warning)), "{}", done.stderr);
}

#[test]
fn a_reader_that_closes_the_pipe_ends_the_read_silently() {
    let page: Value = (0..1_000).map(|id| json!({"id": id, "text": "x".repeat(200)})).collect();
    let (status, stdout, stderr) =
        read(vec![Reply::json(json!({ "data": page }))], |connector| connector.reader_leaves_after(1).arg("-q"));
    assert_eq!((status, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with("{\"id\":0,"), "{stdout}");
}
