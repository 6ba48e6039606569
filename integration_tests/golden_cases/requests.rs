//! `requests.jsonl`: the requests of a manifest, and the end of a read or a check of it.

use serde_json::Value;
use source_http_testkit::Request;

use super::logins;
use super::request_rules;
use super::shown::Shown;
use super::whole::{self, put};
use super::{Verdict, run};

#[test]
fn golden_cases_of_requests_are_sent_as_by_the_reference() {
    run("requests.jsonl", check);
}

fn check(line: &str) -> Verdict {
    let Ok(case) = serde_json::from_str::<Value>(line) else {
        return Verdict::Skipped;
    };
    let command = case["command"].as_str().unwrap_or("read");
    let ran = whole::run(&case, command);
    if let Some(what) = ran.not_yet() {
        return Verdict::NotYet(what.to_owned());
    }
    let shown = Shown {
        case: &case,
        ran: &ran,
        golden: list(&case["requests"]).iter().map(shown_golden).collect(),
        mine: ran.requests.iter().map(shown).collect(),
        golden_records: list(&case["records"]).iter().map(numbers).collect(),
        records: ran.records.iter().map(|(_, record)| numbers(record)).collect(),
    };
    let wrong = differences(&shown);
    let parts: Vec<&str> = wrong.iter().map(|(part, _)| *part).collect();
    match request_rules::rule(&shown, &parts) {
        _ if wrong.is_empty() => Verdict::Equal,
        Some(rule) => Verdict::Rule(rule),
        None => Verdict::Failed(
            wrong.into_iter().map(|(part, what)| format!("{part}: {what}")).collect::<Vec<_>>().join("; "),
        ),
    }
}

/// The parts that differ, and how.
fn differences(shown: &Shown<'_>) -> Vec<(&'static str, String)> {
    let Shown { case, ran, golden, mine, golden_records, records } = shown;
    let mut wrong = Vec::new();
    if golden.len() != mine.len() || golden.iter().zip(mine).any(|(golden, mine)| !fits(golden, mine)) {
        wrong.push(("requests", format!("{golden:?} != {mine:?}")));
    }
    if golden_records != records {
        wrong.push(("records", format!("{golden_records:?} != {records:?}")));
    }
    let mine = ran.error();
    if case["error"].is_null() == mine.is_some() {
        wrong.push(("error", format!("{} != {mine:?}", case["error"])));
    }
    wrong.extend(logins::configs(case, ran).map(|what| ("control", what)));
    wrong.extend(logins::tokens(case, ran).map(|what| ("jwt", what)));
    if let Some(status) = case.get("connection_status").filter(|status| !status.is_null()) {
        let golden = status["status"].as_str().or_else(|| status.as_str());
        let mine = ran.check.as_ref().map(|(status, _)| status.as_str());
        if golden != mine {
            wrong.push(("check", format!("{status} != {:?}", ran.check)));
        }
    }
    wrong
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Headers that name the client, not the request.
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

/// Whether a request is the reference's, in which words in braces stand for parts that change from run to run.
fn fits(golden: &str, mine: &str) -> bool {
    let mut parts = fixed_parts(golden).into_iter();
    let Some(rest) = parts.next().and_then(|first| mine.strip_prefix(first)) else { return false };
    let (mut rest, mut is_open) = (rest, false);
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        is_open = part.is_empty();
    }
    rest.is_empty() || is_open
}

/// The parts of a text that are the same in each run.
fn fixed_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        at = open + 1;
        let Some(close) = text[at..].find('}').map(|close| at + close) else { break };
        let word = &text[at..close];
        if word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"+-_".contains(&byte))
        {
            parts.push(&text[from..open]);
            (from, at) = (close + 1, close + 1);
        }
    }
    parts.push(&text[from..]);
    parts
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
