//! `records.jsonl`: the records, streams and schemas of a manifest.

use std::collections::BTreeMap;

use serde_json::Value;

use super::record_rules;
use super::whole::{self, Ran};
use super::{Verdict, run};

#[test]
fn golden_cases_of_records_come_out_as_by_the_reference() {
    run("records.jsonl", check);
}

fn check(line: &str) -> Verdict {
    let Ok(case) = serde_json::from_str::<Value>(line) else {
        return Verdict::Skipped;
    };
    let discovered = whole::run(&case, "discover");
    let ran = if case.get("stage").is_none() { whole::run(&case, "read") } else { whole::run(&case, "discover") };
    if let Some(what) = ran.not_yet().or_else(|| discovered.not_yet()) {
        return Verdict::NotYet(what.to_owned());
    }
    let seen = Seen {
        case: &case,
        ran: &ran,
        golden: by_stream(
            list(&case["records"]).iter().map(|record| (text(&record["stream"]), record["data"].clone())),
        ),
        mine: by_stream(ran.records.iter().map(|(stream, record)| (stream.clone(), without_server(record)))),
        golden_requests: sorted(
            list(&case["requests"])
                .iter()
                .map(|request| format!("{} {} {}", text(&request[0]), text(&request[1]), text(&request[2]))),
        ),
        requests: sorted(
            ran.requests.iter().map(|asked| format!("{} {} {}", asked.method, asked.target, asked.body_text())),
        ),
        read: ran_of_read(&case),
        catalog: discovered.catalog.clone().unwrap_or_default(),
    };
    let wrong = differences(&seen);
    let parts: Vec<&str> = wrong.iter().map(|(part, _)| *part).collect();
    match record_rules::rule(&seen, &parts) {
        _ if wrong.is_empty() => Verdict::Equal,
        Some(rule) => Verdict::Rule(rule),
        None => {
            let wrong: Vec<String> = wrong.into_iter().map(|(part, what)| format!("{part}: {what}")).collect();
            Verdict::Failed(wrong.join("; "))
        }
    }
}

/// A case, the reference's run and the program's.
pub(super) struct Seen<'c> {
    pub(super) case: &'c Value,
    pub(super) ran: &'c Ran,
    /// The records of each stream.
    pub(super) golden: BTreeMap<String, Vec<String>>,
    pub(super) mine: BTreeMap<String, Vec<String>>,
    pub(super) golden_requests: Vec<String>,
    pub(super) requests: Vec<String>,
    /// A read, if the case has one.
    pub(super) read: Option<Ran>,
    /// The streams that the program discovers.
    pub(super) catalog: Value,
}

impl Seen<'_> {
    /// Whether the reference fails, at once or in a stream.
    pub(super) fn golden_fails(&self) -> bool {
        !list(&self.case["error"]).is_empty()
    }
}

fn ran_of_read(case: &Value) -> Option<Ran> {
    case.get("stage").map(|_| whole::run(case, "read"))
}

/// What differs, and how.
fn differences(seen: &Seen<'_>) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if let Some(catalog) = seen.case.get("catalog").filter(|catalog| !catalog.is_null())
        && *catalog != seen.catalog
    {
        wrong.push(("catalog", format!("{catalog} != {}", seen.catalog)));
    }
    if seen.golden != seen.mine {
        wrong.push(("records", format!("{:?} != {:?}", seen.golden, seen.mine)));
    }
    if seen.case.get("requests").is_some() && seen.golden_requests != seen.requests {
        wrong.push(("requests", format!("{:?} != {:?}", seen.golden_requests, seen.requests)));
    }
    let mine = seen.ran.error();
    if seen.golden_fails() != mine.is_some() {
        wrong.push(("error", format!("{} != {mine:?}", seen.case["error"])));
    }
    wrong
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

/// The records of each stream; their order across slices does not matter. A placeholder replaces the server's URL.
fn without_server(record: &Value) -> Value {
    let (written, mut text) = (record.to_string(), String::new());
    let mut parts = written.split("http://127.0.0.1:");
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        text.push_str("{BASE}");
        text.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    }
    serde_json::from_str(&text).unwrap_or_else(|_| record.clone())
}

fn by_stream(records: impl Iterator<Item = (String, Value)>) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (stream, record) in records {
        all.entry(stream).or_default().push(super::requests::numbers(&record).to_string());
    }
    for records in all.values_mut() {
        records.sort();
    }
    all
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
