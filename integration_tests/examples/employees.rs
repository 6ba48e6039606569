//! `examples/employees.rs`: OAuth 2.0 with refresh tokens for one use, numbered pages, a cached parent and its children.

use serde_json::{Value, json};
use source_http_testkit::conformance::Connector;
use source_http_testkit::{Finished, InProcess, Reply, Request, Routes, Server};

use crate::support::binary::Binary;

#[allow(dead_code, reason = "its main is not called here")]
#[path = "../../examples/employees.rs"]
pub(super) mod example;

const BOTH: [(&str, &str); 2] = [("employees", "full_refresh"), ("employee_details", "full_refresh")];

/// A config whose pages have two employees.
fn config(server: &Server) -> Value {
    json!({
        "credentials": {"client_id": "id", "client_secret": "s3cret", "refresh_token": "r3fresh-1"},
        "api_url": format!("{}/v1", server.url()),
        "token_url": format!("{}/token", server.url()),
        "page_size": 2
    })
}

/// Token number `n`, which replaces the refresh token before it.
fn token(n: u64) -> Reply {
    Reply::json(json!({
        "access_token": format!("acc3ss-{n}"), "refresh_token": format!("r3fresh-{}", n + 1), "expires_in": 7200
    }))
}

/// The page of a list of three employees.
fn page_of(request: &Request) -> Reply {
    match request.param("page") {
        Some("1") => Reply::json(json!({"data": [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]})),
        _ => Reply::json(json!({"data": [{"id": 3, "name": "Mary"}]})),
    }
}

/// The whole API, with tokens that are always good.
fn api(request: &Request) -> Reply {
    match request.path.as_str() {
        "/token" => token(1),
        "/v1/employees" => page_of(request),
        path => Reply::json(json!({"salary": path.len(), "address": null})),
    }
}

fn read(server: &Server, streams: &[(&str, &str)]) -> InProcess {
    InProcess::new(example::Company).config(&config(server)).streams(streams)
}

/// The headers of every request.
fn authorizations(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.header("authorization").unwrap_or("-").to_owned()).collect()
}

fn refresh_tokens(done: &Finished) -> Vec<Value> {
    done.messages().configs().iter().map(|config| config["credentials"]["refresh_token"].clone()).collect()
}

#[test]
fn the_specification_marks_the_secrets_and_is_a_json_schema() {
    let done = InProcess::new(example::Company).run("spec");
    let messages = done.messages();
    let spec = &messages.spec()["connectionSpecification"];
    let credentials = &spec["properties"]["credentials"]["properties"];
    for secret in ["client_secret", "refresh_token", "access_token"] {
        assert_eq!(credentials[secret]["airbyte_secret"], true, "{secret}");
    }
    assert_eq!((&spec["required"], done.status), (&json!(["credentials"]), 0));
    assert_eq!(spec["properties"]["api_url"]["default"], "https://api.example.com/v1");

    let bad = json!({"credentials": {"client_id": "id"}, "page_size": 0});
    let done = InProcess::new(example::Company).config(&bad).run("check");
    let messages = done.messages();
    let (status, message) = messages.connection_status();
    assert_eq!(status, "FAILED");
    for named in ["client_secret", "refresh_token", "`page_size`"] {
        assert!(message.unwrap().contains(named), "{message:?}");
    }
}

#[test]
fn check_gets_a_token_and_reads_one_page() {
    let server = Server::start(api);
    let done = InProcess::new(example::Company).config(&config(&server)).run("check");
    let tried = "Asked for the first page of `employees`: it can be read.";
    assert_eq!(done.messages().connection_status(), ("SUCCEEDED", Some(tried)));
    assert_eq!(server.conversation(), ["POST /token", "GET /v1/employees?page=1&per_page=2"]);
    assert_eq!(refresh_tokens(&done), ["r3fresh-2"], "a check uses the refresh token up, too");
}

#[test]
fn bare_records_have_no_place_for_a_new_refresh_token_and_that_is_reported() {
    let server = Server::start(api);
    let read = read(&server, &[("employees", "full_refresh")]).arg("--format").arg("jsonl").arg("--quiet");
    let done = read.run("read");
    assert_eq!((done.status, done.stdout.lines().count()), (0, 3));
    let error = "error: The API has replaced a credential of the config, and the new one is lost: ";
    assert!(done.stderr.starts_with(error) && done.stderr.lines().count() == 1, "{}", done.stderr);
    assert!(!done.stderr.contains("r3fresh"), "{}", done.stderr);
}

