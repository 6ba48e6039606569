//! Manifests with Python classes: a Python runtime runs the whole manifest if one is named; otherwise the streams
//! without classes are read. The runtime of these tests is a shell script.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use source_http_testkit::{Routes, Server};

use crate::support::binary::Binary;

const MANIFEST: &str = r#"version: "6.0.0"
type: DeclarativeSource
check: {type: CheckStream, stream_names: [odd]}
definitions:
  retriever: &retriever
    type: SimpleRetriever
    requester: {type: HttpRequester, url_base: "{{ config['api_url'] }}", path: items}
streams:
- type: DeclarativeStream
  name: plain
  retriever:
    <<: *retriever
    record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
- type: DeclarativeStream
  name: odd
  retriever:
    <<: *retriever
    record_selector:
      type: RecordSelector
      extractor: {type: CustomRecordExtractor, class_name: source_x.components.NestedItems}
spec: {type: Spec, connection_specification: {type: object, properties: {api_url: {type: string}}}}
"#;

const CLASS: &str = "source_x.components.NestedItems at streams[1].retriever.record_selector.extractor (m.yaml:20:18), in the \
                     stream `odd`";

/// Says what it was given.
const RUNTIME: &str = r#"#!/bin/sh
echo "arguments: $*"
echo "variable: $GREETING, runtime: $SOURCE_HTTP_PYTHON_RUNTIME"
echo "input: $(cat)"
echo "trouble" >&2
exit 7
"#;

fn call(args: &[&str], config: &Value) -> Binary {
    let catalog = json!({"streams": [stream("plain"), stream("odd")]});
    let binary = Binary::new(args).file("m.yaml", MANIFEST).file("c.json", config).file("d.json", catalog);
    binary.env("AIRBYTE_MANIFEST_PATH", "m.yaml")
}

