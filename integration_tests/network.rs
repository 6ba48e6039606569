//! Timeouts, redirects, network faults and uploads, over real sockets.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use source_http::http::auth::{AuthContext, Authenticator};
use source_http::http::{HttpRequest, Method, RequestBody, RequestOptions, StreamedBody};
use source_http::json::RecordPath;
use source_http::streams::{HttpStream, RequestContext};
use source_http_testkit::{Fault, Items, Reply, Request, Routes, Server};

use crate::support::{BusyPort, ClosedPort, assert_page, connector, failure, no_such_host, page};

const SHORT: Duration = Duration::from_millis(200);
/// Longer than any test may take.
const LONG: Duration = Duration::from_secs(600);

fn serving(replies: impl IntoIterator<Item = Reply>) -> Server {
    Server::start(Routes::new().on("GET", "/items", replies))
}

fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
    Reply::empty(200).fault(Fault::RawBytes(bytes.into()))
}

// Timeouts. The sockets wait in real time, the connector's own waits are virtual.

type Change = fn(&mut RequestOptions);

#[test]
fn each_timeout_ends_its_wait_names_itself_and_is_retried() {
    let silent = || page().fault(Fault::SilenceBeforeHead(LONG));
    let stalled = || page().fault(Fault::SilenceInBody { after: 10, lasting: LONG });
    let cases: [(Reply, Change, &str); 4] = [
        (
            silent(),
            |o| o.response_timeout = SHORT,
            "head came back: timed out: not complete within 200ms (response_timeout)",
        ),
        (
            silent(),
            |o| o.read_timeout = SHORT,
            "head came back: timed out: no byte was received within 200ms (read_timeout)",
        ),
        (
            stalled(),
            |o| o.read_timeout = SHORT,
            "body broke off: timed out: no byte was received within 200ms (read_timeout)",
        ),
        (
            stalled(),
            |o| o.total_timeout = Some(SHORT),
            "body broke off: timed out: not complete within 200ms (total_timeout)",
        ),
    ];
    for (reply, change, expected) in cases {
        let server = serving([reply, page()]);
        let done = Items::new(server.url()).options(change).read();
        assert_page(&done);
        // On a busy machine a valid attempt may be too slow as well.
        let attempts = done.sleeps.len() + 1;
        assert_eq!(server.conversation(), vec!["GET /items"; attempts], "{expected}");
        assert!(attempts > 1 && done.stdout.contains(expected), "{expected} in {}", done.stdout);
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the server's side of a socket waits in real time")]
fn a_head_that_drips_is_ended_by_the_response_timeout() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        for _ in 0..6 {
            let (mut client, _) = listener.accept().unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
            // Until the client gives up, but not forever.
            for _ in 0..1000 {
                if client.write_all(b"X-A: b\r\n").is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    });
    let done = Items::new(url).options(|options| options.response_timeout = SHORT).read();
    let message = failure(&done, "transient_error", 5);
    assert!(message.contains("(response_timeout)"), "{message}");
    server.join().unwrap();
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the server's side of a socket waits in real time")]
fn a_body_that_makes_progress_is_no_fault_however_slow() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let body = json!({"data": [{"id": 1}, {"id": 2}, {"id": 3}]}).to_string();
        client.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
        for byte in body.bytes() {
            client.write_all(&[byte]).unwrap();
            thread::sleep(Duration::from_millis(20));
        }
    });
    // Shorter than the whole body takes, much longer than one byte.
    let done = Items::new(url).options(|options| options.read_timeout = Duration::from_millis(500)).read();
    assert_page(&done);
    assert!(done.sleeps.is_empty());
    server.join().unwrap();
}

#[test]
fn a_peer_that_accepts_no_connection_is_given_up_after_the_connect_timeout() {
    let port = BusyPort::new();
    let done = Items::new(format!("http://{}", port.addr())).options(|options| options.connect_timeout = SHORT).read();
    let message = failure(&done, "transient_error", 5);
    assert!(
        message.contains("no connection could be opened: timed out: not ready within 200ms (connect_timeout)"),
        "{message}"
    );
}

#[test]
fn a_peer_that_does_not_answer_the_tls_handshake_is_given_up_after_the_connect_timeout() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let done = Items::new(url).options(|options| options.connect_timeout = SHORT).read();
    let message = failure(&done, "transient_error", 5);
    assert!(message.contains("(connect_timeout)"), "{message}");
}