#[test]
fn a_refused_client_fails_the_check_as_the_users_to_fix() {
    let refused = Reply::json(json!({"error": "invalid_grant", "error_description": "used already"})).status(400);
    let server = Server::start(Routes::new().once("POST", "/token", [refused]));
    let done = InProcess::new(example::Company).config(&config(&server)).run("check");
    let messages = done.messages();
    let (status, message) = messages.connection_status();
    assert_eq!(status, "FAILED");
    let message = message.unwrap();
    assert!(message.contains("invalid_grant: used already") && message.contains("Re-authenticate"), "{message}");
}

#[test]
fn discover_tells_keys_and_schemas_without_a_request() {
    let server = Server::start(api);
    let messages = InProcess::new(example::Company).config(&config(&server)).run("discover").messages();
    let streams = messages.catalog()["streams"].as_array().unwrap();
    let facts: Vec<Value> = streams
        .iter()
        .map(|stream| json!([stream["name"], stream["source_defined_primary_key"], stream["supported_sync_modes"]]))
        .collect();
    assert_eq!(
        facts,
        [
            json!(["employees", [["id"]], ["full_refresh"]]),
            json!(["employee_details", [["employee_id"]], ["full_refresh"]]),
        ]
    );
    assert!(streams[0]["json_schema"]["properties"]["hired_at"].is_object());
    assert!(streams[1]["json_schema"]["properties"]["address"]["properties"]["city"].is_object());
    assert!(server.conversation().is_empty());
}

