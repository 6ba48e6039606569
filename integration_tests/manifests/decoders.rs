//! Bodies that are not JSON documents, from a server with faults: no record is lost, and none comes twice.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{Fault, Finished, InProcess, Reply, Request, Server};

/// The size of a body that is stored on disk.
const LONG: usize = 5 << 20;

fn read(server: &Server, decoder: &Value, path: &[&str], error_handler: Option<&Value>) -> Finished {
    let mut requester = json!({"type": "HttpRequester", "url": server.url()});
    if let Some(handler) = error_handler {
        requester["error_handler"] = handler.clone();
    }
    let manifest = json!({
        "version": "7.39.1", "type": "DeclarativeSource", "check": {"type": "CheckStream", "stream_names": ["rows"]},
        "streams": [{
            "type": "DeclarativeStream", "name": "rows",
            "retriever": {
                "type": "SimpleRetriever",
                "requester": requester,
                "decoder": decoder,
                "record_selector": {
                    "type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": path},
                },
            },
        }],
    });
    let config = json!({"__injected_declarative_manifest": manifest});
    let connector = InProcess::with_registry(Registry::built_in()).config(&config);
    connector.streams(&[("rows", "full_refresh")]).run("read")
}

/// Answers with the first of these, then with the second.
fn in_turn(first: Reply, then: Reply) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |_: &Request| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => first.clone(),
        _ => then.clone(),
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Enough lines of JSON for a body that is stored on disk.
fn lines() -> (String, usize) {
    let line = |id: usize| format!("{{\"id\":{id},\"text\":\"{}\"}}\n", "x".repeat(1000));
    let count = LONG / line(0).len() + 1;
    ((0..count).map(line).collect(), count)
}

#[test]
fn a_connection_that_breaks_off_costs_a_request_and_no_record() {
    let (text, count) = lines();
    let decoder = json!({"type": "JsonlDecoder"});
    let reply = |text: &str| Reply::shared("application/x-ndjson", text.as_bytes().to_vec());
    for fault in [Fault::ResetInBody(LONG / 2), Fault::TruncateBody(LONG - 100)] {
        let server = in_turn(reply(&text).fault(fault), reply(&text));
        let done = read(&server, &decoder, &[], None);
        assert_eq!((done.status, done.messages().record_count()), (0, count), "{}", done.stdout.len());
        assert_eq!(server.requests().len(), 2);
    }
    // The same with an end of the connection that HTTP does not notice.
    let whole = gzip(text.as_bytes());
    let packed = |bytes: &[u8]| Reply::shared("application/gzip", bytes.to_vec());
    let server = in_turn(packed(&whole[..whole.len() - 20]), packed(&whole));
    let done = read(&server, &json!({"type": "GzipDecoder", "decoder": decoder}), &[], None);
    assert_eq!((done.status, done.messages().record_count()), (0, count));
    let server = Server::start(move |_: &Request| Reply::text("{\"id\":1}\n{\"id\":"));
    let done = read(&server, &decoder, &[], None);
    let messages = done.messages();
    assert_eq!((done.status, messages.record_count()), (1, 0));
    assert!(
        done.stdout.contains("it ends within line 2") && done.stdout.contains("transient_error"),
        "{}",
        done.stdout
    );
    assert!(!done.stdout.contains("COMPLETE\"") || done.stdout.contains("INCOMPLETE"), "{}", done.stdout);
}

#[test]
fn a_handler_that_looks_into_bodies_leaves_them_to_the_decoder() {
    let filter = |field: &str, value: &str| {
        let filter = json!({"type": "HttpResponseFilter", field: value, "action": "FAIL"});
        json!({"type": "DefaultErrorHandler", "response_filters": [filter]})
    };
    let (text, count) = lines();
    for (decoder, body, count) in [
        (json!({"type": "CsvDecoder"}), "id\n1\n2\n".to_owned(), 2),
        (json!({"type": "JsonlDecoder"}), text, count),
        (json!({"type": "IterableDecoder"}), "a\nb\n".to_owned(), 2),
        (json!({"type": "JsonItemsDecoder", "items_path": "rows"}), json!({"rows": [{"id": 1}]}).to_string(), 1),
    ] {
        for handler in [filter("predicate", "{{ 'error' in response }}"), filter("error_message_contains", "denied")] {
            let reply = Reply::text(body.clone());
            let server = Server::start(move |_: &Request| reply.clone());
            let done = read(&server, &decoder, &[], Some(&handler));
            assert_eq!((done.status, done.messages().record_count()), (0, count), "{decoder} {handler}");
        }
        // And it finds the secret where it is.
        let server = Server::start(|_: &Request| Reply::json(json!({"error": "access denied"})));
        let done = read(&server, &decoder, &[], Some(&filter("predicate", "{{ 'error' in response }}")));
        assert_eq!((done.status, done.messages().record_count()), (1, 0), "{decoder}");
    }
}

