//! The exact form that is sent.

use super::*;
use crate::http::auth::JwtAlgorithm;

const URL: &str = "http://a.com/token";

fn body(request: &HttpRequest) -> String {
    String::from_utf8(request.body.encode().unwrap().0).unwrap()
}

#[test]
fn the_form_has_the_standards_names_and_order_and_one_scope() {
    let redactor = Redactor::default();
    let request = TokenRequest::refresh_token(URL, "c", "s&1", "r", &redactor).scopes(["a.read", "b.read"]);
    let built = request.build(request.initial_refresh_token().as_ref(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(
        body(&built),
        "grant_type=refresh_token&client_id=c&client_secret=s%261&refresh_token=r&scope=a.read+b.read"
    );
    assert_eq!((built.method, built.url.as_str()), (Method::POST, URL));
    let request = TokenRequest::client_credentials(URL, "c", "s", &redactor);
    assert_eq!(
        body(&request.build(None, Timestamp::UNIX_EPOCH).unwrap()),
        "grant_type=client_credentials&client_id=c&client_secret=s"
    );
}

#[test]
fn every_name_can_be_changed_and_further_fields_never_replace_another() {
    let request = TokenRequest::refresh_token(URL, "c", "s", "r", &Redactor::default())
        .grant_type("renew")
        .grant_type_name("g")
        .client_id_name("ci")
        .client_secret_name("cs")
        .refresh_token_name("rt")
        .scope_name("sc")
        .scopes(["x"])
        .field("audience", "api")
        .field("ci", "other")
        .header("X-Tenant", "t");
    let built = request.build(request.initial_refresh_token().as_ref(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(body(&built), "g=renew&ci=c&cs=s&rt=r&sc=x&audience=api");
    assert_eq!(built.headers["x-tenant"], "t");
}

#[test]
fn fields_may_be_sent_empty_repeated_and_in_the_query() {
    let redactor = Redactor::default();
    let request = TokenRequest::client_credentials(URL, "c", "", &redactor)
        .with_refresh_token("r")
        .with_empty_fields()
        .fields("scopes", ["a", "b c"])
        .in_query();
    let built = request.build(request.initial_refresh_token().as_ref(), Timestamp::UNIX_EPOCH).unwrap();
    let query = "grant_type=client_credentials&client_id=c&client_secret=&refresh_token=r&scopes=a&scopes=b+c";
    assert_eq!((built.url.query(), built.body), (Some(query), RequestBody::Empty));
}

#[test]
fn a_signed_token_is_sent_instead_of_the_clients_id() {
    let redactor = Redactor::default();
    let signer = JwtSigner::new(JwtAlgorithm::Hs256, "s3cret", &redactor).unwrap();
    let request = TokenRequest::jwt_bearer(URL, signer, &redactor);
    let body = body(&request.build(None, Timestamp::UNIX_EPOCH).unwrap());
    let start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJ";
    assert!(body.starts_with(start) && body.matches('&').count() == 1, "{body}");
    assert!(redactor.redact(&body).ends_with("assertion=****"));
}

#[test]
fn credentials_in_a_header_are_encoded_registered_and_not_in_the_body() {
    let redactor = Redactor::default();
    let request = TokenRequest::client_credentials(URL, "c:1", "s 2", &redactor).client_in_header();
    let built = request.build(None, Timestamp::UNIX_EPOCH).unwrap();
    // base64 of c%3A1:s+2
    assert_eq!(built.headers["authorization"], "Basic YyUzQTE6cysy");
    assert_eq!(body(&built), "grant_type=client_credentials");
    assert_eq!(redactor.redact("YyUzQTE6cysy s 2 s+2"), "**** **** ****");
    let own = TokenRequest::client_credentials(URL, "c", "s", &redactor).header("authorization", "Key k");
    assert_eq!(body(&own.build(None, Timestamp::UNIX_EPOCH).unwrap()), "grant_type=client_credentials");
}

#[test]
fn implausible_values_are_refused_before_they_are_sent() {
    let redactor = Redactor::default();
    for (id, secret, refresh, told) in [
        ("c\u{a0}", "s", "r", "The client id has U+00A0"),
        ("c", "s\n", "r", "The client secret has U+000A"),
        ("c", "s", " r", "The refresh token has U+0020"),
    ] {
        let request = TokenRequest::refresh_token(URL, id, secret, refresh, &redactor);
        let failure = request.build(request.initial_refresh_token().as_ref(), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(failure.message.starts_with(told), "{failure}");
    }
}

#[test]
fn no_debug_output_shows_a_secret() {
    let request = TokenRequest::refresh_token(URL, "c", "s3cret", "r3fresh", &Redactor::default())
        .client_in_header()
        .field("assertion", "s3cret")
        .header("X-Key", "s3cret");
    let built = request.build(request.initial_refresh_token().as_ref(), Timestamp::UNIX_EPOCH).unwrap();
    let shown = format!("{request:?} {:?}", built.headers);
    assert!(!shown.contains("s3cret") && !shown.contains("r3fresh") && !shown.contains("Basic"), "{shown}");
}

#[test]
fn a_missing_refresh_token_asks_to_authenticate() {
    let request = TokenRequest::refresh_token(URL, "c", "s", "", &Redactor::default());
    let failure = request.build(request.initial_refresh_token().as_ref(), Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(failure.message.contains("no refresh token"), "{failure}");
}

#[test]
fn every_part_of_the_request_makes_another_identity() {
    let redactor = Redactor::default();
    let new = |secret: &str| TokenRequest::refresh_token(URL, "c", secret, "r", &redactor);
    let mut identities = vec![
        new("s").identity(None),
        new("t").identity(None),
        new("s").identity(Some("q")),
        new("s").grant_type("g").identity(None),
        new("s").header("a", "b").identity(None),
        new("s").header("a", "c").identity(None),
        new("s").field("a", "b").identity(None),
        new("s").field("a", "b\nc").identity(None),
        new("s").field("a", "b").field("c", "").identity(None),
        new("s").scopes(["x"]).identity(None),
        TokenRequest::client_credentials(URL, "c", "s", &redactor).identity(None),
    ];
    let count = identities.len();
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), count);
    assert_eq!(new("s").identity(None), new("s").identity(Some("r")));
}
