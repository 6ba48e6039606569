//! The built binary, killed in the middle of a read whose state is a list of windows (`date-range`): of a whole stream, and
//! of each partition. What it writes is one value again, so what is behind a window that was begun is read again.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use source_http_testkit::{Messages, Reply, Request, Server};

use super::super::corpus::states;
use crate::support::binary::Binary;
use crate::support::{Interruption, manifest_stream, requester, retriever};

/// Days of January 2026 with a record of each site and of the list without sites.
const DAYS: [u32; 14] = [1, 2, 3, 4, 5, 6, 8, 9, 11, 13, 15, 21, 23, 29];
const SITES: [&str; 3] = ["a", "b", "c"];
const PAGE: usize = 2;
/// A page is longer than a pipe holds, so the process is never more than a page ahead of its reader.
const FILLER: usize = 40_000;
/// Longer than any test may take.
const FOR_EVER: Duration = Duration::from_secs(600);

/// Two days and everything between.
type Window = (String, String);

fn day(n: u32) -> String {
    format!("2026-01-{n:02}")
}

/// The windows that the given state has of a stream's site, or of `items`.
fn given_windows(of: &str) -> Vec<Window> {
    let days: &[(u32, u32)] = match of {
        "items" | "a" => &[(1, 5), (11, 15)],
        "b" => &[(1, 10), (16, 22)],
        _ => &[],
    };
    days.iter().map(|(start, end)| (day(*start), day(*end))).collect()
}

/// The given state: lists of windows.
fn given() -> Value {
    let cursor = |of: &str| {
        let slice = |(start, end): &Window| json!({"start": start, "end": end, "most_recent_cursor_value": newest_of(start, end)});
        let slices: Vec<Value> = given_windows(of).iter().map(slice).collect();
        json!({"state_type": "date-range", "slices": slices})
    };
    let entry = |site: &&str| json!({"partition": {"site": site, "parent_slice": {}}, "cursor": cursor(site)});
    let visits = json!({"use_global_cursor": false, "states": SITES[..2].iter().map(entry).collect::<Vec<_>>()});
    let state = |name: &str, state: Value| json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}});
    json!([state("items", cursor("items")), state("visits", visits)])
}

fn newest_of(start: &String, end: &String) -> String {
    DAYS.iter().map(|n| day(*n)).rfind(|day| start <= day && day <= end).unwrap()
}

/// The records that the given state does not have: `items` or a site, and the day.
fn wanted() -> BTreeSet<(String, String)> {
    let is_given = |of: &str, day: &String| given_windows(of).iter().any(|(start, end)| start <= day && day <= end);
    let of = ["items"].into_iter().chain(SITES);
    let all = of.flat_map(|of| DAYS.iter().map(move |n| (of.to_owned(), day(*n))));
    all.filter(|(of, day)| !is_given(of, day)).collect()
}

/// The API. Requests name the run that they are of, because a killed process may have left some under way.
struct Api {
    server: Server,
    /// The first window that the given state of `items` leaves out is not answered.
    hangs: Arc<AtomicBool>,
}

impl Api {
    fn new() -> Self {
        let hangs = Arc::new(AtomicBool::new(false));
        let of_server = Arc::clone(&hangs);
        let server = Server::start(move |request: &Request| {
            if request.path == "/sites" {
                return Reply::json(json!({"data": SITES.map(|id| json!({"id": id}))}));
            }
            let (from, to) = (request.param("from").unwrap(), request.param("to").unwrap());
            if of_server.load(Ordering::SeqCst) && request.path == "/items" && from == day(6) {
                return Reply::empty(200).delay(FOR_EVER);
            }
            let page = request.param("page").map_or(0, |page| page.parse::<usize>().unwrap() - 1);
            let found = DAYS.iter().map(|n| day(*n)).filter(|day| (from..=to).contains(&day.as_str()));
            let of = request.param("site").unwrap_or("items");
            let record = |at: String| json!({"of": of, "at": at, "filler": "x".repeat(FILLER)});
            Reply::json(json!({"data": found.skip(page * PAGE).take(PAGE).map(record).collect::<Vec<_>>()}))
        });
        Self { server, hangs }
    }

    fn config(&self, run: &str) -> Value {
        let option =
            |name: &str| json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": name});
        let cursor = json!({
            "type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": "%Y-%m-%d",
            "start_datetime": day(1), "end_datetime": day(30), "step": "P5D", "cursor_granularity": "P1D",
            "start_time_option": option("from"), "end_time_option": option("to"),
        });
        let paginator = json!({
            "type": "DefaultPaginator", "page_token_option": option("page"),
            "pagination_strategy": {"type": "PageIncrement", "page_size": PAGE, "start_from_page": 1},
        });
        let of = |path: &str, more: Value| {
            let run = json!({"request_parameters": {"run": run}});
            retriever(requester(&self.server.url(), path, run), &["data"], more)
        };
        let sites = manifest_stream("sites", of("sites", json!({})), json!({}));
        let parent = json!({
            "type": "ParentStreamConfig", "stream": sites, "parent_key": "id", "partition_field": "site",
            "request_option": option("site"),
        });
        let router = json!({"type": "SubstreamPartitionRouter", "parent_stream_configs": [parent]});
        let visits = of("visits", json!({"paginator": paginator, "partition_router": router}));
        let streams = [
            manifest_stream("items", of("items", json!({"paginator": paginator})), json!({"incremental_sync": cursor})),
            manifest_stream("visits", visits, json!({"incremental_sync": cursor})),
        ];
        json!({"__injected_declarative_manifest": {
            "version": "7.39.1", "type": "DeclarativeSource", "streams": streams,
            "check": {"type": "CheckStream", "stream_names": ["items"]},
        }})
    }

