//! The manifest that is run: in images of manifests, and at a shell.

use serde_json::{Value, json};
use source_http_testkit::{Routes, Server};

use crate::support::binary::Binary;

const ROOMS: &str = include_str!("../fault_table/rooms.yaml");

/// A manifest as a platform puts it into a config: JSON.
fn injected() -> Value {
    let requester = json!({"type": "HttpRequester", "url": "{{ config['api_url'] }}/rooms"});
    let extractor = json!({"type": "DpathExtractor", "field_path": ["rooms"]});
    let selector = json!({"type": "RecordSelector", "extractor": extractor});
    let retriever = json!({"type": "SimpleRetriever", "requester": requester, "record_selector": selector});
    json!({
        "version": "1.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["rooms"]},
        "streams": [{"type": "DeclarativeStream", "name": "rooms", "retriever": retriever}]
    })
}

fn rooms() -> Server {
    Server::start(Routes::new().on("GET", "/rooms", [json!({"rooms": [{"id": 1}]})]))
}

#[test]
fn an_image_without_a_manifest_requests_one_and_runs_that_of_the_config() {
    let call = |args: &[&str]| Binary::new(args).env("AIRBYTE_SOURCE", "declarative");
    let spec = call(&["spec"]).run().messages().spec().clone();
    assert_eq!(spec["connectionSpecification"]["required"], json!(["__injected_declarative_manifest"]));

    let server = rooms();
    let config = json!({"api_url": server.url(), "__injected_declarative_manifest": injected()});
    let read = call(&["read", "--config", "config.json"]).file("config.json", config).run();
    assert_eq!(read.messages().records("rooms"), [r#"{"id":1}"#], "{}", read.stderr);
}

#[test]
fn a_manifest_that_is_named_is_run_without_a_source() {
    let server = rooms();
    let config = json!({"api_url": server.url(), "token": "t"});
    let call = |args: &[&str]| Binary::new(args).file("m.yaml", ROOMS).file("config.json", &config);
    let read = ["read", "--config", "config.json"];
    for run in [
        call(&read).env("AIRBYTE_MANIFEST_PATH", "m.yaml"),
        call(&[&read[..], &["--manifest-path", "m.yaml"]].concat()),
        call(&[&read[..], &["--manifest-path", "m.yaml", "--source", "declarative"]].concat()),
        call(&[&read[..], &["--manifest-path", "m.yaml"]].concat()).env("AIRBYTE_MANIFEST_PATH", "other.yaml"),
    ] {
        let output = run.run();
        assert_eq!(output.messages().records("rooms"), [r#"{"id":1}"#], "{}", output.stderr);
    }
}
