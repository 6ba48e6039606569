//! Damage to the cache's file, and its effect on the read.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::read::GzDecoder;
use source_http::http::auth::TokenAuthenticator;
use source_http::protocol::Redactor;
use source_http::stop::{Stop, StopReason};
use source_http_testkit::{Finished, Reply, Request, Server};

use super::{List, files, one_page, page, read, said, warnings};
use crate::support::binary::Binary;

/// A change of the cache's file while the third page of the first stream is served.
type Sabotage = fn(&Path) -> Box<dyn Send>;

/// Reads three pages twice, with `sabotage` in between, and without a cache; returns both runs and the number of
/// requests of the first.
fn sabotaged(sabotage: Sabotage) -> (Finished, Finished, usize) {
    let folder = tempfile::tempdir().expect("a directory");
    let watched = folder.path().to_owned();
    let done_to = Mutex::new(None);
    let server = Server::start(move |request: &Request| {
        let n: usize = request.path.trim_start_matches("/list/").parse().expect("a number");
        let mut done_to = done_to.lock().expect("a lock");
        if n == 3 && done_to.is_none() {
            let files = files(&watched);
            assert_eq!(files.len(), 1, "{files:?}");
            *done_to = Some(sabotage(&files[0]));
        }
        page(n)
    });
    let streams = |url: &str| ["a", "b"].map(|name| List { pages: 3, ..List::new(name, url) }).into();
    let done = read(&server.url(), streams).arg("--cache-dir").arg(folder.path()).run("read");
    let requests = server.requests().len();
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new(), "the file is removed whatever it has become");
    let whole =
        Server::start(|request: &Request| page(request.path.trim_start_matches("/list/").parse().expect("a number")));
    (done, read(&whole.url(), streams).run("read"), requests)
}

#[test]
fn a_file_that_is_spoilt_in_mid_read_costs_one_warning_and_changes_nothing_else() {
    let ways: [(&str, Sabotage); 3] = [
        ("garbage", |file| {
            let length = fs::metadata(file).expect("the file").len();
            let mut opened = fs::OpenOptions::new().write(true).open(file).expect("the file");
            opened.write_all(&vec![0xa5; usize::try_from(length).expect("a length")]).expect("written");
            Box::new(())
        }),
        ("emptied", |file| {
            fs::OpenOptions::new().write(true).truncate(true).open(file).expect("the file");
            Box::new(())
        }),
        ("locked", |file| {
            let other = rusqlite::Connection::open(file).expect("the file");
            other.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
            Box::new(other)
        }),
    ];
    for (way, sabotage) in ways {
        let (done, whole, requests) = sabotaged(sabotage);
        assert_eq!((done.status, said(&done)), (0, said(&whole)), "{way}");
        let warnings = warnings(&done);
        assert!(
            warnings.len() == 1 && warnings[0].contains("response cache can no longer be used"),
            "{way}: \
             {warnings:?}"
        );
        assert_eq!(requests, 6, "{way}: nothing is answered from a file that is not trusted");
    }
}

#[test]
fn a_file_whose_pages_were_scribbled_over_never_changes_the_records() {
    let (done, whole, _) = sabotaged(|file| {
        let mut bytes = fs::read(file).expect("the file");
        // Leaves the database's head as it is, so the damage is not visible at once.
        bytes[4096..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::write(file, bytes).expect("written");
        Box::new(())
    });
    assert_eq!((done.status, said(&done)), (0, said(&whole)));
    assert!(warnings(&done).len() <= 1);
}

#[test]
fn a_directory_that_cannot_be_used_costs_one_warning_and_changes_nothing_else() {
    let server = one_page();
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    // Root may write anywhere, but not below a file.
    let streams = |url: &str| ["a", "b"].map(|name| List::new(name, url)).into();
    let done = read(&server.url(), streams).arg("--cache-dir").arg(file.join("cache")).run("read");
    assert_eq!((done.status, server.take_requests().len()), (0, 2));
    let warnings = warnings(&done);
    assert!(warnings.len() == 1 && warnings[0].contains("file/cache: "), "{warnings:?}");
    assert_eq!(said(&done), said(&read(&server.url(), streams).run("read")));
}

#[test]
fn a_read_only_directory_costs_at_most_one_warning_and_changes_nothing_else() {
    let server = one_page();
    let folder = tempfile::tempdir().expect("a directory");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).expect("permissions");
    let is_barred = fs::write(folder.path().join("probe"), "").is_err();
    let _ = fs::remove_file(folder.path().join("probe"));
    let streams = |url: &str| ["a", "b"].map(|name| List::new(name, url)).into();
    let done = read(&server.url(), streams).arg("--cache-dir").arg(folder.path()).run("read");
    // Permissions do not stop root.
    let expected = if is_barred { (0, 2, 1) } else { (0, 1, 0) };
    assert_eq!((done.status, server.take_requests().len(), warnings(&done).len()), expected);
    assert_eq!(said(&done), said(&read(&server.url(), streams).run("read")));
}

