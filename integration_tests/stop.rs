//! A run that is stopped early: states cover the records written, no further request is sent, and every begun stream is
//! reported as incomplete.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::json;
use source_http::clock::{Clock, SystemClock};
use source_http::stop::{Stop, StopReason};
use source_http_testkit::{Fault, Finished, InProcess, Reply, Request, Server};

use crate::support::{BusyPort, Steps, TestSource};

/// Far more than a stop takes on a busy machine, and less than the shortest of our own timeouts.
const PROMPT: Duration = Duration::from_secs(25);
/// Longer than any test may take.
const FOR_EVER: Duration = Duration::from_secs(600);

/// The stop of the run that a server belongs to, once the run exists.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Option<Stop>>>);

impl Ends {
    fn request(&self) {
        self.0.lock().unwrap().as_ref().unwrap().request(StopReason::Terminated);
    }

    /// Runs a command, and asserts that it ends soon.
    fn run(&self, connector: InProcess, command: &str) -> Finished {
        *self.0.lock().unwrap() = Some(connector.stop());
        let clock = SystemClock::new();
        let done = connector.run(command);
        assert!(clock.elapsed() < PROMPT, "{command} went on for {:?}", clock.elapsed());
        done
    }
}

fn steps(streams: Vec<Steps>) -> InProcess {
    InProcess::new(TestSource::new(move |_, _| streams.iter().cloned().map(Steps::boxed).collect())).config(&json!({}))
}

/// The page of a path: one record with the page's number.
fn page(request: &Request) -> Reply {
    let number: u64 = request.path.rsplit('/').next().unwrap().parse().unwrap();
    Reply::json(json!({"data": [{"id": number}]}))
}

const STOPPED: &str = "SIGTERM ended this run before it was done. Run it again to resume from the last states.";

