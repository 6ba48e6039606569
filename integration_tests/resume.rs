//! A read that was interrupted, after any line, and resumed from the last state it printed, gives every record.

use std::collections::BTreeSet;

use source_http::Registry;
use source_http_testkit::{InProcess, Messages, Reply};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::StripeMock;

use crate::support::binary::config;
use crate::support::up_to_every_state;

/// One stream of each kind: creation windows, a list pass in windows, a list pass without.
const STREAMS: [&str; 3] = ["balance_transactions", "charges", "accounts"];

fn read(mock: &StripeMock, stream: &str, mode: &str, state: Option<&str>) -> String {
    let mut connector = InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW)
        .config(&slices(mock))
        .streams(&[(stream, mode)]);
    if let Some(state) = state {
        connector = connector.state(&serde_json::from_str(state).unwrap());
    }
    connector.run("read").stdout
}

/// Reads no more than this many records.
fn limited(mock: &StripeMock, stream: &str, limit: u32) -> Messages {
    InProcess::with_registry(Registry::built_in())
        .now(DEFAULT_NOW)
        .config(&slices(mock))
        .streams(&[(stream, "incremental")])
        .arg("--limit")
        .arg(limit.to_string())
        .run("read")
        .messages()
}

/// Windows of 80 days and a start one year back: several windows, each of several pages.
fn slices(mock: &StripeMock) -> serde_json::Value {
    let mut config = config(mock);
    let start = jiff::Timestamp::from_second(DEFAULT_NOW - 365 * 86_400).unwrap();
    config["start_date"] = format!("{start:.0}").into();
    config["slice_range"] = 80.into();
    config
}

fn ids(messages: &Messages, stream: &str) -> BTreeSet<String> {
    let id =
        |record: &str| serde_json::from_str::<serde_json::Value>(record).unwrap()["id"].as_str().unwrap().to_owned();
    messages.records(stream).into_iter().map(id).collect()
}

fn all(mock: &StripeMock, stream: &str) -> BTreeSet<String> {
    mock.ids(stream).iter().map(ToString::to_string).collect()
}

fn mock() -> StripeMock {
    STREAMS.iter().fold(StripeMock::builder(), |mock, stream| mock.count(stream, 640)).start()
}

/// Ends an output after each of its states in turn, resumes from it, and finds every object in both parts together.
/// Returns the number of states.
fn cut_at_every_state(mock: &StripeMock, stream: &str, whole: &str, go_on: impl Fn(&str) -> String) -> usize {
    let mut cuts = 0;
    for cut in up_to_every_state(whole) {
        cuts += 1;
        let before = Messages::parse_cut(cut);
        let after = Messages::parse(&go_on(&before.state_file()));
        let both = &ids(&before, stream) | &ids(&after, stream);
        assert_eq!(both, all(mock, stream), "{stream} cut after {cuts} states");
    }
    cuts
}

#[test]
fn a_read_cut_after_any_state_loses_nothing() {
    let mock = mock();
    for stream in STREAMS {
        for mode in ["incremental", "full_refresh"] {
            let whole = read(&mock, stream, mode, None);
            let cuts = cut_at_every_state(&mock, stream, &whole, |state| read(&mock, stream, mode, Some(state)));
            assert!(cuts > 6, "{stream} was cut {cuts} times only");
        }
    }
}

/// One stream of each family, and the numbers of objects of its parents and of each parent.
const FAMILIES: [(&str, &str, u64, u64); 5] = [
    ("invoice_line_items", "invoices", 250, 12),
    ("payment_methods", "customers", 120, 3),
    ("customer_balance_transactions", "customers", 120, 3),
    ("setup_attempts", "setup_intents", 120, 12),
    ("usage_records", "subscription_items", 40, 9),
];