    /// A call of the binary. `place` has the arguments that name the state.
    fn binary(&self, run: &str, workers: usize, stream: &str, place: &[&str]) -> Binary {
        let catalog = json!({"streams": [{
            "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
            "sync_mode": "incremental", "destination_sync_mode": "append",
        }]});
        let workers = workers.to_string();
        let args = ["read", "--config", "config", "--catalog", "catalog", "--workers", &workers];
        Binary::new(&[&args[..], place].concat()).file("config", self.config(run)).file("catalog", catalog)
    }

    /// Reads to the end from this state. Returns the records, and checks that no window that the state has is requested.
    fn read_on(&self, run: &str, stream: &str, state: &Value) -> BTreeSet<(String, String)> {
        let done = self.binary(run, 1, stream, &["--state", "state"]).file("state", state).run();
        assert_eq!(done.status, Some(0), "{run}: {}", done.stderr);
        self.assert_nothing_is_requested_again(run, stream, state);
        records(&done.stdout)
    }

    /// The last moment that was read is requested again, as in the reference.
    fn assert_nothing_is_requested_again(&self, run: &str, stream: &str, state: &Value) {
        for request in self.server.requests().iter().filter(|request| request.param("run") == Some(run)) {
            let (Some(from), Some(to)) = (request.param("from"), request.param("to")) else { continue };
            let of = request.param("site").unwrap_or("items");
            for (start, end) in known_windows(stream, of, state) {
                let is_known = start.as_str() <= to && from < end.as_str();
                assert!(!is_known, "{run}: {of} from {from} to {to} is requested, though {state} has {start} to {end}");
            }
        }
    }
}

/// The windows that a state has of `items` or a site: those up to its one value, or those of the given state.
fn known_windows(stream: &str, of: &str, state: &Value) -> Vec<Window> {
    let states = state.as_array().unwrap().iter().map(|state| &state["stream"]);
    let state =
        &states.into_iter().find(|state| state["stream_descriptor"]["name"] == *stream).unwrap()["stream_state"];
    let cursor = match state["states"].as_array() {
        Some(entries) => match entries.iter().find(|entry| entry["partition"]["site"] == *of) {
            Some(entry) => &entry["cursor"],
            None => return Vec::new(),
        },
        None => state,
    };
    match cursor["at"].as_str() {
        Some(value) => vec![(day(1), value.to_owned())],
        None => given_windows(of),
    }
}

/// The whole records in an output.
fn records(stdout: &str) -> BTreeSet<(String, String)> {
    let messages = Messages::parse_cut(stdout);
    let records = ["items", "visits"].into_iter().flat_map(|stream| messages.records(stream));
    let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    let parsed = records.map(|record| serde_json::from_str::<Value>(record).unwrap());
    parsed.map(|record| (text(&record, "of"), text(&record, "at"))).collect()
}

/// Each state of an output is one value and no list, and has nothing before it that was not written. Returns
/// the number of states.
fn assert_states_are_not_ahead(stdout: &str, place: &str) -> usize {
    let mut count = 0;
    for (at, _) in
        stdout.match_indices("{\"type\":\"STATE\"").filter(|(at, _)| *at == 0 || stdout.as_bytes()[at - 1] == b'\n')
    {
        let Some(line) = stdout[at..].split_inclusive('\n').next().filter(|line| line.ends_with('\n')) else { break };
        count += 1;
        let state = serde_json::from_str::<Value>(line).unwrap()["state"]["stream"]["stream_state"].clone();
        let written = records(&stdout[..at]);
        let value = |cursor: &Value| cursor["at"].as_str().unwrap_or_else(|| panic!("{place}: {cursor}")).to_owned();
        let reached: Vec<(String, String)> = match state["states"].as_array() {
            Some(entries) => {
                let site = |entry: &Value| entry["partition"]["site"].as_str().unwrap().to_owned();
                let own = entries.iter().map(|entry| (site(entry), value(&entry["cursor"])));
                // Partitions that come later begin at the value of all.
                let of_all = state.get("state").map(&value);
                let of_all = of_all.iter().flat_map(|value| SITES.map(|site| (site.to_owned(), value.clone())));
                own.chain(of_all).collect()
            }
            None => vec![("items".to_owned(), value(&state))],
        };
        for (of, value) in reached {
            let behind = wanted().into_iter().filter(|(other, day)| *other == of && *day < value);
            let missing: Vec<_> = behind.filter(|record| !written.contains(record)).collect();
            assert!(missing.is_empty(), "{place}: {state} has {missing:?} behind it, which were not written");
        }
    }
    count
}

