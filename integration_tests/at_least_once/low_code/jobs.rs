//! Streams whose records are made by jobs, and streams that the API lists in pages, ended at every request: between the
//! creation of a job and its end, in the middle of its results, and in the middle of the list. The next read gives what is
//! missing. A read that is stopped leaves no job behind; one that is killed does, and the next one creates new ones.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Value, json};
use source_http::Registry;
use source_http::stop::{Stop, StopReason};
use source_http_testkit::{Fault, Finished, InProcess, Messages, Reply, Request, Server};

use super::super::corpus::states;
use crate::support::binary::Binary;
use crate::support::{signal, up_to_every_line};

const DAYS: [&str; 4] = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"];
const FORMS: usize = 5;
/// Forms of a page of the list.
const PAGE: usize = 2;

/// What a request does besides being answered.
enum End {
    Stop(Stop),
    /// The process of this number is killed before the answer.
    Kill(Arc<OnceLock<u32>>),
    /// Nothing is answered from then on.
    Dies,
}

/// The end of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JobState {
    Open,
    Aborted,
    Deleted,
}

struct Job {
    day: String,
    state: JobState,
    polls: usize,
}

#[derive(Default)]
struct Provider {
    jobs: Vec<Job>,
    /// How often a job is reported to run before it is done.
    running: usize,
    asked: usize,
    end: Option<(usize, End)>,
    /// What was requested when it came to that.
    ended_at: String,
}

impl Provider {
    fn answer(&mut self, request: &Request) -> Reply {
        let n = self.asked;
        self.asked += 1;
        match &self.end {
            Some((at, End::Dies)) if n >= *at => return Reply::empty(200).fault(Fault::ResetBeforeHead),
            Some((at, end)) if n == *at => {
                self.ended_at.clone_from(&request.path);
                match end {
                    End::Stop(stop) => stop.request(StopReason::Terminated),
                    End::Kill(process) => signal(*process.wait(), "-KILL"),
                    End::Dies => {}
                }
            }
            _ => {}
        }
        self.good(request)
    }

    fn good(&mut self, request: &Request) -> Reply {
        let (what, id) = request.path[1..].split_once('/').unwrap_or((&request.path[1..], ""));
        match what {
            "list" => {
                let page: usize = request.param("page").map_or(1, |page| page.parse().unwrap());
                let ids = (page - 1) * PAGE + 1..=(page * PAGE).min(FORMS);
                let items: Vec<Value> = ids.map(|id| json!({"id": format!("form{id}")})).collect();
                Reply::json(json!({"items": items, "next": (page * PAGE < FORMS).then_some(page + 1)}))
            }
            "answers" => Reply::json(json!([{"id": format!("{id}-1")}, {"id": format!("{id}-2")}])),
            "create" => {
                let body: Value = serde_json::from_str(&request.body_text()).unwrap();
                let day = body["day"].as_str().unwrap().to_owned();
                self.jobs.push(Job { day, state: JobState::Open, polls: 0 });
                Reply::json(json!({"id": self.jobs.len() - 1}))
            }
            "file" => {
                let (id, part) = id.split_once('-').unwrap();
                let day = &self.jobs[id.parse::<usize>().unwrap()].day;
                Reply::shared("text/csv", format!("id,at\n{day}-{part},{day}\n").into_bytes())
            }
            _ => {
                let job = &mut self.jobs[id.parse::<usize>().unwrap()];
                match what {
                    "abort" => job.state = JobState::Aborted,
                    "delete" => job.state = JobState::Deleted,
                    _ => job.polls += 1,
                }
                let status = if job.polls > self.running { "done" } else { "running" };
                Reply::json(json!({"status": status, "files": [format!("{id}-a"), format!("{id}-b")]}))
            }
        }
    }
}

struct Api {
    server: Server,
    provider: Arc<Mutex<Provider>>,
}

impl Api {
    fn new(running: usize) -> Self {
        let provider = Arc::new(Mutex::new(Provider { running, ..Provider::default() }));
        let known = provider.clone();
        Self { server: Server::start(move |request: &Request| known.lock().unwrap().answer(request)), provider }
    }

    /// Forgets what was, and ends the next read so.
    fn end_at(&self, end: Option<(usize, End)>) {
        let mut provider = self.provider.lock().unwrap();
        *provider = Provider { running: provider.running, end, ..Provider::default() };
    }

    fn read(&self, workers: usize, state: &Value) -> InProcess {
        let run = InProcess::with_registry(Registry::built_in()).config(&config(&self.server.url())).state(state);
        let streams = names();
        let streams: Vec<_> = streams.iter().map(|name| (name.as_str(), mode(name))).collect();
        run.streams(&streams).arg("--workers").arg(workers.to_string())
    }

