//! The results of jobs: archives, several of them, addresses that expire, answers that are no results.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use source_http_testkit::{Finished, Reply, Request, Routes, Server};

use super::{read, requester, status, warnings, with_polls};
use crate::support::extractor;

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A ZIP archive of one file.
fn zipped(content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("rows.csv", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn results_in_archives_are_decoded_and_filtered() {
    let csv = b"id,name\n1,a\n2,b\n";
    let inner = json!({"type": "CsvDecoder"});
    for (decoder, body) in [("GzipDecoder", gzipped(csv)), ("ZipfileDecoder", zipped(csv))] {
        let server = Server::start(
            Routes::new()
                .on("POST", "/create", [Reply::json(json!({"id": "j"}))])
                .on("GET", "/poll/j", [status("done")])
                .on("GET", "/result/f", [Reply::bytes(body)]),
        );
        let filter = json!({"type": "RecordFilter", "condition": "{{ record['name'] == 'b' }}"});
        let done = read(
            &server,
            json!({
                "delete_requester": null,
                "download_decoder": {"type": decoder, "decoder": inner},
                "record_selector": {"type": "RecordSelector", "extractor": extractor(&[]), "record_filter": filter},
            }),
        );
        assert_eq!(done.messages().records("s"), [r#"{"id":"2","name":"b"}"#], "{decoder}: {}", done.stdout);
    }
}

#[test]
fn several_results_are_read_each_with_its_pages() {
    let server = Server::start(|request: &Request| match (request.path.as_str(), request.param("p")) {
        ("/create", _) => Reply::json(json!({"id": "j"})),
        ("/poll/j", _) => status("done"),
        ("/where/f", _) => Reply::json(json!({"files": ["a", "b", "c"]})),
        ("/file/a", None) => Reply::json(json!({"rows": [{"id": 1}], "next": "2"})),
        ("/file/a", Some("2")) => Reply::json(json!({"rows": [{"id": 2}]})),
        ("/file/b", None) => Reply::json(json!({"rows": []})),
        ("/file/c", None) => Reply::json(json!({"rows": [{"id": 3}]})),
        _ => Reply::json(json!({})),
    });
    let done = read(
        &server,
        json!({
            "download_target_requester": requester(&server.url(), "GET", "where/{{ polling_response['file'] }}"),
            "download_target_extractor": extractor(&["files"]),
            "download_requester": requester(&server.url(), "GET", "file/{{ download_target }}"),
            "download_extractor": extractor(&["rows"]),
            "download_paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "p"},
                "pagination_strategy": {"type": "CursorPagination", "cursor_value": "{{ response.next }}",
                    "stop_condition": "{{ not response.next }}"},
            },
        }),
    );
    assert_eq!(done.messages().records("s"), [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#], "{}", done.stdout);
    assert_eq!(
        server.conversation(),
        [
            "POST /create",
            "GET /poll/j",
            "GET /where/f",
            "GET /file/a",
            "GET /file/a?p=2",
            "GET /file/b",
            "GET /file/c",
            "POST /delete/j",
        ]
    );
}

/// A read of the results `f` and `g`, where `g` is refused.
fn with_a_refusal(polls: [Value; 2], refused: u16) -> (Finished, Vec<String>) {
    let server = Server::start(
        with_polls(polls.map(Reply::json))
            .on("GET", "/result/g", [Reply::json(json!({"error": "expired"})).status(refused)])
            .on("GET", "/result/h", [Reply::json(json!([{"id": 2}]))]),
    );
    let done = read(
        &server,
        json!({
            "download_target_extractor": extractor(&["files"]),
            "download_requester": requester(&server.url(), "GET", "result/{{ download_target }}"),
        }),
    );
    (done, server.conversation())
}

#[test]
fn a_result_whose_address_has_expired_is_requested_where_it_is_now() {
    for status in [400, 403, 404, 410] {
        let files = |last: &str| json!({"status": "done", "files": ["f", last]});
        let (done, asked) = with_a_refusal([files("g"), files("h")], status);
        assert_eq!((done.status, done.messages().records("s").len()), (0, 2), "{status}: {}", done.stdout);
        let poll = "GET /poll/j";
        let results = ["GET /result/f", "GET /result/g", poll, "GET /result/h"];
        assert_eq!(asked, [&["POST /create", poll][..], &results, &["POST /delete/j"]].concat(), "{status}");
    }
}

#[test]
fn a_result_that_is_refused_for_good_fails_its_slice_and_the_job_is_deleted() {
    let files = json!({"status": "done", "files": ["f", "g"]});
    let (done, asked) = with_a_refusal([files.clone(), files], 403);
    assert_eq!((done.status, done.messages().records("s").len()), (1, 1), "{}", done.stdout);
    let message = &done.messages().errors()[0].message;
    assert!(
        message.contains("/result/g answered 403") && message.ends_with("the next run creates a new job."),
        "{message}"
    );
    assert_eq!(asked[asked.len() - 3..], ["GET /result/g", "GET /poll/j", "POST /delete/j"]);
}

#[test]
fn a_job_without_results_is_a_warning_where_the_path_leads_nowhere_and_null_is_no_result() {
    let polled = |answer: Value, retriever: Value| {
        let server = Server::start(with_polls([Reply::json(answer)]));
        read(&server, retriever)
    };
    let retriever = json!({"download_target_extractor": extractor(&["files"])});
    let nowhere = polled(json!({"status": "done", "file": "f"}), retriever.clone());
    assert_eq!((nowhere.status, nowhere.messages().records("s").len()), (0, 0), "{}", nowhere.stdout);
    let told = warnings(&nowhere);
    assert!(told.len() == 1 && told[0].contains("Did you mean `file`?"), "{told:?}");
    let empty = polled(json!({"status": "done", "files": []}), retriever.clone());
    assert_eq!((empty.status, warnings(&empty).len()), (0, 0), "{}", empty.stdout);
    let null = polled(json!({"status": "done", "file": "f", "files": [null, "f"]}), retriever);
    assert_eq!((null.status, null.messages().records("s").len()), (0, 1), "{}", null.stdout);
}

#[test]
fn an_answer_without_a_status_is_told_so() {
    let server = Server::start(with_polls([Reply::json(json!({"state": "done"}))]));
    let done = read(&server, json!({}));
    let text = "The answer about a job has no status where `status_extractor` looks.";
    assert!(done.status == 1 && done.messages().errors()[0].message.contains(text), "{}", done.stdout);
}

#[test]
fn xml_or_a_web_page_is_no_csv_and_a_column_may_have_a_name_in_brackets() {
    let result = |body: &str| {
        let server = Server::start(
            Routes::new()
                .on("POST", "/create", [Reply::json(json!({"id": "j"}))])
                .on("GET", "/poll/j", [status("done")])
                .on("GET", "/result/f", [Reply::bytes(body.as_bytes())]),
        );
        read(&server, json!({"delete_requester": null, "download_decoder": {"type": "CsvDecoder"}}))
    };
    for markup in
        ["<?xml version=\"1.0\"?>\n<Error/>\n", "<Error><Code>Denied</Code></Error>", "\u{feff}<!DOCTYPE html>\n"]
    {
        let done = result(markup);
        let text = &done.messages().errors()[0].message;
        assert!(done.status == 1 && text.contains("it is XML or a web page, and no CSV"), "{markup}: {}", done.stdout);
    }
    let done = result("<DAY>,<OPEN>\n1,2\n");
    assert_eq!(
        (done.status, done.messages().records("s")),
        (0, vec![r#"{"<DAY>":"1","<OPEN>":"2"}"#]),
        "{}",
        done.stdout
    );
}
