//! Output to stdout and stderr, and states.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use source_http::http::auth::{
    ApiKeyAuthenticator, BasicAuthenticator, ConfigPaths, NoAuth, OAuth2Authenticator, RotatingTokenAuthenticator,
    TokenAuthenticator, TokenRequest,
};
use source_http_testkit::{Finished, Reply, Request, Server};

use super::echo::{PLACES, Place, Saying, VOID, server};
use super::spellings::{found_in, spellings};
use super::*;

/// All characters that URLs, JSON, HTML and base64 encode, and that a header can contain.
pub(super) const KEY: &str = "k3y/with \"odd\"+<signs>&=%41?~{x}\\";
/// The same, with characters that only a body can contain.
pub(super) const PASSWORD: &str = "pä55/wörd \"𝄞\" & 100%\\n";

/// A way to authenticate, its secrets, and the answer of the token endpoint.
struct Way {
    name: &'static str,
    secrets: Vec<String>,
    vault: fn() -> Vault,
    token: fn(usize) -> Reply,
}

fn vault<A: Authenticator + 'static>(make: fn(&str, &str, &SourceContext) -> A) -> Vault {
    let authenticator = move |config: &Config, cx: &SourceContext| {
        let text = |name: &str| config[name].as_str().unwrap_or_default();
        Arc::new(make(text("key"), text("url"), cx)) as Arc<dyn Authenticator>
    };
    Vault { authenticator: Box::new(authenticator), cache: false }
}

fn ways() -> Vec<Way> {
    let way = |name, vault| Way { name, secrets: vec![KEY.to_owned()], vault, token: |_| Reply::empty(404) };
    let tokens = |secrets: &[&str]| secrets.iter().map(ToString::to_string).collect::<Vec<_>>();
    vec![
        way("config alone", || vault(|_, _, _| NoAuth)),
        way("bearer", || vault(|key, _, cx| TokenAuthenticator::bearer(key, &cx.redactor))),
        way("header", || vault(|key, _, cx| ApiKeyAuthenticator::header("X-Key", key, &cx.redactor))),
        way("query", || vault(|key, _, cx| ApiKeyAuthenticator::query("key", key, &cx.redactor))),
        way("body", || vault(|key, _, cx| ApiKeyAuthenticator::body("key", key, &cx.redactor))),
        Way {
            secrets: tokens(&[PASSWORD]),
            ..way("basic", || {
                vault(|_, _, cx| BasicAuthenticator::new("ann", PASSWORD, &cx.redactor).expect("a user name"))
            })
        },
        Way {
            secrets: tokens(&["first t0ken/+", "second t0ken/+"]),
            ..way("rotating", || {
                vault(|_, _, cx| RotatingTokenAuthenticator::new(["first t0ken/+", "second t0ken/+"], &cx.redactor))
            })
        },
        Way {
            secrets: tokens(&[PASSWORD, VOID, "acc3ss/t0ken+1"]),
            // A new token each time: the first one is replaced.
            token: |n| Reply::json(json!({"access_token": format!("acc3ss/t0ken+{n}"), "expires_in": 3600})),
            ..way("client credentials", || {
                vault(|_, url, cx| {
                    let url = format!("{url}/token");
                    let request = TokenRequest::client_credentials(&url, "client", PASSWORD, &cx.redactor);
                    OAuth2Authenticator::new(request.client_in_header())
                })
            })
        },
        Way {
            secrets: tokens(&["0ld/refresh+t0ken", "n3w/refresh+t0ken", "acc3ss/t0ken", "cl1ent/secret"]),
            token: |_| Reply::json(json!({"access_token": "acc3ss/t0ken", "refresh_token": "n3w/refresh+t0ken"})),
            ..way("refresh token", || Vault {
                authenticator: Box::new(|config, cx| {
                    let url = format!("{}/token", config["url"].as_str().unwrap_or_default());
                    let secret = config["credentials"]["client_secret"].as_str().unwrap_or_default();
                    let request = TokenRequest::refresh_token(&url, "client", secret, "", &cx.redactor);
                    Arc::new(OAuth2Authenticator::new(request).stored_in(config.clone(), ConfigPaths::default()))
                }),
                cache: false,
            })
        },
    ]
}

fn config(server: &Server) -> Value {
    let credentials = json!({"refresh_token": "0ld/refresh+t0ken", "client_secret": "cl1ent/secret"});
    json!({"url": server.url(), "key": KEY, "credentials": credentials})
}