    /// A read to the end, and the days that it had jobs made for.
    fn rest(&self, state: &Value) -> (Finished, Vec<String>) {
        self.end_at(None);
        let done = self.read(1, state).run("read");
        assert_eq!(done.status, 0, "{}", done.stdout);
        (done, self.provider.lock().unwrap().jobs.iter().map(|job| job.day.clone()).collect())
    }

    /// How many requests a whole read has.
    fn requests(&self) -> usize {
        self.rest(&json!([]));
        self.provider.lock().unwrap().asked
    }

    /// Reads on after an interruption: every record is there then, and nothing before the state is requested again.
    fn go_on(&self, place: &str, stdout: &str) {
        let cut = Messages::parse_cut(stdout);
        let state = states(&json!([]), &cut);
        let (rest, days) = self.rest(&state);
        let written: BTreeSet<String> = [&cut, &rest.messages()].into_iter().flat_map(records).collect();
        let missing: Vec<String> = expected().difference(&written).cloned().collect();
        assert_eq!(missing, Vec::<String>::new(), "{place}, resumed from {state}");
        let passed = cut.states("sales").last().and_then(|state| state["at"].as_str().map(str::to_owned));
        if let Some(passed) = passed {
            assert!(days.iter().all(|day| *day >= passed), "{place}: {days:?} from {passed}");
        }
    }
}

fn names() -> Vec<String> {
    let forms = (1..=FORMS).map(|id| format!("form{id}"));
    std::iter::once("sales".to_owned()).chain(forms).collect()
}

fn mode(name: &str) -> &'static str {
    if name == "sales" { "incremental" } else { "full_refresh" }
}

fn expected() -> BTreeSet<String> {
    let sales = DAYS.iter().flat_map(|day| ["a", "b"].map(|part| format!("{day}-{part}")));
    let answers = (1..=FORMS).flat_map(|form| [1, 2].map(|n| format!("form{form}-{n}")));
    sales.chain(answers).collect()
}

fn records(messages: &Messages) -> Vec<String> {
    let id = |record: &str| serde_json::from_str::<Value>(record).unwrap()["id"].as_str().unwrap().to_owned();
    names().iter().flat_map(|name| messages.records(name).into_iter().map(id).collect::<Vec<_>>()).collect()
}

