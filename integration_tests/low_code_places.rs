//! Streams of manifests that need more than pages: files of records, windows that are split, first pages in the records of
//! parents, and answers that are no pages.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use source_http_testkit::{Fault, Finished, InProcess, Reply, Request, Routes, Server};

use crate::support::{self, extractor, items, manifest_stream, of_manifest, on_status, requester, targets, with};

/// A stream of `/items`, with these members, those of its retriever, and those of its requester.
fn stream(server: &Server, more: Value, retriever: Value, own: Value) -> Value {
    let requester = requester(&server.url(), "items", own);
    manifest_stream("items", support::retriever(requester, &["items"], retriever), more)
}

fn connector(stream: &Value) -> InProcess {
    of_manifest(std::slice::from_ref(stream), json!({}), json!({}))
}

fn read(stream: &Value, mode: &str) -> Finished {
    connector(stream).streams(&[("items", mode)]).run("read")
}

fn cursor(more: Value) -> Value {
    let option = |name: &str| json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": name});
    let cursor = json!({
        "type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": "%Y-%m-%d",
        "start_datetime": "2024-01-01", "end_datetime": "2024-01-08",
        "start_time_option": option("from"), "end_time_option": option("to"),
    });
    json!({"incremental_sync": with(cursor, more)})
}

fn with_files(server: &Server, name: Option<&str>) -> Value {
    let requester = requester(&server.url(), "{{ download_target }}", json!({}));
    let target = extractor(&["url"]);
    let mut uploader = json!({"type": "FileUploader", "requester": requester, "download_target_extractor": target});
    if let Some(name) = name {
        uploader["filename_extractor"] = name.into();
    }
    stream(server, json!({"file_uploader": uploader}), json!({}), json!({}))
}

/// Reads a stream with files into this directory; the configured stream has these additional members.
fn read_files(stream: &Value, directory: &Path, more: Value) -> Finished {
    let configured = json!({
        "stream": {"name": "items", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh", "destination_sync_mode": "append",
    });
    let connector = connector(stream).env("AIRBYTE_STAGING_DIRECTORY", directory);
    connector.catalog(&json!({"streams": [with(configured, more)]})).run("read")
}

#[test]
fn files_of_records_are_staged_whole_before_their_records_go_out() {
    let directory = tempfile::tempdir().unwrap();
    // Longer than the memory buffer.
    let long = "x".repeat(5 * 1024 * 1024);
    let server = Server::start(
        Routes::new()
            .on("GET", "/items", [items(json!([{"id": 1, "url": "a"}, {"id": 2, "url": "b"}]))])
            .on("GET", "/a", [Reply::text("hello")])
            .on("GET", "/b", [Reply::text(&long)]),
    );
    let stream = with_files(&server, Some("../{{ record.id }}/a.txt"));
    let run = read_files(&stream, directory.path(), json!({}));
    let references: Vec<Value> = run
        .stdout
        .lines()
        .filter_map(|line| {
            let message: Value = serde_json::from_str(line).unwrap();
            message["record"].get("file_reference").cloned()
        })
        .collect();
    let path = |id: u32| directory.path().join(format!("items/{id}/a.txt"));
    let reference = |id: u32, size: usize| {
        json!({
            "staging_file_url": path(id), "source_file_relative_path": format!("items/{id}/a.txt"), "file_size_bytes": size,
        })
    };
    assert_eq!(references, [reference(1, 5), reference(2, long.len())], "{}", run.stdout);
    assert_eq!(
        (fs::read_to_string(path(1)).unwrap(), fs::read_to_string(path(2)).unwrap()),
        ("hello".to_owned(), long)
    );
    let discovered = connector(&stream).run("discover");
    assert_eq!(discovered.messages().catalog()["streams"][0]["is_file_based"], true);

    let without = read_files(&stream, directory.path(), json!({"include_files": false}));
    assert_eq!((without.messages().records("items").len(), without.stdout.contains("file_reference")), (2, false));
}

#[test]
fn a_file_that_cannot_be_downloaded_fails_its_stream_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let server =
        Server::start(Routes::new().on("GET", "/items", [items(json!([{"id": 1, "url": "a"}, {"id": 2}]))]).on(
            "GET",
            "/a",
            [Reply::text("hello")],
        ));
    let run = read_files(&with_files(&server, None), directory.path(), json!({}));
    assert_eq!((run.messages().records("items").len(), run.status), (1, 1), "{}", run.stdout);
    assert!(run.stdout.contains("no text at the path of the `download_target_extractor`"), "{}", run.stdout);
    assert_eq!(fs::read_dir(directory.path().join("items")).unwrap().count(), 1);

    let other = tempfile::tempdir().unwrap();
    let server = Server::start(Routes::new().on("GET", "/items", [items(json!([{"id": 1, "url": "a"}]))]).on(
        "GET",
        "/a",
        [Reply::text("hello").fault(Fault::TruncateBody(2))],
    ));
    let run = read_files(&with_files(&server, Some("a")), other.path(), json!({}));
    assert_eq!((run.messages().records("items").len(), run.status), (0, 1), "{}", run.stdout);
    assert!(!other.path().join("items").exists());
}

