//! A cursor of a whole stream, cut anywhere: which windows are requested again. Its state is one value, so a window that
//! was begun is read again from its start, and no window before it is.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{Fault, Finished, InProcess, Messages, Reply, Request, Server};

use super::super::corpus::states;
use crate::support::up_to_every_line;

/// Days of January 2026 that have a record, several of them in each window of five days but the fourth.
const DAYS: [u32; 14] = [1, 2, 3, 4, 5, 6, 8, 9, 11, 13, 15, 21, 23, 29];
const PAGE: usize = 2;

/// A list of one record a day that can be asked for a window and a page, and dies after some responses.
struct Api {
    server: Server,
    left: Arc<Mutex<usize>>,
    step: Option<&'static str>,
}

fn day(n: u32) -> String {
    format!("2026-01-{n:02}")
}

impl Api {
    fn new(step: Option<&'static str>) -> Self {
        let left = Arc::new(Mutex::new(usize::MAX));
        let of_server = left.clone();
        let server = Server::start(move |request: &Request| {
            let mut left = of_server.lock().unwrap();
            let (from, to) = (request.param("from").unwrap(), request.param("to").unwrap());
            let page = request.param("page").map_or(0, |page| page.parse::<usize>().unwrap() - 1);
            let found = DAYS.iter().copied().filter(|n| (from..=to).contains(&day(*n).as_str()));
            let records = found.skip(page * PAGE).take(PAGE).map(|n| json!({"id": n, "at": day(n)}));
            let reply = Reply::json(json!({"items": records.collect::<Vec<_>>()}));
            match left.checked_sub(1) {
                Some(less) => {
                    *left = less;
                    reply
                }
                None => reply.fault(Fault::ResetBeforeHead),
            }
        });
        Self { server, left, step }
    }

    fn read(&self, workers: usize, state: &Value) -> InProcess {
        let option =
            |name: &str| json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": name});
        let mut cursor = json!({
            "type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": "%Y-%m-%d",
            "start_datetime": day(1), "end_datetime": day(30), "cursor_granularity": "P1D",
            "start_time_option": option("from"), "end_time_option": option("to"),
        });
        cursor["step"] = self.step.into();
        if self.step.is_none() {
            cursor.as_object_mut().unwrap().retain(|name, _| name != "step" && name != "cursor_granularity");
        }
        let stream = json!({
            "type": "DeclarativeStream", "name": "items", "incremental_sync": cursor,
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url_base": self.server.url(), "path": "items"},
                "paginator": {
                    "type": "DefaultPaginator", "page_token_option": option("page"),
                    "pagination_strategy": {"type": "PageIncrement", "page_size": PAGE, "start_from_page": 1},
                },
                "record_selector": {
                    "type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["items"]},
                },
            },
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
        });
        let manifest = json!({
            "version": "7.39.1", "type": "DeclarativeSource", "streams": [stream],
            "check": {"type": "CheckStream", "stream_names": ["items"]},
        });
        InProcess::with_registry(Registry::built_in())
            .config(&json!({"__injected_declarative_manifest": manifest}))
            .streams(&[("items", "incremental")])
            .state(state)
            .arg("--workers")
            .arg(workers.to_string())
    }

    fn whole(&self, workers: usize, state: &Value) -> Finished {
        *self.left.lock().unwrap() = usize::MAX;
        self.server.take_requests();
        let done = self.read(workers, state).run("read");
        assert_eq!(done.status, 0, "{:?}", done.messages().errors());
        done
    }

    /// What a read writes whose server dies after this many responses.
    fn dies_after(&self, workers: usize, responses: usize) -> String {
        *self.left.lock().unwrap() = responses;
        let done = self.read(workers, &json!([])).run("read");
        assert_eq!(done.status, 1, "{}", done.stdout);
        done.stdout
    }

    /// The windows that were requested since the last whole read began, and the number of requests.
    fn requested(&self) -> (BTreeSet<(String, String)>, usize) {
        let requests = self.server.take_requests();
        let window = |request: &Request| {
            let bound = |name: &str| request.param(name).unwrap().to_owned();
            (bound("from"), bound("to"))
        };
        (requests.iter().map(window).collect(), requests.len())
    }
}

fn days_of(messages: &Messages) -> Vec<String> {
    let at = |record: &str| serde_json::from_str::<Value>(record).unwrap()["at"].as_str().unwrap().to_owned();
    messages.records("items").into_iter().map(at).collect()
}

/// The one value of a state.
fn value_of(state: &Value) -> String {
    let value = &state[0]["stream"]["stream_state"]["at"];
    value.as_str().map_or_else(|| day(1), str::to_owned)
}

