//! Slices and streams that are read at the same time: what is read, what states say at any moment, and how it ends.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use source_http::json::RecordPath;
use source_http::protocol::{Failure, StreamState};
use source_http::streams::{
    Cursor, DateWindows, HttpStream, Page, PageToken, Record, RequestContext, Slice, SliceContext, Slices, Transformed,
};
use source_http_testkit::{InProcess, Messages, Reply, Request, Server};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::StripeMock;

use crate::support::binary::{Binary, config};
use crate::support::{Interruption, TestSource, up_to_every_state};

/// The slices of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Spans of the cursor, oldest first: one state for all.
    Spans,
    /// Hundreds by their number: a state for each.
    Hundreds,
    /// The same, with a marker after every five: numbers below it are not requested again.
    Marked,
}

/// The multiples of ten below `100 * hundreds`, three a page.
#[derive(Clone)]
struct Numbers {
    name: &'static str,
    url: String,
    cut: Cut,
    hundreds: i64,
    resumable: bool,
    interval: Option<u64>,
    panics_at: Option<i64>,
}

impl Numbers {
    fn new(server: &Server, cut: Cut, hundreds: i64) -> Self {
        let url = server.url();
        Self { name: "numbers", url, cut, hundreds, resumable: true, interval: None, panics_at: None }
    }

    fn slices(&self, state: &StreamState) -> Vec<Slice> {
        let number = |name: &str| state.get(name).and_then(Value::as_i64).unwrap_or_default();
        if self.cut == Cut::Spans {
            let windows = DateWindows::new(number("n"), 100 * self.hundreds - 1, 100);
            return windows.slices().collect();
        }
        let mut slices = Vec::new();
        for id in number("below")..self.hundreds {
            slices.push(Slice::of_partition([("id", id)]));
            if self.cut == Cut::Marked && id % 5 == 4 {
                slices.push(Slice::marker([("below".to_owned(), json!(id + 1))].into_iter().collect()));
            }
        }
        slices
    }
}

impl HttpStream for Numbers {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        self.name.into()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn cursor(&self) -> &dyn Cursor {
        self
    }
    fn is_resumable(&self) -> bool {
        self.resumable
    }
    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        Ok(Box::new(self.slices(cx.state).into_iter().map(Ok)))
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let (from, to) = match cx.slice.get("id").and_then(Value::as_i64) {
            Some(id) => (100 * id, 100 * id + 99),
            None => DateWindows::of(cx.slice).unwrap(),
        };
        let after = cx.page_token.map(|after| ("after".to_owned(), after.to_string()));
        [("from".to_owned(), from.to_string()), ("to".to_owned(), to.to_string())].into_iter().chain(after).collect()
    }
    fn next_page_token(&self, page: &Page, _: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        Ok(page.get(&["next"]))
    }
    fn transform<'a>(&self, record: Record<'a>, _: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        assert!(self.panics_at.is_none() || record.get("n") != self.panics_at, "a bug of the stream");
        Ok(record.into())
    }
}

impl Cursor for Numbers {
    fn cursor_field(&self) -> Vec<String> {
        vec!["n".into()]
    }
    fn slices_in_order(&self) -> bool {
        self.cut == Cut::Spans
    }
    fn state_checkpoint_interval(&self) -> Option<u64> {
        self.interval
    }
    fn get_updated_state(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>, cursor: &[String]) {
        match slice.progress() {
            Some(progress) => state.extend(progress.clone()),
            None => source_http::streams::cursor::advance(self, state, newest, cursor),
        }
    }
}

fn api(request: &Request) -> Reply {
    let number = |name: &str| request.param(name).map(|number| number.parse::<i64>().unwrap());
    let (from, to) = (number("from").unwrap(), number("to").unwrap());
    let from = number("after").map_or(from, |after| after + 1).max(from);
    let left: Vec<i64> = (from..=to).filter(|n| n % 10 == 0).collect();
    let page: Vec<Value> = left.iter().take(3).map(|n| json!({ "n": n })).collect();
    Reply::json(json!({"data": page, "next": left.get(3).map(|_| left[2])}))
}

/// The hundred of a request.
fn hundred(request: &Request) -> i64 {
    request.param("from").unwrap().parse::<i64>().unwrap() / 100
}

fn connector(streams: Vec<Numbers>, workers: usize) -> InProcess {
    let catalog: Vec<(&str, &str)> = streams.iter().map(|stream| (stream.name, "incremental")).collect();
    let boxed = |stream: &Numbers| Box::new(stream.clone()) as Box<dyn HttpStream>;
    let made = streams.clone();
    InProcess::new(TestSource::new(move |_, _| made.iter().map(boxed).collect()))
        .config(&json!({}))
        .streams(&catalog)
        .arg("--workers")
        .arg(workers.to_string())
}

