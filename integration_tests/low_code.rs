//! A faulty component of a manifest only stops its own stream.

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{Finished, InProcess, Reply, Routes, Server};

/// A manifest of a stream that can be read, and of others.
fn manifest(url: &str, others: Vec<Value>) -> Value {
    let mut streams = vec![stream(url, "good")];
    streams.extend(others);
    json!({
        "version": "7.39.1",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["good"]},
        "streams": streams,
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {"own": {"type": "string"}}}},
    })
}

fn stream(url: &str, name: &str) -> Value {
    json!({
        "type": "DeclarativeStream",
        "name": name,
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": url, "path": "items"},
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": []},
            },
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
    })
}

fn run(manifest: &Value, command: &str, streams: &[(&str, &str)]) -> Finished {
    let config = json!({"__injected_declarative_manifest": manifest});
    let connector = InProcess::with_registry(Registry::built_in()).config(&config);
    let connector = if streams.is_empty() { connector } else { connector.streams(streams) };
    connector.run(command)
}

#[test]
fn a_stream_that_is_not_run_leaves_the_others_working() {
    let server = Server::start(Routes::new().on("GET", "/items", [Reply::json(json!([{"id": 1}]))]));
    let mut custom = stream(&server.url(), "custom");
    custom["retriever"] = json!({"type": "CustomRetriever", "class_name": "source_x.components.Mine"});
    let manifest = manifest(&server.url(), vec![custom]);
    let discovered = run(&manifest, "discover", &[]);
    assert_eq!(discovered.status, 0, "{}", discovered.stdout);
    assert!(discovered.stdout.contains("\"good\"") && !discovered.stdout.contains("\"name\":\"custom\""));
    let checked = run(&manifest, "check", &[]);
    assert!(checked.stdout.contains("SUCCEEDED"), "{}", checked.stdout);
    let read = run(&manifest, "read", &[("good", "full_refresh"), ("custom", "full_refresh")]);
    assert_eq!((read.status, read.messages().record_count()), (1, 1));
    assert!(
        read.stdout.contains("does not run here yet: the Python class source_x.components.Mine"),
        "{}",
        read.stdout
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.yaml");
    std::fs::write(&file, manifest.to_string()).unwrap();
    let connector = InProcess::with_registry(Registry::built_in());
    let spec = connector.arg("--manifest-path").arg(file.to_str().unwrap()).run("spec");
    assert!(spec.status == 0 && spec.stdout.contains("\"own\""), "{}", spec.stdout);
}

#[test]
fn a_stream_without_a_name_is_an_error_of_the_manifest_and_no_empty_catalog() {
    let mut nameless = stream("http://127.0.0.1:9", "x");
    nameless.as_object_mut().unwrap().remove("name");
    let discovered = run(&manifest("http://127.0.0.1:9", vec![nameless]), "discover", &[]);
    assert_eq!(discovered.status, 1);
    assert!(discovered.stdout.contains("a stream needs the field `name`"), "{}", discovered.stdout);
}