#[test]
fn a_stop_ends_a_request_at_once_in_the_head_and_in_the_body_and_the_next_run_resumes() {
    for silence in [
        Fault::SilenceBeforeHead(FOR_EVER),
        Fault::SilenceInBody { after: 0, lasting: FOR_EVER },
        Fault::SilenceInBody { after: 5, lasting: FOR_EVER },
    ] {
        let ends = Ends::default();
        let (ending, is_silent) = (ends.clone(), Arc::new(AtomicUsize::new(1)));
        let server = Server::start(move |request: &Request| {
            let reply = page(request);
            if request.path != "/a/3" || is_silent.swap(0, Ordering::SeqCst) == 0 {
                return reply;
            }
            // From another thread, before or after the silence begins.
            let ending = ending.clone();
            thread::spawn(move || ending.request());
            reply.fault(silence.clone())
        });
        let streams = || vec![Steps::new("a", server.url(), 4), Steps::new("b", server.url(), 1)];
        let done = ends.run(steps(streams()).arg("--workers").arg("1"), "read");
        let messages = done.messages();
        assert_eq!(messages.records("a"), [r#"{"id":1}"#, r#"{"id":2}"#]);
        assert_eq!(messages.statuses("a"), ["STARTED", "RUNNING", "INCOMPLETE"]);
        assert_eq!(messages.statuses("b"), Vec::<&str>::new(), "it was not begun");
        let errors = messages.errors().into_iter().map(|error| (error.message, error.failure_type, error.stream));
        let transient = || Some("transient_error".to_owned());
        assert_eq!(
            errors.collect::<Vec<_>>(),
            [(STOPPED.to_owned(), transient(), Some("a".to_owned())), (STOPPED.to_owned(), transient(), None)]
        );
        assert_eq!((done.status, done.sleeps.len()), (143, 0));
        assert_eq!(server.conversation(), ["GET /a/1", "GET /a/2", "GET /a/3"]);

        let state = serde_json::from_str(&messages.state_file()).unwrap();
        let rest = steps(streams()).state(&state).run("read");
        assert_eq!(rest.messages().records("a"), [r#"{"id":3}"#, r#"{"id":4}"#]);
        assert_eq!(rest.status, 0);
    }
}

#[test]
fn a_stop_reaches_all_workers_at_once_whatever_they_wait_for() {
    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let ends = Ends::default();
    let (ending, silent) = (ends.clone(), AtomicUsize::new(0));
    let server = Server::start(move |request: &Request| {
        if request.path.ends_with("/1") {
            return page(request);
        }
        // The last one of them ends the run.
        if silent.fetch_add(1, Ordering::SeqCst) + 1 == NAMES.len() {
            ending.request();
        }
        page(request).fault(Fault::SilenceBeforeHead(FOR_EVER))
    });
    let streams = NAMES.map(|name| Steps::new(name, server.url(), 2)).into();
    let done = ends.run(steps(streams).arg("--workers").arg("6"), "read");
    let messages = done.messages();
    for name in NAMES {
        assert_eq!(messages.statuses(name), ["STARTED", "RUNNING", "INCOMPLETE"]);
        assert_eq!((messages.records(name).len(), messages.states(name).len()), (1, 1));
    }
    assert_eq!((done.status, server.requests().len()), (143, 12));
}

#[test]
fn a_stop_does_not_wait_for_a_connection() {
    let (ends, port) = (Ends::default(), BusyPort::new());
    let mut stream = Steps::new("a", format!("http://{}", port.addr()), 1);
    stream.options.connect_timeout = FOR_EVER;
    let connector = steps(vec![stream]);
    let stop = connector.stop();
    let ending = thread::spawn(move || {
        // By then it has started or not: both are fine.
        Stop::default().wait(Duration::from_millis(200));
        stop.request(StopReason::Interrupted);
    });
    let done = ends.run(connector, "read");
    ending.join().unwrap();
    assert_eq!((done.messages().statuses("a"), done.status), (vec!["STARTED", "INCOMPLETE"], 130));
}

#[test]
fn a_failure_before_the_stop_is_reported_again_at_the_end_and_its_kind_is_the_worst() {
    let ends = Ends::default();
    let ending = ends.clone();
    let server = Server::start(move |request: &Request| {
        if request.path == "/a/1" {
            return Reply::json(json!({"error": "no"})).status(403);
        }
        ending.request();
        page(request).fault(Fault::SilenceBeforeHead(FOR_EVER))
    });
    let streams = ["a", "b"].map(|name| Steps::new(name, server.url(), 1)).into();
    let done = ends.run(steps(streams).arg("--workers").arg("1"), "read");
    let last = done.messages().errors().pop().unwrap();
    assert!(last.message.starts_with(&format!("{STOPPED}\na: GET ")), "{}", last.message);
    assert_eq!((last.failure_type.as_deref(), done.status), (Some("config_error"), 143));
}

#[test]
fn a_check_that_is_stopped_says_nothing_about_the_config() {
    let ends = Ends::default();
    let ending = ends.clone();
    let server = Server::start(move |request: &Request| {
        ending.request();
        page(request).fault(Fault::SilenceBeforeHead(FOR_EVER))
    });
    let done = ends.run(steps(vec![Steps::new("a", server.url(), 1)]), "check");
    let messages = done.messages();
    let errors: Vec<_> = messages.errors().into_iter().map(|error| error.message).collect();
    assert_eq!((errors, done.status), (vec![STOPPED.to_owned()], 143));
    assert!(!done.stdout.contains("CONNECTION_STATUS"), "{}", done.stdout);
}

#[test]
fn a_run_that_is_stopped_before_it_begins_requests_nothing() {
    let server = Server::start(page);
    let connector = steps(vec![Steps::new("a", server.url(), 1)]);
    connector.stop().request(StopReason::Interrupted);
    let done = connector.run("read");
    assert_eq!((done.status, server.requests().len()), (130, 0));
    assert_eq!(done.messages().statuses("a"), Vec::<&str>::new());
}
