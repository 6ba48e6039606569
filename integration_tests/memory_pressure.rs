//! A container whose memory is nearly used up: the sync ends with its states before the system kills it.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use source_http::clock::VirtualClock;
use source_http_testkit::{InProcess, Reply, Request, Server};

use crate::support::{Steps, connector};

/// The files of a container with a limit of 1 GiB and this many bytes of it in use, of which a quarter is page cache.
fn container(root: &Path, used: u64) {
    let folder = root.join("sys/fs/cgroup");
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(root.join("proc/self")).unwrap();
    for (file, text) in [
        ("sys/fs/cgroup/memory.max", (1_u64 << 30).to_string()),
        ("sys/fs/cgroup/memory.current", used.to_string()),
        ("sys/fs/cgroup/memory.stat", format!("inactive_file {}\nactive_file 0\n", used / 4)),
        ("proc/self/cgroup", "0::/\n".to_owned()),
    ] {
        fs::write(root.join(file), text).unwrap();
    }
}

fn five_pages(server: &Server) -> InProcess {
    let url = server.url();
    connector(move || Steps::new("a", &*url, 5).boxed())
}

/// Reads five pages, with some seconds between them, and uses up memory with the third.
fn read(used: u64) -> (source_http_testkit::Finished, Server) {
    let root = tempfile::tempdir().unwrap();
    container(root.path(), 1 << 20);
    let (files, clock) = (root.path().to_owned(), Arc::new(Mutex::new(None::<Arc<VirtualClock>>)));
    let time = clock.clone();
    let server = Server::start(move |request: &Request| {
        if let Some(clock) = &*time.lock().unwrap() {
            clock.advance(Duration::from_secs(2));
        }
        let number: u64 = request.path.rsplit('/').next().unwrap().parse().unwrap();
        if number == 3 {
            container(&files, used);
        }
        Reply::json(json!({"data": [{"id": number}]}))
    });
    let connector = five_pages(&server).memory(root.path());
    *clock.lock().unwrap() = Some(connector.clock());
    (connector.run("read"), server)
}

#[test]
fn a_read_that_runs_out_of_memory_ends_with_its_states_and_the_next_one_resumes() {
    let (done, server) = read(1 << 31);
    let messages = done.messages();
    assert_eq!(messages.records("a"), [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    assert_eq!(messages.statuses("a"), ["STARTED", "RUNNING", "INCOMPLETE"]);
    let last = messages.errors().pop().unwrap();
    assert!(last.message.starts_with("Memory is nearly used up: 1536 of the 1024 MiB"), "{}", last.message);
    for fix in ["memory.max", "Raise the limit, or read with fewer workers."] {
        assert!(last.message.contains(fix), "{}", last.message);
    }
    assert_eq!((last.failure_type.as_deref(), done.status), (Some("transient_error"), 1));
    assert_eq!(server.conversation(), ["GET /a/1", "GET /a/2", "GET /a/3"]);

    let state = serde_json::from_str(&messages.state_file()).unwrap();
    let rest = five_pages(&server).state(&state).run("read");
    assert_eq!(rest.messages().records("a"), [r#"{"id":4}"#, r#"{"id":5}"#]);
}

#[test]
fn page_cache_ends_no_read() {
    // The whole limit, a quarter of which the system can take back.
    let (done, server) = read(1 << 30);
    assert_eq!((done.status, done.messages().record_count(), server.requests().len()), (0, 5, 5));
}
