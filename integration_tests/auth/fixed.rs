//! Tokens, keys and passwords that never change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use source_http::http::auth::{
    ApiKeyAuthenticator, AuthContext, Authenticator, BasicAuthenticator, OAuth2Authenticator,
    RotatingTokenAuthenticator, TokenAuthenticator, TokenRequest,
};
use source_http::http::{HttpRequest, Method, RequestBody};
use source_http::protocol::Redactor;
use source_http_testkit::{Reply, Request, Routes, Server};

use super::{header, of_server, page, paged, signed_by, stream};

type MakeKey = fn(&Redactor) -> ApiKeyAuthenticator;
type MakeAny = fn(&Redactor) -> Arc<dyn Authenticator>;

#[test]
fn a_token_is_sent_as_bearer_by_another_method_and_alone() {
    for (method, name, value) in [
        (None, "Authorization", "Bearer s3cret"),
        (Some("Token"), "Authorization", "Token s3cret"),
        (Some(""), "X-Auth", "s3cret"),
    ] {
        let server = Server::start(Routes::new().once("GET", "/items", [page()]));
        let done = signed_by(move |_, cx| {
            let auth = TokenAuthenticator::bearer("s3cret", &cx.redactor).header(name);
            method.map_or(auth.clone(), |method| auth.method(method))
        })
        .config(&json!({"url": server.url()}))
        .run("read");
        assert_eq!((done.status, done.messages().record_count()), (0, 1));
        assert_eq!(server.conversation(), ["GET /items"]);
        assert_eq!(header(&server.requests(), name), [value]);
    }
}

#[test]
fn a_fixed_token_that_is_refused_is_a_config_failure_after_one_request() {
    let server = Server::start(Routes::new().on("GET", "/items", [Reply::json(json!({"error": "who?"})).status(401)]));
    let done = signed_by(|_, cx| TokenAuthenticator::bearer("s3cret", &cx.redactor))
        .config(&json!({"url": server.url()}))
        .run("read");
    assert_eq!((done.status, server.conversation()), (1, vec!["GET /items".to_owned()]));
    let errors = done.messages().errors();
    assert!(errors.iter().all(|error| error.failure_type.as_deref() == Some("config_error")), "{}", done.stdout);
    assert!(
        errors[0].message.ends_with("/items answered 401 Unauthorized: who?. Check the credentials in the config.")
    );
}

/// Makes an authenticator of the config's key.
type MakeOfKey = fn(&str, &Redactor) -> Arc<dyn Authenticator>;

/// A source's own authenticator.
struct Own(String);

impl Authenticator for Own {
    fn authenticate(&self, request: &mut HttpRequest, _: &AuthContext<'_>) -> anyhow::Result<()> {
        Ok(request.set_secret_header("X-Own", &format!("key={}", self.0))?)
    }
}

#[test]
fn a_key_that_cannot_be_sent_is_a_config_failure_that_names_its_setting() {
    let methods: [MakeOfKey; 7] = [
        |key, redactor| Arc::new(TokenAuthenticator::bearer(key, redactor)),
        |key, redactor| Arc::new(ApiKeyAuthenticator::header("X-Key", key, redactor)),
        |key, redactor| Arc::new(ApiKeyAuthenticator::query("key", key, redactor)),
        |key, redactor| Arc::new(ApiKeyAuthenticator::body("key", key, redactor)),
        |key, redactor| Arc::new(RotatingTokenAuthenticator::new([format!("k3y{key}k3y")], redactor)),
        |key, redactor| {
            let request = TokenRequest::client_credentials("http://127.0.0.1:1/token", "id", key, redactor);
            Arc::new(OAuth2Authenticator::new(request))
        },
        |key, _| Arc::new(Own(key.to_owned())),
    ];
    for (key, character) in [
        ("k3y\u{a0}", "U+00A0 (a non-breaking space) at position 4"),
        ("\u{200b}k3y", "U+200B (a zero-width space) at position 1"),
        ("k3\ty", "U+0009 (a tab) at position 3"),
    ] {
        for make in methods {
            let server = Server::start(Routes::new().once("GET", "/items", [page()]));
            let url = server.url();
            let signed =
                stream(move |config, cx| of_server(&url, make(config["login"]["key"].as_str().unwrap(), &cx.redactor)));
            let done = signed.config(&json!({"login": {"key": key}})).run("read");
            let error = done.messages().errors().swap_remove(0);
            let told = format!("The config's `login.key` has {character}, which cannot be sent");
            assert!(error.message.starts_with(&told), "{}", error.message);
            assert_eq!((error.failure_type.as_deref(), done.sleeps.len()), (Some("config_error"), 0));
            assert!(server.requests().is_empty() && !done.stdout.contains("k3y"), "{}", done.stdout);
        }
    }
}