#[test]
fn long_json_is_read_from_disk_with_the_same_records() {
    let record = |id: usize| json!({"id": id, "text": "x".repeat(1000)});
    let records: Vec<Value> = (0..LONG / 1000).map(record).collect();
    for (body, path) in [(json!({"data": records, "next": 1}), &["data"][..]), (json!(records), &[])] {
        let body = body.to_string();
        let server = Server::start(move |_: &Request| Reply::json_text(body.clone()));
        let done = read(&server, &json!({"type": "JsonDecoder"}), path, None);
        assert_eq!((done.status, done.messages().record_count()), (0, records.len()), "{path:?}");
    }
}

#[test]
fn lines_that_are_left_out_are_reported() {
    let server = Server::start(|_: &Request| Reply::text("{\"id\":1}\nno json\n{\"id\":2}\n"));
    let done = read(&server, &json!({"type": "JsonlDecoder"}), &[], None);
    assert_eq!((done.status, done.messages().record_count()), (0, 2));
    assert!(done.stdout.contains("rows: Line 2 of the response is not JSON. It is left out."), "{}", done.stdout);
}

#[test]
fn csv_in_any_encoding_and_with_any_delimiter_is_read() {
    // Of Python: `id§名前`, and rows of `1§"§é日"`, or what there is of it.
    for (encoding, delimiter, head, row, name) in [
        ("shift_jis", "§", &b"id\x81\x98\x96\xbc\x91O\n"[..], &b"1\x81\x98\"\x81\x98\x93\xfa\"\n"[..], "§日"),
        ("EUC-JP", "、", b"id\xa1\xa2\xcc\xbe\xc1\xb0\n", b"1\xa1\xa2\x8f\xb0\xa1\xc6\xfc\n", "丂日"),
        ("iso2022_jp", "\\u00a7", b"id\x1b$B!xL>A0\x1b(B\n", b"1\x1b$B!xF|\x1b(B\n", "日"),
        ("GB18030", "\\xa7", b"id\xa1\xec\xc3\xfb\xc7\xb0\n", b"1\xa1\xec\x94\x39\xfc\x36\xc8\xd5\n", "\u{1f600}日"),
        ("utf_7", "§", b"id+AKdUDVJN-\n", b"1+AKcA6WXl-\n", "é日"),
        ("cp037", ",", b"\x89\x84k\x95\x81\x94\x85%", b"\xf1kQ\x81%", "éa"),
        ("utf-8", "\u{1f600}", "id\u{1f600}名前\n".as_bytes(), "1\u{1f600}é\n".as_bytes(), "é"),
    ] {
        // Several chunks, which end anywhere.
        let count = 300_000 / row.len();
        let body = [head, &row.repeat(count)].concat();
        let server = Server::start(move |_: &Request| Reply::shared("text/csv", body.clone()));
        let decoder = json!({"type": "CsvDecoder", "encoding": encoding, "delimiter": delimiter});
        let done = read(&server, &decoder, &[], None);
        let messages = done.messages();
        let records = messages.records("rows");
        assert_eq!(records.len(), count, "{encoding}: {}", done.stderr);
        assert!(records.iter().all(|record| *record == records[0]), "{encoding}");
        let record: serde_json::Map<String, Value> = serde_json::from_str(records[0]).unwrap();
        let values: Vec<&Value> = record.values().collect();
        assert_eq!((values, record["id"].as_str()), (vec![&json!("1"), &json!(name)], Some("1")), "{encoding}");
    }
}

#[test]
fn a_byte_that_is_no_character_of_an_encoding_fails_the_stream() {
    let server = Server::start(|_: &Request| Reply::shared("text/csv", &b"id\n\x93\xfa\n\x93\n"[..]));
    let done = read(&server, &json!({"type": "CsvDecoder", "encoding": "shift_jis"}), &[], None);
    let messages = done.messages();
    let errors = messages.errors();
    assert_eq!(messages.records("rows").len(), 0);
    assert!(errors.iter().any(|error| error.message.contains("byte 6 is not a character")), "{}", errors[0].message);
}
