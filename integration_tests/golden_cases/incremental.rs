//! `incremental.jsonl`: the requests, records and states of streams with a cursor, from any state that Airbyte's
//! runtime may have written.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{InProcess, Reply, Request, Server};

use super::whole::{self, Ran};
use super::{Verdict, incremental_rules, run};

#[test]
fn golden_cases_of_incremental_syncs_come_out_as_by_the_reference() {
    run("incremental.jsonl", check);
}

/// A case, and the program's run.
pub(super) struct Seen<'c> {
    pub(super) case: &'c Value,
    pub(super) ran: Ran,
    pub(super) requests: Vec<String>,
    /// The records, each with its stream.
    pub(super) records: Vec<Value>,
    /// The states, each with its stream and the records since the one before.
    pub(super) states: Vec<Value>,
    /// R and S for records and states, in the order of the output.
    pub(super) sequence: String,
}

fn check(line: &str) -> Verdict {
    let Ok(case) = serde_json::from_str::<Value>(line) else { return Verdict::Skipped };
    // Constants that the reference got for the case.
    if case.get("patch").is_some() {
        return Verdict::Skipped;
    }
    let seen = read(&case);
    if let Some(what) = seen.ran.not_yet() {
        return Verdict::NotYet(what.to_owned());
    }
    let wrong = differences(&seen);
    let parts: Vec<&str> = wrong.iter().map(|(part, _)| *part).collect();
    match incremental_rules::rule(&seen, &parts) {
        _ if wrong.is_empty() => Verdict::Equal,
        Some(rule) => Verdict::Rule(rule),
        None => {
            let wrong: Vec<String> = wrong.into_iter().map(|(part, what)| format!("{part}: {what}")).collect();
            let errors = &seen.ran.errors;
            Verdict::Failed(format!("{}: {} {errors:?}", case["name"], wrong.join("; ")))
        }
    }
}

/// The parts that differ, and how.
fn differences(seen: &Seen<'_>) -> Vec<(&'static str, String)> {
    let case = seen.case;
    let in_order = case["requests_order"] == "exact";
    let golden = |name: &str| case[name].as_array().cloned().unwrap_or_default();
    let sorted = |mut lines: Vec<String>| {
        if !in_order {
            lines.sort();
        }
        lines
    };
    let texts = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
    let mut wrong = Vec::new();
    let mut compare = |part: &'static str, golden: Vec<String>, mine: Vec<String>| {
        let (golden, mine) = (sorted(golden), sorted(mine));
        if golden != mine {
            wrong.push((part, format!("{golden:?} != {mine:?}")));
        }
    };
    let requests = golden("requests").iter().map(|request| canonical(request.as_str().unwrap_or_default())).collect();
    compare("requests", requests, seen.requests.iter().map(|request| canonical(request)).collect());
    compare("records", texts(&numbers(&golden("records"))), texts(&numbers(&seen.records)));
    let (states, mine) = (numbers(&golden("states")), numbers(&seen.states));
    if in_order {
        compare("states", texts(&states), texts(&mine));
        let sequence = case["sequence"].as_str().unwrap_or_default().replace('E', "");
        compare("sequence", vec![sequence], vec![seen.sequence.clone()]);
    } else {
        let last = |states: &[Value]| states.last().map(|state| state["state"].to_string()).into_iter().collect();
        compare("states", last(&states), last(&mine));
    }
    if case["error"].is_null() != seen.ran.errors.is_empty() {
        wrong.push(("error", format!("{} != {:?}", case["error"], seen.ran.errors)));
    }
    let ends = json!(seen.ran.ends);
    if case["error"].is_null() && case["status"] != ends {
        wrong.push(("status", format!("{} != {ends}", case["status"])));
    }
    wrong
}

/// A request with its query in order: the order in which components add parameters does not matter.
pub(super) fn canonical(request: &str) -> String {
    let Some((path, query)) = request.split_once('?') else { return request.to_owned() };
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.sort_unstable();
    format!("{path}?{}", parameters.join("&"))
}

/// Values whose numbers can be compared: 2.0 is 2.
fn numbers(values: &[Value]) -> Vec<Value> {
    values.iter().map(super::requests::numbers).collect()
}

