//! Refresh tokens that are good for one use: the platform has to store the next one before anything else happens.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use source_http::http::auth::{ConfigPaths, OAuth2Authenticator, TokenRequest};
use source_http::testing::{InProcess, Reply, Request, Routes, Server};

use super::{Bench, Items, header, page, signed_by, url_of};

fn tokens(access: &str, refresh: &str) -> Reply {
    Reply::json(json!({"access_token": access, "refresh_token": refresh, "expires_in": 7200}))
}

fn connector(paths: ConfigPaths) -> InProcess {
    signed_by(move |config, cx| {
        let url = url_of(config, "/token");
        OAuth2Authenticator::new(TokenRequest::refresh_token(&url, "client", "cl1ent-secret", "", &cx.redactor))
            .stored_in(config.clone(), paths.clone())
    })
}

fn config(server: &Server, credentials: &Value) -> Value {
    json!({"start_date": "2026-01-01", "credentials": credentials, "url": server.url()})
}

#[test]
fn a_new_refresh_token_goes_out_with_the_whole_config_and_is_shown_nowhere_else() {
    let echo = |request: &Request| match request.path.as_str() {
        "/token" => tokens("acc3ss-2", "r3fresh-2"),
        // An error that shows everything the API has seen.
        _ => Reply::text(format!("{:?} r3fresh-1 r3fresh-2", request.headers)).status(400),
    };
    let server = Server::start(echo);
    let before = json!({"refresh_token": "r3fresh-1", "access_token": "acc3ss-1", "token_expiry_date": ""});
    let done = connector(ConfigPaths::default()).config(&config(&server, &before)).arg("--debug").run("read");
    assert_eq!(server.conversation(), ["POST /token", "GET /items"]);
    assert!(server.requests()[0].body_text().ends_with("&refresh_token=r3fresh-1"));
    assert_eq!(header(&server.requests(), "authorization"), ["-", "Bearer acc3ss-2"]);
    let messages = done.messages();
    let after = json!({
        "refresh_token": "r3fresh-2", "access_token": "acc3ss-2", "token_expiry_date": "2026-11-01T02:00:00Z"
    });
    assert_eq!(messages.configs(), [&config(&server, &after)]);
    let others: Vec<&str> = messages.lines().filter(|line| !line.contains(r#""type":"CONTROL""#)).collect();
    assert!(others.len() > 3, "{others:?}");
    for secret in ["acc3ss", "r3fresh", "cl1ent-secret"] {
        assert!(others.iter().all(|line| !line.contains(secret)), "{secret} in {others:?}");
    }
}

#[test]
fn the_config_is_out_before_the_request_that_needs_the_token() {
    let bench = Bench::new();
    let stdout = bench.stdout.clone();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let api = move |request: &Request| {
        noted.lock().expect("notes").push((request.path.clone(), stdout.text().contains("r3fresh-2")));
        if request.path == "/token" { tokens("acc3ss", "r3fresh-2") } else { page() }
    };
    let server = Server::start(api);
    let Value::Object(config) = config(&server, &json!({"refresh_token": "r3fresh-1"})) else { unreachable!() };
    let url = format!("{}/token", server.url());
    let auth = OAuth2Authenticator::new(TokenRequest::refresh_token(&url, "c", "cl1ent-secret", "", &bench.redactor))
        .stored_in(config, ConfigPaths::default());
    assert!(bench.fetch(&Items::new(&server.url(), Arc::new(auth))).is_ok_and(|page| page.is_some()));
    assert_eq!(*seen.lock().expect("notes"), [("/token".to_owned(), false), ("/items".to_owned(), true)]);
}

#[test]
fn each_renewal_uses_the_refresh_token_of_the_one_before() {
    let routes = Routes::new()
        .once("POST", "/token", [tokens("acc3ss-2", "r3fresh-2"), tokens("acc3ss-3", "r3fresh-3")])
        .once("GET", "/items", [Reply::empty(401), page()]);
    let server = Server::start(routes);
    let before = json!({"refresh_token": "r3fresh-1"});
    let done = connector(ConfigPaths::default()).config(&config(&server, &before)).run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    assert_eq!(server.conversation(), ["POST /token", "GET /items", "POST /token", "GET /items"]);
    assert!(server.requests()[2].body_text().ends_with("&refresh_token=r3fresh-2"));
    let messages = done.messages();
    let stored: Vec<&Value> = messages.configs().iter().map(|config| &config["credentials"]["refresh_token"]).collect();
    assert_eq!(stored, ["r3fresh-2", "r3fresh-3"]);
}

#[test]
fn a_stored_token_is_used_until_its_expiry_date() {
    // The test's clock begins at 2026-11-01T00:00:00Z.
    for (date, used) in [
        (json!("2026-11-01T00:10:00Z"), true),
        (json!("2026-11-01T02:10:00.000001+02:00"), true),
        (json!(1_793_491_800), true),
        (json!("2026-11-01T00:00:10Z"), false),
        (json!("2026-10-31T23:59:59Z"), false),
        (json!(""), false),
        (json!(null), false),
        (json!("soon"), false),
    ] {
        let routes = Routes::new().on("POST", "/token", [tokens("new", "r3fresh-2")]).on("GET", "/items", [page()]);
        let server = Server::start(routes);
        let before = json!({"refresh_token": "r3fresh-1", "access_token": "stored", "token_expiry_date": date});
        let done = connector(ConfigPaths::default()).config(&config(&server, &before)).run("read");
        assert_eq!(done.status, 0, "{date}: {}", done.stdout);
        let sent = header(&server.requests(), "authorization");
        assert_eq!(sent, if used { vec!["Bearer stored"] } else { vec!["-", "Bearer new"] }, "{date}");
    }
}

#[test]
fn tokens_may_stand_elsewhere_in_the_config() {
    let routes = Routes::new().on("POST", "/token", [tokens("acc3ss", "r3fresh-2")]).on("GET", "/items", [page()]);
    let server = Server::start(routes);
    let paths = ConfigPaths {
        access_token: "access".to_owned(),
        refresh_token: "auth.login.refresh".to_owned(),
        token_expiry_date: "auth.until".to_owned(),
    };
    let config = json!({"url": server.url(), "auth": {"login": {"refresh": "r3fresh-1"}, "type": "oauth"}});
    let done = connector(paths).config(&config).run("read");
    assert!(server.requests()[0].body_text().ends_with("&refresh_token=r3fresh-1"));
    let stored = json!({
        "url": server.url(),
        "auth": {"login": {"refresh": "r3fresh-2"}, "type": "oauth", "until": "2026-11-01T02:00:00Z"},
        "access": "acc3ss"
    });
    assert_eq!(done.messages().configs(), [&stored]);
}

#[test]
fn a_refresh_token_that_stays_changes_no_config() {
    for answer in [tokens("acc3ss", "r3fresh-1"), Reply::json(json!({"access_token": "acc3ss"}))] {
        let routes = Routes::new().on("POST", "/token", [answer]).on("GET", "/items", [page()]);
        let server = Server::start(routes);
        let before = json!({"refresh_token": "r3fresh-1"});
        let done = connector(ConfigPaths::default()).config(&config(&server, &before)).run("read");
        assert_eq!((done.status, done.messages().configs().len()), (0, 0), "{}", done.stdout);
    }
}

#[test]
fn a_new_refresh_token_that_nobody_stores_is_used_and_warned_of() {
    let routes = Routes::new()
        .on("POST", "/token", [tokens("first", "r3fresh-2"), tokens("second", "r3fresh-2")])
        .once("GET", "/items", [Reply::empty(401), page()]);
    let server = Server::start(routes);
    let done = signed_by(|config, cx| {
        let url = url_of(config, "/token");
        OAuth2Authenticator::new(TokenRequest::refresh_token(&url, "c", "cl1ent", "r3fresh-1", &cx.redactor))
    })
    .config(&json!({"url": server.url()}))
    .run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    assert!(server.requests()[2].body_text().ends_with("&refresh_token=r3fresh-2"));
    let messages = done.messages();
    let warnings: Vec<_> = messages.logs().into_iter().filter(|(level, _)| *level == "WARN").collect();
    assert!(warnings.len() == 1 && warnings[0].1.contains("the next sync will fail"), "{warnings:?}");
    assert!(!done.stdout.contains("r3fresh"), "{}", done.stdout);
}