#[test]
fn a_window_that_is_refused_is_read_in_halves_and_a_state_waits_for_both() {
    let handler = on_status(413, "SPLIT_REQUEST_WINDOW");
    let splitting = json!({"request_window_splitting": {"type": "RequestWindowSplitting"}});
    let cursor = cursor(json!({"step": "P8D", "cursor_granularity": "P1D"}));
    let answer = |second: u16| {
        move |request: &Request| match &*request.target {
            "/items?from=2024-01-01&to=2024-01-08" => Reply::empty(413),
            "/items?from=2024-01-01&to=2024-01-04" => items(json!([{"id": 1, "at": "2024-01-04"}])),
            _ if second == 200 => items(json!([{"id": 2, "at": "2024-01-07"}])),
            _ => Reply::empty(second),
        }
    };
    let server = Server::start(answer(200));
    let run = read(&stream(&server, cursor.clone(), splitting.clone(), handler.clone()), "incremental");
    assert_eq!(run.messages().records("items").len(), 2, "{}", run.stdout);
    assert_eq!(run.messages().states("items").last().unwrap()["at"], "2024-01-07");
    let windows = ["from=2024-01-01&to=2024-01-08", "from=2024-01-01&to=2024-01-04", "from=2024-01-05&to=2024-01-08"];
    assert_eq!(targets(&server), windows.map(|window| format!("/items?{window}")));

    let server = Server::start(answer(404));
    let run = read(&stream(&server, cursor.clone(), splitting.clone(), handler), "incremental");
    assert_eq!((run.messages().records("items").len(), run.status), (1, 1));
    assert!(run.messages().states("items").iter().all(|state| state["at"] == "2024-01-01"), "{}", run.stdout);

    // An ignored half does not end the window.
    let filter =
        |status: u16, action: &str| json!({"type": "HttpResponseFilter", "http_codes": [status], "action": action});
    let filters = [filter(413, "SPLIT_REQUEST_WINDOW"), filter(404, "IGNORE")];
    let handler = json!({"error_handler": {"type": "DefaultErrorHandler", "response_filters": filters}});
    let server = Server::start(|request: &Request| match &*request.target {
        "/items?from=2024-01-01&to=2024-01-08" => Reply::empty(413),
        "/items?from=2024-01-01&to=2024-01-04" => Reply::empty(404),
        _ => items(json!([{"id": 2, "at": "2024-01-07"}])),
    });
    let run = read(&stream(&server, cursor, splitting, handler), "incremental");
    assert_eq!((run.messages().records("items").len(), run.status), (1, 0), "{}", run.stdout);
    assert_eq!(targets(&server), windows.map(|window| format!("/items?{window}")));
}

#[test]
fn paging_begins_again_at_the_newest_record_unless_records_are_mixed() {
    let server = Server::start(|request: &Request| match request.target.contains("from=2024-01-01") {
        true => items(json!([{"id": 1, "at": "2024-01-02"}, {"id": 2, "at": "2024-01-05"}])),
        false => items(json!([{"id": 3, "at": "2024-01-06"}])),
    });
    let run = read(&from_newest(&server, json!({})), "incremental");
    assert_eq!(run.messages().records("items").len(), 3, "{}", run.stdout);
    assert_eq!(targets(&server)[1], "/items?from=2024-01-05&to=2024-01-08");

    let mixed =
        Server::start(|_: &Request| items(json!([{"id": 2, "at": "2024-01-05"}, {"id": 1, "at": "2024-01-02"}])));
    let run = read(&from_newest(&mixed, json!({})), "incremental");
    assert!(run.stdout.contains("do not come in the order of the cursor"), "{}", run.stdout);
    assert_eq!((run.status, targets(&mixed).len()), (1, 1));
}

#[test]
fn a_refused_window_of_a_data_feed_is_read_in_halves_each_until_records_are_too_old() {
    let pages = json!({
        "type": "DefaultPaginator",
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"},
        "pagination_strategy": {"type": "PageIncrement", "page_size": 2},
    });
    let splitting = json!({"request_window_splitting": {"type": "RequestWindowSplitting"}, "paginator": pages});
    let feed = cursor(json!({"step": "P8D", "cursor_granularity": "P1D", "is_data_feed": true}));
    let server = Server::start(|request: &Request| match &*request.target {
        "/items?from=2024-01-01&to=2024-01-08" => Reply::empty(413),
        // The newest come first, and this API gives them without an end.
        "/items?from=2024-01-01&to=2024-01-04" => {
            items(json!([{"id": 2, "at": "2024-01-04"}, {"id": 1, "at": "2023-12-31"}]))
        }
        "/items?from=2024-01-05&to=2024-01-08" => {
            items(json!([{"id": 5, "at": "2024-01-08"}, {"id": 4, "at": "2024-01-07"}]))
        }
        "/items?page=1&from=2024-01-05&to=2024-01-08" => {
            items(json!([{"id": 3, "at": "2024-01-05"}, {"id": 0, "at": "2023-12-30"}]))
        }
        _ => Reply::empty(404),
    });
    let run = read(&stream(&server, feed, splitting, on_status(413, "SPLIT_REQUEST_WINDOW")), "incremental");
    let messages = run.messages();
    let ids = messages.records("items").into_iter().map(|record| serde_json::from_str::<Value>(record).unwrap());
    assert_eq!(ids.map(|record| record["id"].clone()).collect::<Vec<_>>(), [2, 5, 4, 3], "{}", run.stdout);
    assert_eq!((run.status, run.messages().states("items").last().unwrap()["at"].clone()), (0, json!("2024-01-08")));
    assert_eq!(targets(&server).len(), 4);
}