/// After this many lines the process is killed: each state, and one line more.
fn places(stdout: &str) -> BTreeSet<usize> {
    let states = stdout.lines().enumerate().filter(|(_, line)| line.starts_with("{\"type\":\"STATE\""));
    states.flat_map(|(at, _)| [at + 1, at + 2]).chain([0, 2]).collect()
}

fn of_stream(stream: &str) -> BTreeSet<(String, String)> {
    wanted().into_iter().filter(|(of, _)| (of == "items") == (stream == "items")).collect()
}

#[test]
fn a_read_from_a_list_of_windows_that_is_killed_at_any_state_is_completed_by_the_next() {
    let api = Api::new();
    for (stream, workers) in [("items", 1), ("items", 4), ("visits", 1), ("visits", 4)] {
        let read = |run: &str| api.binary(run, workers, stream, &["--state", "state"]).file("state", given());
        let name = |place: &str| format!("{stream}-{workers}-{place}");
        let whole = read(&name("whole")).run();
        assert_eq!((whole.status, records(&whole.stdout).is_superset(&of_stream(stream))), (Some(0), true));
        api.assert_nothing_is_requested_again(&name("whole"), stream, &given());
        let (mut killed, mut resumed_from) = (0, BTreeSet::new());
        for lines in places(&whole.stdout) {
            let place = name(&lines.to_string());
            let ended = read(&place).ended_after(lines, Interruption::Kill);
            killed += usize::from(ended.status.is_none());
            assert_states_are_not_ahead(&ended.all, &place);
            let state = states(&given(), &Messages::parse_cut(&ended.before));
            resumed_from.insert(state.to_string());
            let rest = api.read_on(&format!("{place}-next"), stream, &state);
            let union = &records(&ended.before) | &rest;
            let missing: Vec<_> = of_stream(stream).difference(&union).cloned().collect();
            assert!(missing.is_empty(), "{place}, resumed from {state}: {missing:?} never came");
        }
        assert!(killed > 3, "{stream} with {workers} workers: it was killed {killed} times only");
        // A stream with partitions writes a state after the first window, and then every ten minutes.
        let least = if stream == "items" { 3 } else { 2 };
        assert!(resumed_from.len() >= least, "{resumed_from:?}");
    }
}

/// The file has the states of some moment before the kill.
#[test]
fn a_state_file_with_a_list_of_windows_outlives_a_kill() {
    let api = Api::new();
    let folder = tempfile::tempdir().unwrap();
    for (stream, workers) in [("items", 1), ("items", 4), ("visits", 4)] {
        for lines in [0, 6, 12] {
            let run = format!("{stream}-{workers}-{lines}-file");
            let file = folder.path().join(format!("{run}.json"));
            fs::write(&file, given().to_string()).unwrap();
            let read = |run: &str| api.binary(run, workers, stream, &["--state-file", file.to_str().unwrap()]);
            let ended = read(&run).ended_after(lines, Interruption::Kill);
            let state: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            let next = format!("{run}-next");
            let done = read(&next).run();
            assert_eq!(done.status, Some(0), "{run}: {}", done.stderr);
            api.assert_nothing_is_requested_again(&next, stream, &state);
            let union = &records(&ended.all) | &records(&done.stdout);
            assert!(union.is_superset(&of_stream(stream)), "{run}, resumed from {state}");
        }
    }
}

/// A list of windows becomes one value with the first state, which is that of the first window left out as long as it is
/// not read: then the later windows of the list are read again, too.
#[test]
fn a_list_of_windows_is_one_value_as_soon_as_a_state_is_written() {
    let api = Api::new();
    api.hangs.store(true, Ordering::SeqCst);
    let read = api.binary("hangs", 4, "items", &["--state", "state"]).file("state", given());
    let mut states_left = 2;
    let is_enough = |line: &str| {
        states_left -= usize::from(line.starts_with("{\"type\":\"STATE\""));
        states_left == 0
    };
    let ended = read.ended_once(is_enough, Interruption::Kill);
    assert_eq!((ended.status, assert_states_are_not_ahead(&ended.before, "hangs")), (None, 2));
    let state = states(&given(), &Messages::parse_cut(&ended.before));
    let items = state.as_array().unwrap().iter().find(|state| state["stream"]["stream_descriptor"]["name"] == "items");
    assert_eq!(items.unwrap()["stream"]["stream_state"], json!({"at": day(5)}));
    api.hangs.store(false, Ordering::SeqCst);
    let rest = api.read_on("hangs-next", "items", &state);
    let union = &records(&ended.before) | &rest;
    assert!(union.is_superset(&of_stream("items")));
    assert!(rest.contains(&("items".to_owned(), day(13))), "it is read again, though the given state has it");
}