fn config(url: &str) -> Value {
    let requester = |method: &str, path: &str| json!({"type": "HttpRequester", "url_base": url, "path": path, "http_method": method});
    let at = |path: &[&str]| json!({"type": "DpathExtractor", "field_path": path});
    let schema = json!({"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}});
    let job = "{{ creation_response['id'] }}";
    let mut creation = requester("POST", "create");
    creation["request_body_json"] = json!({"day": "{{ stream_interval.start_time }}"});
    let sales = json!({
        "type": "DeclarativeStream", "name": "sales", "schema_loader": schema,
        "retriever": {
            "type": "AsyncRetriever",
            "status_mapping": {"type": "AsyncJobStatusMap", "running": ["running"], "completed": ["done"],
                "failed": ["failed"], "timeout": ["expired"]},
            "status_extractor": at(&["status"]),
            "download_target_extractor": at(&["files"]),
            "creation_requester": creation,
            "polling_requester": requester("GET", &format!("poll/{job}")),
            "abort_requester": requester("POST", &format!("abort/{job}")),
            "delete_requester": requester("POST", &format!("delete/{job}")),
            "download_requester": requester("GET", "file/{{ download_target }}"),
            "download_decoder": {"type": "CsvDecoder"},
            "record_selector": {"type": "RecordSelector", "extractor": at(&[])},
        },
        "incremental_sync": {
            "type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": "%Y-%m-%d", "step": "P1D",
            "cursor_granularity": "P1D", "start_datetime": DAYS[0], "end_datetime": "2024-01-05",
        },
    });
    let list = json!({
        "type": "SimpleRetriever", "requester": requester("GET", "list"),
        "record_selector": {"type": "RecordSelector", "extractor": at(&["items"])},
        "paginator": {
            "type": "DefaultPaginator",
            "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"},
            "pagination_strategy": {"type": "CursorPagination", "cursor_value": "{{ response.next }}",
                "stop_condition": "{{ not response.next }}"},
        },
    });
    let mapping =
        |path: &[&str], value: &str| json!({"type": "ComponentMappingDefinition", "field_path": path, "value": value});
    let form = json!({
        "type": "DeclarativeStream", "name": "", "schema_loader": schema,
        "retriever": {
            "type": "SimpleRetriever", "requester": requester("GET", "x"),
            "record_selector": {"type": "RecordSelector", "extractor": at(&[])},
        },
    });
    json!({"__injected_declarative_manifest": {
        "version": "7.39.1", "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["sales"]},
        "streams": [sales],
        "dynamic_streams": [{
            "type": "DynamicDeclarativeStream", "stream_template": form,
            "components_resolver": {
                "type": "HttpComponentsResolver", "retriever": list,
                "components_mapping": [
                    mapping(&["name"], "{{ components_values['id'] }}"),
                    mapping(&["retriever", "requester", "path"], "answers/{{ components_values['id'] }}"),
                ],
            },
        }],
        "max_concurrent_async_job_count": 2,
    }})
}

#[test]
fn a_whole_read_gives_all_records_and_deletes_each_job() {
    let api = Api::new(1);
    let (done, days) = api.rest(&json!([]));
    assert_eq!(records(&done.messages()).into_iter().collect::<BTreeSet<_>>(), expected());
    assert_eq!(days, DAYS);
    let provider = api.provider.lock().unwrap();
    assert!(provider.jobs.iter().all(|job| job.state == JobState::Deleted));
}

#[test]
fn a_read_of_jobs_that_is_stopped_at_any_request_leaves_none_and_is_completed_by_the_next() {
    let api = Api::new(1);
    for workers in [1, 3] {
        for n in 0..api.requests() {
            let run = api.read(workers, &json!([]));
            api.end_at(Some((n, End::Stop(run.stop()))));
            let done = run.run("read");
            let provider = api.provider.lock().unwrap();
            let place = format!("{workers} workers, stopped at request {n}, {}", provider.ended_at);
            assert_eq!(done.status, 143, "{place}: {}", done.stdout);
            // A job whose creation was not answered is known to the API alone.
            let left = provider.jobs.iter().filter(|job| job.state == JobState::Open).count();
            let unknown = if workers == 1 { usize::from(provider.ended_at == "/create") } else { 2 };
            assert!(left <= unknown, "{place}: {left} jobs are left");
            drop(provider);
            api.go_on(&place, &done.stdout);
        }
    }
}

#[test]
fn a_read_of_jobs_that_is_cut_after_any_line_is_completed_by_the_next() {
    let api = Api::new(1);
    for workers in [1, 3] {
        api.end_at(None);
        let done = api.read(workers, &json!([])).run("read");
        for (line, stdout) in up_to_every_line(&done.stdout).enumerate() {
            api.go_on(&format!("{workers} workers, line {}", line + 1), stdout);
        }
    }
}

#[test]
fn a_read_of_jobs_whose_server_dies_after_any_response_is_completed_by_the_next() {
    let api = Api::new(1);
    for n in 0..api.requests() {
        api.end_at(Some((n, End::Dies)));
        let done = api.read(1, &json!([])).run("read");
        let messages = done.messages();
        let place = format!("the server died after {n} responses");
        // The last requests delete jobs and read nothing.
        let is_whole = records(&messages).len() == expected().len();
        assert!(done.status == 1 || is_whole, "{place}: {}", done.stdout);
        api.go_on(&place, &done.stdout);
    }
}

#[test]
#[cfg(unix)]
fn a_process_that_is_killed_at_any_request_leaves_its_jobs_and_the_next_creates_new_ones() {
    // The binary waits in real time.
    let api = Api::new(0);
    let stream = |name: &String| {
        let offered = json!({"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]});
        json!({"stream": offered, "sync_mode": mode(name), "destination_sync_mode": "append"})
    };
    let catalog = json!({"streams": names().iter().map(stream).collect::<Vec<_>>()});
    let mut left = 0;
    for n in 0..api.requests() {
        let process = Arc::new(OnceLock::new());
        api.end_at(Some((n, End::Kill(process.clone()))));
        let args = ["read", "--config", "c.json", "--catalog", "d.json", "--workers", "1"];
        let binary = Binary::new(&args).file("c.json", config(&api.server.url())).file("d.json", &catalog);
        let (mut command, _directory) = binary.command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        process.set(child.id()).unwrap();
        let mut stdout = String::new();
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let place = format!("killed at request {n}");
        assert_eq!(child.wait().unwrap().code(), None, "{place}: {stdout}");
        let provider = api.provider.lock().unwrap();
        let open = provider.jobs.iter().filter(|job| job.state == JobState::Open).count();
        assert!(open <= 1, "{place}: {open} jobs are left");
        left += open;
        drop(provider);
        api.go_on(&place, &stdout);
    }
    assert!(left >= 3 * DAYS.len(), "{left} reads were killed within a job");
}
