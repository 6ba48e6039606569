//! Streams that the API lists: `examples/manifests/forms.yaml` as its users run it, and lists that are late, refused,
//! empty or changed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use source_http::Registry;
use source_http::stop::{Stop, StopReason};
use source_http_testkit::{Finished, InProcess, Reply, Request, Server};

use super::examples::{compare, example};

const TOKEN: &str = "t0ken-of-the-forms";

fn forms(request: &Request) -> Reply {
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return Reply::json(json!({"error": "who are you?"})).status(401);
    }
    match request.path.as_str() {
        "/forms" => Reply::json(json!({"forms": [
            {"id": "f1", "title": "Visitors", "archived": false},
            {"id": "f2", "title": "Old", "archived": true},
            {"id": "7", "title": "Menu", "archived": false},
        ]})),
        "/forms/f1/questions" => Reply::json(json!({"questions": [
            {"name": "email", "kind": "text"}, {"name": "liked", "kind": "rating", "halves": true},
        ]})),
        "/forms/f1/answers" => {
            Reply::json(json!({"answers": [{"answer_id": 1, "email": "a@b.example", "liked": 4.5}]}))
        }
        "/forms/7/questions" => Reply::json(json!({"questions": [
            {"name": "stars", "kind": "rating", "halves": false}, {"name": "dishes", "kind": "choices"},
        ]})),
        "/forms/7/answers" => Reply::json(json!({"answers": [{"answer_id": 1, "stars": 5, "dishes": ["soup"]}]})),
        _ => Reply::json(json!({"error": "there is no such page"})).status(404),
    }
}

fn run_forms(api_url: &str, token: &str, command: &str) -> Finished {
    let config = json!({"api_url": api_url, "token": token});
    let run = InProcess::with_registry(Registry::built_in()).config(&config);
    let run = run.arg("--manifest-path").arg(example("forms.yaml"));
    if command == "read" { run.arg("--workers").arg("1").run(command) } else { run.run(command) }
}

#[test]
fn each_form_is_a_stream_with_the_columns_of_its_questions() {
    let server = Server::start(forms);
    let done = run_forms(&server.url(), TOKEN, "discover");
    let catalog = done.messages().catalog().clone();
    let names: Vec<&str> = catalog["streams"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["forms", "answers_Visitors", "answers_Menu"]);
    let columns = &catalog["streams"][2]["json_schema"]["properties"];
    assert_eq!(
        columns,
        &json!({
            "stars": {"type": ["null", "integer"]},
            "dishes": {"type": ["null", "array"], "items": {"type": ["null", "string"]}},
            "answer_id": {"type": "integer"},
        })
    );
    assert_eq!(catalog["streams"][1]["json_schema"]["properties"]["liked"], json!({"type": ["null", "number"]}));
    server.take_requests();

    let done = run_forms(&server.url(), TOKEN, "read");
    let stdout = done.stdout.replace(&server.url(), "http://127.0.0.1:PORT");
    assert_eq!(done.status, 0, "{stdout}");
    compare("forms.jsonl", &stdout);
    assert_eq!(done.messages().configs().len(), 1, "the config is brought up to date");
    assert_eq!(
        server.conversation(),
        [
            "GET /forms",
            "GET /forms",
            "GET /forms/f1/questions",
            "GET /forms/f1/answers",
            "GET /forms/7/questions",
            "GET /forms/7/answers",
        ]
    );
    server.take_requests();

    let done = run_forms(&server.url(), TOKEN, "check");
    assert_eq!(done.messages().connection_status().0, "SUCCEEDED");
    assert_eq!(server.conversation(), ["GET /forms", "GET /forms", "GET /forms/f1/answers"]);
}

