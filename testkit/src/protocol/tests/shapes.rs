//! Lines and payloads.

use super::*;

#[test]
fn lines_that_are_no_message_are_caught() {
    assert_broken("{}\nnoise\n", "line 1: no `type`");
    assert_broken("noise\n", "line 1:");
    assert_broken("\n", "line 1:");
    assert_broken("[]\n", "expected a JSON object");
    assert_broken(good().trim_end(), "does not end with a newline");
    assert_broken(&log("x").replace(':', ": "), "whitespace between tokens");
    assert_broken(&log("x").replace('\n', "\r\n"), "whitespace between tokens");
    assert_broken(&log("x").replace("}}", "},\"log\":{}}"), "`log` comes twice");
    assert_bad_line(json!({"type": 1}), "`type` is not a string");
    assert_bad_line(json!({"type": "DESTINATION_CATALOG"}), "DESTINATION_CATALOG");
    assert_bad_line(json!({"type": "LOG", "record": {}}), "LOG does not have the key `record`");
    assert_bad_line(json!({"type": "LOG"}), "LOG without `log`");
}

#[test]
fn records_of_a_wrong_shape_are_caught() {
    let with = |record: Value| json!({"type": "RECORD", "record": record});
    let data = json!({});
    assert_bad_line(with(json!({"stream": "a", "emitted_at": AT})), "without `data`");
    assert_bad_line(with(json!({"stream": "a", "data": [], "emitted_at": AT})), "not an object");
    assert_bad_line(with(json!({"data": data, "emitted_at": AT})), "stream is not a string");
    assert_bad_line(with(json!({"stream": "a", "data": data})), "emitted_at is not a number");
    let at = AT as f64 + 0.5;
    assert_bad_line(with(json!({"stream": "a", "data": data, "emitted_at": at})), "is not an integer");
    let at = AT / 1000;
    assert_bad_line(with(json!({"stream": "a", "data": data, "emitted_at": at})), "milliseconds");
    let namespace = json!({"stream": "a", "data": data, "emitted_at": AT, "namespace": null});
    assert_bad_line(with(namespace), "namespace is not a string");
    let meta = json!({"changes": [{"field": "f", "change": "LOST", "reason": "x"}]});
    let change = json!({"stream": "a", "data": data, "emitted_at": AT, "meta": meta});
    assert_bad_line(with(change), "change is LOST");
    let odd = r#"{"x":1,"x":2,"\ud800":3}"#;
    assert!(broken(&record("a", odd)).contains("before STARTED"), "the names of its members are the API's affair");
}

#[test]
fn states_of_a_wrong_shape_are_caught() {
    let with = |state: Value| json!({"type": "STATE", "state": state});
    assert_bad_line(with(json!({"type": "OTHER"})), "state.type is OTHER");
    assert_bad_line(with(json!({})), "state.data is not an object");
    assert_bad_line(with(json!({"type": "STREAM"})), "stream_descriptor is not an object");
    let stream = json!({"stream_descriptor": {"name": "a"}, "stream_state": 1});
    assert_bad_line(with(json!({"type": "STREAM", "stream": stream})), "stream_state");
    let nameless = json!({"stream_descriptor": {}, "stream_state": {}});
    assert_bad_line(with(json!({"type": "STREAM", "stream": nameless})), "name is not a string");
    assert_bad_line(with(json!({"type": "GLOBAL", "global": {}})), "stream_states");
}