#[test]
fn an_unknown_host_and_a_refused_connection_say_so_and_are_transient() {
    let host = no_such_host();
    let message = failure(&Items::new(format!("http://{host}")).read(), "transient_error", 5);
    assert!(message.contains(&format!("(DNS): {host}: ")), "{message}");
    assert!(message.contains("Check the host in the URL"), "{message}");
    let port = ClosedPort::new();
    let message = failure(&Items::new(format!("http://{}", port.addr())).read(), "transient_error", 5);
    assert!(message.contains("no connection could be opened: connection refused"), "{message}");
}

// Network faults.

#[test]
fn every_fault_of_a_response_is_retried_and_gives_what_a_clean_run_gives() {
    let reply = |fault: Fault| page().fault(fault);
    for faulty in [
        reply(Fault::RefuseHead),
        reply(Fault::ResetBeforeHead),
        reply(Fault::ResetInBody(0)),
        reply(Fault::ResetInBody(30)),
        reply(Fault::TruncateBody(0)),
        reply(Fault::TruncateBody(30)),
        page().chunked(7).fault(Fault::TruncateBody(30)),
        page().chunked(7).fault(Fault::ResetInBody(30)),
        page().gzip().fault(Fault::TruncateBody(15)),
        page().gzip().chunked(7).fault(Fault::TruncateBody(15)),
        reply(Fault::BadChunking),
        reply(Fault::CorruptGzip),
        reply(Fault::TruncatedGzip),
        raw("nonsense\r\n\r\n"),
        raw("HTTP/1.1 200 OK\r\nContent-Le"),
        raw("HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n{}"),
    ] {
        let clean = serving([page()]);
        let clean = Items::new(clean.url()).read();
        // Otherwise the next attempt may begin on a connection that is about to be closed.
        let server = serving([faulty.clone().header("Connection", "close"), page()]);
        let done = Items::new(server.url()).read();
        assert_page(&done);
        assert_eq!(done.messages().records("items"), clean.messages().records("items"), "{faulty:?}");
        assert_eq!((done.sleeps.len(), server.conversation()), (1, vec!["GET /items".to_owned(); 2]), "{faulty:?}");
    }
}

#[test]
fn a_page_cut_at_any_byte_is_requested_again() {
    let length = page().body().len();
    let cuts = (0..length).map(|bytes| page().fault(Fault::TruncateBody(bytes)));
    for cut in cuts {
        let server = serving([cut.clone(), page()]);
        let done = Items::new(server.url()).read();
        assert_page(&done);
        assert_eq!(done.sleeps.len(), 1, "{cut:?}");
    }
}

#[test]
fn a_body_without_length_ends_with_its_connection() {
    let body = r#"{"data":[{"id":1},{"id":2},{"id":3}]}"#;
    for head in ["HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"] {
        let server = serving([raw(format!("{head}{body}"))]);
        let done = Items::new(server.url()).read();
        assert_page(&done);
        assert!(done.sleeps.is_empty());
    }
}

#[test]
fn a_body_without_length_that_is_cut_is_requested_again_because_it_is_no_json() {
    let server = serving([raw("HTTP/1.0 200 OK\r\n\r\n{\"data\":[{\"id\":1},{\"id\""), page()]);
    let done = Items::new(server.url()).read();
    assert_page(&done);
    assert_eq!(done.sleeps.len(), 1);
}

#[test]
fn an_empty_answer_has_no_records_if_it_says_so_and_is_no_json_otherwise() {
    let server = serving([Reply::empty(204)]);
    let done = Items::new(server.url()).read();
    assert_eq!((done.status, done.messages().record_count(), server.requests().len()), (0, 0, 1));

    let server = serving([Reply::empty(200)]);
    let done = Items::new(server.url()).read();
    let message = failure(&done, "transient_error", 2);
    assert!(message.contains("answered 200 OK") && message.contains("an empty body"), "{message}");
}

#[test]
fn a_header_over_two_lines_is_one_value_also_for_what_acts_upon_it() {
    let busy = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nRetry-After:\r\n 40,\r\n\t53\r\n\r\n";
    let server = serving([raw(busy), page()]);
    let done = Items::new(server.url()).read();
    assert_page(&done);
    assert!(done.sleeps.iter().sum::<Duration>() >= Duration::from_secs(53), "{:?}", done.sleeps);
}