#[test]
fn a_token_that_is_refused_fails_the_check_and_no_output_shows_it() {
    let server = Server::start(forms);
    for command in ["check", "discover", "read"] {
        let done = run_forms(&server.url(), "an0ther-t0ken", command);
        let messages = done.messages();
        let why = if command == "check" {
            let (status, why) = messages.connection_status();
            assert_eq!(status, "FAILED");
            why.unwrap().to_owned()
        } else {
            let errors = messages.errors();
            assert_eq!((done.status, errors[0].failure_type.as_deref()), (1, Some("config_error")), "{command}");
            errors[0].message.clone()
        };
        assert!(why.contains("The streams of dynamic_streams[0] (") && why.contains("401"), "{why}");
        let shown = done.stdout.lines().filter(|line| !line.contains("CONTROL")).collect::<String>() + &done.stderr;
        assert!(!shown.contains("an0ther-t0ken"), "{shown}");
    }
    let config = json!({"api_url": "ftp://x", "token": "t"});
    let run = InProcess::with_registry(Registry::built_in()).config(&config);
    let done = run.arg("--manifest-path").arg(example("forms.yaml")).run("check");
    let messages = done.messages();
    let (status, why) = messages.connection_status();
    assert!(status == "FAILED" && why.unwrap().contains("`api_url`: the value does not match"), "{why:?}");
}

/// A manifest whose streams are listed at `/list`, and one static stream.
fn manifest(base: &str) -> Value {
    let retriever = |path: &str, field: &[&str]| {
        json!({
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": base, "path": path},
            "record_selector": {
                "type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": field},
            },
        })
    };
    let schema = json!({"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}});
    let mut list = retriever("/list", &["streams"]);
    list["paginator"] = json!({
        "type": "DefaultPaginator", "page_token_option": {"type": "RequestPath"},
        "pagination_strategy": {
            "type": "CursorPagination", "cursor_value": "{{ response.get('next') }}",
            "stop_condition": "{{ not response.get('next') }}",
        },
    });
    let mapping =
        |path: &[&str], value: &str| json!({"type": "ComponentMappingDefinition", "field_path": path, "value": value});
    json!({
        "version": "1.0.0", "type": "DeclarativeSource",
        "check": {"type": "CheckDynamicStream", "stream_count": 9},
        "streams": [{
            "type": "DeclarativeStream", "name": "fixed", "retriever": retriever("/fixed", &[]), "schema_loader": schema,
        }],
        "dynamic_streams": [{
            "type": "DynamicDeclarativeStream",
            "stream_template": {
                "type": "DeclarativeStream", "name": "", "retriever": retriever("x", &[]), "schema_loader": schema,
            },
            "components_resolver": {
                "type": "HttpComponentsResolver", "retriever": list,
                "components_mapping": [
                    mapping(&["name"], "{{ components_values['id'] }}"),
                    mapping(&["retriever", "requester", "path"], "/{{ components_values['id'] }}"),
                ],
            },
        }],
    })
}

/// Runs a command over that manifest; these replies are its list, one after the other; the last one stays.
fn run(list: Vec<Reply>, command: &str, change: impl Fn(InProcess) -> InProcess) -> (Finished, Vec<String>) {
    let hits = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        "/list" => list[hits.fetch_add(1, Ordering::SeqCst).min(list.len() - 1)].clone(),
        "/more" => Reply::json(json!({"streams": [{"id": "c"}]})),
        "/missing" => Reply::empty(404),
        path => Reply::json(json!([{"path": path}])),
    });
    let config = json!({"__injected_declarative_manifest": manifest(&server.url())});
    let run = change(InProcess::with_registry(Registry::built_in()).config(&config));
    let done = run.run(command);
    (done, server.conversation())
}

fn streams(ids: &[&str]) -> Reply {
    Reply::json(json!({"streams": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()}))
}

