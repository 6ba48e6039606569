//! Refresh tokens that can be used once: the platform has to store the next one before anything else happens.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use source_http::http::auth::{ConfigPaths, OAuth2Authenticator, TokenRequest};
use source_http_testkit::{InProcess, Reply, Request, Routes, Server};

use super::{Bench, header, of_server, page, signed_by, url_of};
use crate::support::binary::Binary;

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
        // An error that echoes everything the API received.
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
    assert!(bench.fetch(&of_server(&server.url(), Arc::new(auth))).is_ok_and(|page| page.is_some()));
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

/// A config file whose refresh token can be used once.
struct InFile {
    folder: tempfile::TempDir,
}

impl InFile {
    fn new(config: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        Self { folder }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("config.json")
    }

    fn content(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path()).unwrap()).unwrap()
    }

    fn connector(&self) -> InProcess {
        connector(ConfigPaths::default()).arg("--config").arg(self.path())
    }
}

/// An API whose refresh tokens can be used once, and whose access tokens live for an hour. It calls `seen` before it
/// answers `/items`.
fn one_use(seen: impl Fn() + Send + Sync + 'static) -> Server {
    let used = Mutex::new(0);
    Server::start(move |request: &Request| {
        if request.path != "/token" {
            seen();
            return page();
        }
        let mut used = used.lock().unwrap();
        if !request.body_text().ends_with(&format!("refresh_token=r3fresh-{}", *used + 1)) {
            return Reply::json(json!({"error": "invalid_grant"})).status(400);
        }
        *used += 1;
        let (access, refresh) = (format!("acc3ss-{used}"), format!("r3fresh-{}", *used + 1));
        Reply::json(json!({"access_token": access, "refresh_token": refresh, "expires_in": 3600}))
    })
}

#[test]
fn a_shell_run_keeps_the_next_token_in_the_config_file_before_it_is_needed() {
    let file = Arc::new(InFile::new(&json!({})));
    let (looked, seen) = (file.clone(), Arc::new(Mutex::new(Vec::new())));
    let noted = seen.clone();
    let server = one_use(move || noted.lock().unwrap().push(looked.content()["credentials"]["refresh_token"].clone()));
    let before = json!({
        "url": "${API_URL}", "note": "$${x}", "credentials": {"refresh_token": "r3fresh-1", "client_id": "${CLIENT}"}
    });
    std::fs::write(file.path(), before.to_string()).unwrap();
    // Each an hour after the previous one, when the access token has expired.
    for (run, command) in ["check", "read", "read"].into_iter().enumerate() {
        let now = 1_793_491_200 + 4_000 * i64::try_from(run).unwrap();
        let connector = file.connector().now(now).env("API_URL", server.url()).env("CLIENT", "me");
        let done = connector.arg("--config-file-update").run(command);
        assert_eq!(done.status, 0, "{}", done.stdout);
        assert!(!done.stdout.contains("the next run will be refused"), "{}", done.stdout);
        let after = file.content();
        assert_eq!(after["credentials"]["refresh_token"], format!("r3fresh-{}", run + 2));
        assert_eq!(after["credentials"]["client_id"], "${CLIENT}");
        assert_eq!((&after["url"], &after["note"]), (&json!("${API_URL}"), &json!("$${x}")));
    }
    assert_eq!(*seen.lock().unwrap(), ["r3fresh-2", "r3fresh-3", "r3fresh-4"]);
}

#[test]
fn bare_records_with_a_config_file_that_is_updated_lose_no_token() {
    let server = one_use(|| {});
    let file = InFile::new(&config(&server, &json!({"refresh_token": "r3fresh-1"})));
    let jsonl = || file.connector().arg("--format").arg("jsonl");
    let done = jsonl().arg("--config-file-update").run("read");
    assert_eq!((done.status, done.stderr.as_str()), (0, ""));
    assert_eq!(file.content()["credentials"]["refresh_token"], "r3fresh-2");
    let done = jsonl().now(1_793_499_000).run("read");
    assert!(done.stderr.starts_with("warning: A new access token is requested.") && done.stderr.contains("\nerror: "));
    assert_eq!(file.content()["credentials"]["refresh_token"], "r3fresh-2");
}

