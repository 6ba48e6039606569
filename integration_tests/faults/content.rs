//! The response is well framed, and its content is wrong; or it is valid, and looks odd.

use source_http_testkit::{Fault, Reply};

use super::matrix::{Outcome, Row, run, taken};

#[test]
fn every_fault_of_content_is_survived_or_named() {
    run(rows());
}

fn json(text: impl Into<String>) -> Reply {
    Reply::json_text(text)
}

fn bytes(body: &[u8]) -> Reply {
    Reply::shared("application/json", body)
}

/// An object in nested lists.
fn deep() -> String {
    format!("{{\"id\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000))
}

#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::reply(
            "an empty body",
            |_, _| json(""),
            Outcome::Passing(&["NOT JSON (EOF while parsing a value at line 1 column 0) AS application/json: EMPTY"]),
        ),
        Row::reply(
            "white space",
            |_, _| json(" \r\n\t "),
            Outcome::Passing(&["NOT JSON (EOF while parsing a value at line 2 column 2) AS application/json: BLANK"]),
        ),
        Row::reply("status 204", |_, _| Reply::empty(204), Outcome::Ends),
        Row::reply(
            "null",
            |_, _| json("null"),
            Outcome::Final(
                "system_error",
                &["WRONG SHAPE: there is null where an object with `data` should be AS application/json: null"],
            ),
        ),
        Row::reply(
            "a word",
            |_, _| json("\"data\""),
            Outcome::Final(
                "system_error",
                &["WRONG SHAPE: there is a string where an object with `data` should be AS application/json: \"data\""],
            ),
        ),
        Row::reply(
            "no list of records",
            |_, _| json("{\"items\":[]}"),
            Outcome::Final(
                "system_error",
                &["WRONG SHAPE: there is nothing at `data` AS application/json: {\"items\":[]}"],
            ),
        ),
        Row::reply(
            "a text for records",
            |_, _| json("{\"data\":\"none\"}"),
            Outcome::Final(
                "system_error",
                &[
                    "WRONG SHAPE: there is a string where a list of objects should be AS application/json: {\"data\":\"none\"}",
                ],
            ),
        ),
        Row::reply(
            "numbers for records",
            |_, _| json("{\"data\":[1,2]}"),
            Outcome::Final(
                "system_error",
                &["WRONG SHAPE: a record is not an object AS application/json: {\"data\":[1,2]}"],
            ),
        ),
        Row::reply(
            "a number for a URL",
            |_, _| json("{\"data\":[],\"next\":7}"),
            Outcome::Final(
                "system_error",
                &["There is 7 at `next` in the response to REQUEST, where a URL should be."],
            ),
        ),
        Row::reply(
            "a list for a URL",
            |_, _| json("{\"data\":[],\"next\":[]}"),
            Outcome::Final(
                "system_error",
                &["There is [] at `next` in the response to REQUEST, where a URL should be."],
            ),
        ),
        Row::reply(
            "a URL of a file",
            |_, _| json("{\"data\":[],\"next\":\"file:///etc/passwd\"}"),
            Outcome::Final(
                "system_error",
                &[
                    "The response to REQUEST says that the next page is at \"file:///etc/passwd\": that is not an http or https URL.",
                ],
            ),
        ),
        Row::reply(
            "an error in words",
            |_, _| json("{\"error\":\"too old\"}").status(406),
            Outcome::Final("system_error", &["REQUEST answered 406 Not Acceptable: too old."]),
        ),
        Row::reply(
            "a web page",
            |_, _| Reply::shared("text/html", "<html>Sign in</html>".as_bytes()),
            Outcome::Final(
                "config_error",
                &[
                    "The response cannot be read: it is not valid JSON (expected value at line 1 column 1). REQUEST answered 200 OK (text/html) with body starting with: <html>Sign in</html>. This is a web page, not an API: check the URL in the config, and any proxy or login on the way.",
                ],
            ),
        ),
        Row::reply("JSON called text", |good, _| Reply::shared("text/plain", good.body()), Outcome::Harmless),
        Row::reply("JSON called an image", |good, _| Reply::shared("image/png", good.body()), Outcome::Harmless),
        Row::reply(
            "JSON without a type",
            |good, _| {
                Reply::empty(200).fault(Fault::RawBytes(
                    [
                        format!(
                            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                            good.body().len()
                        )
                        .as_bytes(),
                        good.body(),
                    ]
                    .concat(),
                ))
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "a picture",
            |_, _| Reply::shared("image/png", &b"\x89PNG\r\n\x1a\n\0\0"[..]),
            Outcome::Passing(&["NOT JSON (expected value at line 1 column 1) AS image/png: BYTES"]),
        ),
        Row::reply("a byte order mark", |good, _| bytes(&[b"\xef\xbb\xbf", good.body()].concat()), Outcome::Harmless),
        Row::reply(
            "UTF-16",
            |_, _| bytes(b"\xff\xfe{\0}\0"),
            Outcome::Passing(&["NOT JSON (expected value at line 1 column 1) AS application/json: BYTES"]),
        ),
        Row::reply(
            "invalid UTF-8 in a record",
            |_, _| bytes(b"{\"data\":[{\"id\":1,\"x\":\"a\xffb\"}]}"),
            Outcome::Passing(&[
                "NOT JSON (invalid unicode code point at line 1 column 24) AS application/json: {\"data\":[{\"id\":1,\"x\":\"a�b\"}]}",
            ]),
        ),
        Row::reply(
            "invalid UTF-8 beside the records",
            |_, _| bytes(b"{\"data\":[{\"id\":1}],\"x\":\"\xc3\x28\"}"),
            Outcome::Passing(&[
                "NOT JSON (invalid unicode code point at line 1 column 25) AS application/json: {\"data\":[{\"id\":1}],\"x\":\"�(\"}",
            ]),
        ),
        Row::reply(
            "UTF-8 that is too long",
            |_, _| bytes(b"{\"data\":[{\"id\":1,\"x\":\"\xc0\xaf\"}]}"),
            Outcome::Passing(&[
                "NOT JSON (invalid unicode code point at line 1 column 23) AS application/json: {\"data\":[{\"id\":1,\"x\":\"��\"}]}",
            ]),
        ),
        Row::reply(
            "NaN",
            |_, _| json("{\"data\":[{\"id\":NaN}]}"),
            Outcome::Passing(&[
                "NOT JSON (expected value at line 1 column 16) AS application/json: {\"data\":[{\"id\":NaN}]}",
            ]),
        ),
        Row::reply(
            "infinity",
            |_, _| json("{\"data\":[{\"id\":-Infinity}]}"),
            Outcome::Passing(&[
                "NOT JSON (invalid number at line 1 column 17) AS application/json: {\"data\":[{\"id\":-Infinity}]}",
            ]),
        ),
        Row::reply(
            "a number past all numbers",
            |_, scene| json(scene.page("{\"id\":1e999},{\"id\":-0.0},{\"id\":123456789012345678901234567890}")),
            taken(&["{\"id\":1e999}", "{\"id\":-0.0}", "{\"id\":123456789012345678901234567890}"]),
        ),
        Row::reply(
            "lone surrogates",
            |_, scene| json(scene.page(r#"{"id":"\ud800"},{"id":"\udc00\ud800"}"#)),
            taken(&[r#"{"id":"\ud800"}"#, r#"{"id":"\udc00\ud800"}"#]),
        ),
        Row::reply(
            "a zero byte in a string",
            |_, _| bytes(b"{\"data\":[{\"id\":\"a\0b\"}]}"),
            Outcome::Passing(&[
                "NOT JSON (control character (\\u0000-\\u001F) found while parsing a string at line 1 column 17) AS application/json: BYTES",
            ]),
        ),
        Row::reply(
            "line separators",
            |_, scene| {
                json(scene.page("{\"id\":\"\u{2028}\u{85}\u{7f}\"},\r\n{\n\t\"id\": 2\r\n},{\"id\":\"\\n\\u0000\"}"))
            },
            taken(&["{\"id\":\"\u{2028}\u{85}\u{7f}\"}", "{\"id\":2}", "{\"id\":\"\\n\\u0000\"}"]),
        ),
        Row::reply(
            "the records twice",
            |_, _| json("{\"data\":[],\"data\":[{\"id\":2}]}"),
            Outcome::Final(
                "system_error",
                &["The response cannot be read: `data` is there twice. REQUEST answered 200 OK (application/json) \
                     with body starting with: {\"data\":[],\"data\":[{\"id\":2}]}. The API has changed, or the URL in the config is wrong."],
            ),
        ),
        Row::reply(
            "nesting of 100,000 in a record",
            |_, scene| json(scene.page(&deep())),
            Outcome::Taken(vec![deep()]),
        ),
        Row::reply(
            "duplicate keys in a record",
            |_, scene| json(scene.page(r#"{"id":1,"id":2},{"id":5,"x":{"a":1,"a":1}}"#)),
            taken(&[r#"{"id":1,"id":2}"#, r#"{"id":5,"x":{"a":1,"a":1}}"#]),
        ),
        Row::reply(
            "nesting of 100,000 beside the records",
            |_, scene| json(scene.page(r#"{"id":1}"#).replacen('{', &format!("{{\"x\":{},", deep()), 1)),
            taken(&[r#"{"id":1}"#]),
        ),
        Row::reply(
            "nesting without an end",
            |_, _| json(format!("{{\"data\":[{}", "[".repeat(100_000))),
            Outcome::Passing(&[
                "NOT JSON (EOF while parsing a list at line 1 column 100009) AS application/json: BYTES",
            ]),
        ),
        Row::reply(
            "something behind the JSON",
            |_, _| json("{\"data\":[]} {}"),
            Outcome::Passing(&[
                "NOT JSON (trailing characters at line 1 column 13) AS application/json: {\"data\":[]} {}",
            ]),
        ),
        Row::reply(
            "a comma too many",
            |_, _| json("{\"data\":[{\"id\":1},]}"),
            Outcome::Passing(&[
                "NOT JSON (expected value at line 1 column 19) AS application/json: {\"data\":[{\"id\":1},]}",
            ]),
        ),
        Row::reply(
            "single quotes",
            |_, _| json("{'data':[]}"),
            Outcome::Passing(&["NOT JSON (key must be a string at line 1 column 2) AS application/json: {'data':[]}"]),
        ),
        Row::reply(
            "a comment",
            |_, _| json("{\"data\":[]/* none */}"),
            Outcome::Passing(&[
                "NOT JSON (expected `,` or `}` at line 1 column 11) AS application/json: {\"data\":[]/* none */}",
            ]),
        ),
        Row::reply(
            "one record a line",
            |_, _| json("{\"id\":1}\n{\"id\":2}"),
            Outcome::Passing(&[
                "NOT JSON (trailing characters at line 2 column 1) AS application/json: {\"id\":1} {\"id\":2}",
            ]),
        ),
        Row::reply(
            "an endless body",
            |_, _| {
                let start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"data\":[".to_vec();
                Reply::empty(200).fault(Fault::Endless { start, again: b"{\"id\":1},".to_vec() })
            },
            Outcome::Final(
                "system_error",
                &["NO BODY: it is longer than the 10000000 bytes that are accepted (max_body_bytes)"],
            ),
        )
        .with(|options| options.max_body_bytes = 10_000_000),
        Row::reply(
            "an endless body in chunks",
            |_, _| {
                let start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                Reply::empty(200).fault(Fault::Endless { start, again: b"9\r\n{\"id\":1},\r\n".to_vec() })
            },
            Outcome::Final(
                "system_error",
                &["NO BODY: it is longer than the 10000000 bytes that are accepted (max_body_bytes)"],
            ),
        )
        .with(|options| options.max_body_bytes = 10_000_000),
        Row::reply(
            "an endless error",
            |_, _| {
                let start = b"HTTP/1.1 500 Internal Server Error\r\n\r\n".to_vec();
                Reply::empty(200).fault(Fault::Endless { start, again: b"sorry ".to_vec() })
            },
            Outcome::Final(
                "system_error",
                &["NO BODY: it is longer than the 10000000 bytes that are accepted (max_body_bytes)"],
            ),
        )
        .with(|options| options.max_body_bytes = 10_000_000),
    ]
}
