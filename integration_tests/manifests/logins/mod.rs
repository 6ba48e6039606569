//! Manifests that log in, at APIs that are slow, have errors, give odd answers, or whose tokens expire. `secrets` tests
//! that nobody sees their credentials.

mod secrets;
mod signed;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{Finished, InProcess, Reply, Request, Server};

/// A manifest of these streams, each of which requests `/items` with this authenticator.
fn manifest(base: &str, streams: &[(&str, Value)]) -> Value {
    let stream = |(name, authenticator): &(&str, Value)| {
        json!({
            "type": "DeclarativeStream",
            "name": name,
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object"}},
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester", "url_base": base, "path": "items", "authenticator": authenticator,
                    "request_parameters": {"stream": name}
                },
                "record_selector": {
                    "type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["items"]}
                },
                "paginator": {
                    "type": "DefaultPaginator",
                    "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"},
                    "pagination_strategy": {
                        "type": "CursorPagination", "cursor_value": "{{ response.get('next') }}",
                        "stop_condition": "{{ not response.get('next') }}"
                    }
                }
            }
        })
    };
    json!({
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [streams[0].0]},
        "streams": streams.iter().map(stream).collect::<Vec<_>>(),
    })
}

/// The answers of an API.
type Api = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A connector of these streams, whose config has `more` in it, and its server.
fn connector(streams: &dyn Fn(&str) -> Vec<(&'static str, Value)>, more: &Value, api: Api) -> (InProcess, Server) {
    started(streams, more, api, false)
}

/// As [`connector`], for a check if it `checks`.
fn started(
    streams: &dyn Fn(&str) -> Vec<(&'static str, Value)>,
    more: &Value,
    api: Api,
    checks: bool,
) -> (InProcess, Server) {
    let server = Server::start(move |request: &Request| api(request));
    let streams = streams(&server.url());
    let mut config = more.clone();
    config["__injected_declarative_manifest"] = manifest(&server.url(), &streams);
    let names: Vec<(&str, &str)> = streams.iter().map(|(name, _)| (*name, "full_refresh")).collect();
    let connector = InProcess::with_registry(Registry::built_in()).config(&config);
    (if checks { connector } else { connector.streams(&names) }, server)
}

fn oauth(base: &str) -> Value {
    json!({
        "type": "OAuthAuthenticator", "token_refresh_endpoint": format!("{base}/token"), "client_id": "me",
        "client_secret": "{{ config['secret'] }}", "refresh_token": "{{ config['refresh'] }}"
    })
}

fn credentials() -> Value {
    json!({"secret": "cl1ent-secret", "refresh": "r3fresh-token"})
}

fn token(value: &str) -> Reply {
    Reply::json(json!({"access_token": value, "expires_in": 3600}))
}

fn page() -> Reply {
    Reply::json(json!({"items": [{"id": 1}]}))
}

fn count(server: &Server, line: &str) -> usize {
    server.conversation().iter().filter(|known| *known == line).count()
}

fn message(done: &Finished) -> String {
    done.messages().errors()[0].message.clone()
}

#[test]
fn two_workers_that_need_a_token_of_a_slow_endpoint_log_in_once() {
    // Inherited `$parameters` do not make another login of a definition.
    let streams = |base: &str| {
        let with = |name: &str| {
            let mut auth = oauth(base);
            auth["$parameters"] = json!({"name": name, "path": name});
            auth
        };
        vec![("one", with("one")), ("two", with("two")), ("three", oauth(base))]
    };
    let api = |request: &Request| match request.path.as_str() {
        "/token" => token("acc3ss").delay(Duration::from_millis(200)),
        _ => page(),
    };
    let (connector, server) = connector(&streams, &credentials(), Box::new(api));
    let done = connector.arg("--workers").arg("3").run("read");
    assert_eq!((done.status, done.messages().record_count()), (0, 3), "{}", done.stdout);
    assert_eq!((count(&server, "POST /token"), server.requests().len()), (1, 4));
}

#[test]
fn odd_answers_of_a_token_endpoint() {
    let html = Reply::shared("text/html", b"<html>s3cret login page</html>".to_vec());
    let life = |life: Value| vec![Reply::json(json!({"access_token": "acc3ss", "expires_in": life}))];
    for (replies, good) in [
        (vec![Reply::empty(500), token("acc3ss")], true),
        (vec![Reply::empty(429), Reply::empty(503), token("acc3ss")], true),
        (life(json!("7200")), true),
        (life(json!(-5)), true),
        (life(json!("soon")), true),
        (life(Value::Null), true),
        (vec![Reply::json(json!({"data": {"access_token": 12345}}))], true),
        (vec![html], false),
        (vec![Reply::json(json!({"access_token": null, "s3cret": "s3cret"}))], false),
        (vec![Reply::empty(302).header("Location", "/elsewhere")], false),
        (vec![Reply::json(json!({"error": "invalid_grant"})).status(400)], false),
    ] {
        let asked = AtomicU64::new(0);
        let shown = format!("{replies:?}");
        let api = move |request: &Request| match request.path.as_str() {
            "/token" => {
                let asked = usize::try_from(asked.fetch_add(1, Ordering::SeqCst)).unwrap_or(0);
                replies[asked.min(replies.len() - 1)].clone()
            }
            _ => page(),
        };
        let (connector, server) = connector(&|base| vec![("items", oauth(base))], &credentials(), Box::new(api));
        let done = connector.run("read");
        assert_eq!(done.status == 0, good, "{shown}: {}", done.stdout);
        assert_eq!(count(&server, "GET /items?stream=items"), usize::from(good), "{shown}");
        assert!(!done.stdout.contains("s3cret login") && !done.stdout.contains("Bearer None"), "{}", done.stdout);
        assert!(server.requests().iter().all(|request| request.path != "/elsewhere"));
    }
}

#[test]
fn a_refused_refresh_token_says_to_authenticate_and_a_refused_client_to_check_it() {
    for (reply, told) in [
        (json!({"error": "invalid_grant", "error_description": "it has expired"}), "Re-authenticate"),
        (json!({"error": "invalid_client"}), "Check the client id, the secret"),
    ] {
        let api = move |_: &Request| Reply::json(reply.clone()).status(400);
        let streams = |base: &str| vec![("one", oauth(base)), ("two", oauth(base))];
        let (connector, server) = connector(&streams, &credentials(), Box::new(api));
        let done = connector.run("read");
        assert!(message(&done).contains(told), "{}", message(&done));
        // Both streams fail with one refusal.
        assert_eq!((done.status, server.requests().len()), (1, 1), "{}", done.stdout);
    }
}

#[test]
fn a_token_that_is_revoked_in_the_middle_of_a_read_is_replaced() {
    let logins = Mutex::new(0);
    let api = move |request: &Request| match (request.path.as_str(), request.param("page")) {
        ("/token", _) => {
            let mut logins = logins.lock().unwrap();
            *logins += 1;
            token(&format!("acc3ss-{logins}"))
        }
        (_, None) => Reply::json(json!({"items": [{"id": 1}], "next": "b"})),
        _ if request.header("authorization") == Some("Bearer acc3ss-1") => Reply::empty(401),
        _ => page(),
    };
    let (connector, server) = connector(&|base| vec![("items", oauth(base))], &credentials(), Box::new(api));
    let done = connector.run("read");
    assert_eq!((done.status, done.messages().record_count(), server.requests().len()), (0, 2, 5), "{}", done.stdout);
}

/// An authenticator whose tokens are in the config.
fn stored(base: &str, scope: &str) -> Value {
    json!({
        "type": "OAuthAuthenticator", "token_refresh_endpoint": format!("{base}/token"), "client_id": "me",
        "client_secret": "{{ config['credentials']['client_secret'] }}", "scopes": [scope], "refresh_token_updater": {}
    })
}

#[test]
fn a_refresh_token_of_one_use_is_shared_by_all_that_have_it_and_stored_before_anything_else() {
    let now = Mutex::new(1);
    let api = move |request: &Request| {
        if request.path != "/token" {
            // The first token is refused at the end.
            return if request.header("authorization") == Some("Bearer acc3ss-2") { Reply::empty(401) } else { page() };
        }
        let mut now = now.lock().unwrap();
        if !request.body_text().contains(&format!("refresh_token=r3fresh-{now}&")) {
            return Reply::json(json!({"error": "invalid_grant"})).status(400);
        }
        *now += 1;
        let (access, refresh) = (format!("acc3ss-{now}"), format!("r3fresh-{now}"));
        Reply::json(json!({"access_token": access, "refresh_token": refresh, "expires_in": 3600}))
    };
    let config = json!({"credentials": {"client_secret": "cl1ent-secret", "refresh_token": "r3fresh-1"}});
    let streams = |base: &str| vec![("one", stored(base, "a")), ("two", stored(base, "b"))];
    let (connector, server) = connector(&streams, &config, Box::new(api));
    let done = connector.arg("--workers").arg("1").run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    // One login, and another one after the refusal; the second definition uses the token that the first has stored.
    assert_eq!((count(&server, "POST /token"), server.requests().len()), (2, 5), "{:?}", server.conversation());
    let messages = done.messages();
    let stored: Vec<&Value> = messages.configs().iter().map(|config| &config["credentials"]["refresh_token"]).collect();
    assert_eq!(stored, ["r3fresh-2", "r3fresh-3"]);
    let place = |part: &str| done.stdout.find(part).unwrap_or(usize::MAX);
    assert!(place(r#""type":"CONTROL""#) < place(r#""type":"RECORD""#), "{}", done.stdout);
}

#[test]
fn a_reply_without_a_token_is_never_stored() {
    let api = |request: &Request| if request.path == "/token" { Reply::json(json!({"ok": true})) } else { page() };
    let config = json!({"credentials": {"client_secret": "cl1ent-secret", "refresh_token": "r3fresh-1"}});
    let (connector, server) = connector(&|base| vec![("items", stored(base, "a"))], &config, Box::new(api));
    let done = connector.run("read");
    assert_eq!((done.status, server.requests().len()), (1, 1));
    assert!(done.messages().configs().is_empty() && message(&done).contains("It has: ok."), "{}", done.stdout);
}

fn session(base: &str, more: &Value) -> Value {
    let mut login = json!({
        "type": "HttpRequester", "url_base": base, "path": "login", "http_method": "POST",
        "request_body_json": {"user": "me", "password": "{{ config['secret'] }}"},
        "error_handler": {"type": "DefaultErrorHandler", "max_retries": 1},
        "authenticator": {"type": "BasicHttpAuthenticator", "username": "me", "password": "{{ config['secret'] }}"}
    });
    login.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "type": "SessionTokenAuthenticator", "login_requester": login, "session_token_path": ["sessions", "0", "id"],
        "expiration_duration": "PT1H", "request_authentication": {
            "type": "ApiKey", "api_token": "Session {{ session_token }}",
            "inject_into": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "sid"}
        }
    })
}

fn begun(id: &str) -> Reply {
    Reply::json(json!({"sessions": [{"id": id}]}))
}

#[test]
fn a_session_has_its_own_credentials_and_retries_and_its_place_among_the_parameters() {
    let hits = AtomicU64::new(0);
    let api = move |request: &Request| match (request.path.as_str(), request.param("page")) {
        ("/login", _) if hits.fetch_add(1, Ordering::SeqCst) == 0 => Reply::empty(503),
        ("/login", _) => begun("s3ssion"),
        (_, None) => Reply::json(json!({"items": [{"id": 1}], "next": "b"})),
        _ => page(),
    };
    let (connector, server) =
        connector(&|base| vec![("items", session(base, &json!({})))], &credentials(), Box::new(api));
    let done = connector.arg("--debug").run("read");
    assert_eq!((done.status, done.messages().record_count()), (0, 2), "{}", done.stdout);
    assert_eq!(
        server.conversation(),
        [
            "POST /login",
            "POST /login",
            "GET /items?stream=items&sid=Session s3ssion",
            "GET /items?stream=items&sid=Session s3ssion&page=b"
        ]
    );
    assert_eq!(server.requests()[0].header("authorization"), Some("Basic bWU6Y2wxZW50LXNlY3JldA=="));
    assert!(!done.stdout.contains("s3ssion") && !done.stdout.contains("cl1ent"), "{}", done.stdout);
}

#[test]
fn a_login_is_not_sent_to_another_host_nor_after_a_redirect() {
    let other = Server::start(|_: &Request| begun("s3ssion"));
    let url = other.url();
    let api = move |_: &Request| Reply::empty(307).header("Location", format!("{url}/login"));
    let (connector, _server) =
        connector(&|base| vec![("items", session(base, &json!({})))], &credentials(), Box::new(api));
    let done = connector.run("read");
    assert!(message(&done).contains("not sent after a redirect"), "{}", message(&done));
    assert!(other.requests().is_empty());
}

#[test]
fn the_config_selects_how_to_authenticate_and_check_says_what_is_wrong_with_it() {
    let streams = |base: &str| {
        let bearer = json!({"type": "BearerAuthenticator", "api_token": "k3y-of-the-api"});
        let choice = json!({
            "type": "SelectiveAuthenticator", "authenticator_selection_path": ["auth", "kind"],
            "authenticators": {"oauth": oauth(base), "key": bearer}
        });
        vec![("items", choice)]
    };
    for (kind, status, told) in [
        (json!("key"), "SUCCEEDED", None),
        (json!("oauth"), "SUCCEEDED", None),
        (json!("other"), "FAILED", Some("It can be `oauth`, `key`")),
        (Value::Null, "FAILED", Some("selects an unknown authenticator")),
    ] {
        let mut config = credentials();
        config["auth"] = json!({"kind": kind});
        let api = |request: &Request| if request.path == "/token" { token("acc3ss") } else { page() };
        let (connector, server) = started(&streams, &config, Box::new(api), true);
        let done = connector.run("check");
        assert!(done.stdout.contains(&format!(r#""status":"{status}""#)), "{kind}: {}", done.stdout);
        assert!(told.is_none_or(|told| done.stdout.contains(told)), "{kind}: {}", done.stdout);
        assert_eq!(count(&server, "POST /token"), usize::from(kind == "oauth"));
    }
}
