//! The accessors for tests.

use super::*;

#[test]
fn a_good_output_tells_everything_about_itself() {
    let output = good();
    let messages = Messages::parse(&output);
    assert_eq!(messages.records("a"), [r#"{"id": 1e400, "n":[ ]}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    assert!(messages.records("b").is_empty());
    assert_eq!(messages.record_count(), 3);
    assert_eq!(messages.states("a"), [&json!({"c": "1"}), &json!({"c": "2"})]);
    assert_eq!(messages.statuses("a"), ["STARTED", "RUNNING", "COMPLETE"]);
    assert_eq!(messages.logs(), [("INFO", "hello")]);
    assert!(messages.errors().is_empty());
    assert_eq!(messages.lines().count(), output.lines().count());
    let last: Vec<String> = messages.last_state_lines().iter().map(|l| format!("{l}\n")).collect();
    assert_eq!(last, [state("a", json!({"c": "2"}), "1.0"), state("b", json!({"c": 0}), "0.0")]);
    let file: Value = serde_json::from_str(&messages.state_file()).unwrap();
    assert_eq!(file[0]["type"], "STREAM");
    assert_eq!(file[0]["stream"]["stream_state"], json!({"c": "2"}));
    assert_eq!(file[1]["stream"]["stream_descriptor"]["name"], "b");
    assert_eq!(
        messages.outline(),
        [
            "LOG INFO",
            "a STARTED",
            "a RUNNING",
            "a 2 records",
            r#"a STATE {"c":"1"}"#,
            "b STARTED",
            "a 1 record",
            r#"b STATE {"c":0}"#,
            "b COMPLETE",
            r#"a STATE {"c":"2"}"#,
            "a COMPLETE",
        ]
    );
}

#[test]
fn an_empty_output_is_fine() {
    assert_eq!(Messages::parse("").lines().count(), 0);
}

#[test]
#[should_panic(expected = "line 2: a record of stream a before RUNNING")]
fn parse_panics_with_line_and_rule() {
    Messages::parse(&(status("a", "STARTED") + &record("a", "{}")));
}

#[test]
fn a_rate_limited_status_is_counted() {
    let limited = json!({"stream_descriptor": {"name": "a"}, "status": "RUNNING",
        "reasons": [{"type": "RATE_LIMITED", "rate_limited": {"quota_reset": AT}}]});
    let output = [status("a", "STARTED"), trace("STREAM_STATUS", "stream_status", limited), status("a", "INCOMPLETE")];
    let messages = Messages::parse(&output.concat());
    assert_eq!(messages.rate_limited("a"), 1);
    assert_eq!(messages.outline()[1], "a RUNNING RATE_LIMITED");
}

#[test]
#[should_panic(expected = "0 messages of type SPEC")]
fn a_missing_spec_is_named() {
    Messages::parse(&log("x")).spec();
}

#[test]
fn a_cut_output_may_lack_its_end_but_nothing_else() {
    let output = good();
    for end in 0..output.len() {
        Messages::parse_cut(&output[..end]);
    }
    let messages = Messages::parse_cut(&output[..output.len() - 3]);
    assert_eq!(messages.records("a").len(), 3);
    assert!(Messages::try_parse_cut(&(record("a", "{}") + "{\"ty")).is_err());
    assert!(Messages::try_parse(&output[..output.len() - 3]).is_err());
}
