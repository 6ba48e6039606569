//! The framing of a body is wrong, or unusual and right: lengths, chunks, HTTP versions, interim responses.

use source_http_testkit::{Fault, Reply};

use super::matrix::{Outcome, Row, run};

#[test]
fn every_fault_of_a_frame_is_survived_or_named() {
    run(rows());
}

/// A whole response, written out.
fn raw(head: &str, body: impl AsRef<[u8]>) -> Reply {
    let mut bytes = head.replace('\n', "\r\n").into_bytes();
    bytes.extend_from_slice(body.as_ref());
    Reply::empty(200).fault(Fault::RawBytes(bytes))
}

#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::reply(
            "Content-Length too long",
            |good, _| {
                let length = good.body().len() + 5;
                good.header("Content-Length", length.to_string()).header("Connection", "close")
            },
            Outcome::Passing(&["NO BODY: the connection was closed early"]),
        ),
        Row::reply(
            "Content-Length too short",
            |_, scene| {
                Reply::json_text(r#"{"data":[{"id":1},{"id":2},{"id":3}],"next":null}"#)
                    .header("Content-Length", "20")
                    .header("X-Url", scene.url.clone())
            },
            Outcome::Passing(&[
                "NOT JSON (EOF while parsing a string at line 1 column 20) AS application/json: {\"data\":[{\"id\":1},{\"",
            ]),
        ),
        Row::reply(
            "Content-Length zero",
            |good, _| good.header("Content-Length", "0"),
            Outcome::Passing(&["NOT JSON (EOF while parsing a value at line 1 column 0) AS application/json: EMPTY"]),
        ),
        Row::reply(
            "Content-Length a word",
            |good, _| good.header("Content-Length", "ten"),
            Outcome::Passing(&["NOT HTTP: content-length header not a number"]),
        ),
        Row::reply(
            "Content-Length negative",
            |good, _| good.header("Content-Length", "-1"),
            Outcome::Passing(&["NOT HTTP: content-length header not a number"]),
        ),
        Row::reply(
            "Content-Length past all numbers",
            |good, _| good.header("Content-Length", "99999999999999999999999"),
            Outcome::Passing(&["NOT HTTP: content-length header not a number"]),
        ),
        Row::reply(
            "Content-Length twice, not the same",
            |good, _| good.header("Content-Length", "5").header("Content-Length", "7"),
            Outcome::Passing(&["NOT HTTP: conflicting content-length headers"]),
        ),
        Row::reply(
            "Content-Length twice, the same",
            |good, _| {
                let length = good.body().len().to_string();
                good.header("Content-Length", length.clone()).header("Content-Length", length)
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "Content-Length of 10 GB",
            |good, _| good.header("Content-Length", "10000000000").header("Connection", "close"),
            Outcome::Final(
                "system_error",
                &["NO BODY: it is longer than the 4294967295 bytes that are accepted (max_body_bytes)"],
            ),
        ),
        Row::reply(
            "length and chunks",
            |good, _| {
                let body = String::from_utf8_lossy(good.body()).into_owned();
                let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
                raw("HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\nConnection: close\n\n", chunk)
            },
            Outcome::Harmless,
        ),
        Row::reply("chunks", |good, _| good.chunked(7), Outcome::Harmless),
        Row::reply(
            "no chunk size",
            |good, _| good.fault(Fault::BadChunking),
            Outcome::Passing(&["NO BODY: protocol: chunk length cannot be read as a number"]),
        ),
        Row::reply(
            "a chunk size past all numbers",
            |_, _| raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "fffffffffffffffff\r\n{}"),
            Outcome::Passing(&["NO BODY: protocol: chunk length cannot be read as a number"]),
        ),
        Row::reply(
            "a chunk size of all that memory could name",
            |_, _| raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "ffffffffffffffff\r\n{}"),
            Outcome::Passing(&["NO BODY: the connection was closed early"]),
        ),
        Row::reply(
            "a chunk longer than its size",
            |_, _| raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "4\r\n{\"data\":[]}\r\n0\r\n\r\n"),
            Outcome::Passing(&["NO BODY: protocol: chunk expected crlf as next character"]),
        ),
        Row::reply(
            "no last chunk",
            |_, _| raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "b\r\n{\"data\":[]}\r\n"),
            Outcome::Passing(&["NO BODY: the connection was closed early"]),
        ),
        Row::reply(
            "an endless chunk extension",
            |_, _| {
                let start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;".to_vec();
                Reply::empty(200).fault(Fault::Endless { start, again: b"aaaaaaaa".to_vec() })
            },
            Outcome::Passing(&["NO BODY: body data reading stalled"]),
        ),
        Row::reply(
            "trailers of 10 MB",
            |good, _| {
                let body = String::from_utf8_lossy(good.body()).into_owned();
                let trailers = "X-A: aaaaaaaa\r\n".repeat(700_000);
                let chunks = format!("{:x}\r\n{body}\r\n0\r\n{trailers}\r\n", body.len());
                raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nConnection: close\n\n", chunks)
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "an unknown transfer coding",
            |good, _| {
                let body = good.body().to_vec();
                raw("HTTP/1.1 200 OK\nTransfer-Encoding: sausages\nConnection: close\n\n", body)
            },
            Outcome::Harmless,
        ),
        Row::reply("HTTP/1.0", |good, _| raw("HTTP/1.0 200 OK\n\n", good.body()), Outcome::Harmless),
        Row::reply(
            "HTTP/1.0 with a length",
            |good, _| {
                let head = format!("HTTP/1.0 200 OK\nContent-Length: {}\n\n", good.body().len());
                raw(&head, good.body())
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "HTTP/1.0 cut",
            |_, _| raw("HTTP/1.0 200 OK\n\n", r#"{"data":[{"id":1},{"i"#),
            Outcome::Passing(&[
                "NOT JSON (EOF while parsing a string at line 1 column 21) AS no content type: {\"data\":[{\"id\":1},{\"i",
            ]),
        ),
        Row::reply(
            "no version at all",
            |good, _| raw("", good.body()),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid HTTP version"]),
        ),
        Row::reply(
            "HTTP/2",
            |_, _| raw("", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0d\0\x04\0\x10\0\0\0\x06\0\0@\0"),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid HTTP version"]),
        ),
        Row::reply(
            "a version to come",
            |good, _| raw("HTTP/3.7 200 OK\nConnection: close\n\n", good.body()),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid HTTP version"]),
        ),
        Row::reply(
            "nonsense",
            |_, _| raw("nonsense\n\n", ""),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid HTTP version"]),
        ),
        Row::reply(
            "no status",
            |_, _| raw("HTTP/1.1\n\n", ""),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid HTTP version"]),
        ),
        Row::reply(
            "status 99",
            |good, _| raw("HTTP/1.1 099 Low\nConnection: close\n\n", good.body()),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid status code: 099"]),
        ),
        Row::reply(
            "status 1000",
            |good, _| raw("HTTP/1.1 1000 High\nConnection: close\n\n", good.body()),
            Outcome::Passing(&["NOT HTTP: http parse fail: invalid response status"]),
        ),
        Row::reply(
            "100-continue before the response",
            |good, _| {
                let head = format!(
                    "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nConnection: close\nContent-Length: {}\n\n",
                    good.body().len()
                );
                raw(&head, good.body())
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "early hints before the response",
            |good, _| {
                let head = format!(
                    "HTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 200 OK\nConnection: close\nContent-Length: {}\n\n",
                    good.body().len()
                );
                raw(&head, good.body())
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "endless 100-continue",
            |_, _| {
                let again = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
                Reply::empty(200).fault(Fault::Endless { start: Vec::new(), again })
            },
            Outcome::Final("system_error", &["NO HEAD: the head is longer than the 65536 bytes that are accepted"]),
        ),
        Row::reply(
            "101 switching",
            |_, _| raw("HTTP/1.1 101 Switching Protocols\nUpgrade: h2c\n\n", ""),
            Outcome::Final(
                "system_error",
                &["REQUEST answered 101 Switching Protocols (no content type) with an empty body."],
            ),
        ),
    ]
}