fn read(stream: &Numbers, workers: usize, state: Option<&str>) -> String {
    let connector = connector(vec![stream.clone()], workers);
    let connector = match state {
        Some(state) => connector.state(&serde_json::from_str(state).unwrap()),
        None => connector,
    };
    connector.run("read").stdout
}

fn numbers(messages: &Messages) -> Vec<i64> {
    let n = |record: &str| serde_json::from_str::<Value>(record).unwrap()["n"].as_i64().unwrap();
    messages.records("numbers").into_iter().map(n).collect()
}

fn set(messages: &Messages) -> BTreeSet<i64> {
    numbers(messages).into_iter().collect()
}

fn all(hundreds: i64) -> BTreeSet<i64> {
    (0..10 * hundreds).map(|n| 10 * n).collect()
}

/// Holds requests until enough have come, or for ten seconds at most: then the test fails, and does not hang.
#[derive(Default)]
struct Gate {
    count: Mutex<usize>,
    changed: Condvar,
    missed: AtomicUsize,
}

impl Gate {
    fn count(&self) {
        *self.count.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    fn wait_for(&self, count: usize) {
        let patience = Duration::from_secs(10);
        let count_now = self.count.lock().unwrap();
        let waited = self.changed.wait_timeout_while(count_now, patience, |known| *known < count).unwrap();
        self.missed.fetch_add(usize::from(waited.1.timed_out()), Ordering::SeqCst);
    }

    fn missed(&self) -> usize {
        self.missed.load(Ordering::SeqCst)
    }
}

#[test]
fn any_number_of_workers_reads_the_same_records_each_once() {
    let server = Server::start(api);
    for cut in [Cut::Spans, Cut::Hundreds, Cut::Marked] {
        for workers in [1, 10] {
            let messages = Messages::parse(&read(&Numbers::new(&server, cut, 60), workers, None));
            let mut found = numbers(&messages);
            found.sort_unstable();
            assert!(found.into_iter().eq(all(60)), "{cut:?} {workers}");
            assert_eq!(messages.statuses("numbers"), ["STARTED", "RUNNING", "COMPLETE"]);
        }
    }
}

#[test]
fn one_worker_reads_in_order_the_same_on_every_run() {
    let server = Server::start(api);
    let streams = || ["a", "b"].map(|name| Numbers { name, ..Numbers::new(&server, Cut::Hundreds, 6) }).to_vec();
    let run = || connector(streams(), 1).run("read").stdout;
    let first = run();
    let asked = server.take_requests();
    assert_eq!((run(), server.conversation()), (first, asked.iter().map(Request::to_string).collect()));
    let order: Vec<(&str, i64)> = asked.iter().map(|request| (&request.path[1..], hundred(request))).collect();
    assert!(order.is_sorted() && order.len() == 2 * 6 * 4, "{order:?}");
}

#[test]
fn as_many_requests_as_workers_are_under_way_and_never_more() {
    for streams in [vec!["numbers"], vec!["a", "b", "c", "numbers"]] {
        let (gate, under_way, most) = (Arc::new(Gate::default()), AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let (arrivals, noted) = (gate.clone(), most.clone());
        let server = Server::start(move |request: &Request| {
            noted.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            arrivals.count();
            // No request is answered before the fourth.
            arrivals.wait_for(4);
            under_way.fetch_sub(1, Ordering::SeqCst);
            api(request)
        });
        // One stream of many slices, or as many streams of few.
        let hundreds = if streams.len() == 1 { 20 } else { 1 };
        let streams: Vec<Numbers> =
            streams.iter().map(|name| Numbers { name, ..Numbers::new(&server, Cut::Hundreds, hundreds) }).collect();
        let messages = connector(streams, 4).run("read").messages();
        assert_eq!((set(&messages), gate.missed()), (all(hundreds), 0));
        assert_eq!(most.load(Ordering::SeqCst), 4);
    }
}

#[test]
fn a_read_by_eight_workers_cut_after_any_state_loses_nothing() {
    let server = Server::start(api);
    for cut in [Cut::Spans, Cut::Hundreds, Cut::Marked] {
        for resumable in [true, false] {
            let stream = Numbers { resumable, ..Numbers::new(&server, cut, 20) };
            let whole = read(&stream, 8, None);
            assert_eq!(set(&Messages::parse(&whole)), all(20));
            let cuts: Vec<&str> = up_to_every_state(&whole).collect();
            assert!(cuts.len() >= 8, "{cut:?}: {} states", cuts.len());
            for cut in cuts {
                let before = Messages::parse_cut(cut);
                let after = Messages::parse(&read(&stream, 8, Some(&before.state_file())));
                let both = &set(&before) | &set(&after);
                assert_eq!(both, all(20), "{:?} {resumable} from {}", stream.cut, before.state_file());
            }
        }
    }
}

#[test]
fn a_slice_that_fails_ends_its_stream_and_no_state_tells_of_what_was_not_read() {
    for cut in [Cut::Spans, Cut::Hundreds, Cut::Marked] {
        let server = Server::start(|request: &Request| match request.path.as_str() {
            "/numbers" if hundred(request) == 7 => Reply::json(json!({"error": "not now"})).status(401),
            _ => api(request),
        });
        let stream = Numbers::new(&server, cut, 30);
        let other = Numbers { name: "other", ..stream.clone() };
        let done = connector(vec![stream.clone(), other], 8).run("read");
        let failed = done.messages();
        assert_eq!((done.status, failed.statuses("numbers").last()), (1, Some(&"INCOMPLETE")), "{cut:?}");
        assert_eq!((failed.statuses("other").last(), failed.records("other").len()), (Some(&"COMPLETE"), 300));
        for state in failed.states("numbers") {
            let begun = state["__resume"].as_array().cloned().unwrap_or_default();
            let is_seventh = |slice: &Value| slice["id"] == 7 || slice["from"] == 700;
            let is_untouched = |begun: &Value| begun.get("done").or(begun.get("next_page_token")).is_none();
            let states = state["states"].as_array().cloned().unwrap_or_default();
            assert!(begun.iter().all(|begun| !is_seventh(&begun["slice"]) || is_untouched(begun)), "{state}");
            assert!(states.iter().all(|state| !is_seventh(&state["partition"])), "{state}");
            assert!(state["n"].as_i64().is_none_or(|n| n < 700), "{state}");
            assert!(state["below"].as_i64().is_none_or(|below| below == 5), "{state}");
        }
        let state = failed.states("numbers").pop().map_or(json!([]), |state| json!({ "numbers": state }));
        let well = Server::start(api);
        let rest = read(&Numbers { url: well.url(), ..stream }, 8, Some(&state.to_string()));
        assert_eq!(&set(&failed) | &set(&Messages::parse(&rest)), all(30), "{cut:?}");
    }
}

#[test]
fn a_limit_holds_to_the_record_and_nothing_is_skipped_after_it() {
    let server = Server::start(api);
    for cut in [Cut::Spans, Cut::Hundreds, Cut::Marked] {
        for limit in [1, 2, 7, 8, 59, 150, 199, 200, 201] {
            let stream = Numbers::new(&server, cut, 20);
            let limited = connector(vec![stream.clone()], 8).arg("--limit").arg(limit.to_string()).run("read");
            let first = limited.messages();
            assert_eq!((limited.status, numbers(&first).len()), (0, limit.min(200)), "{cut:?}");
            assert_eq!(first.statuses("numbers").last(), Some(&"COMPLETE"));
            let rest = Messages::parse(&read(&stream, 8, Some(&first.state_file())));
            assert_eq!(&set(&first) | &set(&rest), all(20), "{cut:?} {limit}");
        }
    }
}

#[test]
fn a_panic_of_any_worker_is_a_failure_of_its_stream_alone() {
    let server = Server::start(api);
    let stream = Numbers { panics_at: Some(1_270), ..Numbers::new(&server, Cut::Hundreds, 30) };
    let other = Numbers { name: "other", panics_at: None, ..stream.clone() };
    let done = connector(vec![stream, other], 8).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.statuses("numbers").last()), (1, Some(&"INCOMPLETE")));
    assert_eq!((messages.records("other").len(), messages.statuses("other").last()), (300, Some(&"COMPLETE")));
    let error = messages.errors().into_iter().find(|error| error.stream.as_deref() == Some("numbers")).unwrap();
    assert!(error.internal_message.unwrap().contains("a bug of the stream"));
}