#[test]
fn traces_of_a_wrong_shape_are_caught() {
    assert_broken(&trace("OTHER", "other", json!({})), "type is OTHER");
    assert_broken(&trace("ERROR", "error", json!({})), "message is not a string");
    let error = json!({"message": "m", "failure_type": "my_error"});
    assert_broken(&trace("ERROR", "error", error), "failure_type is my_error");
    let error = json!({"message": "m", "stack_trace": null});
    assert_broken(&trace("ERROR", "error", error), "stack_trace is not a string");
    let estimate = json!({"name": "a", "type": "ALL"});
    assert_broken(&trace("ESTIMATE", "estimate", estimate), "type is ALL");
    let estimate = json!({"name": "a", "type": "STREAM", "row_estimate": 1.5});
    assert_broken(&trace("ESTIMATE", "estimate", estimate), "row_estimate is not an integer");
    assert_broken(&trace("ANALYTICS", "analytics", json!({})), "type is not a string");
    let value = json!({"type": "t", "value": 1});
    assert_broken(&trace("ANALYTICS", "analytics", value), "value is not a string");
    let name = json!({"name": "a"});
    let of = json!({"stream_descriptor": name, "status": "RUNNING", "reasons": [{"type": "X"}]});
    assert_broken(&trace("STREAM_STATUS", "stream_status", of), "type is X");
    let no_time = json!({"type": "TRACE", "trace": {"type": "ERROR", "error": {"message": "m"}}});
    assert_bad_line(no_time, "emitted_at is not a number");
}

#[test]
fn logs_of_a_wrong_shape_are_caught() {
    let with = |log: Value| json!({"type": "LOG", "log": log});
    assert_bad_line(with(json!({"level": "WARNING", "message": ""})), "level is WARNING");
    assert_bad_line(with(json!({"level": "INFO"})), "message is not a string");
}

#[test]
fn spec_catalog_check_and_control_are_given_and_checked() {
    let spec = json!({"type": "SPEC", "spec": {"connectionSpecification": {"x": 1}}});
    let parsed = Messages::parse(&line(spec));
    assert_eq!(parsed.spec()["connectionSpecification"]["x"], 1);
    assert_bad_line(json!({"type": "SPEC", "spec": {}}), "connectionSpecification");
    let url = json!({"connectionSpecification": {}, "documentationUrl": null});
    assert_bad_line(json!({"type": "SPEC", "spec": url}), "documentationUrl");

    let check = |status: Value| json!({"type": "CONNECTION_STATUS", "connectionStatus": status});
    let parsed = Messages::parse(&line(check(json!({"status": "FAILED", "message": "no"}))));
    assert_eq!(parsed.connection_status(), ("FAILED", Some("no")));
    assert_bad_line(check(json!({"status": "OK"})), "status is OK");

    let control = |kind: &str| {
        let config = json!({"config": {"k": 1}});
        json!({"type": "CONTROL",
            "control": {"type": kind, "emitted_at": AT, "connectorConfig": config}})
    };
    let parsed = Messages::parse(&line(control("CONNECTOR_CONFIG")));
    assert_eq!(parsed.configs(), [&json!({"k": 1})]);
    assert_bad_line(control("OTHER"), "type is OTHER");

    let catalog = |streams: Value| json!({"type": "CATALOG", "catalog": {"streams": streams}});
    let good = json!({"name": "a", "json_schema": {}, "supported_sync_modes": ["incremental"],
        "default_cursor_field": ["c"], "source_defined_primary_key": [["id"]]});
    let parsed = Messages::parse(&line(catalog(json!([good]))));
    assert_eq!(parsed.catalog()["streams"][0]["name"], "a");
    assert_bad_line(catalog(json!([good, good])), "stream a comes twice");
    assert_bad_line(catalog(json!({})), "catalog.streams is not an array");
    for (field, value, rule) in [
        ("name", json!(1), "name is not a string"),
        ("json_schema", json!(true), "json_schema is not an object"),
        ("supported_sync_modes", json!([]), "supported_sync_modes"),
        ("supported_sync_modes", json!(["full"]), "supported_sync_modes"),
        ("is_resumable", json!("yes"), "is_resumable is not a boolean"),
        ("default_cursor_field", json!("c"), "default_cursor_field is not an array"),
        ("default_cursor_field", json!([1]), "default_cursor_field is not a path"),
        ("source_defined_primary_key", json!(["id"]), "not a list of paths"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert_bad_line(catalog(json!([bad])), rule);
    }
}
