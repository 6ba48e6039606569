//! The summary for a person at a terminal at the end of a command, and for a script in the file of `--summary`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use source_http::Registry;
use source_http::http::budget::{BudgetPolicy, MovingWindow, RequestBudget};
use source_http::streams::HttpStream;
use source_http::terminal::Terminal;
use source_http_testkit::{InProcess, Items, Reply, Request, Server};
use stripe_mock::StripeMock;

use crate::support::binary::{Binary, config};
use crate::support::{List, Steps, TestSource};

const PAGE: &str = r#"{"data":[{"id":1},{"id":2}]}"#;
const EMPTY: &str = r#"{"data":[]}"#;

/// A terminal on which nothing is drawn during a command, however long the test takes; stdout goes elsewhere.
fn terminal(columns: u16) -> Terminal {
    Terminal::of_size(columns, 24).with_vars(|_| None)
}

/// Users, whose pages are kept for their posts; rooms, which cannot be read; tags, which fail; ticks, one every five
/// seconds.
fn five_streams(url: String) -> InProcess {
    let streams = move |_: &_, _: &_| -> Vec<Box<dyn HttpStream>> {
        let users = || List::new("users", &url).cached();
        let budget = RequestBudget::new().policy(BudgetPolicy::new(MovingWindow::new(1, Duration::from_secs(5))));
        vec![
            Box::new(users()),
            Box::new(List::new("posts", &url).below(users())),
            Box::new(List::new("rooms", &url)),
            Box::new(List::new("tags", &url)),
            Box::new(Steps { budget: Some(Arc::new(budget)), ..Steps::new("ticks", &url, 3) }),
        ]
    };
    InProcess::new(TestSource::new(streams)).config(&json!({}))
}