#[test]
fn the_file_is_for_its_owner_only_holds_no_secret_and_is_removed_after_success_failure_and_panic() {
    for (name, last, panics_after, exit) in
        [("success", 200, None, 0), ("failure", 403, None, 1), ("panic", 200, Some(2), 1)]
    {
        let parent = tempfile::tempdir().expect("a directory");
        let folder = parent.path().join("made/for/it");
        let (watched, seen) = (folder.clone(), Arc::new(Mutex::new(Vec::new())));
        let noted = seen.clone();
        let server = Server::start(move |request: &Request| {
            let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
            let file = &files(&watched)[0];
            let bytes = fs::read(file).expect("the file");
            noted.lock().expect("a lock").push((mode(&watched), mode(file), bytes));
            let reply = Reply::json_text(r#"{"data":[{"id":1}]}"#).header("Set-Cookie", "session=topsecret");
            if request.path == "/list/2" { reply.status(last) } else { reply }
        });
        let done = read(&server.url(), move |url| {
            let token = TokenAuthenticator::bearer("topsecret", &Redactor::default());
            let params = vec![("key".to_owned(), "topsecret".to_owned())];
            vec![List { pages: 2, authenticator: Box::new(token), params, panics_after, ..List::new("a", url) }]
        });
        let done = done.arg("--cache-dir").arg(&folder).run("read");
        assert_eq!((done.status, files(&folder)), (exit, Vec::new()), "{name}");
        let seen = seen.lock().expect("a lock");
        assert_eq!(seen.len(), 2, "{name}");
        for (directory, file, bytes) in &*seen {
            assert_eq!((*directory, *file), (0o700, 0o600), "{name}");
            let text = String::from_utf8_lossy(bytes);
            assert!(text.starts_with("SQLite") && !text.contains("topsecret"), "{name}");
        }
        let entries = entries(&seen[1].2);
        assert!(entries.len() == 1 && entries[0].contains(r#""id":1"#), "{name}: {entries:?}");
        assert!(!entries[0].contains("topsecret"), "{name}: {entries:?}");
        assert_ne!(seen[0].2, seen[1].2, "{name}: the first page has been kept by the second");
    }
}

/// What is kept in a file with these bytes, decompressed.
fn entries(file: &[u8]) -> Vec<String> {
    let copy = tempfile::NamedTempFile::new().expect("a file");
    fs::write(copy.path(), file).expect("written");
    let database = rusqlite::Connection::open(copy.path()).expect("a database");
    let mut query = database.prepare("SELECT bytes FROM entries").expect("the table");
    let blobs = query.query_map((), |row| row.get::<_, Vec<u8>>(0)).expect("entries");
    let text = |blob: Vec<u8>| {
        let mut bytes = Vec::new();
        GzDecoder::new(blob.as_slice()).read_to_end(&mut bytes).expect("gzip");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    blobs.map(|blob| text(blob.expect("an entry"))).collect()
}

#[test]
fn the_directory_can_be_named_by_a_flag_or_a_variable() {
    let help = Binary::new(&["read", "--help"]).run().stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("--cache-dir <DIR>") && help.contains("[env: SOURCE_HTTP_CACHE_DIR]"), "{help}");
}

#[test]
fn a_run_that_is_stopped_removes_the_file() {
    let folder = tempfile::tempdir().expect("a directory");
    let (watched, stop) = (folder.path().to_owned(), Arc::new(Mutex::new(None::<Stop>)));
    let ended_by = stop.clone();
    let server = Server::start(move |request: &Request| {
        if request.path == "/list/2" {
            assert_eq!(files(&watched).len(), 1);
            ended_by.lock().expect("a lock").take().expect("once").request(StopReason::Terminated);
        }
        page(1)
    });
    let connector = read(&server.url(), |url| vec![List { pages: 2, ..List::new("a", url) }]);
    *stop.lock().expect("a lock") = Some(connector.stop());
    let done = connector.arg("--cache-dir").arg(folder.path()).run("read");
    assert_eq!((done.status, files(folder.path())), (143, Vec::<PathBuf>::new()));
}

/// Set for the process that a test starts in order to kill it: the server to read from, and where the file is to be.
const TO_BE_KILLED: &str = "CACHE_TEST_URL";
const CACHE_DIR: &str = "CACHE_TEST_DIR";

/// In a process that will be killed, reads a page that is stored and one that never comes. Otherwise starts the test of
/// that name in such a process, kills it when it waits for the second page, and returns the directory for its temporary
/// files.
fn killed(test: &str, cache_dir: Option<&Path>) -> Option<tempfile::TempDir> {
    if let Ok(url) = std::env::var(TO_BE_KILLED) {
        let mut connector = read(&url, |url| vec![List { pages: 2, ..List::new("a", url) }]);
        if let Some(directory) = std::env::var_os(CACHE_DIR) {
            connector = connector.arg("--cache-dir").arg(directory);
        }
        connector.run("read");
        return None;
    }
    let (told, second_page) = std::sync::mpsc::channel();
    let server = Server::start(move |request: &Request| {
        if request.path == "/list/2" {
            told.send(()).expect("the test waits");
            return page(2).delay(Duration::from_secs(20));
        }
        page(1)
    });
    let folder = tempfile::tempdir().expect("a directory");
    let mut child = std::process::Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", &format!("cache::file::{test}")])
        .env(TO_BE_KILLED, server.url())
        .envs(cache_dir.map(|directory| (CACHE_DIR, directory)))
        .env("TMPDIR", folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a process");
    let reached = second_page.recv_timeout(Duration::from_secs(60));
    child.kill().expect("killed");
    child.wait().expect("gone");
    reached.expect("the first page was kept and the second asked for");
    Some(folder)
}

#[test]
fn a_process_that_is_killed_leaves_no_file_behind() {
    let Some(folder) = killed("a_process_that_is_killed_leaves_no_file_behind", None) else { return };
    // The test's own connector knows its arguments from files that are not the cache's.
    let left: Vec<_> = files(folder.path())
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("source-http-") || path.to_string_lossy().contains("responses-"))
        .collect();
    assert_eq!(left, Vec::<PathBuf>::new());
}

#[test]
fn what_a_killed_process_leaves_in_a_named_directory_is_removed_by_the_next_run() {
    let cache = tempfile::tempdir().expect("a directory");
    let test = "what_a_killed_process_leaves_in_a_named_directory_is_removed_by_the_next_run";
    if killed(test, Some(cache.path())).is_none() {
        return;
    }
    let left = files(cache.path());
    assert_eq!(left.len(), 1, "{left:?}");
    let watched = cache.path().to_owned();
    let server = Server::start(move |request: &Request| {
        if request.path == "/list/2" {
            // Only its own file.
            let files = files(&watched);
            assert!(files.len() == 1 && files != left, "{files:?}");
        }
        page(1)
    });
    let connector = read(&server.url(), |url| vec![List { pages: 2, ..List::new("a", url) }]);
    let done = connector.arg("--cache-dir").arg(cache.path()).run("read");
    assert_eq!((done.status, files(cache.path())), (0, Vec::<PathBuf>::new()));
}