#[test]
fn a_token_that_nobody_keeps_is_warned_of_before_it_is_spent() {
    for (variable, is_warned) in [("HOME", true), ("AIRBYTE_ENTRYPOINT", true), ("WORKER_JOB_ID", false)] {
        let server = one_use(|| {});
        let file = InFile::new(&config(&server, &json!({"refresh_token": "r3fresh-1"})));
        let done = file.connector().env(variable, "x").run("read");
        let control = done.stdout.find(r#""type":"CONTROL""#).unwrap();
        let warning = done.stdout.find("--config-file-update stores it in the config file");
        assert_eq!(warning.is_some_and(|at| at < control), is_warned, "{variable}: {}", done.stdout);
        assert_eq!(done.stdout.matches("--config-file-update").count(), usize::from(is_warned));
        assert_eq!(file.content()["credentials"]["refresh_token"], "r3fresh-1");
    }
}

#[test]
fn a_config_file_that_cannot_be_updated_is_refused_before_a_token_is_spent() {
    let server = one_use(|| {});
    let file = InFile::new(&config(&server, &json!({"refresh_token": "r3fresh-1"})));
    if cfg!(target_os = "linux") {
        // Nobody can create files there, not even root.
        let path = "/proc/self/environ";
        let done = connector(ConfigPaths::default()).arg("--config").arg(path).arg("--config-file-update").run("read");
        assert_eq!(done.status, 1);
    }
    let stdin = connector(ConfigPaths::default()).arg("--config").arg("-").arg("--config-file-update").run("read");
    assert!(stdin.status == 2 && stdin.stderr.contains("--config-file-update needs a file"), "{}", stdin.stderr);
    assert!(server.requests().is_empty());
    // A file that is damaged during the run: it loses the token, and the run says where the token is.
    let path = file.path();
    let server = Server::start(move |request: &Request| {
        std::fs::write(&path, "{").unwrap();
        if request.path == "/token" { tokens("acc3ss", "r3fresh-2") } else { page() }
    });
    std::fs::write(file.path(), config(&server, &json!({"refresh_token": "r3fresh-1"})).to_string()).unwrap();
    let done = file.connector().arg("--config-file-update").run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.configs().len()), (1, 1));
    let message = &messages.errors()[0].message;
    assert!(
        message.contains("cannot be updated") && message.contains("the CONTROL message on stdout has it"),
        "{message}"
    );
    assert!(!message.contains("r3fresh"), "{message}");
}

#[test]
fn a_run_that_is_killed_after_it_has_got_a_token_has_kept_it() {
    let (asked, is_asked) = std::sync::mpsc::channel();
    let (killed, is_killed) = std::sync::mpsc::channel::<()>();
    let (asked, is_killed) = (Mutex::new(asked), Mutex::new(is_killed));
    let server = one_use(move || {
        let _ = asked.lock().unwrap().send(());
        let _ = is_killed.lock().unwrap().recv();
    });
    let file = InFile::new(&json!({
        "credentials": {"client_id": "me", "client_secret": "s3cret", "refresh_token": "r3fresh-1"},
        "api_url": server.url(),
        "token_url": format!("{}/token", server.url()),
    }));
    let path = file.path();
    let args = ["read", "--config", path.to_str().unwrap(), "--config-file-update", "--streams", "employees"];
    let (mut command, _directory) = Binary::example("employees", &args).command();
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    is_asked.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(killed);
    assert_eq!(file.content()["credentials"]["refresh_token"], "r3fresh-2");
    // The stored access token is valid for an hour; without it, the refresh token has to be.
    let mut config = file.content();
    config["credentials"]["token_expiry_date"] = json!("");
    std::fs::write(file.path(), config.to_string()).unwrap();
    let again = Binary::example("employees", &args).run();
    assert_eq!(again.status, Some(0), "{}{}", again.stdout, again.stderr);
    assert_eq!(file.content()["credentials"]["refresh_token"], "r3fresh-3");
}
