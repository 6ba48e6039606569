//! What a hostile server can make the binary take of memory. Each call runs in an address space with a cap (`ulimit -v`):
//! past it, memory is refused and the process would be ended by a signal.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use source_http_testkit::{Fault, Messages, Reply, Request, Server};

use crate::support::binary::Binary;

/// The address space of a call, in KiB. Far more than is used: what threads reserve counts as well.
const CAP: u64 = 512 * 1024;
const MIB: usize = 1024 * 1024;

/// What a call came to.
struct Done {
    status: Option<i32>,
    messages: Messages,
    /// The most memory that was seen in use, in KiB.
    peak: u64,
}

/// Reads one list of a server that answers everything with this.
fn read(reply: Reply) -> Done {
    let server = Server::start(move |_: &Request| reply.clone());
    let config = json!({
        "client_secret": "sk_test_x", "account_id": "acct_1", "api_url": format!("{}/v1", server.url()),
        "call_rate_limit": 1_000_000, "num_workers": 1, "start_date": "2026-01-01T00:00:00Z", "slice_range": 9999,
    });
    let binary = Binary::new(&["read", "--config", "config", "--streams", "balance_transactions"]);
    let (command, folder) = binary.file("config", config).command();
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
    // A look every few milliseconds, for the figures; the cap is what the test is about.
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
    assert!(output.status.success() == stderr.is_empty(), "only a failure is told there: {:?} {stderr}", output.status);
    Done { status: output.status.code(), messages: Messages::parse(&stdout), peak }
}

/// For `cargo test memory -- --nocapture`.
#[allow(clippy::print_stdout, reason = "the figures are for people")]
fn report(name: &str, peak: u64) {
    println!("{name}: at most {peak} KiB in use");
}

/// Asserts how a call ended, and that it ended by itself and within the cap.
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

/// Gzip of a start, so many times 16 MiB of one byte, and an end; a few KiB for each.
fn bomb(start: &str, byte: u8, times: usize, end: &str) -> Reply {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let body = [gzip(start.as_bytes()), gzip(&vec![byte; 16 * MIB]).repeat(times), gzip(end.as_bytes())].concat();
    Reply::shared("application/json", body).header("Content-Encoding", "gzip")
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
