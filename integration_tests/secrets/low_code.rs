//! The settings of a manifest, in every place where templates put them, at an API that repeats them, and in templates
//! that fail.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{InProcess, Reply, Request, Server};

use super::echo::{PLACES, Place, Saying, answer};
use super::places::{KEY, PASSWORD, assert_clean};
use super::spellings::{found_in, spellings};
use crate::support::linked_stream;

/// Characters that a path keeps, and other places encode.
const IN_PATH: &str = "p4th+s3cret~&x=(1)";
/// The tokens of a login.
const TOKEN: &str = "acc3ss/t0ken+1";

/// The places of a manifest's settings, and the settings that no output may contain.
struct Way {
    name: &'static str,
    /// Members of the requester.
    requester: Value,
    secrets: Vec<&'static str>,
}

fn ways(url: &str) -> Vec<Way> {
    let way = |name, requester| Way { name, requester, secrets: vec![KEY] };
    let login = |name, authenticator, secrets: &[&'static str]| Way {
        name,
        requester: json!({ "authenticator": authenticator }),
        secrets: secrets.to_vec(),
    };
    let into = |place: &str| {
        json!({
            "type": "ApiKeyAuthenticator", "api_token": "{{ config['key'] }}",
            "inject_into": {"type": "RequestOption", "inject_into": place, "field_name": "X-Key"},
        })
    };
    let key = "{{ config['key'] }}";
    let oauth = |more: Value| {
        let mut oauth = json!({
            "type": "OAuthAuthenticator", "token_refresh_endpoint": format!("{url}/token"), "client_id": "me",
            "client_secret": "{{ config['password'] }}", "grant_type": "client_credentials",
        });
        oauth.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        oauth
    };
    let jwt = |algorithm: &str| {
        json!({
            "type": "JwtAuthenticator", "algorithm": algorithm, "secret_key": key, "header_prefix": "Bearer",
            "jwt_payload": {"iss": "me", "sub": "{{ config['password'] }}"},
        })
    };
    let session = json!({
        "type": "SessionTokenAuthenticator", "session_token_path": ["access_token"],
        "login_requester": {
            "type": "HttpRequester", "url_base": url, "path": "token", "http_method": "POST",
            "request_body_json": {"password": "{{ config['password'] }}"},
            "request_parameters": {"key": key},
        },
        "request_authentication": {
            "type": "ApiKey",
            "inject_into": {"type": "RequestOption", "inject_into": "header", "field_name": "X-Session"},
        },
    });
    vec![
        Way { secrets: vec![IN_PATH], ..way("path", json!({"path": "v/{{ config['account'] }}/items"})) },
        way("query", json!({"request_parameters": {"key": key}})),
        way("a text for a query", json!({"request_parameters": "key={{ config['key'] | urlencode }}"})),
        way("header", json!({"request_headers": {"X-Key": key}})),
        way("JSON body", json!({"http_method": "POST", "request_body_json": {"a": {"key": [key]}}})),
        way("form", json!({"http_method": "POST", "request_body_data": {"key": key}})),
        way("text body", json!({"http_method": "POST", "request_body_data": "<key>{{ config['key'] }}</key>"})),
        login("key in a header", into("header"), &[KEY]),
        login("key in the query", into("request_parameter"), &[KEY]),
        login("key in a form", into("body_data"), &[KEY]),
        login("bearer", json!({"type": "BearerAuthenticator", "api_token": key}), &[KEY]),
        login(
            "basic",
            json!({"type": "BasicHttpAuthenticator", "username": "ann", "password": "{{ config['password'] }}"}),
            &[PASSWORD],
        ),
        login("client credentials", oauth(json!({})), &[PASSWORD, TOKEN]),
        login(
            "refresh token",
            oauth(json!({"grant_type": "refresh_token", "refresh_token": key})),
            &[KEY, PASSWORD, TOKEN],
        ),
        login("session", session, &[KEY, PASSWORD, TOKEN]),
        login("signed", jwt("HS256"), &[KEY, PASSWORD]),
        login("signed with an invalid key", jwt("RS256"), &[KEY, PASSWORD]),
    ]
}

/// A stream of `items`, with these members of its requester.
fn stream(url: &str, requester: &Value) -> Value {
    let mut own = json!({"type": "HttpRequester", "url_base": url, "path": "items"});
    own.as_object_mut().unwrap().extend(requester.as_object().unwrap().clone());
    let mut stream = linked_stream("items", &own);
    stream["incremental_sync"] = json!({
        "type": "DatetimeBasedCursor", "cursor_field": "n", "datetime_format": "%s", "start_datetime": "0",
    });
    stream
}

