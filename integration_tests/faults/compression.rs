//! The body's compression is wrong, or was not requested.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use source_http_testkit::{Fault, Reply};

use super::matrix::{Outcome, Row, run};

#[test]
fn every_fault_of_compression_is_survived_or_named() {
    run(rows());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn declared(body: Vec<u8>) -> Reply {
    Reply::shared("application/json", body).header("Content-Encoding", "gzip")
}

/// The good page in gzip, under another name.
fn coded(good: &Reply, coding: &str) -> Reply {
    Reply::shared("application/json", gzip(good.body())).header("Content-Encoding", coding)
}

#[allow(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::reply("gzip", |good, _| good.gzip(), Outcome::Harmless),
        Row::reply("gzip in chunks", |good, _| good.gzip().chunked(3), Outcome::Harmless),
        Row::reply(
            "truncated gzip",
            |good, _| good.header("Connection", "close").fault(Fault::TruncatedGzip),
            Outcome::Passing(&[
                "NO BODY: it cannot be decompressed: incomplete deflate stream",
                "NO BODY: it cannot be decompressed: unexpected end of file",
            ]),
        ),
        Row::reply(
            "corrupt gzip",
            |good, _| good.header("Connection", "close").fault(Fault::CorruptGzip),
            Outcome::Passing(&[
                "NO BODY: it cannot be decompressed: corrupt gzip stream does not have a matching checksum",
                "NO BODY: it cannot be decompressed: corrupt deflate stream",
            ]),
        ),
        Row::reply(
            "gzip without its checksum",
            |good, _| {
                let mut body = gzip(good.body());
                body.truncate(body.len() - 8);
                declared(body)
            },
            Outcome::Passing(&["NO BODY: it cannot be decompressed: unexpected end of file"]),
        ),
        Row::reply(
            "gzip with a wrong checksum",
            |good, _| {
                let mut body = gzip(good.body());
                let at = body.len() - 8;
                body[at] ^= 0xff;
                declared(body)
            },
            Outcome::Passing(&[
                "NO BODY: it cannot be decompressed: corrupt gzip stream does not have a matching checksum",
            ]),
        ),
        Row::reply(
            "gzip of no byte",
            |_, _| declared(Vec::new()),
            Outcome::Passing(&["NO BODY: it cannot be decompressed: unexpected end of file"]),
        ),
        Row::reply(
            "a body that is not gzip",
            |_, _| declared(b"{\"data\":[]}".to_vec()),
            Outcome::Passing(&["NO BODY: it cannot be decompressed: invalid gzip header"]),
        ),
        Row::reply(
            "gzip without its header",
            |_, _| Reply::shared("application/json", gzip(b"{\"data\":[]}")),
            Outcome::Passing(&["NOT JSON (expected value at line 1 column 1) AS application/json: BYTES"]),
        ),
        Row::reply(
            "gzip of gzip",
            |_, _| declared(gzip(&gzip(b"{\"data\":[]}"))),
            Outcome::Passing(&["NOT JSON (expected value at line 1 column 1) AS application/json: BYTES"]),
        ),
        Row::reply(
            "gzip in two members",
            |good, _| {
                let (one, two) = good.body().split_at(good.body().len() / 2);
                declared([gzip(one), gzip(two)].concat())
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "gzip with something behind it",
            |good, _| declared([gzip(good.body()), b"rest".to_vec()].concat()),
            Outcome::Passing(&["NO BODY: it cannot be decompressed: unexpected end of file"]),
        ),
        Row::reply(
            "a gzip bomb",
            |_, scene| declared(gzip(scene.page(&" ".repeat(50_000_000)).as_bytes())),
            Outcome::Final(
                "system_error",
                &["NO BODY: it is longer than the 10000000 bytes that are accepted (max_body_bytes)"],
            ),
        )
        .with(|options| options.max_body_bytes = 10_000_000),
        Row::reply(
            "deflate, which nobody asked for",
            |good, _| {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(good.body()).unwrap();
                Reply::shared("application/json", encoder.finish().unwrap()).header("Content-Encoding", "deflate")
            },
            Outcome::Harmless,
        ),
        Row::reply("gzip in capitals", |good, _| coded(&good, "GZIP"), Outcome::Harmless),
        Row::reply("gzip by its old name", |good, _| coded(&good, "X-Gzip"), Outcome::Harmless),
        Row::reply("gzip in a list", |good, _| coded(&good, "gzip, identity"), Outcome::Harmless),
        Row::reply(
            "a content coding without a value",
            |good, _| good.header("Content-Encoding", ""),
            Outcome::Harmless,
        ),
        Row::reply(
            "gzip twice, as it says",
            |good, _| {
                let twice = Reply::shared("application/json", gzip(&gzip(good.body())));
                twice.header("Content-Encoding", "gzip").header("Content-Encoding", "gzip")
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "gzip as a transfer coding",
            |good, _| {
                let body = gzip(good.body());
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: X-GZIP, Chunked\r\n\r\n";
                let chunk = format!("{:x}\r\n", body.len());
                let bytes = [head.as_bytes(), chunk.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
                Reply::empty(200).fault(Fault::RawBytes(bytes))
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "a coding that is known and not asked for",
            |_, _| Reply::json_text("br").header("Content-Encoding", "BR"),
            Outcome::Final(
                "system_error",
                &["The response cannot be read: its content coding is br, which is not supported. REQUEST answered \
                     200 OK \
                   (application/json) with body starting with: br. The request says Accept-Encoding: gzip, so the API, or a \
                   proxy on the way, may send gzip or no coding at all."],
            ),
        ),
        Row::reply(
            "an encoding nobody knows of what is not JSON",
            |_, _| Reply::json_text("meat").header("Content-Encoding", "sausages"),
            Outcome::Final(
                "system_error",
                &[
                    "The response cannot be read: it is not valid JSON (expected value at line 1 column 1). REQUEST answered \
                   200 OK (application/json) with body starting with: meat. The request says Accept-Encoding: gzip, so the \
                   API, or a proxy on the way, may send gzip or no coding at all.",
                ],
            ),
        ),
        Row::reply(
            "an encoding nobody knows",
            |good, _| good.header("Content-Encoding", "sausages"),
            Outcome::Harmless,
        ),
    ]
}