#[test]
fn basic_credentials_are_sent_in_base64_and_shown_in_no_form() {
    // The API echoes the whole request.
    let echo = |request: &Request| {
        Reply::text(format!("{} and open sesame", request.header("authorization").unwrap_or_default())).status(403)
    };
    let server = Server::start(echo);
    let done = signed_by(|_, cx| BasicAuthenticator::new("Aladdin", "open sesame", &cx.redactor).expect("a user name"))
        .config(&json!({"url": server.url()}))
        .arg("--debug")
        .run("read");
    assert_eq!(header(&server.requests(), "authorization"), ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    assert!(done.stdout.contains("Basic **** and ****"), "{}", done.stdout);
    assert!(!done.stdout.contains("QWxhZGRpbjpvcGVuIHNlc2FtZQ") && !done.stdout.contains("open sesame"));
}

#[test]
fn a_key_stands_in_a_header_a_query_parameter_or_a_field_of_the_body() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let json_body = RequestBody::Json(json!({"q": 1}));
    let form = RequestBody::Form(vec![pair("q", "1")]);
    let (in_header, in_query, in_body): (MakeKey, MakeKey, MakeKey) = (
        |redactor| ApiKeyAuthenticator::header("X-API-Key", "s3 cret", redactor),
        |redactor| ApiKeyAuthenticator::query("key", "s3 cret", redactor),
        |redactor| ApiKeyAuthenticator::body("key", "s3 cret", redactor),
    );
    for (make, body, line, x_api_key, sent) in [
        (in_header, json_body.clone(), "POST /items", "s3 cret", r#"{"q":1}"#),
        (in_query, json_body.clone(), "POST /items?key=s3 cret", "-", r#"{"q":1}"#),
        (in_body, json_body, "POST /items", "-", r#"{"q":1,"key":"s3 cret"}"#),
        (in_body, form, "POST /items", "-", "q=1&key=s3+cret"),
    ] {
        // The first answer is an error that names the request: it must not contain the key.
        let server = Server::start(Routes::new().once("POST", "/items", [Reply::empty(503), page()]));
        let done = stream(move |config, cx| {
            paged(config, Arc::new(make(&cx.redactor))).with(|items| {
                items.method = Method::POST;
                items.body = body.clone();
            })
        })
        .config(&json!({"url": server.url()}))
        .arg("--debug")
        .run("read");
        let requests = server.requests();
        assert_eq!((done.status, server.conversation()), (0, vec![line.to_owned(); 2]));
        assert_eq!(header(&requests, "x-api-key"), [x_api_key; 2]);
        assert!(requests.iter().all(|request| request.body_text() == sent), "{}", requests[0].body_text());
        assert!(!done.stdout.contains("s3 cret") && !done.stdout.contains("s3+cret"), "{}", done.stdout);
        // The log has the stream's own URL, not the signed one.
        assert!(done.stdout.contains(&format!("POST {}/items: 503", server.url())), "{}", done.stdout);
    }
}

#[test]
fn a_failure_names_the_url_as_it_was_before_it_was_signed() {
    let server = Server::start(Routes::new().on("GET", "/items", [Reply::json(json!({"error": "no"})).status(403)]));
    let done = signed_by(|_, cx| ApiKeyAuthenticator::query("key", "s3cret", &cx.redactor))
        .config(&json!({"url": server.url()}))
        .run("read");
    assert_eq!(server.conversation(), ["GET /items?key=s3cret"]);
    let told = format!("GET {}/items answered 403 Forbidden: no.", server.url());
    assert!(done.messages().errors()[0].message.starts_with(&told), "{}", done.stdout);
}

#[test]
fn no_credentials_go_to_another_host_neither_by_a_path_nor_by_a_redirect() {
    let makes: [MakeAny; 4] = [
        |redactor| Arc::new(TokenAuthenticator::bearer("s3cret", redactor)),
        |redactor| Arc::new(ApiKeyAuthenticator::query("key", "s3cret", redactor)),
        |redactor| Arc::new(ApiKeyAuthenticator::header("X-API-Key", "s3cret", redactor)),
        |redactor| Arc::new(ApiKeyAuthenticator::body("key", "s3cret", redactor)),
    ];
    for make in makes {
        let other = Server::start(Routes::new().on("POST", "/elsewhere", [page()]));
        let elsewhere = format!("{}/elsewhere", other.url());
        // 307 sends the body again, too.
        let redirect = Reply::empty(307).header("Location", elsewhere.clone());
        let server = Server::start(Routes::new().once("POST", "/items", [redirect]));
        for path in ["items".to_owned(), elsewhere] {
            let done = stream(move |config, cx| {
                paged(config, make(&cx.redactor)).with(|items| {
                    items.path = path.clone();
                    items.method = Method::POST;
                    items.body = RequestBody::Json(json!({"q": 1}));
                })
            })
            .config(&json!({"url": server.url()}))
            .run("read");
            assert_eq!((done.status, done.messages().record_count()), (0, 1), "{}", done.stdout);
        }
        let all = |server: &Server| {
            let shown = |request: &Request| format!("{request} {:?} {}", request.headers, request.body_text());
            server.requests().iter().map(shown).collect::<String>()
        };
        assert!(all(&server).contains("s3cret"), "the stream's own host gets the credentials: {}", all(&server));
        assert_eq!(other.conversation(), ["POST /elsewhere"; 2]);
        assert!(!all(&other).contains("s3cret") && all(&other).contains(r#"{"q":1}"#), "{}", all(&other));
    }
}

#[test]
fn credentials_among_the_streams_own_headers_stay_with_its_host_too_and_that_is_reported_once() {
    let pages = AtomicU32::new(0);
    let other = Server::start(move |_: &Request| match pages.fetch_add(1, Ordering::SeqCst) % 2 {
        0 => Reply::json(json!({"data": [{"id": 1}], "next": 2})),
        _ => Reply::json(json!({"data": [{"id": 2}]})),
    });
    let elsewhere = format!("{}/elsewhere", other.url());
    let redirect = Reply::empty(302).header("Location", elsewhere.clone());
    let server = Server::start(Routes::new().on("GET", "/items", [redirect]));
    for path in ["items".to_owned(), elsewhere] {
        let done = stream(move |config, _| {
            paged(config, Arc::new(source_http::http::auth::NoAuth)).with(|items| {
                items.path = path.clone();
                items.headers = [("Authorization", "s3cret"), ("Cookie", "s=s3cret"), ("X-Tenant", "t")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into();
            })
        })
        .config(&json!({"url": server.url()}))
        .run("read");
        assert_eq!(done.status, 0, "{}", done.stdout);
        let told = format!("Requests to {} are sent without credentials", other.url().trim_start_matches("http://"));
        assert_eq!(done.stdout.matches(&told).count(), 1, "{}", done.stdout);
    }
    assert_eq!(header(&server.requests()[..1], "cookie"), ["s=s3cret"]);
    let sent = other.take_requests();
    assert_eq!(sent.len(), 4);
    for request in &sent {
        let names = ["authorization", "cookie", "x-tenant"].map(|name| request.header(name));
        assert_eq!(names, [None, None, Some("t")]);
    }
}

#[test]
fn an_open_api_has_no_credentials_to_withhold() {
    let other = Server::start(|_: &Request| page());
    let path = format!("{}/elsewhere", other.url());
    let done = stream(move |config, _| {
        paged(config, Arc::new(source_http::http::auth::NoAuth)).with(|items| {
            items.path = path.clone();
        })
    })
    .config(&json!({"url": "http://127.0.0.1:9"}))
    .run("read");
    assert!(done.status == 0 && !done.stdout.contains("without credentials"), "{}", done.stdout);
}

#[test]
fn a_refusal_by_another_host_requests_no_new_credentials() {
    let other = Server::start(|_: &Request| Reply::empty(401));
    let redirect = Reply::empty(302).header("Location", format!("{}/elsewhere", other.url()));
    let session = Reply::json(json!({"session": "s1"}));
    let routes = Routes::new().once("POST", "/login", [session]).once("GET", "/items", [redirect]);
    let server = Server::start(routes);
    let done = signed_by(|_, _| super::custom::Session::default()).config(&json!({"url": server.url()})).run("read");
    // A refusal by the session's own host would open another one.
    assert_eq!(server.conversation(), ["POST /login", "GET /items"]);
    assert_eq!((done.status, other.conversation()), (1, vec!["GET /elsewhere".to_owned()]));
}
