//! `examples/manifests/`: each is read with its config, and its whole output compared with the file in `golden/`.
//! `UPDATE_GOLDEN=1 cargo test manifests` rewrites the files.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{Finished, InProcess, Reply, Request, Server};
use stripe_mock::StripeMock;

const KEY: &str = "k3y-of-the-library";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn example(name: &str) -> PathBuf {
    root().join("examples/manifests").join(name)
}

/// The config beside a manifest, with the address of a server.
fn config(name: &str, api_url: &str) -> Value {
    let text = std::fs::read_to_string(example(&format!("{name}.config.json"))).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["api_url"] = api_url.into();
    config
}

/// Runs a command over an example. The key is in the environment, as the config says.
fn run(name: &str, api_url: &str, variable: &str, key: &str, command: &str) -> Finished {
    let run = InProcess::with_registry(Registry::built_in()).config(&config(name, api_url)).env(variable, key);
    let run = run.arg("--manifest-path").arg(example(&format!("{name}.yaml")));
    match command {
        "read" => run.arg("--workers").arg("1").run(command),
        _ => run.run(command),
    }
}

/// Compares an output with its file, line by line.
pub(super) fn compare(name: &str, stdout: &str) {
    let path = root().join("integration_tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, stdout).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (line, (is, should)) in stdout.lines().zip(golden.lines()).enumerate() {
        assert_eq!(is, should, "line {} of golden/{name}", line + 1);
    }
    assert_eq!(stdout.lines().count(), golden.lines().count());
}

/// Two branches, one without loans of its own; and books of two genres.
fn library(request: &Request) -> Reply {
    if request.header("x-api-key") != Some(KEY) {
        return Reply::json(json!({"error": "no key"})).status(403);
    }
    let books = |first: u64, count: u64| -> Vec<Value> {
        let book = |id: u64| {
            json!({
                "id": id, "title": format!("Book {id}"), "year": 1990 + id, "status": if id == 2 { "lost" } else { "in" },
                "internal": true, "shelf": {"row": "A", "sensor": 7}
            })
        };
        (first..first + count).map(book).collect()
    };
    let items = match (request.path.as_str(), request.param("genre"), request.param("page")) {
        ("/branches", ..) => json!([{"id": 1, "name": "North"}, {"id": 2, "name": "South"}]),
        ("/branches/1/loans", ..) => json!([{"id": 10, "book": 1}, {"id": 11, "book": 3}]),
        ("/books", Some("crime"), Some("1")) => json!(books(1, 2)),
        ("/books", Some("crime"), Some("2")) => json!(books(3, 1)),
        ("/books", Some("poetry"), Some("1")) => json!(books(8, 1)),
        _ => return Reply::json(json!({"error": "there is no such list"})).status(404),
    };
    Reply::json(json!({ "items": items }))
}

#[test]
fn the_library_reads_parents_children_partitions_and_changed_records() {
    let server = Server::start(library);
    let done = run("library", &server.url(), "LIBRARY_API_KEY", KEY, "read");
    compare("library.jsonl", &done.stdout);
    assert_eq!(done.status, 0);
    assert_eq!(
        server.conversation(),
        [
            "GET /branches",
            "GET /books?page=1&per_page=2&genre=crime",
            "GET /books?page=2&per_page=2&genre=crime",
            "GET /books?page=1&per_page=2&genre=poetry",
            "GET /branches/1/loans",
            "GET /branches/2/loans",
        ]
    );
    let done = run("library", &server.url(), "LIBRARY_API_KEY", KEY, "check");
    assert_eq!(done.messages().connection_status().0, "SUCCEEDED");
}

#[test]
fn the_library_tells_who_can_fix_a_key_that_cannot_read() {
    let server = Server::start(library);
    let done = run("library", &server.url(), "LIBRARY_API_KEY", "an0ther-key", "check");
    let messages = done.messages();
    let (status, message) = messages.connection_status();
    assert_eq!(status, "FAILED");
    assert!(message.unwrap().contains("Ask the library for a key that may."), "{message:?}");
    assert!(!done.stdout.contains("an0ther-key"), "{}", done.stdout);
}

#[test]
fn the_refunds_of_the_mock_are_read_page_by_page() {
    let mock = StripeMock::builder().count("refunds", 102).start();
    let done = run("refunds", &format!("{}/v1", mock.url()), "STRIPE_API_KEY", mock.key(), "read");
    assert_eq!((done.status, done.messages().records("refunds").len()), (0, 102));
    let asked = mock.server().conversation();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0] == "GET /v1/refunds?limit=100" && asked[1].starts_with("GET /v1/refunds?"), "{asked:?}");
    let done = run("refunds", &format!("{}/v1", mock.url()), "STRIPE_API_KEY", mock.key(), "discover");
    let catalog = done.messages().catalog().clone();
    assert_eq!(catalog["streams"][0]["json_schema"]["properties"]["amount"], json!({"type": ["integer", "null"]}));
}

