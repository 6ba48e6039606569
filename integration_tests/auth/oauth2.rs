//! Access tokens from a token endpoint: the requests, and the results of failures.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use source_http::http::RequestOptions;
use source_http::http::auth::{OAuth2Authenticator, TokenRequest};
use source_http::source::{Config, SourceContext};
use source_http_testkit::{Fault, Finished, InProcess, Reply, Request, Routes, Server};

use super::{header, of_server, page, signed_by, stream, url_of};

/// A client of the refresh token grant at `/token` of the server in the config.
fn authenticator(config: &Config, cx: &SourceContext) -> OAuth2Authenticator {
    let url = url_of(config, "/token");
    OAuth2Authenticator::new(TokenRequest::refresh_token(&url, "client", "cl1ent-secret", "r3fresh", &cx.redactor))
}

pub(super) fn connector() -> InProcess {
    signed_by(authenticator)
}

pub(super) fn read(server: &Server) -> Finished {
    connector().config(&json!({"url": server.url()})).arg("--debug").run("read")
}

pub(super) fn token(value: &str) -> Reply {
    Reply::json(json!({"access_token": value, "expires_in": 3600, "token_type": "bearer"}))
}

pub(super) fn kinds(done: &Finished) -> Vec<String> {
    done.messages().errors().into_iter().filter_map(|error| error.failure_type).collect()
}

