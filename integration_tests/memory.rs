//! The memory that a hostile server can make the binary use. Each call runs in an address space with a cap (`ulimit
//! -v`): beyond it, memory is refused and a signal would end the process.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use source_http_testkit::{Fault, Messages, Reply, Request, Server};

use crate::support::binary::Binary;

/// The address space of a call, in KiB. It is far larger than the use, because the reservations of threads count as
/// well.
const CAP: u64 = 512 * 1024;
const MIB: usize = 1024 * 1024;

/// The result of a call.
struct Done {
    status: Option<i32>,
    messages: Messages,
    /// The largest memory use that was seen, in KiB.
    peak: u64,
}

/// Reads one list of a server whose every answer is this.
fn read(reply: Reply) -> Done {
    let server = Server::start(move |_: &Request| reply.clone());
    let config = json!({
        "client_secret": "sk_test_x", "account_id": "acct_1", "api_url": format!("{}/v1", server.url()),
        "call_rate_limit": 1_000_000, "num_workers": 1, "start_date": "2026-01-01T00:00:00Z", "slice_range": 9999,
    });
    let binary = Binary::new(&["read", "--config", "config", "--streams", "balance_transactions"]);
    run(binary.file("config", config))
}

/// Reads one response by a manifest with this decoder, and removes the field `long` of each record.
fn read_decoded(reply: Reply, decoder: &Value) -> Done {
    let server = Server::start(move |_: &Request| reply.clone());
    let manifest = json!({
        "version": "7.39.1", "type": "DeclarativeSource", "check": {"type": "CheckStream", "stream_names": ["rows"]},
        "streams": [{
            "type": "DeclarativeStream", "name": "rows",
            "transformations": [{"type": "RemoveFields", "field_pointers": [["long"]]}],
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url": server.url()},
                "decoder": decoder,
                "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}},
            },
        }],
    });
    let args = ["read", "--manifest-path", "m.json", "--config", "config", "--streams", "rows"];
    run(Binary::new(&args).file("m.json", manifest).file("config", json!({})))
}

/// Runs the binary under the cap.
fn run(binary: Binary) -> Done {
    let (command, folder) = binary.command();
    let child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {CAP} && exec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let peak = Arc::new(Mutex::new(0));
    let (status, noted) = (format!("/proc/{}/status", child.id()), peak.clone());
    // Samples every few milliseconds, for the figures; the test itself is the cap.
    let watcher = thread::spawn(move || {
        while let Ok(text) = fs::read_to_string(&status) {
            let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(peak) = peak.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()) else { break };
            *noted.lock().unwrap() = peak;
            thread::park_timeout(Duration::from_millis(5));
        }
    });
    let output = child.wait_with_output().unwrap();
    watcher.join().unwrap();
    let peak = *peak.lock().unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() == stderr.is_empty(),
        "only a failure is reported there: {:?} {stderr}",
        output.status
    );
    Done { status: output.status.code(), messages: Messages::parse(&stdout), peak }
}

/// For `cargo test memory -- --nocapture`.
#[allow(clippy::print_stdout, reason = "the figures are for people")]
fn report(name: &str, peak: u64) {
    println!("{name}: at most {peak} KiB in use");
}

/// Asserts the end of a call: its exit code, no signal, and memory within the cap.
#[track_caller]
fn check(name: &str, reply: Reply, words: Option<&str>) {
    let done = read(reply);
    report(name, done.peak);
    match words {
        None => assert_eq!((done.status, done.messages.errors().len()), (Some(0), 0), "{name}"),
        Some(words) => {
            let error = &done.messages.errors()[0];
            assert_eq!(done.status, Some(1), "{name}: {}", error.message);
            assert!(error.message.contains(words), "{name}: {}", error.message);
        }
    }
    assert!(done.peak * 1024 < 200 * MIB as u64, "{name}: {} KiB in use", done.peak);
}