fn stream(name: &str) -> Value {
    let stream = json!({"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]});
    json!({"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"})
}

/// A call in whose folder there is a runtime, with this file mode.
fn with_runtime(args: &[&str], config: &Value, text: &str, mode: u32) -> Output {
    let call = call(args, config).file("runtime", text).env("SOURCE_HTTP_PYTHON_RUNTIME", "./runtime");
    let (mut command, directory) = call.env("GREETING", "hello").command();
    set_mode(&directory.path().join("runtime"), mode);
    let input = std::fs::File::open(directory.path().join("c.json")).unwrap();
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
}

fn set_mode(file: &Path, mode: u32) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_manifest_with_python_classes_is_handed_over_whole_where_a_runtime_is_named() {
    for (args, given) in [
        (&["check", "--config", "c.json"][..], "check --config c.json --manifest-path m.yaml"),
        (&["discover", "--config", "c.json", "-q"], "discover --config c.json --manifest-path m.yaml"),
        (
            &["read", "--config", "c.json", "--catalog", "d.json", "--components-path", "components.py"],
            "read --catalog d.json --config c.json --manifest-path m.yaml --components-path components.py",
        ),
    ] {
        let output = with_runtime(args, &json!({"api_url": "x"}), RUNTIME, 0o755);
        let stdout = text(&output.stdout);
        let (log, rest) = stdout.split_once('\n').unwrap();
        let log: Value = serde_json::from_str(log).unwrap();
        let why = format!("Handed over to the Python runtime ./runtime: the manifest needs Python for {CLASS}.");
        assert_eq!(log["log"], json!({"level": "INFO", "message": why}));
        let input = r#"{"api_url":"x"}"#;
        assert_eq!(rest, format!("arguments: {given}\nvariable: hello, runtime: \ninput: {input}\n"));
        assert_eq!((text(&output.stderr).trim(), output.status.code()), ("trouble", Some(7)));
    }
}

#[test]
fn a_signal_that_ends_the_runtime_ends_the_run_and_one_for_the_run_reaches_the_runtime() {
    use std::os::unix::process::ExitStatusExt;
    let args = ["check", "--config", "c.json"];
    let killed = with_runtime(&args, &json!({}), &RUNTIME.replace("exit 7", "kill -KILL $$"), 0o755);
    assert_eq!(killed.status.signal(), Some(9));
    // The runtime has the process of the run, and gets its signals.
    let own = "#!/bin/sh\ntrap 'echo stopped; exit 143' TERM\nkill -TERM $$\nexit 7\n";
    let stopped = with_runtime(&args, &json!({}), own, 0o755);
    assert!(text(&stopped.stdout).ends_with("stopped\n"), "{}", text(&stopped.stdout));
    assert_eq!(stopped.status.code(), Some(143));
}

#[test]
fn a_runtime_that_cannot_be_run_and_what_it_does_not_have_are_reported() {
    let failed = |args: &[&str], config: Value, text_of: &str, mode: u32| {
        let output = with_runtime(args, &config, text_of, mode);
        assert_ne!(output.status.code(), Some(7), "it was handed over");
        text(&output.stdout)
    };
    let (check, plain) = (["check", "--config", "c.json"], json!({"api_url": "x"}));
    let status = |stdout: &str| {
        let line = stdout.lines().find(|line| line.contains("CONNECTION_STATUS")).unwrap().to_owned();
        let message: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(message["connectionStatus"]["status"], "FAILED");
        message["connectionStatus"]["message"].as_str().unwrap().to_owned()
    };
    let named = "The manifest needs Python classes, and SOURCE_HTTP_PYTHON_RUNTIME names ./runtime, ";
    let not_executable = status(&failed(&check, plain.clone(), "#!/bin/sh\nexit 7\n", 0o644));
    assert_eq!(
        not_executable,
        format!("{named}which is not an executable file. Name the program `source-declarative-manifest`.")
    );
    let refers = json!({"api_url": "${HOME}"});
    let referring = status(&failed(&check, refers, "#!/bin/sh\nexit 7\n", 0o755));
    assert!(
        referring.starts_with(&format!("{named}which takes the config as it is written: `api_url`")),
        "{referring}"
    );
    let ours = failed(&["read", "--config", "c.json"], plain.clone(), "#!/bin/sh\nexit 7\n", 0o755);
    assert!(ours.contains("which does not have a read without --catalog"), "{ours}");
    // Only the system knows that the interpreter does not exist.
    let broken = failed(&check, plain.clone(), "#!/no/such/python\n", 0o755);
    assert!(broken.contains("The Python runtime cannot be started") && broken.contains("system_error"), "{broken}");

    let missing = call(&check, &plain).env("SOURCE_HTTP_PYTHON_RUNTIME", "./nowhere").run();
    let messages = missing.messages();
    let (state, message) = messages.connection_status();
    assert_eq!(state, "FAILED");
    assert!(message.unwrap().contains("names ./nowhere, and there is no such file"), "{message:?}");
}

#[test]
fn without_a_runtime_the_streams_that_need_python_fail_alone_and_spec_is_served() {
    let server = Server::start(Routes::new().on("GET", "/items", [json!([{"id": 1}])]));
    let config = json!({"api_url": server.url()});
    assert_eq!(
        call(&["spec"], &config).run().messages().spec()["connectionSpecification"]["properties"],
        json!({"api_url": {"type": "string"}})
    );
    let needs = "The stream \"odd\" needs a component that does not run here yet: the Python class \
                 source_x.components.NestedItems of a CustomRecordExtractor (see whether `RecordExpander` can do the same): \
                 streams[1].retriever.record_selector.extractor (m.yaml:20:18). To have Airbyte's Python runtime run the \
                 whole manifest, set SOURCE_HTTP_PYTHON_RUNTIME to the path of its program, source-declarative-manifest.";
    let check = call(&["check", "--config", "c.json"], &config).run().messages();
    assert_eq!(check.connection_status(), ("FAILED", Some(needs)));

    let read = call(&["read", "--config", "c.json", "--catalog", "d.json"], &config).run();
    let messages = read.messages();
    assert_eq!((messages.records("plain"), read.status), (vec![r#"{"id":1}"#], Some(1)));
    assert_eq!(messages.statuses("plain").last(), Some(&"COMPLETE"));
    assert_eq!(messages.statuses("odd"), ["STARTED", "INCOMPLETE"]);
    assert!(messages.errors().iter().any(|error| error.message == needs), "{}", read.stdout);

    // A manifest without a class is not handed over.
    let own = MANIFEST.replace(
        "{type: CustomRecordExtractor, class_name: source_x.components.NestedItems}",
        "{type: DpathExtractor, field_path: []}",
    );
    let read = call(&["read", "--config", "c.json", "--catalog", "d.json"], &config).file("m.yaml", own);
    let messages = read.env("SOURCE_HTTP_PYTHON_RUNTIME", "/no/such/runtime").run().messages();
    assert_eq!(messages.records("odd"), [r#"{"id":1}"#]);
}