#[test]
fn a_token_is_requested_once_and_no_secret_is_shown_not_even_in_debug_lines() {
    let pages = [Reply::json(json!({"data": [], "next": 2})), page()];
    let server = Server::start(Routes::new().once("POST", "/token", [token("acc3ss")]).once("GET", "/items", pages));
    let done = read(&server);
    assert_eq!((done.status, done.messages().record_count()), (0, 1), "{}", done.stdout);
    assert_eq!(server.conversation(), ["POST /token", "GET /items", "GET /items?page=2"]);
    let requests = server.requests();
    assert_eq!(
        requests[0].body_text(),
        "grant_type=refresh_token&client_id=client&client_secret=cl1ent-secret&refresh_token=r3fresh"
    );
    assert_eq!(requests[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(requests[0].header("accept"), Some("application/json"));
    assert_eq!(header(&requests, "authorization"), ["-", "Bearer acc3ss", "Bearer acc3ss"]);
    for secret in ["acc3ss", "cl1ent-secret", "r3fresh"] {
        assert!(!done.stdout.contains(secret), "{secret} in {}", done.stdout);
    }
}

#[test]
fn client_credentials_travel_in_a_basic_header_with_one_scope_and_further_fields() {
    let routes = Routes::new().once("POST", "/token", [token("acc3ss")]).once("GET", "/items", [page()]);
    let server = Server::start(routes);
    let done = signed_by(|config, cx| {
        let request =
            TokenRequest::client_credentials(&url_of(config, "/token"), "client", "cl1ent-secret", &cx.redactor)
                .client_in_header()
                .scopes(["items.read", "orders.read"])
                .field("audience", "api")
                .header("X-Tenant", "t1");
        OAuth2Authenticator::new(request)
    })
    .config(&json!({"url": server.url()}))
    .run("read");
    assert_eq!((done.status, server.conversation()), (0, vec!["POST /token".to_owned(), "GET /items".to_owned()]));
    let request = &server.requests()[0];
    assert_eq!(request.body_text(), "grant_type=client_credentials&scope=items.read+orders.read&audience=api");
    // base64 of client:cl1ent-secret
    assert_eq!(request.header("authorization"), Some("Basic Y2xpZW50OmNsMWVudC1zZWNyZXQ="));
    assert_eq!(request.header("x-tenant"), Some("t1"));
}

#[test]
fn other_names_a_nested_response_and_another_header_are_a_matter_of_settings() {
    let answer = json!({"result": {"auth": {"token": "acc3ss", "valid_until": "2026-11-01T00:10:00Z"}}});
    let routes = Routes::new().once("POST", "/token", [Reply::json(answer)]).once("GET", "/items", [page()]);
    let server = Server::start(routes);
    let done = signed_by(|config, cx| {
        let request = TokenRequest::refresh_token(&url_of(config, "/token"), "c", "cl1ent", "r3fresh", &cx.redactor)
            .client_id_name("app_id")
            .client_secret_name("app_key")
            .refresh_token_name("renewal")
            .grant_type_name("kind")
            .grant_type("renew");
        let auth = OAuth2Authenticator::new(request).access_token_name("token").expires_in_name("valid_until");
        auth.method("Zoho").header("X-Auth")
    })
    .config(&json!({"url": server.url()}))
    .run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    assert_eq!(server.requests()[0].body_text(), "kind=renew&app_id=c&app_key=cl1ent&renewal=r3fresh");
    assert_eq!(header(&server.requests(), "x-auth"), ["-", "Zoho acc3ss"]);
}

#[test]
fn an_endpoint_in_trouble_is_asked_again_with_the_usual_waits() {
    let answers = [Reply::empty(503), Reply::empty(429).header("Retry-After", "7"), token("acc3ss")];
    let server = Server::start(Routes::new().once("POST", "/token", answers).once("GET", "/items", [page()]));
    let done = read(&server);
    assert_eq!((done.status, done.messages().record_count()), (0, 1), "{}", done.stdout);
    assert_eq!(server.conversation(), ["POST /token", "POST /token", "POST /token", "GET /items"]);
    assert_eq!(done.sleeps, [250, 7350].map(Duration::from_millis));
    let told = format!("items: waiting 0.2 s before retry 1 of 5 of POST {}/token: HTTP 503", server.url());
    assert!(done.messages().logs().iter().any(|(_, text)| text.starts_with(&told)), "{}", done.stdout);
}

#[test]
fn an_endpoint_that_breaks_connections_is_asked_again() {
    let answers =
        [Reply::empty(200).fault(Fault::ResetBeforeHead), token("x").fault(Fault::TruncateBody(9)), token("y")];
    let server = Server::start(Routes::new().once("POST", "/token", answers).once("GET", "/items", [page()]));
    let done = read(&server);
    assert_eq!((done.status, server.requests().len()), (0, 4), "{}", done.stdout);
    assert_eq!(header(&server.requests()[3..], "authorization"), ["Bearer y"]);
}

#[test]
fn an_answer_of_the_endpoint_that_is_truncated_is_requested_again_and_never_shown() {
    let cut = || Reply::json_text(r#"{"access_token":"ha1f-a-token"#);
    let server =
        Server::start(Routes::new().once("POST", "/token", [cut(), token("y")]).once("GET", "/items", [page()]));
    let done = read(&server);
    assert_eq!((done.status, server.requests().len()), (0, 3), "{}", done.stdout);
    let server = Server::start(Routes::new().on("POST", "/token", [cut()]));
    let done = read(&server);
    assert_eq!((done.status, kinds(&done)), (1, vec!["transient_error".to_owned(); 2]), "{}", done.stdout);
    assert_eq!(server.requests().len(), 3, "an answer that is not JSON is requested twice more");
    assert!(!done.stdout.contains("ha1f"), "{}", done.stdout);
}

#[test]
fn a_silent_endpoint_ends_as_a_transient_failure() {
    let silent = token("x").fault(Fault::SilenceBeforeHead(Duration::from_secs(60)));
    let server = Server::start(Routes::new().on("POST", "/token", [silent]));
    let done = stream(|config, cx| {
        of_server(&url_of(config, ""), Arc::new(authenticator(config, cx))).with(|items| {
            items.options =
                RequestOptions { response_timeout: Duration::from_millis(100), ..RequestOptions::default() };
        })
    })
    .config(&json!({"url": server.url()}))
    .run("read");
    assert_eq!((done.status, kinds(&done)), (1, vec!["transient_error".to_owned(); 2]), "{}", done.stdout);
    assert!(done.messages().errors()[0].message.contains("timed out"), "{}", done.stdout);
}

#[test]
fn a_refused_grant_is_not_requested_again_and_says_to_re_authenticate() {
    let refused = Reply::json(json!({"error": "invalid_grant", "error_description": "Token r3fresh was revoked."}));
    let server = Server::start(Routes::new().on("POST", "/token", [refused.status(400)]));
    let done = read(&server);
    assert_eq!((done.status, kinds(&done)), (1, vec!["config_error".to_owned(); 2]));
    assert_eq!(server.conversation(), ["POST /token"]);
    assert_eq!(
        done.messages().errors()[0].message,
        format!(
            "POST {}/token answered 400 Bad Request: invalid_grant: Token **** was revoked. Re-authenticate: connect \
             the account again, or put valid client credentials and a valid refresh token in the config.",
            server.url()
        )
    );
}

#[test]
fn a_redirect_of_the_endpoint_gets_no_credentials() {
    let other = Server::start(|_: &Request| token("stolen"));
    let redirect = Reply::empty(307).header("Location", format!("{}/token", other.url()));
    let server = Server::start(Routes::new().once("POST", "/token", [redirect]));
    let done = read(&server);
    assert_eq!((done.status, server.requests().len(), other.requests().len()), (1, 1, 0), "{}", done.stdout);
    assert!(done.stdout.contains("Credentials are not sent after a redirect"), "{}", done.stdout);
}
