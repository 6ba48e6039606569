//! The head of a response is endless, huge or wrong.

use source_http_testkit::{Fault, Reply};

use super::matrix::{Outcome, Row, run};

#[test]
fn every_fault_of_a_head_is_survived_or_named() {
    run(rows());
}

/// The good page with this line in its head.
fn with(good: &Reply, line: &[u8]) -> Reply {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n", good.body().len()).into_bytes();
    bytes.extend_from_slice(line);
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes.extend_from_slice(good.body());
    Reply::empty(200).fault(Fault::RawBytes(bytes))
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::reply(
            "a header of 100 MB",
            |good, _| {
                let line = [b"X-A: ".to_vec(), vec![b'a'; 100_000_000]].concat();
                with(&good, &line)
            },
            Outcome::Final("system_error", &["NO HEAD: the head is longer than the 65536 bytes that are accepted"]),
        ),
        Row::reply(
            "an endless header",
            |_, _| {
                let start = b"HTTP/1.1 200 OK\r\nX-A: ".to_vec();
                Reply::empty(200).fault(Fault::Endless { start, again: vec![b'a'; 1024] })
            },
            Outcome::Final("system_error", &["NO HEAD: the head is longer than the 65536 bytes that are accepted"]),
        ),
        Row::reply(
            "endless headers",
            |_, _| {
                let start = b"HTTP/1.1 200 OK\r\n".to_vec();
                Reply::empty(200).fault(Fault::Endless { start, again: b"X-A: a\r\n".to_vec() })
            },
            Outcome::Final("system_error", &["NO HEAD: the head has more headers than are accepted"]),
        ),
        Row::reply(
            "an endless status line",
            |_, _| {
                let start = b"HTTP/1.1 200 ".to_vec();
                Reply::empty(200).fault(Fault::Endless { start, again: vec![b'a'; 1024] })
            },
            Outcome::Final("system_error", &["NO HEAD: the head is longer than the 65536 bytes that are accepted"]),
        ),
        Row::reply(
            "endless nothing",
            |_, _| Reply::empty(200).fault(Fault::Endless { start: Vec::new(), again: b"\r\n".to_vec() }),
            Outcome::Final("system_error", &["NO HEAD: the head is longer than the 65536 bytes that are accepted"]),
        ),
        Row::reply("a header that is not UTF-8", |good, _| with(&good, b"X-A: \xff\xfe"), Outcome::Harmless),
        Row::reply("a header without a value", |good, _| with(&good, b"X-A:"), Outcome::Harmless),
        Row::reply(
            "a header without a name",
            |good, _| with(&good, b": a"),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid header name"]),
        ),
        Row::reply(
            "a header without a colon",
            |good, _| with(&good, b"nonsense"),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid header name"]),
        ),
        Row::reply("a header over two lines", |good, _| with(&good, b"X-A: a\r\n b\r\n\tc"), Outcome::Harmless),
        Row::reply(
            "a content coding over two lines",
            |good, _| with(&good, b"Content-Encoding:\r\n identity"),
            Outcome::Harmless,
        ),
        Row::reply(
            "a header with a zero byte",
            |good, _| with(&good, b"X-A: a\0b"),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid header value"]),
        ),
        Row::reply(
            "a header 90 times",
            |good, _| with(&good, "X-A: a\r\n".repeat(90).trim_end().as_bytes()),
            Outcome::Harmless,
        ),
        Row::reply(
            "a header 1000 times",
            |good, _| with(&good, "X-A: a\r\n".repeat(1000).trim_end().as_bytes()),
            Outcome::Final("system_error", &["NO HEAD: the head has more headers than are accepted"]),
        ),
        Row::reply(
            "line feeds alone",
            |good, _| {
                let head = format!("HTTP/1.1 200 OK\nConnection: close\nContent-Length: {}\n\n", good.body().len());
                let bytes = [head.as_bytes(), good.body()].concat();
                Reply::empty(200).fault(Fault::RawBytes(bytes))
            },
            Outcome::Harmless,
        ),
    ]
}