/// Everything a run has written, except the config that the platform has to store.
fn written(done: &Finished) -> String {
    let lines = done.stdout.lines().filter(|line| !line.contains(r#""type":"CONTROL""#));
    lines.chain(done.stderr.lines()).collect::<Vec<_>>().join("\n")
}

#[track_caller]
pub(super) fn assert_clean(done: &Finished, secrets: &[String], what: &str) {
    let written = written(done);
    assert_eq!(found_in(&written, secrets), None, "{what}:\n{written}");
}

#[test]
fn no_secret_is_written_wherever_and_however_an_api_repeats_it() {
    let mut runs = 0;
    for Way { name, secrets, vault, token } in ways() {
        let saying: Saying = Arc::new(Mutex::new((Place::ErrorWords, String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let of_server = asked.clone();
        let server = server(&saying, move |_| token(of_server.fetch_add(1, Ordering::SeqCst)));
        for secret in &secrets {
            // The whole matrix for one way; for the others each place and each spelling at least once.
            let all = spellings(secret);
            for (p, place) in PLACES.into_iter().enumerate() {
                for (s, text) in all.iter().enumerate() {
                    if name != "bearer" && (p + s) % 11 != 0 {
                        continue;
                    }
                    *saying.lock().unwrap() = (place, text.clone());
                    asked.store(0, Ordering::SeqCst);
                    let command = if (p + s) % 5 == 0 { "check" } else { "read" };
                    let done = vault().connector(&config(&server)).run(command);
                    assert_clean(&done, &secrets, &format!("{name}, {command}, {place:?}, {text}"));
                    runs += 1;
                }
            }
        }
        assert_clean(&InProcess::with_registry(Registry::of(vault())).arg("--debug").run("spec"), &secrets, "spec");
        assert_clean(&vault().connector(&config(&server)).run("discover"), &secrets, "discover");
        server.take_requests();
    }
    assert!(runs > 700, "{runs} runs only");
}

#[test]
fn no_secret_is_written_when_the_token_endpoint_repeats_it() {
    for Way { name, secrets, vault, .. } in ways().into_iter().filter(|way| way.secrets.len() > 2) {
        for secret in &secrets {
            for text in spellings(secret) {
                let (json, again) = (json!({"error": "invalid_client", "error_description": &text}), text.clone());
                for reply in [
                    Reply::json(json).status(400),
                    Reply::text(text.clone()).status(500),
                    Reply::json(json!({again: 1})),
                    Reply::json_text(format!("{{\"access_token\": \"{text}")),
                ] {
                    // A token that was not yet received cannot be known as a secret.
                    if ["acc3ss", "n3w"].iter().any(|unknown| secret.starts_with(unknown)) {
                        continue;
                    }
                    let saying: Saying = Arc::new(Mutex::new((Place::ErrorWords, String::new())));
                    let server = server(&saying, move |_| reply.clone());
                    let done = vault().connector(&config(&server)).run("read");
                    assert_eq!(done.status, 1, "{name}");
                    assert_clean(&done, &secrets, &format!("{name}, {text}"));
                }
            }
        }
    }
}

/// A stream's bug whose message has the data it worked with.
#[test]
fn no_secret_is_written_by_a_panic() {
    struct Panics;
    impl Authenticator for Panics {
        fn authenticate(
            &self,
            _: &mut source_http::http::HttpRequest,
            _: &source_http::http::auth::AuthContext<'_>,
        ) -> anyhow::Result<()> {
            panic!("cannot sign with {KEY}")
        }
    }
    let saying: Saying = Arc::new(Mutex::new((Place::ErrorWords, String::new())));
    let server = server(&saying, |_| Reply::empty(404));
    let done = vault(|_, _, _| Panics).connector(&config(&server)).run("read");
    assert_eq!(done.status, 1);
    assert!(done.stdout.contains("cannot sign with ****"), "{}", done.stdout);
    assert_clean(&done, &[KEY.to_owned()], "a panic");
}

/// Pages that give the URL of the next one with the key in it, and then a failure.
fn pages(request: &Request, last: bool) -> Reply {
    let number: u64 = request.param("page").map_or(1, |page| page.parse().unwrap());
    let encoded: String = url::form_urlencoded::byte_serialize(KEY.as_bytes()).collect();
    if number == 3 && !last {
        return Reply::empty(401);
    }
    let next = if number < 3 { json!(format!("/items?page={}&key={encoded}", number + 1)) } else { Value::Null };
    Reply::json(json!({"data": [{"n": format!("{number}")}], "next": next}))
}

#[test]
fn a_page_token_with_a_secret_stays_out_of_the_state_and_its_slice_is_read_again() {
    let is_well = Arc::new(AtomicUsize::new(0));
    let well = is_well.clone();
    let server = Server::start(move |request: &Request| pages(request, well.load(Ordering::SeqCst) == 1));
    let query = || vault(|key, _, cx| ApiKeyAuthenticator::query("key", key, &cx.redactor));
    let streams = [("items", "incremental")];
    let first = query().connector(&config(&server)).streams(&streams).run("read");
    assert_clean(&first, &[KEY.to_owned()], "the states");
    let messages = first.messages();
    assert_eq!((messages.records("items").len(), messages.statuses("items").last()), (2, Some(&"INCOMPLETE")));
    let told = |text: &&str| text.contains("repeats a secret in its page tokens");
    assert_eq!(messages.logs().iter().map(|(_, text)| *text).filter(told).count(), 1);
    is_well.store(1, Ordering::SeqCst);
    let state: Value = serde_json::from_str(&messages.state_file()).unwrap();
    let rest = query().connector(&config(&server)).streams(&streams).state(&state).run("read").messages();
    assert_eq!(rest.records("items"), [r#"{"n":"1"}"#, r#"{"n":"2"}"#, r#"{"n":"3"}"#]);
}

/// The cursor is a value of a record, and the next read depends on it.
#[test]
fn a_cursor_that_is_a_secret_comes_back_as_it_was() {
    let server = Server::start(|_: &Request| Reply::json(json!({"data": [{"n": KEY}]})));
    let bearer = || vault(|key, _, cx| TokenAuthenticator::bearer(key, &cx.redactor));
    let streams = [("items", "incremental")];
    let first = bearer().connector(&config(&server)).streams(&streams).run("read").messages();
    assert_eq!(first.states("items").last().unwrap()["n"], KEY);
    server.take_requests();
    let state: Value = serde_json::from_str(&first.state_file()).unwrap();
    bearer().connector(&config(&server)).streams(&streams).state(&state).run("read");
    assert_eq!(server.requests()[0].param("since"), Some(KEY));
}
