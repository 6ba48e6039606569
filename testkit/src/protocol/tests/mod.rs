//! Each rule with an output that breaks it.

mod accessors;
mod answers;
mod lifecycles;
mod shapes;

use serde_json::{Value, json};

use super::Messages;

const AT: i64 = 1_700_000_000_000;

fn line(value: Value) -> String {
    format!("{value}\n")
}

fn status(stream: &str, status: &str) -> String {
    let of = json!({"stream_descriptor": {"name": stream}, "status": status});
    trace("STREAM_STATUS", "stream_status", of)
}

fn error(stream: &str) -> String {
    let of = json!({"message": "m", "failure_type": "system_error",
        "stream_descriptor": {"name": stream}});
    trace("ERROR", "error", of)
}

fn trace(kind: &str, key: &str, payload: Value) -> String {
    line(json!({"type": "TRACE", "trace": {"type": kind, "emitted_at": AT, key: payload}}))
}

fn record(stream: &str, data: &str) -> String {
    let record = format!(r#"{{"stream":"{stream}","data":{data},"emitted_at":{AT}}}"#);
    format!("{{\"type\":\"RECORD\",\"record\":{record}}}\n")
}

fn state(stream: &str, state: Value, count: &str) -> String {
    let of = json!({"stream_descriptor": {"name": stream}, "stream_state": state});
    let stats = format!(r#"{{"recordCount":{count}}}"#);
    let state = format!(r#"{{"type":"STREAM","stream":{of},"sourceStats":{stats}}}"#);
    format!("{{\"type\":\"STATE\",\"state\":{state}}}\n")
}

fn log(message: &str) -> String {
    log_at("INFO", message)
}

fn log_at(level: &str, message: &str) -> String {
    line(json!({"type": "LOG", "log": {"level": level, "message": message}}))
}

fn opened(stream: &str) -> String {
    status(stream, "STARTED") + &status(stream, "RUNNING")
}

fn good() -> String {
    [
        log("hello"),
        opened("a"),
        record("a", r#"{"id": 1e400, "n":[ ]}"#),
        record("a", r#"{"id":2}"#),
        state("a", json!({"c": "1"}), "2.0"),
        status("b", "STARTED"),
        record("a", r#"{"id":3}"#),
        state("b", json!({"c": 0}), "0.0"),
        status("b", "COMPLETE"),
        state("a", json!({"c": "2"}), "1.0"),
        status("a", "COMPLETE"),
    ]
    .concat()
}

fn broken(output: &str) -> String {
    match Messages::try_parse(output) {
        Ok(messages) => panic!("not caught: {:#?}", messages.outline()),
        Err(broken) => broken,
    }
}

fn assert_broken(output: &str, rule: &str) {
    let found = broken(output);
    assert!(found.contains(rule), "expected {rule:?}, found {found:?}");
}

fn assert_bad_line(value: Value, rule: &str) {
    assert_broken(&line(value), rule);
}