fn listed(done: &Finished) -> Vec<String> {
    let catalog = done.messages().catalog().clone();
    catalog["streams"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_in_trouble_is_requested_again_and_one_in_pages_is_read_whole() {
    let trouble = |last: Reply| {
        vec![Reply::json(json!({})).status(429).header("retry-after", "7"), Reply::json(json!({})).status(500), last]
    };
    let (done, asked) = run(trouble(streams(&["a", "b"])), "discover", |run| run);
    assert_eq!(listed(&done), ["fixed", "a", "b"]);
    assert_eq!(asked, ["GET /list", "GET /list", "GET /list"]);
    assert!(done.sleeps.iter().any(|sleep| sleep.as_secs() >= 7), "{:?}", done.sleeps);
    let logs = done.messages().logs().iter().map(|(_, text)| (*text).to_owned()).collect::<Vec<_>>();
    assert!(logs.iter().any(|text| text.contains("429")), "{logs:?}");

    let page = Reply::json(json!({"streams": [{"id": "a"}], "next": "/more"}));
    let (done, asked) = run(vec![page], "read", |run| run.arg("--workers").arg("1"));
    assert_eq!(asked, ["GET /list", "GET /more", "GET /fixed", "GET /a", "GET /c"]);
    assert_eq!(done.messages().records("c"), [r#"{"path":"/c"}"#]);
}

#[test]
fn a_list_that_stays_in_trouble_ends_as_a_transient_failure_and_an_empty_one_is_no_failure() {
    let (done, _) = run(vec![Reply::json(json!({})).status(503)], "discover", |run| run);
    assert_eq!((done.status, done.messages().errors()[0].failure_type.as_deref()), (1, Some("transient_error")));
    let (done, _) = run(vec![Reply::json(json!({})).status(503)], "check", |run| run);
    assert_eq!(done.messages().connection_status().0, "FAILED");
    let (done, _) = run(vec![streams(&[])], "discover", |run| run);
    assert_eq!(listed(&done), ["fixed"]);
}

#[test]
fn a_stream_that_is_gone_since_discover_fails_by_its_name_and_the_others_are_read() {
    let chosen = [("a", "full_refresh"), ("gone", "full_refresh"), ("fixed", "full_refresh")];
    let (done, _) = run(vec![streams(&["a", "new"])], "read", |run| run.streams(&chosen));
    let messages = done.messages();
    assert_eq!(done.status, 1);
    assert_eq!(messages.statuses("gone").last(), Some(&"INCOMPLETE"));
    assert_eq!(
        (messages.statuses("a").last(), messages.statuses("fixed").last()),
        (Some(&"COMPLETE"), Some(&"COMPLETE"))
    );
    let errors = messages.errors();
    assert!(errors[0].message.contains("\"gone\"") && errors[0].message.contains("fixed, a, new"), "{:?}", errors[0]);
}

#[test]
fn a_stop_while_the_list_is_read_ends_the_run_and_the_next_one_begins_again() {
    let stop: Arc<OnceLock<Stop>> = Arc::default();
    let stopped = stop.clone();
    let server = Server::start(move |_: &Request| {
        stopped.get().unwrap().request(StopReason::Terminated);
        Reply::json(json!({})).status(503)
    });
    let config = json!({"__injected_declarative_manifest": manifest(&server.url())});
    let connector = InProcess::with_registry(Registry::built_in()).config(&config);
    stop.set(connector.stop()).unwrap();
    let done = connector.run("read");
    assert_eq!(done.status, 143, "{}", done.stdout);
    assert_eq!(server.conversation(), ["GET /list"]);

    let (done, asked) = run(vec![streams(&["a"])], "read", |run| run.arg("--workers").arg("1"));
    assert_eq!((done.status, asked), (0, ["GET /list", "GET /fixed", "GET /a"].map(str::to_owned).to_vec()));
}

#[test]
fn a_schema_that_cannot_be_had_fails_its_stream_alone() {
    let answer = Arc::new(AtomicUsize::new(200));
    let status = answer.clone();
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        "/fields" => {
            let status = u16::try_from(status.load(Ordering::SeqCst)).unwrap();
            Reply::json(json!({"fields": [{"name": "path"}]})).status(status)
        }
        path => Reply::json(json!([{"path": path}])),
    });
    let mut manifest = manifest(&server.url());
    let mut stream = manifest["streams"][0].clone();
    stream["name"] = "known".into();
    stream["schema_loader"] = json!({
        "type": "DynamicSchemaLoader",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": server.url(), "path": "/fields"},
            "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}},
        },
        "schema_type_identifier": {"type": "SchemaTypeIdentifier", "schema_pointer": ["fields"], "key_pointer": ["name"]},
    });
    manifest["streams"].as_array_mut().unwrap().push(stream);
    manifest["dynamic_streams"] = json!([]);
    let config = json!({"__injected_declarative_manifest": manifest});
    let read = || InProcess::with_registry(Registry::built_in()).config(&config).run("read");
    assert_eq!(read().status, 0);
    answer.store(403, Ordering::SeqCst);
    let done = read();
    let messages = done.messages();
    assert_eq!(messages.statuses("known").last(), Some(&"INCOMPLETE"));
    assert_eq!(messages.statuses("fixed").last(), Some(&"COMPLETE"));
    let errors = messages.errors();
    assert!(errors[0].message.starts_with("The schema of \"known\" is not known."), "{:?}", errors[0]);
}