/// A stream whose paging begins again at the newest record after two records.
fn from_newest(server: &Server, more: Value) -> Value {
    let limits = json!({"type": "PaginationResetLimits", "number_of_records": 2});
    let reset = json!({"type": "PaginationReset", "action": "SPLIT_USING_CURSOR", "limits": limits});
    stream(server, cursor(more), json!({"pagination_reset": reset}), json!({}))
}

#[test]
fn paging_of_a_filtered_cursor_begins_again_at_the_newest_record() {
    // The older record is left out, and does not count.
    let server = Server::start(|request: &Request| match request.target.contains("from=2024-01-01") {
        true => items(json!([
            {"id": 0, "at": "2023-12-01"}, {"id": 1, "at": "2024-01-02"}, {"id": 2, "at": "2024-01-05"},
        ])),
        false => items(json!([{"id": 3, "at": "2024-01-06"}])),
    });
    let run = read(&from_newest(&server, json!({"is_client_side_incremental": true})), "incremental");
    assert_eq!((run.messages().records("items").len(), run.status), (3, 0), "{}", run.stdout);
    assert_eq!(targets(&server)[1], "/items?from=2024-01-05&to=2024-01-08");

    // Of a data feed, a page whose last record is too old is the last one, also at the limit.
    let server =
        Server::start(|_: &Request| items(json!([{"id": 2, "at": "2024-01-05"}, {"id": 1, "at": "2023-12-02"}])));
    let run = read(&from_newest(&server, json!({"is_data_feed": true})), "incremental");
    assert_eq!((run.messages().records("items").len(), run.status), (1, 0), "{}", run.stdout);
    assert_eq!(targets(&server).len(), 1);
}

#[test]
fn a_redirect_that_leads_nowhere_is_no_page_and_null_is_named() {
    let server = Server::start(|_: &Request| Reply::empty(302));
    let run = read(&stream(&server, json!({}), json!({}), json!({})), "full_refresh");
    assert!(run.stdout.contains("It is a redirect without a target"), "{}", run.stdout);
    assert_eq!(run.messages().statuses("items"), ["STARTED", "INCOMPLETE"]);

    let paginator = json!({
        "type": "DefaultPaginator", "page_token_option": {"type": "RequestPath"},
        "pagination_strategy": {"type": "CursorPagination", "cursor_value": "{{ response['next']['url'] }}"},
    });
    let server = Server::start(|_: &Request| Reply::text("null"));
    let run = read(&stream(&server, json!({}), json!({"paginator": paginator}), json!({})), "full_refresh");
    assert!(run.stdout.contains("The response is `null`, so the next page is unknown"), "{}", run.stdout);
}

#[test]
fn a_login_may_be_answered_in_xml() {
    let server = Server::start(|request: &Request| match &*request.target {
        "/login" => Reply::text("<session><token>t0ken</token></session>"),
        _ if request.header("authorization") == Some("Bearer t0ken") => items(json!([{"id": 1}])),
        _ => Reply::empty(401),
    });
    let login = json!({"type": "HttpRequester", "url_base": server.url(), "path": "login", "http_method": "POST"});
    let auth = json!({"authenticator": {
        "type": "SessionTokenAuthenticator", "login_requester": login, "session_token_path": ["session", "token"],
        "decoder": {"type": "XmlDecoder"}, "expiration_duration": "PT1H",
        "request_authentication": {"type": "Bearer"},
    }});
    let run = read(&stream(&server, json!({}), json!({}), auth), "full_refresh");
    assert_eq!(run.messages().records("items"), [r#"{"id":1}"#], "{}", run.stdout);
}

#[test]
fn tokens_without_a_quota_are_reported_and_nothing_panics() {
    let server = Server::start(|_: &Request| Reply::empty(404));
    let auth = json!({"authenticator": {
        "type": "RateLimitedMultipleTokenAuthenticator", "tokens": ["a"], "quotas": [],
        "quota_status_source": {"type": "QuotaStatusSource", "url": server.url()},
    }});
    let run = read(&stream(&server, json!({}), json!({}), auth), "full_refresh");
    assert!(run.stdout.contains("quotas: has 0 of at least 1 items"), "{}", run.stdout);
    assert!(!run.stdout.contains("has hit a bug"), "{}", run.stdout);
}