fn read(case: &Value) -> Seen<'_> {
    let rules = case["server"].as_array().cloned().unwrap_or_default();
    let uses: Vec<AtomicU64> = rules.iter().map(|_| AtomicU64::new(0)).collect();
    let requests = Mutex::new(Vec::new());
    let requests = std::sync::Arc::new(requests);
    let asked = requests.clone();
    let server = Server::start(move |request: &Request| {
        let mut line = if request.method == "GET" { String::new() } else { format!("{} ", request.method) };
        line += &request.target;
        asked.lock().expect("requests").push(line);
        let takes = |at: &usize| takes(&rules[*at], &uses[*at], request);
        match (0..rules.len()).find(takes) {
            Some(at) => reply(&rules[at], request),
            None => Reply::json(json!({"error": "no rule"})).status(404),
        }
    });
    let mut config = case["config"].clone();
    config["__injected_declarative_manifest"] = whole::put(&case["manifest"], &server.url());
    let now: jiff::Timestamp = case["now"].as_str().unwrap_or_default().parse().expect("a moment");
    let mut connector = InProcess::with_registry(Registry::built_in()).config(&config).now(now.as_second());
    let fraction = now.subsec_nanosecond().unsigned_abs();
    connector.clock().advance(Duration::from_nanos(fraction.into()));
    connector = if let Some(catalog) = case.get("catalog") {
        connector.catalog(catalog)
    } else {
        let mode = case.get("sync_mode").and_then(Value::as_str).unwrap_or("incremental");
        let streams = case["manifest"]["streams"].as_array().cloned().unwrap_or_default();
        let is_chosen = |name: &&str| match case.get("select") {
            Some(names) => names.as_array().is_some_and(|names| names.contains(&json!(name))),
            None => true,
        };
        let names = streams.iter().filter_map(|stream| stream["name"].as_str());
        let names: Vec<&str> = names.filter(is_chosen).collect();
        connector.streams(&names.into_iter().map(|name| (name, mode)).collect::<Vec<_>>())
    };
    if !case["state_in"].is_null() {
        connector = connector.state(&case["state_in"]);
    }
    let done = connector.run("read");
    let mut ran = Ran::of(done.stdout.clone());
    let (mut records, mut states, mut sequence) = (Vec::new(), Vec::new(), String::new());
    for line in done.stdout.lines() {
        let message: Value = serde_json::from_str(line).expect("a message");
        whole::note(&message, &mut ran);
        match message["type"].as_str() {
            Some("RECORD") => {
                records.push(json!({"stream": message["record"]["stream"], "data": message["record"]["data"]}));
                sequence.push('R');
            }
            Some("STATE") => {
                let stream = &message["state"]["stream"];
                states.push(json!({
                    "stream": stream["stream_descriptor"]["name"],
                    "state": stream["stream_state"],
                    "count": message["state"]["sourceStats"]["recordCount"],
                }));
                sequence.push('S');
            }
            _ => {}
        }
    }
    let requests = requests.lock().expect("requests").clone();
    Seen { case, ran, requests, records, states, sequence }
}

fn takes(rule: &Value, uses: &AtomicU64, request: &Request) -> bool {
    let query = rule.get("query").and_then(Value::as_object);
    let fits = rule["path"] == *request.path
        && query.is_none_or(|query| query.iter().all(|(name, value)| request.param(name) == Some(&*text(value))));
    let times = rule.get("times").and_then(Value::as_u64).unwrap_or(u64::MAX);
    fits && uses.fetch_add(1, Ordering::Relaxed) < times
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn reply(rule: &Value, request: &Request) -> Reply {
    let body = match rule.get("list") {
        Some(list) => listed(list, request),
        None => rule["body"].clone(),
    };
    let status = rule.get("status").and_then(Value::as_u64).unwrap_or(200);
    let reply = Reply::json(body).status(u16::try_from(status).expect("a status"));
    match rule.get("delay").and_then(Value::as_f64) {
        Some(seconds) => reply.delay(Duration::from_secs_f64(seconds)),
        None => reply,
    }
}

/// The page number that a request asks for.
fn listed(list: &Value, request: &Request) -> Value {
    let name = |name: &str| list.get(name).and_then(Value::as_str);
    let given = |parameter: &str| name(parameter).and_then(|parameter| request.param(parameter));
    let is_within = |record: &&Value| {
        let is_where = list.get("where").and_then(Value::as_object).is_none_or(|conditions| {
            conditions.iter().all(|(parameter, field)| {
                let wanted = request.param(parameter);
                wanted.is_none_or(|wanted| text(&record[field.as_str().unwrap_or_default()]) == wanted)
            })
        });
        let value = &record[name("field").unwrap_or_default()];
        let is_since = given("from").is_none_or(|from| !value.is_null() && !is_less(&text(value), from));
        is_where && is_since && given("to").is_none_or(|to| !value.is_null() && !is_less(to, &text(value)))
    };
    let records = list["records"].as_array().cloned().unwrap_or_default();
    let records: Vec<&Value> = records.iter().filter(is_within).collect();
    let Some(size) = list.get("page_size").and_then(Value::as_u64) else {
        return json!({"items": records, "next": null});
    };
    let page = given("page").and_then(|page| page.parse::<u64>().ok()).unwrap_or(1);
    let place = |page: u64| usize::try_from(page * size).unwrap_or(usize::MAX).min(records.len());
    let items = &records[place(page.saturating_sub(1))..place(page)];
    let next = (place(page) < records.len()).then_some(page + 1);
    json!({"items": items, "next": next})
}

fn is_less(one: &str, other: &str) -> bool {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one < other,
        _ => one < other,
    }
}
