//! The server over real sockets.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use serde_json::json;

use super::{Fault, Reply, Request, Routes, Server};
use crate::client::{Client, get};

const LONG: Duration = Duration::from_secs(600);

fn body_of(reply: Reply) -> Server {
    Server::start(move |_: &Request| reply.clone())
}

fn gunzip(bytes: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).map(|_| text)
}

#[test]
fn one_connection_serves_many_requests_and_records_them() {
    let server = Server::start(|request: &Request| Reply::text(request.path.clone()));
    let mut client = Client::connect(server.addr());
    assert_eq!(client.get("/a?x=1", &[]).unwrap().text(), "/a");
    assert_eq!(client.get("/b", &[("X-Key", "k")]).unwrap().text(), "/b");
    assert_eq!(server.conversation(), ["GET /a?x=1", "GET /b"]);
    assert_eq!(server.connections(), 1);
    let requests = server.take_requests();
    assert_eq!(requests[1].header("x-key"), Some("k"));
    assert_eq!(requests[1].connection, 1);
    assert!(server.requests().is_empty());
    assert!(server.url().ends_with(&server.addr().port().to_string()));
}

#[test]
fn a_streamed_body_arrives_whole_and_keeps_the_connection() {
    let server = body_of(Reply::streamed("text/plain", 6, |out| {
        out.write_all(b"abc")?;
        out.write_all(b"def")
    }));
    let mut client = Client::connect(server.addr());
    for _ in 0..2 {
        let response = client.get("/", &[]).unwrap();
        assert_eq!((response.text(), response.header("Content-Length")), ("abcdef", Some("6")));
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn recording_can_be_switched_off() {
    let server = body_of(Reply::empty(204));
    server.set_recording(false);
    assert_eq!(get(server.addr(), "/").unwrap().status, 204);
    assert!(server.requests().is_empty());
}

#[test]
fn routes_give_replies_by_hit_and_repeat_the_last() {
    let replies = [Reply::empty(500), Reply::json(json!({"n": 1}))];
    let server = Server::start(Routes::new().on("GET", "/a", replies));
    let mut client = Client::connect(server.addr());
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(client.get("/a?page=2", &[]).unwrap().status);
    }
    assert_eq!(statuses, [500, 200, 200]);
}

#[test]
fn a_used_up_route_and_an_unknown_one_name_themselves() {
    let server = Server::start(Routes::new().once("GET", "/a", [json!({})]));
    let mut client = Client::connect(server.addr());
    assert_eq!(client.get("/a", &[]).unwrap().text(), "{}");
    let used_up = client.get("/a", &[]).unwrap();
    assert_eq!(used_up.status, 599);
    assert!(used_up.text().contains("GET /a: hit 2"), "{used_up:?}");
    let unknown = client.get("/b", &[]).unwrap();
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("GET /b"), "{unknown:?}");
}

#[test]
fn a_panicking_handler_is_status_599_and_the_server_lives_on() {
    let server = Server::start(|request: &Request| {
        assert_ne!(request.path, "/bad", "not this one");
        Reply::empty(204)
    });
    let answer = get(server.addr(), "/bad").unwrap();
    assert_eq!(answer.status, 599);
    assert!(answer.text().contains("not this one"));
    assert_eq!(get(server.addr(), "/good").unwrap().status, 204);
}

#[test]
fn bodies_arrive_sized_and_chunked_and_continue_is_sent() {
    let server = Server::start(|request: &Request| Reply::bytes(request.body.clone()));
    let mut client = Client::connect(server.addr());
    client.send(b"POST /s HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").unwrap();
    assert_eq!(client.receive().unwrap().text(), "abc");
    client
        .send(b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: t\r\n\r\n")
        .unwrap();
    assert_eq!(client.receive().unwrap().text(), "abc");
    client.send(b"POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").unwrap();
    assert_eq!(client.receive().unwrap().status, 100);
    client.send(b"ok").unwrap();
    assert_eq!(client.receive().unwrap().text(), "ok");
    assert_eq!(server.requests()[1].body_text(), "abc");
}

#[test]
fn anything_but_a_request_is_refused_with_a_reason() {
    let server = body_of(Reply::empty(204));
    let cases: [(&[u8], u16); 4] = [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ];
    for (bytes, status) in cases {
        let mut client = Client::connect(server.addr());
        client.send(bytes).unwrap();
        let answer = client.receive().unwrap();
        assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(bytes));
    }
    let mut client = Client::connect(server.addr());
    let huge = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    client.send(huge.as_bytes()).unwrap();
    assert_eq!(client.receive().unwrap().status, 431);
    assert!(server.requests().is_empty());
}