/// Reports of three months: the second has two files, the third is empty.
fn reports(request: &Request) -> Reply {
    if request.header("x-api-key") != Some(KEY) {
        return Reply::json(json!({"error": "no key"})).status(403);
    }
    let csv = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        Reply::shared("application/gzip", encoder.finish().unwrap())
    };
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/reports") => {
            let asked: Value = serde_json::from_str(&request.body_text()).unwrap();
            Reply::json(json!({"id": &asked["from"].as_str().unwrap()[..7]}))
        }
        ("GET", "/reports/2026-01") => Reply::json(json!({"state": "ready", "files": ["a"]})),
        ("GET", "/reports/2026-02") => Reply::json(json!({"state": "ready", "files": ["b", "c"]})),
        ("GET", "/reports/2026-03") => Reply::json(json!({"state": "empty"})),
        ("GET", "/files/a") => csv("id,day,branch,visitors\n1,2026-01-05,North,12\n2,2026-01-06,South,7\n"),
        ("GET", "/files/b") => csv("id,day,branch,visitors\n3,2026-02-01,North,9\n"),
        ("GET", "/files/c") => csv("id,day,branch,visitors\n4,2026-02-27,South,11\n"),
        _ => Reply::json(json!({})),
    }
}

#[test]
fn reports_are_made_by_jobs_and_come_as_files() {
    let server = Server::start(reports);
    let done = run("reports", &server.url(), "REPORTS_API_KEY", KEY, "read");
    compare("reports.jsonl", &done.stdout);
    assert_eq!(done.status, 0);
    assert_eq!(
        server.conversation(),
        [
            "POST /reports",
            "GET /reports/2026-01",
            "GET /files/a",
            "POST /reports/2026-01/delete",
            "POST /reports",
            "GET /reports/2026-02",
            "GET /files/b",
            "GET /files/c",
            "POST /reports/2026-02/delete",
            "POST /reports",
            "GET /reports/2026-03",
        ]
    );
    let done = run("reports", &server.url(), "REPORTS_API_KEY", KEY, "check");
    assert_eq!(done.messages().connection_status().0, "SUCCEEDED");
}

/// Exports of two shops, each a ZIP archive of two files.
fn orders(request: &Request, url: &str) -> Reply {
    let archive = |first: u64| {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for n in 0..2 {
            let (id, month) = (first + 2 * n, n + 1);
            archive.start_file(format!("orders-{month}.csv"), zip::write::SimpleFileOptions::default()).unwrap();
            let rows = format!("{id};paid;12.50;2026-0{month}-03\n{};draft;;2026-0{month}-04\n", id + 1);
            archive.write_all(format!("id;state;total;changed\n{rows}").as_bytes()).unwrap();
        }
        Reply::shared("application/zip", archive.finish().unwrap().into_inner())
    };
    let is_known = request.header("authorization") == Some(&format!("Bearer {KEY}"));
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/archives/north") => archive(1),
        ("GET", "/archives/south") => archive(101),
        _ if !is_known => Reply::json(json!({"error": "no token"})).status(401),
        ("POST", "/exports") => {
            let asked: Value = serde_json::from_str(&request.body_text()).unwrap();
            Reply::json(json!({"export": {"id": asked["shop"]}}))
        }
        (_, path) => {
            let archives = json!([{"url": format!("{url}/archives/{}", path.trim_start_matches("/exports/"))}]);
            Reply::json(json!({"export": {"status": "COMPLETED", "archives": archives}}))
        }
    }
}

#[test]
fn orders_are_exported_as_archives_that_need_no_login() {
    let url = Arc::new(OnceLock::new());
    let known: Arc<OnceLock<String>> = url.clone();
    let server = Server::start(move |request: &Request| orders(request, known.wait()));
    url.set(server.url()).unwrap();
    let done = run("orders", &server.url(), "ORDERS_TOKEN", KEY, "read");
    compare("orders.jsonl", &done.stdout);
    assert_eq!(done.status, 0);
    let of = |shop: &str| ["POST /exports".into(), format!("GET /exports/{shop}"), format!("GET /archives/{shop}")];
    assert_eq!(server.conversation(), [of("north"), of("south")].concat());
    let downloads = server.requests().into_iter().filter(|request| request.path.starts_with("/archives"));
    assert!(downloads.into_iter().all(|request| request.header("authorization").is_none()));
    let done = run("orders", &server.url(), "ORDERS_TOKEN", KEY, "check");
    assert_eq!(done.messages().connection_status().0, "SUCCEEDED");
}

#[test]
fn about_lists_the_streams_of_a_manifest_without_a_config() {
    let about = |name: &str| {
        let run = InProcess::with_registry(Registry::built_in()).arg("--manifest-path").arg(example(name));
        run.run_text("about").stdout
    };
    let library = about("library.yaml");
    let streams: Vec<&str> = library.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(streams[streams.len() - 3..], ["branches", "books", "loans"], "{library}");
}