/// A server that answers for the first hundred after all others.
fn first_comes_last(others: usize) -> (Server, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let (held, begun) = (gate.clone(), Mutex::new(BTreeSet::new()));
    let server = Server::start(move |request: &Request| {
        let hundred = hundred(request);
        if hundred == 0 && request.param("after").is_none() {
            held.wait_for(others);
        } else if begun.lock().unwrap().insert(hundred) {
            held.count();
        }
        api(request)
    });
    (server, gate)
}

#[test]
fn a_marker_counts_when_all_slices_before_it_are_done() {
    let (server, gate) = first_comes_last(9);
    let stream = Numbers::new(&server, Cut::Marked, 10);
    let whole = read(&stream, 2, None);
    let messages = Messages::parse(&whole);
    assert_eq!((set(&messages), gate.missed()), (all(10), 0));
    let at = |text: &str| whole.find(text).unwrap();
    assert!(at(r#""data":{"n":90}"#) < at(r#""below":"#), "the marker has overtaken the first slice");
    assert_eq!(messages.states("numbers").last().unwrap()["below"], 10);
}

#[test]
fn done_slices_behind_an_unfinished_one_are_not_requested_again_after_an_interruption() {
    let (server, gate) = first_comes_last(59);
    let stream = Numbers::new(&server, Cut::Spans, 60);
    let whole = read(&stream, 2, None);
    assert_eq!((set(&Messages::parse(&whole)), gate.missed()), (all(60), 0));
    let first = whole.find(r#""data":{"n":0}"#).unwrap();
    let cut = Messages::parse_cut(&whole[..first]);
    let state = (*cut.states("numbers").last().unwrap()).clone();
    let begun = state["__resume"].as_array().unwrap();
    assert_eq!((begun.len(), state.get("n"), begun[0].get("done")), (40, None, None));
    assert_eq!(begun[39], json!({"slice": {"from": 3900, "to": 3999}, "newest": 3990, "done": true}));

    let again = Server::start(api);
    let rest = read(&Numbers { url: again.url(), ..stream }, 2, Some(&cut.state_file()));
    assert_eq!(&set(&cut) | &set(&Messages::parse(&rest)), all(60));
    let mut asked: Vec<i64> = again.requests().iter().map(hundred).collect();
    asked.sort_unstable();
    asked.dedup();
    // The last complete one is requested again from its newest record, as at the start of every incremental read.
    assert!(asked.iter().copied().eq([0].into_iter().chain(39..60)), "{asked:?}");
    assert_eq!(again.requests()[0].param("from"), Some("0"), "what was begun comes first");
}

#[test]
fn states_within_a_slice_are_those_of_the_first_unfinished_one() {
    let server = Server::start(api);
    let stream = Numbers { interval: Some(2), resumable: false, ..Numbers::new(&server, Cut::Spans, 20) };
    let whole = read(&stream, 8, None);
    assert_eq!(set(&Messages::parse(&whole)), all(20));
    for cut in up_to_every_state(&whole) {
        let before = Messages::parse_cut(cut);
        let state = before.states("numbers").pop().unwrap();
        let known = state["n"].as_i64().unwrap_or(-1);
        assert!(all(20).into_iter().filter(|n| *n <= known).all(|n| set(&before).contains(&n)), "{state} is ahead");
    }
    let within = Messages::parse(&whole)
        .states("numbers")
        .iter()
        .filter(|state| state["n"].as_i64().is_some_and(|n| n % 100 != 90))
        .count();
    assert!(within > 0, "no state within a slice");
}

#[test]
fn a_reader_that_closes_the_pipe_ends_all_workers() {
    let mock = StripeMock::builder().count("charges", 5_000).count("refunds", 5_000).start();
    let args = ["read", "--config", "c.json", "--streams", "charges,refunds", "--workers", "8"];
    let ended = Binary::new(&args).file("c.json", config(&mock)).ended_after(1, Interruption::ClosedPipe);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    assert!(mock.server().requests().len() < 60, "{} requests", mock.server().requests().len());
}

#[test]
fn stripe_read_by_ten_workers_and_cut_after_any_state_loses_nothing() {
    let mock = StripeMock::builder().count("charges", 450).start();
    let mut settings = config(&mock);
    let start = jiff::Timestamp::from_second(DEFAULT_NOW - 365 * 86_400).unwrap();
    settings["start_date"] = format!("{start:.0}").into();
    settings["slice_range"] = 30.into();
    settings["num_workers"] = 10.into();
    let read = |mode: &str, state: Option<&str>| {
        let connector = InProcess::with_registry(source_http::Registry::built_in()).now(DEFAULT_NOW).config(&settings);
        let connector = connector.streams(&[("charges", mode)]);
        match state {
            Some(state) => connector.state(&serde_json::from_str(state).unwrap()).run("read").stdout,
            None => connector.run("read").stdout,
        }
    };
    let ids = |messages: &Messages| -> BTreeSet<String> {
        let id = |record: &str| serde_json::from_str::<Value>(record).unwrap()["id"].as_str().unwrap().to_owned();
        messages.records("charges").into_iter().map(id).collect()
    };
    let served: BTreeSet<String> = mock.ids("charges").iter().map(ToString::to_string).collect();
    for mode in ["incremental", "full_refresh"] {
        let whole = read(mode, None);
        let last = Messages::parse(&whole).states("charges").pop().unwrap().clone();
        assert_eq!((last["synced_to"].as_i64(), last.get("__resume")), (Some(DEFAULT_NOW), None));
        for cut in up_to_every_state(&whole) {
            let before = Messages::parse_cut(cut);
            let after = Messages::parse(&read(mode, Some(&before.state_file())));
            assert_eq!(&ids(&before) | &ids(&after), served, "{mode} from {}", before.state_file());
        }
    }
}