/// The first request for users gets 503, the first for posts 429.
fn api() -> Server {
    let (users, posts) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Server::start(move |request: &Request| {
        let is_first = |hits: &AtomicUsize| hits.fetch_add(1, Ordering::SeqCst) == 0;
        match (request.path.as_str(), request.param("page")) {
            ("/users", _) if is_first(&users) => Reply::empty(503),
            ("/posts/1", _) if is_first(&posts) => Reply::empty(429).header("Retry-After", "8"),
            ("/rooms", _) => Reply::json_text(r#"{"error":"no scope"}"#).status(403),
            ("/tags", _) => Reply::json_text(r#"{"error":"no such list"}"#).status(400),
            (_, Some("2")) => Reply::json_text(EMPTY),
            _ => Reply::json_text(PAGE),
        }
    })
}

#[test]
fn the_table_has_what_each_stream_did_and_what_all_did_together() {
    let server = api();
    let done = five_streams(server.url()).terminal(terminal(120)).run("read");
    assert_eq!(done.status, 1);
    // From the requests that came, the waits, and the bodies above.
    assert_eq!(server.requests().len(), 13);
    assert_eq!(done.sleeps, [250, 8_400, 5_000, 5_000].map(Duration::from_millis));
    let expected = "\
warning: rooms: skipped, and its state stays as it is: GET URL/rooms?page=1 answered 403 Forbidden: no scope. Give the token the scope read.
stream  records  requests  retries       waits  cached  bytes    time  status
users         2         3        1   1 (0.2 s)       0   39 B   0.2 s  complete
posts         4         5        1   1 (8.4 s)       2   78 B   8.4 s  complete
rooms         0         1        0           0       0   20 B   0.0 s  skipped
tags          0         1        0           0       0   24 B   0.0 s  incomplete
ticks         6         3        0  2 (10.0 s)       0   84 B  10.0 s  complete
total        12        13        2  4 (18.6 s)       2  245 B  18.6 s  failed
error (system): 1 of 5 streams failed.
tags: GET URL/tags?page=1 answered 400 Bad Request: no such list.
";
    assert_eq!(done.stderr.replace(&server.url(), "URL"), expected);
}

#[test]
fn the_summary_file_has_the_same_numbers_without_any_terminal() {
    let server = api();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("summary.json");
    let done = five_streams(server.url()).arg("--summary").arg(&file).run("read");
    assert_eq!((done.status, done.stderr.as_str()), (1, ""));
    let text = std::fs::read_to_string(file).unwrap().replace(&server.url(), "URL");
    let numbers =
        |records: u64, requests: u64, retries: u64, waits: u64, waited: f64, hits: u64, bytes: u64, time: f64| {
            json!({
                "records": records, "requests": requests, "retries": retries, "waits": waits, "waited_seconds": waited,
                "cache_hits": hits, "bytes": bytes, "seconds": time,
            })
        };
    let stream = |name: &str, end: Value, numbers: Value| {
        let mut stream = json!({ "stream": name });
        for part in [end, numbers] {
            stream.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        stream
    };
    let complete = || json!({"status": "complete"});
    let refused = "GET URL/rooms?page=1 answered 403 Forbidden: no scope. Give the token the scope read.";
    let failed = "GET URL/tags?page=1 answered 400 Bad Request: no such list.";
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({
            "exit_code": 1,
            "error": {"kind": "system_error", "message": format!("1 of 5 streams failed.\ntags: {failed}")},
            "streams": [
                stream("users", complete(), numbers(2, 3, 1, 1, 0.25, 0, 39, 0.25)),
                stream("posts", complete(), numbers(4, 5, 1, 1, 8.4, 2, 78, 8.4)),
                stream("rooms", json!({"status": "skipped", "message": refused}), numbers(0, 1, 0, 0, 0.0, 0, 20, 0.0)),
                stream(
                    "tags",
                    json!({"status": "incomplete", "kind": "system_error", "message": failed}),
                    numbers(0, 1, 0, 0, 0.0, 0, 24, 0.0)
                ),
                stream("ticks", complete(), numbers(6, 3, 0, 2, 10.0, 0, 84, 10.0)),
            ],
            "total": numbers(12, 13, 2, 4, 18.65, 2, 245, 18.65),
        })
    );
}

#[test]
fn streams_that_were_not_begun_when_a_read_was_ended_are_in_the_table() {
    let connector = five_streams("http://127.0.0.1:1".to_owned());
    connector.stop().request(source_http::stop::StopReason::Interrupted);
    let done = connector.arg("--streams").arg("users,rooms").terminal(terminal(80)).run("read");
    let expected = "\
stream  records  requests  retries  waits  cached  bytes   time  status
users         0         0        0      0       0    0 B  0.0 s  not begun
rooms         0         0        0      0       0    0 B  0.0 s  not begun
total         0         0        0      0       0    0 B  0.0 s  stopped
error (transient): SIGINT ended this run before it was done. Run it again to resume from the last states.
";
    assert_eq!((done.status, done.stderr.as_str()), (130, expected));
}

#[test]
fn a_read_that_cannot_begin_says_why_at_the_terminal() {
    let done = five_streams(String::new()).arg("--streams").arg("users,none").terminal(terminal(80)).run("read");
    let expected = "error (config): --streams names \"none\", and there is no such stream. The streams are: posts, rooms, \
                    tags, ticks, users.\n";
    assert_eq!((done.status, done.stderr.as_str()), (1, expected));
    let done =
        five_streams("no url".to_owned()).arg("--catalog").arg("none.json").terminal(terminal(80)).run("discover");
    assert_eq!(done.status, 2);
    let missing = InProcess::new(TestSource::new(|_, _| Vec::new())).arg("--config").arg("none.json");
    let done = missing.terminal(terminal(80)).run("discover");
    let expected = "error: The config file none.json cannot be read: there is no such file. Check --config.\n";
    assert_eq!((done.status, done.stderr.as_str()), (1, expected));
}

#[test]
fn a_reader_that_closes_the_pipe_gets_no_message() {
    let server = Server::start(|_: &Request| Reply::json_text(PAGE));
    let endless = Steps::new("items", server.url(), 1_000);
    let connector = crate::support::connector(move || endless.clone().boxed());
    let done = connector.reader_leaves_after(3).terminal(terminal(80)).run("read");
    assert_eq!((done.status, done.stderr.as_str()), (0, ""));
}

#[test]
fn quiet_and_no_terminal_leave_stderr_empty() {
    let server = api();
    let quiet = five_streams(server.url()).arg("--quiet").terminal(terminal(80)).run("read");
    assert_eq!((quiet.status, quiet.stderr.as_str()), (1, ""));
    let server = api();
    let piped = five_streams(server.url()).run("read");
    assert_eq!((piped.status, piped.stderr.as_str()), (1, ""));
    let mock = StripeMock::builder().start();
    for command in ["check", "discover", "read"] {
        let output = Binary::new(&[command, "--config", "-"]).stdin(config(&mock)).env("TERM", "xterm").run();
        assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{command}");
    }
}

#[test]
fn a_summary_file_that_cannot_be_written_is_reported_before_anything_is_requested() {
    let server = api();
    let folder = tempfile::tempdir().unwrap();
    let done = five_streams(server.url()).arg("--summary").arg(folder.path()).run("read");
    let error = done.messages().errors().pop().unwrap();
    assert_eq!((done.status, error.failure_type.as_deref()), (1, Some("config_error")));
    assert!(error.message.contains("cannot be written") && error.message.ends_with("Check --summary."), "{error:?}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn no_secret_is_shown_at_a_terminal_nor_written_into_the_file() {
    let server = Server::start(|_: &Request| Reply::json_text(r#"{"error":"no k3y-s3cret here"}"#).status(400));
    let folder = tempfile::tempdir().unwrap();
    for command in ["read", "check"] {
        let url = server.url();
        let source = TestSource::new(move |_, cx| {
            cx.redactor.add("k3y-s3cret");
            vec![Box::new(Items::new(&url)) as Box<dyn HttpStream>]
        });
        let (file, connector) = (folder.path().join(command), InProcess::new(source).config(&json!({})));
        let connector = if command == "read" { connector.arg("--summary").arg(&file) } else { connector };
        let done = connector.terminal(terminal(200)).run(command);
        let file = std::fs::read_to_string(file).unwrap_or_default();
        for text in [&done.stderr, &file] {
            assert!(!text.contains("k3y-s3cret"), "{text}");
        }
        assert!(done.stderr.contains("no **** here"), "{}", done.stderr);
        assert_eq!(file.contains("no **** here"), command == "read", "{file}");
    }
}

#[test]
fn a_check_at_a_terminal_lists_what_can_be_read_and_why_the_rest_cannot() {
    let mock = StripeMock::builder().forbid_with("/v1/charges", 403, "Having 'rak_charge_read' would do.").start();
    let check = |config: &Value| {
        let connector = InProcess::with_registry(Registry::built_in()).config(config);
        connector.terminal(terminal(60)).run("check").stderr.replace(&mock.url(), "URL")
    };
    let shown = check(&config(&mock));
    assert!(
        shown.starts_with("ok              47 of 48 streams: events, shipping_rates,\n                "),
        "{shown}"
    );
    let end = "\
not allowed     charges: The key in `client_secret` lacks
                rak_charge_read.
The config works. The key cannot read: charges. They will be skipped.
";
    assert!(shown.ends_with(end), "{shown}");
    let mut wrong = config(&mock);
    wrong["client_secret"] = json!("sk_test_wrong");
    let shown = check(&wrong);
    assert!(shown.starts_with("not asked       47 of 48 streams\nfailed          events\nerror"), "{shown}");
    let last = shown.lines().last().unwrap();
    assert!(last.starts_with("error (config): GET URL/v1/events?"), "{last}");
    assert!(last.ends_with("Check `client_secret` in the config."), "{last}");
}