#[test]
fn head_and_204_have_no_body() {
    let server = body_of(Reply::text("hello"));
    let mut client = Client::connect(server.addr());
    client.send(b"HEAD / HTTP/1.1\r\n\r\n").unwrap();
    client.send(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let (bytes, end) = client.rest();
    let text = String::from_utf8(bytes).unwrap();
    assert!(end.is_ok(), "Connection: close is honoured");
    assert_eq!(text.matches("Content-Length: 5").count(), 2);
    assert_eq!(text.matches("hello").count(), 1);
}

#[test]
fn a_body_can_be_chunked_and_gzip() {
    let server = body_of(Reply::text("hello hello hello").gzip().chunked(7));
    let mut client = Client::connect(server.addr());
    for _ in 0..2 {
        let answer = client.get("/", &[]).unwrap();
        assert_eq!(answer.header("Content-Encoding"), Some("gzip"));
        assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
        assert_eq!(gunzip(&answer.body).unwrap(), "hello hello hello");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_large_body_arrives_whole() {
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
    let server = body_of(Reply::bytes(body.clone()));
    let answer = get(server.addr(), "/").unwrap();
    assert!(answer.body == body);
}

#[test]
fn refuse_head_closes_without_a_byte() {
    let server = body_of(Reply::empty(200).fault(Fault::RefuseHead));
    let error = get(server.addr(), "/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn reset_before_head_is_a_reset() {
    let server = body_of(Reply::empty(200).fault(Fault::ResetBeforeHead));
    let error = get(server.addr(), "/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn faults_in_the_body_truncate_it_at_the_given_place() {
    let whole = Reply::text("0123456789");
    for (fault, reset) in [(Fault::ResetInBody(4), true), (Fault::TruncateBody(4), false)] {
        let server = body_of(whole.clone().fault(fault.clone()));
        let mut client = Client::connect(server.addr());
        client.send(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let (bytes, end) = client.rest();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("Content-Length: 10"), "{fault:?}: {text}");
        assert!(text.ends_with("\r\n\r\n0123"), "{fault:?}: {text}");
        match end {
            Err(error) => assert!(reset && error.kind() == ErrorKind::ConnectionReset),
            Ok(()) => assert!(!reset, "{fault:?}"),
        }
    }
}

#[test]
fn bad_chunking_breaks_the_second_chunk_size() {
    let server = body_of(Reply::text("abcd").fault(Fault::BadChunking));
    let error = get(server.addr(), "/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}

#[test]
fn broken_gzip_has_good_framing_and_does_not_decode() {
    let text = "the quick brown fox ".repeat(50);
    for fault in [Fault::CorruptGzip, Fault::TruncatedGzip] {
        let server = body_of(Reply::text(text.clone()).fault(fault.clone()));
        let answer = get(server.addr(), "/").unwrap();
        assert_eq!(answer.header("Content-Encoding"), Some("gzip"));
        assert!(gunzip(&answer.body).is_err(), "{fault:?}");
    }
}

#[test]
fn raw_bytes_are_the_whole_response() {
    let raw = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nfree form".to_vec();
    let server = body_of(Reply::empty(200).fault(Fault::RawBytes(raw.clone())));
    let mut client = Client::connect(server.addr());
    client.send(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(client.rest().0, raw);
}

#[test]
fn delays_and_silences_pass_and_the_reply_is_whole() {
    let short = Duration::from_millis(60);
    let silence = Fault::SilenceInBody { after: 3, lasting: short };
    for reply in [
        Reply::text("hello").delay(short),
        Reply::text("hello").fault(Fault::SilenceBeforeHead(short)),
        Reply::text("hello").fault(silence),
    ] {
        let server = body_of(reply);
        let start = Instant::now();
        let answer = get(server.addr(), "/").unwrap();
        assert_eq!(answer.text(), "hello");
        assert!(start.elapsed() >= short);
    }
}

#[test]
fn dropping_the_server_ends_silences_and_idle_connections() {
    let server = body_of(Reply::text("x").fault(Fault::SilenceBeforeHead(LONG)));
    let mut waiting = Client::connect(server.addr());
    waiting.send(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut idle = Client::connect(server.addr());
    idle.send(b"GET / HT").unwrap();
    let start = Instant::now();
    while server.requests().is_empty() && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert!(waiting.receive().is_err());
    assert!(idle.receive().is_err());
}

#[test]
fn dropping_the_server_ends_a_blocked_write() {
    let server = body_of(Reply::bytes(vec![0; 32 * 1024 * 1024]));
    let mut client = Client::connect(server.addr());
    client.send(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn many_connections_are_served_in_parallel() {
    let server = Server::start(|request: &Request| Reply::text(request.target.clone()));
    let addr = server.addr();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                let mut client = Client::connect(addr);
                for round in 0..50 {
                    let target = format!("/{thread}/{round}");
                    assert_eq!(client.get(&target, &[]).unwrap().text(), target);
                }
            });
        }
    });
    assert_eq!(server.requests().len(), 400);
    assert_eq!(server.connections(), 8);
}

#[test]
fn connections_past_the_bound_wait_for_a_free_place() {
    let server = body_of(Reply::empty(204));
    let mut held: Vec<Client> = (0..256).map(|_| Client::connect(server.addr())).collect();
    for client in &mut held {
        assert_eq!(client.get("/", &[]).unwrap().status, 204);
    }
    let mut late = Client::connect(server.addr());
    late.send(b"GET /late HTTP/1.1\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(server.connections(), 256);
    held.pop();
    assert_eq!(late.receive().unwrap().status, 204);
    assert_eq!(server.connections(), 257);
}
