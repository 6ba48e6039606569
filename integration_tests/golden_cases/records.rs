//! `records.jsonl`: the records, streams and schemas of a manifest.

use std::collections::BTreeMap;

use serde_json::Value;

use super::whole::{self, Ran};
use super::{Verdict, run};

#[test]
fn golden_cases_of_records_come_out_as_by_the_reference() {
    run("records.jsonl", check);
}

fn check(line: &str) -> Verdict {
    let Ok(case) = serde_json::from_str::<Value>(line) else {
        return Verdict::NotYet("a case that JSON has no words for: NaN, half a surrogate pair".to_owned());
    };
    let discovered = whole::run(&case, "discover");
    let ran = if case.get("stage").is_none() { whole::run(&case, "read") } else { whole::run(&case, "discover") };
    if let Some(what) = ran.not_yet().or_else(|| discovered.not_yet()) {
        return Verdict::NotYet(what.split(':').next().unwrap_or(what).to_owned());
    }
    let wrong = differences(&case, &discovered, &ran);
    if wrong.is_empty() {
        return Verdict::Equal;
    }
    match rule(&case, &ran) {
        Some(rule) => Verdict::Rule(rule),
        None => Verdict::Failed(wrong.join("; ")),
    }
}

fn differences(case: &Value, discovered: &Ran, ran: &Ran) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(catalog) = case.get("catalog").filter(|catalog| !catalog.is_null()) {
        let mine = discovered.catalog.clone().unwrap_or_default();
        if *catalog != mine {
            wrong.push(format!("catalog: {catalog} != {mine}"));
        }
    }
    let golden = by_stream(
        list(&case["records"])
            .iter()
            .map(|record| (record["stream"].as_str().unwrap_or_default().to_owned(), record["data"].clone())),
    );
    let mine = by_stream(ran.records.iter().cloned());
    if golden != mine {
        wrong.push(format!("records: {golden:?} != {mine:?}"));
    }
    let mut golden: Vec<String> = list(&case["requests"])
        .iter()
        .map(|request| {
            let text = |at: usize| request[at].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text(0), text(1), text(2))
        })
        .collect();
    let mut mine: Vec<String> = ran
        .requests
        .iter()
        .map(|request| format!("{} {} {}", request.method, request.target, request.body_text()))
        .collect();
    golden.sort();
    mine.sort();
    if case.get("requests").is_some() && golden != mine {
        wrong.push(format!("requests: {golden:?} != {mine:?}"));
    }
    let failed = list(&case["error"]).iter().any(|error| error.get("raised").is_some());
    let mine = ran.errors.first().map(|(_, kind, text)| format!("{kind}: {text}"));
    if failed != mine.is_some() {
        wrong.push(format!("error: {} != {mine:?}", case["error"]));
    }
    wrong
}

/// Records of each stream, whose order across slices says nothing.
fn by_stream(records: impl Iterator<Item = (String, Value)>) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (stream, record) in records {
        all.entry(stream).or_default().push(super::requests::numbers(&record).to_string());
    }
    all.values_mut().for_each(|records| records.sort());
    all
}

/// Why a case differs on purpose, by what it shows.
fn rule(_case: &Value, _ran: &Ran) -> Option<&'static str> {
    None
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