/// A connector of this stream, with all log levels. With `told`, the spec declares which settings are secrets.
fn connector(stream: &Value, told: bool) -> InProcess {
    let setting = json!({"type": "string", "airbyte_secret": told});
    let properties = json!({"key": setting, "password": setting, "account": setting});
    let manifest = json!({
        "version": "7.39.1", "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": [stream],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": properties}},
    });
    let config =
        json!({"key": KEY, "password": PASSWORD, "account": IN_PATH, "__injected_declarative_manifest": manifest});
    InProcess::with_registry(Registry::built_in()).config(&config).arg("--debug")
}

/// Runs a command; a read gets the stream and its states.
fn run(connector: InProcess, command: &str) -> source_http_testkit::Finished {
    let connector = if command == "read" { connector.streams(&[("items", "incremental")]) } else { connector };
    connector.run(command)
}

fn sent(request: &Request) -> String {
    let headers = request.headers.iter().map(|(_, value)| format!("{value}\n")).collect::<Vec<_>>().concat();
    format!("{}\n{headers}{}\n", request.target, request.body_text())
}

fn owned(secrets: &[&str]) -> Vec<String> {
    secrets.iter().map(ToString::to_string).collect()
}

/// An API whose items are always this.
fn api(saying: &Saying, token: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    let saying = saying.clone();
    Server::start(move |request: &Request| {
        if request.path == "/token" {
            return token();
        }
        let mut request = request.clone();
        if request.path.ends_with("/items") {
            request.path = "/items".into();
        }
        let (place, text) = saying.lock().unwrap().clone();
        answer(&request, place, &text)
    })
}

#[test]
fn no_setting_is_written_wherever_a_manifest_puts_it_and_an_api_repeats_it() {
    let saying: Saying = Arc::new(Mutex::new((Place::ErrorWords, String::new())));
    let server = api(&saying, || Reply::json(json!({"access_token": TOKEN, "expires_in": 3600})));
    let mut runs = 0;
    for Way { name, requester, secrets } in ways(&server.url()) {
        let (stream, hidden) = (stream(&server.url(), &requester), owned(&secrets));
        for secret in &secrets {
            // Each place and each spelling at least once.
            let all = spellings(secret);
            for (p, place) in PLACES.into_iter().enumerate() {
                for (s, text) in all.iter().enumerate().filter(|(s, _)| (p + s) % 9 == 0) {
                    *saying.lock().unwrap() = (place, text.clone());
                    let command = if (p + s) % 5 == 0 { "check" } else { "read" };
                    // An authenticator's credentials are secrets, whatever the spec says.
                    let told = !requester.as_object().unwrap().contains_key("authenticator") || s % 2 == 0;
                    let done =
                        run(connector(&stream, told || name.starts_with("signed") || name == "session"), command);
                    assert_clean(&done, &hidden, &format!("{name}, {command}, {place:?}, {text}"));
                    runs += 1;
                }
            }
        }
        assert_clean(&run(connector(&stream, true), "discover"), &hidden, "discover");
        // A signing key is not sent.
        let sent = server.take_requests().iter().map(sent).collect::<Vec<_>>().concat();
        assert!(name.starts_with("signed") || found_in(&sent, &hidden).is_some(), "{name}: {hidden:?} was not sent");
    }
    assert!(runs > 700, "{runs} runs only");
}

#[test]
fn no_setting_is_written_when_a_login_repeats_it() {
    let saying: Saying = Arc::new(Mutex::new((Place::ErrorWords, String::new())));
    let reply = Arc::new(Mutex::new(Reply::empty(500)));
    let of_server = reply.clone();
    let server = api(&saying, move || of_server.lock().unwrap().clone());
    for Way { name, requester, secrets } in ways(&server.url()).into_iter().filter(|way| way.secrets.contains(&TOKEN)) {
        // A token that was not yet received cannot be known as a secret.
        let secrets: Vec<&str> = secrets.into_iter().filter(|secret| *secret != TOKEN).collect();
        let stream = stream(&server.url(), &requester);
        for text in secrets.iter().flat_map(|secret| spellings(secret)) {
            let mut named = json!({});
            named[text.as_str()] = json!(1);
            for said in [
                Reply::json(json!({"error": "invalid_client", "error_description": &text})).status(400),
                Reply::text(text.clone()).status(500),
                Reply::json(named),
                Reply::json_text(format!("{{\"access_token\": \"{text}")),
            ] {
                *reply.lock().unwrap() = said;
                let done = run(connector(&stream, true), "read");
                assert_eq!(done.status, 1, "{name}");
                assert_clean(&done, &owned(&secrets), &format!("{name}, {text}"));
            }
        }
    }
}