/// The same for lists of parents and of children, read by eight workers and by one, and cut after every line.
#[test]
fn a_read_of_children_by_many_workers_cut_after_any_state_loses_nothing() {
    for (stream, parent, parents, children) in FAMILIES {
        let mock = StripeMock::builder().count(parent, parents).children(stream, children);
        let mock = if stream == "usage_records" { mock.count("subscriptions", 20) } else { mock };
        let mock = mock.start();
        let mode = if stream == "usage_records" { "full_refresh" } else { "incremental" };
        let read = |workers: &str, state: Option<&str>| {
            let connector = InProcess::with_registry(Registry::built_in())
                .now(DEFAULT_NOW)
                .config(&slices(&mock))
                .streams(&[(stream, mode)])
                .arg("--workers")
                .arg(workers);
            let state = state.map(|state| serde_json::from_str(state).unwrap());
            let connector = state.iter().fold(connector, InProcess::state);
            connector.run("read").stdout
        };
        // How many states several workers write depends on the order in which they end.
        for (workers, at_least) in [("8", 1), ("1", 3)] {
            let whole = read(workers, None);
            assert_eq!(ids(&Messages::parse(&whole), stream), all(&mock, stream), "{stream}");
            let cuts = cut_at_every_state(&mock, stream, &whole, |state| read("1", Some(state)));
            assert!(cuts >= at_least, "{stream} was cut {cuts} times only, with {workers} workers");
        }
    }
}

#[test]
fn resuming_reads_no_page_again_that_a_state_covers() {
    let mock = mock();
    let whole = read(&mock, "charges", "incremental", None);
    let pages = mock.server().take_requests().len();
    let states: Vec<usize> = whole.match_indices("{\"type\":\"STATE\"").map(|(at, _)| at).collect();
    let end = states[states.len() / 2];
    let cut = Messages::parse_cut(&whole[..end]);
    let covered = cut.states("charges").len();
    read(&mock, "charges", "incremental", Some(&cut.state_file()));
    // The remaining pages, and one request for the events since the first pass began.
    assert!(mock.server().requests().len() <= pages - covered + 1, "{pages} pages, {covered} covered");
}

#[test]
fn a_read_that_fails_at_any_page_is_completed_by_the_next() {
    let mock = mock();
    for stream in STREAMS {
        mock.server().take_requests();
        read(&mock, stream, "incremental", None);
        let path = mock.server().take_requests()[0].path.clone();
        for page in 1..6 {
            let first = limited(&mock, stream, page * 100);
            let state = first.state_file();
            // A key that is refused is not tried again.
            mock.fault_next(&path, Reply::json_text(r#"{"error":{"message":"key revoked"}}"#).status(401));
            let failed = Messages::parse(&read(&mock, stream, "incremental", Some(&state)));
            assert_eq!(failed.statuses(stream).last(), Some(&"INCOMPLETE"), "{stream} {page}");
            assert_eq!(failed.states(stream).len(), 0, "a failed page moved the state");
            let rest = Messages::parse(&read(&mock, stream, "incremental", Some(&state)));
            assert_eq!(&ids(&first, stream) | &ids(&rest, stream), all(&mock, stream), "{stream} {page}");
        }
    }
}

#[test]
fn a_page_token_that_is_gone_has_its_slice_read_again() {
    let mock = StripeMock::builder().count("credit_notes", 350).start();
    let first = limited(&mock, "credit_notes", 100);
    let last: serde_json::Value = serde_json::from_str(first.records("credit_notes")[99]).unwrap();
    mock.remove_object("credit_notes", last["id"].as_str().unwrap());
    let again = Messages::parse(&read(&mock, "credit_notes", "incremental", Some(&first.state_file())));
    // All objects except the newest: it was already written, and is from the last minutes, which the state remembers.
    assert_eq!(again.records("credit_notes").len(), 348);
    assert!(again.logs().iter().any(|(level, text)| *level == "WARN" && text.contains("is gone")));
    assert_eq!(again.statuses("credit_notes").last(), Some(&"COMPLETE"));
}
