//! A method that no library has: a session that a request of its own opens.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use source_http::http::auth::{AuthContext, Authenticator};
use source_http::http::{HttpRequest, Method, RequestBody, RetryRules};
use source_http::protocol::Failure;
use source_http_testkit::{Reply, Request, Routes, Server};

use super::{header, page, signed_by};

/// Opens a session at `/login` of the request's host, and another one when it has ended.
#[derive(Default)]
pub(super) struct Session {
    id: Mutex<Option<String>>,
}

struct Usual;

impl RetryRules for Usual {}

impl Session {
    fn open(request: &HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<String> {
        let login = HttpRequest {
            method: Method::POST,
            body: RequestBody::Json(json!({"user": "ann"})),
            ..HttpRequest::get(request.url.join("/login")?)
        };
        let document: Value = cx.send(&login, &Usual)?.json().unwrap_or_default();
        let id = document["session"].as_str().unwrap_or("none");
        cx.output().redactor().add(id);
        Ok(id.to_owned())
    }
}

impl Authenticator for Session {
    fn authenticate(&self, request: &mut HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<()> {
        let mut id = self.id.lock().unwrap_or_else(PoisonError::into_inner);
        if id.is_none() {
            *id = Some(Self::open(request, cx)?);
        }
        let value = id.as_deref().ok_or_else(|| Failure::system("no session"))?;
        Ok(request.set_secret_header("X-Session", value)?)
    }

    fn refresh(&self, rejected: &HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<bool> {
        *self.id.lock().unwrap_or_else(PoisonError::into_inner) = Some(Self::open(rejected, cx)?);
        Ok(true)
    }
}

#[test]
fn a_session_is_opened_used_and_opened_again_when_it_is_closed() {
    let session = |id: &str| Reply::json(json!({"session": id}));
    let routes = Routes::new().once("POST", "/login", [Reply::empty(503), session("first"), session("second")]).once(
        "GET",
        "/items",
        [Reply::text("session first is closed").status(401), page()],
    );
    let server = Server::start(routes);
    let done = signed_by(|_, _| Session::default()).config(&json!({"url": server.url()})).arg("--debug").run("read");
    assert_eq!((done.status, done.messages().record_count()), (0, 1), "{}", done.stdout);
    assert_eq!(server.conversation(), ["POST /login", "POST /login", "GET /items", "POST /login", "GET /items"]);
    assert_eq!(header(&server.requests(), "x-session"), ["-", "-", "first", "-", "second"]);
    assert_eq!(server.requests()[0].body_text(), r#"{"user":"ann"}"#);
    assert_eq!(done.sleeps.len(), 1, "only the login's 503 costs a wait");
}

#[test]
fn a_login_that_is_refused_ends_the_stream_with_its_own_failure() {
    let server = Server::start(|_: &Request| Reply::json(json!({"error": "wrong password"})).status(403));
    let done = signed_by(|_, _| Session::default()).config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, server.conversation()), (1, vec!["POST /login".to_owned()]));
    let error = &done.messages().errors()[0];
    assert_eq!(error.failure_type.as_deref(), Some("config_error"));
    let hint = "Give the credentials in the config permission for this.";
    assert_eq!(error.message, format!("POST {}/login answered 403 Forbidden: wrong password. {hint}", server.url()));
}