/// Templates that fail with a secret, and some that only show it.
const FAULTY: [&str; 14] = [
    "{{ config['key'] + 1 }}",
    "{{ 1 / config['key'] }}",
    "{{ config['key'].nothing() }}",
    "{{ config['key'].nothing.more }}",
    "{{ config[config['key']] }}",
    "{{ config[config['key']].more }}",
    "{{ day_delta(config['key']) }}",
    "{{ format_datetime(config['key'], '%Y') }}",
    "{{ str_to_datetime(config['key']) }}",
    "{{ timestamp(config['key']) }}",
    "{{ duration(config['key']) }}",
    "{{ config['key'] | base64decode }}",
    "{{ config['key'] | regex_search(config['key'] ~ '(') }}",
    "{{ config['key'] }}",
];

#[test]
fn no_setting_is_written_when_a_template_fails() {
    let server = Server::start(|request: &Request| match request.path.as_str() {
        "/refused" => Reply::json(json!({"error": "no"})).status(400),
        _ => Reply::json(json!({"data": [{"n": "1", "m": 2}], "next": null})),
    });
    let url = server.url();
    let hidden = owned(&[KEY]);
    let mut failed = 0;
    for template in FAULTY {
        let of_requester = |requester: Value| stream(&url, &requester);
        let with = |pointer: &str, value: Value| {
            let mut stream = stream(&url, &json!({}));
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            stream.pointer_mut(parent).unwrap()[name] = value;
            stream
        };
        let filter = json!({
            "type": "HttpResponseFilter", "http_codes": [400], "action": "FAIL", "error_message": template,
        });
        let handler = |filter: Value| json!({"type": "DefaultErrorHandler", "response_filters": [filter]});
        let field = json!({"type": "AddedFieldDefinition", "path": ["m"], "value": template, "value_type": "integer"});
        let streams = [
            of_requester(json!({"url_base": template})),
            of_requester(json!({"path": template})),
            of_requester(json!({"request_parameters": {"a": template}})),
            of_requester(json!({"request_headers": {"A": template}})),
            of_requester(json!({"http_method": "POST", "request_body_json": {"a": template}})),
            of_requester(json!({"http_method": "POST", "request_body_json": template})),
            of_requester(json!({"path": "refused", "error_handler": handler(filter)})),
            of_requester(json!({"error_handler": handler(
                json!({"type": "HttpResponseFilter", "predicate": template, "action": "FAIL"}),
            )})),
            of_requester(json!({"authenticator": {"type": "BearerAuthenticator", "api_token": template}})),
            with("/retriever/record_selector/extractor/field_path", json!([template])),
            with("/retriever/paginator/pagination_strategy/cursor_value", template.into()),
            with("/retriever/paginator/pagination_strategy/stop_condition", template.into()),
            with("/incremental_sync/start_datetime", template.into()),
            with("/incremental_sync/lookback_window", template.into()),
            with(
                "/retriever/record_selector/record_filter",
                json!({"type": "RecordFilter", "condition": template.replace("config['key']", "(config['key'] or record)")}),
            ),
        ];
        for (n, stream) in streams.iter().enumerate() {
            for command in ["check", "read", "discover"] {
                let done = run(connector(stream, true), command);
                assert_clean(&done, &hidden, &format!("{template} in the {n}th place, {command}"));
                failed += usize::from(command == "read" && done.status != 0);
            }
        }
        // A record contains what its manifest puts there; messages about it do not.
        let added = with("/transformations", json!([{"type": "AddFields", "fields": [field]}]));
        let mut done = run(connector(&added, true), "read");
        done.stdout =
            done.stdout.lines().filter(|line| !line.contains(r#""type":"RECORD""#)).collect::<Vec<_>>().join("\n");
        assert_clean(&done, &hidden, &format!("{template} in a field"));
    }
    assert!(failed > 40, "{failed} reads failed only");
}
