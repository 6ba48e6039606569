//! `requests.jsonl`: what a manifest asks for, and how a read or a check of it ends.

use serde_json::Value;
use source_http::testing::Request;

use super::whole::{self, Ran, put};
use super::{Verdict, run};

#[test]
fn golden_cases_of_requests_are_sent_as_by_the_reference() {
    run("requests.jsonl", check);
}

fn check(line: &str) -> Verdict {
    let Ok(case) = serde_json::from_str::<Value>(line) else {
        return Verdict::NotYet("a case that JSON has no words for: NaN, half a surrogate pair".to_owned());
    };
    let command = case["command"].as_str().unwrap_or("read");
    let ran = whole::run(&case, command);
    if let Some(what) = ran.not_yet() {
        return Verdict::NotYet(what.split(':').next().unwrap_or(what).to_owned());
    }
    let wrong = differences(&case, &ran);
    if wrong.is_empty() {
        return Verdict::Equal;
    }
    match rule(&case, &ran) {
        Some(rule) => Verdict::Rule(rule),
        None => Verdict::Failed(wrong.join("; ")),
    }
}

fn differences(case: &Value, ran: &Ran) -> Vec<String> {
    let mut wrong = Vec::new();
    let golden: Vec<String> = list(&case["requests"]).iter().map(shown_golden).collect();
    let mine: Vec<String> = ran.requests.iter().map(shown).collect();
    // Placeholders such as times stand for anything.
    if golden.len() != mine.len() || golden.iter().zip(&mine).any(|(golden, mine)| !fits(golden, mine)) {
        wrong.push(format!("requests: {golden:?} != {mine:?}"));
    }
    let golden: Vec<Value> = list(&case["records"]).iter().map(numbers).collect();
    let mine: Vec<Value> = ran.records.iter().map(|(_, record)| numbers(record)).collect();
    if golden != mine {
        wrong.push(format!("records: {} != {}", Value::from(golden), Value::from(mine)));
    }
    let failed = !case["error"].is_null();
    let mine = ran.errors.first().map(|(_, kind, text)| format!("{kind}: {text}"));
    if failed != mine.is_some() {
        wrong.push(format!("error: {} != {mine:?}", case["error"]));
    }
    if let Some(status) = case.get("connection_status").filter(|status| !status.is_null()) {
        let golden = status["status"].as_str().or_else(|| status.as_str());
        let mine = ran.check.as_ref().map(|(status, _)| status.as_str());
        if golden != mine {
            wrong.push(format!("check: {status} != {:?}", ran.check));
        }
    }
    wrong
}

/// Why a case differs on purpose, by what it shows.
fn rule(_case: &Value, _ran: &Ran) -> Option<&'static str> {
    None
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Headers that say who asks, and not what for.
const OF_THE_CLIENT: [&str; 6] = ["host", "user-agent", "accept-encoding", "connection", "content-length", "accept"];

fn shown(request: &Request) -> String {
    let has_body = !request.body.is_empty();
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    line(&request.method, &request.target, headers, &request.body_text(), has_body)
}

fn shown_golden(request: &Value) -> String {
    let request = put(request, "{BASE}");
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let body = text("body");
    let pairs: Vec<(String, String)> = list(&request["headers"])
        .iter()
        .map(|pair| (pair[0].as_str().unwrap_or_default().to_owned(), pair[1].as_str().unwrap_or_default().to_owned()))
        .collect();
    let headers = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    line(&text("method"), &text("target"), headers, &body, !body.is_empty())
}

fn line<'h>(
    method: &str,
    target: &str,
    headers: impl Iterator<Item = (&'h str, &'h str)>,
    body: &str,
    has_body: bool,
) -> String {
    let mut kept: Vec<String> = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| !OF_THE_CLIENT.contains(&name.as_str()) && (has_body || name != "content-type"))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    kept.sort();
    format!("{method} {target} {kept:?} {body}")
}

/// Whether a request is that of the reference, in which words in braces stand for what changes from run to run.
fn fits(golden: &str, mine: &str) -> bool {
    let mut parts = golden.split("{BASE}");
    let Some(rest) = parts.next().and_then(|first| mine.strip_prefix(first)) else { return false };
    let mut rest = rest;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

/// 1 and 1.0 are the same to a destination.
pub(super) fn numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
        Value::Array(items) => items.iter().map(numbers).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), numbers(value))).collect(),
        other => other.clone(),
    }
}