/// Gzip of a start, this many times 16 MiB of one byte, and an end; a few KiB for each.
fn bomb(start: &str, byte: u8, times: usize, end: &str) -> Reply {
    let body = [gzip(start.as_bytes()), gzip(&vec![byte; 16 * MIB]).repeat(times), gzip(end.as_bytes())].concat();
    Reply::shared("application/json", body).header("Content-Encoding", "gzip")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_gzip_bomb_of_half_a_gigabyte_of_nothing_is_read_in_constant_memory() {
    check("a bomb of white space", bomb("{\"data\":[", b' ', 32, "],\"has_more\":false}"), None);
}

#[test]
fn a_body_that_is_announced_with_ten_gigabytes_is_refused_before_it_is_read() {
    let body = |status: &str| {
        let start = format!("HTTP/1.1 {status}\r\nContent-Length: 10000000000\r\n\r\n{{\"data\":[");
        Reply::empty(200).fault(Fault::Endless { start: start.into_bytes(), again: b"{\"id\":\"x\"},".to_vec() })
    };
    let words = "longer than the 4294967295 bytes that are accepted";
    check("10 GB announced", body("200 OK"), Some(words));
    check("10 GB announced in an error", body("500 Internal Server Error"), Some(words));
}

#[test]
fn a_head_without_an_end_is_refused_in_constant_memory() {
    let endless = |start: &str, again: &str| {
        Reply::empty(200).fault(Fault::Endless { start: start.as_bytes().to_vec(), again: again.as_bytes().to_vec() })
    };
    let header = endless("HTTP/1.1 200 OK\r\nX-A: ", &"a".repeat(1024));
    check("an endless header", header, Some("the head is longer than the 65536 bytes that are accepted"));
    let headers = endless("HTTP/1.1 200 OK\r\n", "X-A: a\r\n");
    check("endless headers", headers, Some("the head has more headers than are accepted"));
}

#[test]
fn hundreds_of_thousands_of_records_on_one_page_are_read_in_constant_memory() {
    let records = vec![r#"{"id":"txn_1","object":"balance_transaction","created":1782000000}"#; 300_000].join(",");
    let page = format!("{{\"object\":\"list\",\"data\":[{records}],\"has_more\":false}}");
    check("300,000 records", Reply::json_text(page), None);
}

#[test]
fn a_record_of_200_mb_is_refused_by_name() {
    let record = format!("{{\"id\":\"txn_1\",\"created\":1782000000,\"x\":\"{}\"}}", "a".repeat(200_000_000));
    let page = format!("{{\"object\":\"list\",\"data\":[{record}],\"has_more\":false}}");
    drop(record);
    let done = read(Reply::json_text(page));
    report("a record of 200 MB", done.peak);
    let errors = done.messages.errors();
    assert!(errors.iter().any(|error| error.message.contains("a record is longer than 32 MiB")), "{:?}", done.status);
    assert_eq!((done.status, done.messages.record_count()), (Some(1), 0));
}

/// 256 MiB of rows of 4 KiB.
fn rows(start: &str, row: &str, end: &str) -> (Vec<u8>, usize) {
    let row = format!("{row}{}{end}", "x".repeat(4096 - row.len() - end.len()));
    let chunk = gzip(row.repeat(16 * MIB / row.len()).as_bytes());
    ([gzip(start.as_bytes()), chunk.repeat(16)].concat(), 16 * (16 * MIB / row.len()))
}

#[test]
fn csv_and_json_lines_that_are_longer_than_memory_are_read_in_constant_memory() {
    let (csv, json_lines) = (json!({"type": "CsvDecoder"}), json!({"type": "JsonlDecoder"}));
    let in_gzip = json!({"type": "GzipDecoder", "decoder": csv});
    let lines = rows("", "{\"id\":1,\"long\":\"", "\"}\n");
    let table = rows("id,long\n", "1,", "\n");
    for (name, decoder, (body, count), coding) in [
        ("256 MiB of JSON lines", &json_lines, &lines, "gzip"),
        ("256 MiB of CSV", &csv, &table, "gzip"),
        ("256 MiB of CSV in a gzip file", &in_gzip, &table, "identity"),
    ] {
        let reply = Reply::shared("application/octet-stream", body.clone()).header("Content-Encoding", coding);
        let done = read_decoded(reply, decoder);
        report(name, done.peak);
        assert_eq!((done.status, done.messages.record_count()), (Some(0), *count), "{name}");
        assert!(done.peak < 64 * 1024, "{name}: {} KiB in use", done.peak);
    }
}

#[test]
fn what_a_decoder_would_need_all_memory_for_is_refused() {
    let body = [gzip(b"id\n\""), gzip(&vec![b'x'; 16 * MIB]).repeat(8)].concat();
    let archive = |inner: &str| json!({"type": "GzipDecoder", "decoder": {"type": inner}});
    for (name, body, decoder, words) in [
        ("a CSV field of 128 MiB", body.clone(), archive("CsvDecoder"), "row 2 is longer than 32 MiB"),
        ("a line of 128 MiB", body, archive("JsonlDecoder"), "line 2 is longer than 32 MiB"),
        (
            "a JSON text of 512 MiB",
            [gzip(b"{\"a\":\""), gzip(&vec![b'x'; 16 * MIB]).repeat(32)].concat(),
            archive("JsonDecoder"),
            "a value is longer than 32 MiB",
        ),
    ] {
        let done = read_decoded(Reply::shared("application/gzip", body), &decoder);
        report(name, done.peak);
        let errors = done.messages.errors();
        assert_eq!((done.status, done.messages.record_count()), (Some(1), 0), "{name}");
        assert!(errors.iter().any(|error| error.message.contains(words)), "{name}: {}", errors[0].message);
        assert!(done.peak * 1024 < 200 * MIB as u64, "{name}: {} KiB in use", done.peak);
    }
}