/// Reads on from what was written before a cut. Returns the days that came again.
fn read_on(api: &Api, stdout: &str, place: &str) -> Vec<String> {
    let cut = Messages::parse_cut(stdout);
    let state = states(&json!([]), &cut);
    let rest = days_of(&api.whole(1, &state).messages());
    let (windows, _) = api.requested();
    let before = days_of(&cut);
    let union: BTreeSet<&String> = before.iter().chain(&rest).collect();
    assert_eq!(union.len(), DAYS.len(), "{place}, resumed from {state}: {before:?}, then {rest:?}");
    // What the state has behind it is not requested again: the first window begins at its value.
    let value = value_of(&state);
    assert_eq!(windows.first().map(|(from, _)| from), Some(&value), "{place}, resumed from {state}");
    rest.into_iter().filter(|day| before.contains(day)).collect()
}

/// All places at which a read is cut: after each line that it writes, and after each response that it gets.
fn cuts(api: &Api, workers: usize) -> Vec<(String, String)> {
    let done = api.whole(workers, &json!([]));
    let (_, responses) = api.requested();
    let lines = up_to_every_line(&done.stdout).enumerate();
    let mut cuts: Vec<_> = lines.map(|(n, cut)| (format!("line {}", n + 1), cut.to_owned())).collect();
    cuts.extend((0..responses).map(|n| (format!("response {n}"), api.dies_after(workers, n))));
    cuts
}

#[test]
fn a_window_that_was_read_to_its_end_is_not_requested_again() {
    for workers in [1, 4] {
        let api = Api::new(Some("P5D"));
        for (place, stdout) in cuts(&api, workers) {
            let again = read_on(&api, &stdout, &format!("{workers} workers, {place}"));
            // One worker: the window that was begun, and the last record before it.
            let most = 5 + 1;
            assert!(workers > 1 || again.len() <= most, "{place}: {again:?}");
        }
    }
}

/// A list of windows that were read, which Airbyte's runtime takes, too: what is left is requested, and nothing else.
#[test]
fn only_what_a_list_of_windows_leaves_out_is_requested() {
    let api = Api::new(Some("P5D"));
    let windows: Vec<(u32, u32)> = (0..6).map(|n| (5 * n + 1, 5 * n + 5)).collect();
    // Each subset of the windows was read, as if workers had ended theirs in any order. The first one always was, because
    // the state that is written last is the newest value of the first interval.
    for subset in 0..32_u32 {
        let was_read = |n: usize| n == 0 || subset & (1 << (n - 1)) != 0;
        let known = windows.iter().enumerate().filter(|(n, _)| was_read(*n)).map(|(_, (start, end))| {
            let newest = DAYS.iter().rfind(|day| (start..=end).contains(day));
            let mut known = json!({"start": day(*start), "end": day(*end)});
            if let Some(newest) = newest {
                known["most_recent_cursor_value"] = day(*newest).into();
            }
            known
        });
        let blob = json!({"state_type": "date-range", "slices": known.collect::<Vec<_>>()});
        let state =
            json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "items"}, "stream_state": blob}}]);
        let done = api.whole(1, &state).messages();
        let came: BTreeSet<String> = days_of(&done).into_iter().collect();
        let left = |day: &&u32| windows.iter().enumerate().any(|(n, (s, e))| !was_read(n) && (s..=e).contains(day));
        let wanted: BTreeSet<String> = DAYS.iter().filter(left).map(|n| day(*n)).collect();
        // The last moment that was read is where the rest begins.
        let last_end = windows.iter().enumerate().filter(|(n, _)| was_read(*n)).map(|(_, (_, end))| day(*end)).max();
        let too_much: Vec<&String> = came.difference(&wanted).filter(|day| Some(*day) != last_end.as_ref()).collect();
        assert!(wanted.is_subset(&came) && too_much.is_empty(), "{blob}: {came:?} in place of {wanted:?}");
        assert_eq!(done.states("items").last(), Some(&&json!({"at": day(29)})), "it is one value again");
    }
}

/// Without steps there is one window, which a read that is cut begins again: what was read of it comes a second time.
#[test]
fn without_steps_all_that_was_read_comes_again() {
    let api = Api::new(None);
    let mut again = Vec::new();
    for (place, stdout) in cuts(&api, 1) {
        let days = read_on(&api, &stdout, &place);
        if place.starts_with("response") {
            again.push(days.len());
        }
    }
    // Seven full pages and the empty one after them.
    assert_eq!(again, [0, 2, 4, 6, 8, 10, 12, 14]);
}