#[test]
fn an_endless_head_is_ended_and_is_not_requested_again() {
    let long = format!("X-A: {}\r\n", "a".repeat(1_000_000));
    for (headers, expected) in [
        (long, "the head is longer than the 65536 bytes that are accepted"),
        ("X-A: a\r\n".repeat(1000), "the head has more headers than are accepted"),
    ] {
        let server = serving([raw(format!("HTTP/1.1 200 OK\r\n{headers}"))]);
        let message = failure(&Items::new(server.url()).read(), "system_error", 0);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_body_past_the_cap_is_refused_and_the_cap_counts_decoded_bytes() {
    let long = json!({"data": [{"id": "0".repeat(10_000_000)}]});
    for reply in [Reply::json(&long), Reply::json(&long).gzip(), Reply::json(&long).chunked(100_000)] {
        assert!(reply.body().len() < 100_000 || !reply.body().starts_with(&[0x1f]), "gzip makes it small");
        let server = serving([reply]);
        let message = failure(
            &Items::new(server.url()).options(|options| options.max_body_bytes = 5_000_000).read(),
            "system_error",
            0,
        );
        assert!(message.contains("longer than the 5000000 bytes that are accepted (max_body_bytes)"), "{message}");
    }
}

#[test]
fn a_user_agent_that_cannot_be_sent_is_a_config_failure_and_no_panic() {
    let server = serving([page()]);
    let message = failure(
        &Items::new(server.url()).options(|options| options.user_agent = "a\nb".into()).read(),
        "config_error",
        0,
    );
    assert!(
        message.contains("user_agent has characters that cannot be sent: U+000A (a line break) at position 2"),
        "{message}"
    );
    assert_page(&Items::new(server.url()).options(|options| options.user_agent = "mine/1".into()).read());
    assert_eq!(server.requests()[0].header("user-agent"), Some("mine/1"));
}

// Redirects.

fn to(status: u16, location: impl Into<String>) -> Reply {
    Reply::empty(status).header("Location", location)
}

#[test]
fn a_loop_of_redirects_ends_and_an_answer_without_location_is_an_answer() {
    let server = serving([to(302, "/items")]);
    let message =
        failure(&Items::new(server.url()).options(|options| options.max_redirects = 3).read(), "system_error", 0);
    assert!(
        message.contains("a redirect could not be followed: more than 3 in a row, the last to GET http://"),
        "{message}"
    );
    assert_eq!(server.requests().len(), 4);

    let server = serving([Reply::empty(302)]);
    let message = failure(&Items::new(server.url()).read(), "system_error", 0);
    assert!(message.contains("answered 302 Found"), "{message}");

    let server = serving([to(302, "mailto:x@y")]);
    let message = failure(&Items::new(server.url()).read(), "system_error", 0);
    assert!(message.contains("has a Location that is not a URL"), "{message}");

    let server = serving([to(302, "/other")]);
    let message =
        failure(&Items::new(server.url()).options(|options| options.max_redirects = 0).read(), "system_error", 0);
    assert!(message.contains("answered 302 Found"), "{message}");
    assert_eq!(server.requests().len(), 1);
}

/// Signs with a header of its own and a query parameter.
struct KeyEverywhere;

impl Authenticator for KeyEverywhere {
    fn authenticate(&self, request: &mut HttpRequest, _: &AuthContext<'_>) -> anyhow::Result<()> {
        request.url.query_pairs_mut().append_pair("api_key", "hunter2");
        Ok(request.set_header("X-Api-Key", "hunter2")?)
    }
}

struct Signed(String);

impl HttpStream for Signed {
    fn name(&self) -> &'static str {
        "items"
    }
    fn url_base(&self) -> &str {
        &self.0
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "items".into()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn authenticator(&self) -> &dyn Authenticator {
        &KeyEverywhere
    }
    fn request_headers(&self, _: &RequestContext<'_>) -> Vec<(String, String)> {
        vec![
            ("Authorization".into(), "Bearer hunter2".into()),
            ("Cookie".into(), "a=hunter2".into()),
            ("X-Plain".into(), "1".into()),
        ]
    }
}

#[test]
fn credentials_of_every_kind_follow_a_redirect_on_their_host_and_to_no_other() {
    let other = Server::start(|_: &Request| page());
    let server = Server::start(Routes::new().on("GET", "/items", [to(307, "/second")]).on(
        "GET",
        "/second",
        [to(307, format!("{}/third", other.url()))],
    ));
    let url = server.url();
    assert_page(&connector(move || Box::new(Signed(url.clone()))).run("read"));
    assert_eq!(server.conversation(), ["GET /items?api_key=hunter2", "GET /second?api_key=hunter2"]);
    assert!(server.requests().iter().all(|request| request.header("X-Api-Key") == Some("hunter2")));
    assert_eq!(other.conversation(), ["GET /third"]);
    let arrived = &other.requests()[0];
    assert_eq!(arrived.header("X-Plain"), Some("1"));
    assert!(arrived.headers.iter().all(|(_, value)| !value.contains("hunter2")), "{:?}", arrived.headers);
}

#[test]
fn a_redirected_post_keeps_its_body_if_the_status_says_so_and_loses_body_and_type_if_not() {
    let body = RequestBody::Json(json!({"q": 1}));
    for (status, line, text) in [
        (307, "POST /second", r#"{"q":1}"#),
        (308, "POST /second", r#"{"q":1}"#),
        (302, "GET /second", ""),
        (303, "GET /second", ""),
    ] {
        let server = Server::start(
            Routes::new().on("POST", "/items", [to(status, "/second")]).on("POST", "/second", [page()]).on(
                "GET",
                "/second",
                [page()],
            ),
        );
        let mut items = Items::new(server.url());
        (items.method, items.body) = (Method::POST, body.clone());
        items.headers = vec![("Content-Type".into(), "application/vnd.test+json".into())];
        assert_page(&items.read());
        assert_eq!(server.conversation(), ["POST /items", line]);
        let second = &server.requests()[1];
        assert_eq!(
            (second.body_text().as_str(), second.header("content-type").is_some()),
            (text, !text.is_empty()),
            "{status}"
        );
    }
}

// Bodies of requests.

#[test]
fn a_body_goes_with_any_method_and_an_empty_post_has_none() {
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::POST] {
        let server = Server::start(|_: &Request| page());
        let mut items = Items::new(server.url());
        (items.method, items.body) = (method.clone(), RequestBody::Json(json!({"q": 1})));
        assert_page(&items.clone().read());
        items.body = RequestBody::Empty;
        assert_page(&items.read());
        let requests = server.requests();
        assert_eq!(
            (requests[0].body_text().as_str(), requests[1].body_text().as_str()),
            (r#"{"q":1}"#, ""),
            "{method}"
        );
    }
}

#[test]
fn a_streamed_body_is_opened_again_for_each_attempt() {
    let opened = Arc::new(AtomicU32::new(0));
    let size = 3_000_000;
    let make = {
        let opened = opened.clone();
        move || {
            opened.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(std::io::repeat(b'x').take(size)) as Box<dyn Read>)
        }
    };
    for (body, framing) in [
        (StreamedBody::new(make.clone()), "transfer-encoding"),
        (StreamedBody::new(make).with_length(size), "content-length"),
    ] {
        opened.store(0, Ordering::Relaxed);
        let server = Server::start(Routes::new().on("POST", "/items", [Reply::empty(503), page()]));
        let mut items = Items::new(server.url());
        (items.method, items.body) = (Method::POST, RequestBody::Streamed(body));
        items.headers = vec![("Content-Type".into(), "text/csv".into())];
        assert_page(&items.read());
        assert_eq!(opened.load(Ordering::Relaxed), 2);
        for request in server.requests() {
            assert_eq!((request.body.len() as u64, request.header("content-type")), (size, Some("text/csv")));
            assert!(request.header(framing).is_some(), "{:?}", request.headers);
        }
    }
}

#[test]
fn a_file_is_sent_and_one_that_cannot_be_read_is_named_and_not_retried() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, "a,b\n1,2\n").unwrap();
    let server = Server::start(|_: &Request| page());
    let mut items = Items::new(server.url());
    (items.method, items.body) = (Method::PUT, RequestBody::Streamed(StreamedBody::file(&path)));
    assert_page(&items.clone().read());
    assert_eq!(
        (server.requests()[0].body_text().as_str(), server.requests()[0].header("content-length")),
        ("a,b\n1,2\n", Some("8"))
    );
    std::fs::remove_file(&path).unwrap();
    let message = failure(&items.clone().read(), "system_error", 0);
    assert!(message.contains("its body cannot be read: ") && message.contains("rows.csv"), "{message}");

    let short = StreamedBody::new(|| Ok(Box::new("abc".as_bytes()))).with_length(5);
    items.body = RequestBody::Streamed(short);
    let message = failure(&items.read(), "system_error", 0);
    assert!(message.contains("it ends 2 bytes before its announced length"), "{message}");
}

#[test]
fn the_body_of_a_redirect_is_not_read_to_its_end() {
    let moved = Reply::text("x".repeat(400_000)).status(302).header("Location", "/list");
    let server = Server::start(Routes::new().on("GET", "/items", [moved]).on("GET", "/list", [page()]));
    let done = Items::new(server.url()).options(|options| options.max_body_bytes = 100_000).read();
    assert_page(&done);
}