#[test]
fn each_page_is_fetched_once_whichever_stream_comes_first() {
    let token = "POST /token".to_owned();
    let pages = ["GET /v1/employees?page=1&per_page=2", "GET /v1/employees?page=2&per_page=2"].map(str::to_owned);
    let details = ["1", "2", "3"].map(|id| format!("GET /v1/employees/{id}/details"));
    let [first, second] = &pages;
    let [ada, grace, mary] = &details;
    for (streams, expected) in [
        (BOTH, [&token, first, second, ada, grace, mary]),
        ([BOTH[1], BOTH[0]], [&token, first, ada, grace, second, mary]),
    ] {
        let server = Server::start(api);
        let done = read(&server, &streams).run("read");
        assert_eq!(server.conversation().iter().collect::<Vec<_>>(), expected, "{streams:?}");
        let sent = authorizations(&server);
        assert_eq!((sent[0].as_str(), &sent[1..]), ("-", &["Bearer acc3ss-1"; 5].map(str::to_owned)[..]));
        let asked = server.requests()[0].body_text();
        assert_eq!(asked, "grant_type=refresh_token&client_id=id&client_secret=s3cret&refresh_token=r3fresh-1");
        let messages = done.messages();
        let employees = [r#"{"id":1,"name":"Ada"}"#, r#"{"id":2,"name":"Grace"}"#, r#"{"id":3,"name":"Mary"}"#];
        assert_eq!((done.status, messages.records("employees")), (0, employees.to_vec()));
        let details = [1, 2, 3].map(|id| format!(r#"{{"salary":23,"address":null,"employee_id":{id}}}"#));
        assert_eq!(messages.records("employee_details"), details);
        for stream in ["employees", "employee_details"] {
            assert_eq!(messages.statuses(stream), ["STARTED", "RUNNING", "COMPLETE"]);
        }
    }
}

#[test]
fn a_refresh_token_for_one_use_goes_back_into_the_config_with_its_access_token() {
    let server = Server::start(api);
    let done = read(&server, &BOTH).run("read");
    let mut expected = config(&server);
    expected["credentials"]["refresh_token"] = "r3fresh-2".into();
    expected["credentials"]["access_token"] = "acc3ss-1".into();
    expected["credentials"]["token_expiry_date"] = "2026-11-01T02:00:00Z".into();
    assert_eq!(done.messages().configs(), [&expected]);
    assert_eq!(done.stdout.matches("r3fresh").count(), 1, "only the platform gets it");

    // The next run gets that config, and needs no new token while the old one is valid.
    server.take_requests();
    let again = InProcess::new(example::Company).config(&expected).streams(&BOTH).run("read");
    assert_eq!((again.status, again.messages().configs().len()), (0, 0));
    assert_eq!(server.conversation()[0], "GET /v1/employees?page=1&per_page=2");
    assert_eq!(authorizations(&server)[0], "Bearer acc3ss-1");
}

#[test]
fn a_token_that_is_refused_in_the_middle_is_replaced_once_and_the_page_requested_again() {
    let page = |id: u64| Reply::json(json!({"data": [{"id": id}, {"id": id + 1}]}));
    let end = Reply::json(json!({"data": []}));
    let routes = Routes::new().once("POST", "/token", [token(1), token(2)]).once(
        "GET",
        "/v1/employees",
        [page(1), Reply::empty(401), page(3), end],
    );
    let server = Server::start(routes);
    let done = read(&server, &BOTH[..1]).run("read");
    let page = |page: u64| format!("GET /v1/employees?page={page}&per_page=2");
    let token = "POST /token".to_owned();
    assert_eq!(server.conversation(), [token.clone(), page(1), page(2), token, page(2), page(3)]);
    let sent = ["-", "Bearer acc3ss-1", "Bearer acc3ss-1", "-", "Bearer acc3ss-2", "Bearer acc3ss-2"];
    assert_eq!(authorizations(&server), sent);
    assert!(server.requests()[3].body_text().ends_with("&refresh_token=r3fresh-2"));
    assert_eq!(refresh_tokens(&done), ["r3fresh-2", "r3fresh-3"]);
    let messages = done.messages();
    assert_eq!(messages.records("employees"), [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#, r#"{"id":4}"#]);
    assert!(done.sleeps.is_empty(), "{:?}", done.sleeps);
}

#[test]
fn an_employee_who_has_left_is_ignored() {
    let server = Server::start(|request: &Request| match request.path.as_str() {
        "/v1/employees/2/details" => Reply::json(json!({"error": "no such employee"})).status(404),
        _ => api(request),
    });
    let done = read(&server, &BOTH[1..]).run("read");
    let messages = done.messages();
    let ids: Vec<Value> = messages
        .records("employee_details")
        .iter()
        .map(|record| serde_json::from_str::<Value>(record).unwrap()["employee_id"].clone())
        .collect();
    assert_eq!((done.status, ids), (0, vec![json!(1), json!(3)]));
    assert_eq!(messages.statuses("employee_details"), ["STARTED", "RUNNING", "COMPLETE"]);
    assert_eq!(server.conversation().iter().filter(|line| line.ends_with("/2/details")).count(), 1);
}

#[test]
fn an_interrupted_read_resumes_at_the_employee_where_it_stopped_but_not_at_a_page_that_is_counted() {
    let server = Server::start(api);
    let resumed = |streams: &[(&str, &str)], left: usize| {
        let first = read(&server, streams).arg("--limit").arg("2").run("read").messages();
        server.take_requests();
        let state = serde_json::from_str(&first.state_file()).unwrap();
        let rest = read(&server, streams).state(&state).run("read").messages();
        let name = streams[0].0;
        assert_eq!((first.records(name).len(), rest.records(name).len()), (2, left), "{name}");
        server.conversation()[1..].to_vec()
    };
    let [first, second] = [1, 2].map(|page| format!("GET /v1/employees?page={page}&per_page=2"));
    // A page number names another page once an employee has left.
    assert_eq!(resumed(&BOTH[..1], 3), [first.clone(), second.clone()]);
    let third = "GET /v1/employees/3/details".to_owned();
    assert_eq!(resumed(&BOTH[1..], 1), [first, second, third]);
}

#[test]
fn the_built_program_says_what_it_wants_and_reads_over_real_sockets() {
    let spec = Binary::example("employees", &["spec"]).run();
    assert_eq!((spec.status, spec.stderr.as_str()), (Some(0), ""));
    assert_eq!(spec.messages().spec()["connectionSpecification"]["title"], "Company");

    let server = Server::start(api);
    let read = Binary::example("employees", &["read", "--config", "-"]).stdin(config(&server)).run();
    assert_eq!((read.status, read.stderr.as_str()), (Some(0), ""));
    let messages = read.messages();
    assert_eq!((messages.records("employees").len(), messages.records("employee_details").len()), (3, 3));
    assert_eq!(server.conversation().len(), 6);
}

#[test]
fn it_keeps_airbytes_rules_for_connectors() {
    let server = Server::start(api);
    let report = Connector::new(|| InProcess::new(example::Company), &config(&server)).assert_conforms();
    // Declared fields that nobody here has.
    let unseen = ["address", "address.city", "address.street"].map(|field| format!("employee_details {field}"));
    assert_eq!(report.unseen, [&unseen[..], &["employees email".into(), "employees hired_at".into()]].concat());
}
