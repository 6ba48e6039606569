//! No output shows the credentials of a manifest, whatever fails: the API of these tests echoes everything it receives.

use serde_json::{Value, json};
use source_http_testkit::{Reply, Request};

use super::{connector, credentials, oauth, session};

fn shown(request: &Request) -> String {
    format!("{} {:?} {}", request.target, request.headers, request.body_text())
}

/// All parts of a request, in the text of an error.
fn echo(request: &Request) -> Reply {
    Reply::json(json!({"message": shown(request)})).status(400)
}

/// Reads with an authenticator, at an API whose answer to a login is `login`, and that echoes all other requests. No
/// output may contain one of `hidden`, and each of them has to have been sent.
fn hides(authenticator: &dyn Fn(&str) -> Value, login: Option<Value>, hidden: &[&str]) {
    let api = move |request: &Request| match (&login, request.path.as_str()) {
        (Some(login), "/login" | "/token") => Reply::json(login.clone()),
        _ => echo(request),
    };
    let mut config = credentials();
    config["key"] = json!(super::super::super::auth::signed::EC);
    let (connector, server) = connector(&|base| vec![("items", authenticator(base))], &config, Box::new(api));
    let done = connector.arg("--debug").run("read");
    assert_eq!(done.status, 1, "{}", done.stdout);
    let sent = server.requests().iter().map(shown).collect::<Vec<_>>().join("\n");
    for hidden in hidden {
        assert!(sent.contains(hidden), "{hidden} was not sent: {sent}");
        assert!(!done.stdout.contains(hidden) && !done.stderr.contains(hidden), "{hidden}: {}", done.stdout);
    }
    for request in server.requests() {
        let tokens = request.headers.iter().filter_map(|(_, value)| value.split_once("eyJ"));
        for (_, token) in tokens {
            assert!(!done.stdout.contains(&token[..40]), "{}", done.stdout);
        }
    }
}

#[test]
fn ids_secrets_and_tokens_of_oauth() {
    hides(&oauth, None, &["cl1ent-secret", "r3fresh-token"]);
    hides(&oauth, Some(json!({"access_token": "acc3ss-token"})), &["cl1ent-secret", "r3fresh-token", "acc3ss-token"]);
    let with_header = |base: &str| {
        let mut auth = oauth(base);
        auth["refresh_request_headers"] = json!({
            "Authorization": "Basic {{ ('me:' ~ config['secret']) | base64encode }}",
            "X-Digest": "{{ config['secret'] | hash('sha256') }}"
        });
        auth["refresh_request_body"] = json!({"digest": "{{ config['secret'] | hash('md5') }}"});
        auth
    };
    // me:cl1ent-secret in base64, and the SHA-256 and MD5 of cl1ent-secret.
    let changed = [
        "bWU6Y2wxZW50LXNlY3JldA==",
        "0f433d3d1948c08c85524ee462a7ae92c8f1f16ff626427626a9597e2039d0c2",
        "fd4eb30936c6284b002b7f39a1ce4adc",
    ];
    hides(&with_header, None, &[&changed[..], &["r3fresh-token"]].concat());
}

#[test]
fn passwords_and_tokens_of_a_session() {
    let login = json!({"sessions": [{"id": "s3ssion-token"}]});
    hides(&|base| session(base, &json!({})), None, &["Y2wxZW50LXNlY3JldA"]);
    hides(&|base| session(base, &json!({})), Some(login.clone()), &["Session+s3ssion-token", "cl1ent-secret"]);
    let changed = |base: &str| {
        let mut auth = session(base, &json!({}));
        auth["request_authentication"]["api_token"] = json!("{{ session_token | base64encode }}");
        auth
    };
    // base64 of s3ssion-token
    hides(&changed, Some(login), &["czNzc2lvbi10b2tlbg"]);
}

#[test]
fn signed_tokens() {
    let signed = |_: &str| {
        json!({
            "type": "JwtAuthenticator", "algorithm": "ES256", "secret_key": "{{ config['key'] }}",
            "header_prefix": "Bearer", "jwt_payload": {"iss": "me"}
        })
    };
    hides(&signed, None, &["Bearer eyJ"]);
}
