//! Each authenticator of a manifest, without any network.

use serde_json::{Value, json};

use super::super::testing::{Built, built, built_with};
use super::*;
use crate::http::HttpRequest;

fn auth(snippet: &str, config: Value) -> Built<Arc<Auth>> {
    built(snippet, config, |builder, part| Auth::build(builder, Some(part), None))
}

/// The value of the header that is sent, signed without any network.
fn header(auth: &Auth, name: &str) -> Option<String> {
    let request = crate::http::auth::signed(&*auth.authenticator, HttpRequest::get("http://a.com/".parse().unwrap()));
    request.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn each_kind_sends_the_text_of_the_config() {
    let config = json!({"t": "1e5", "n": null, "colon": "a:b"});
    let sent = |snippet: &str| header(&auth(snippet, config.clone()).good(), "authorization");
    let bearer =
        |token: &str| sent(&format!("{{type: BearerAuthenticator, api_token: \"{{{{ config['{token}'] }}}}\"}}"));
    assert_eq!(bearer("t").as_deref(), Some("Bearer 1e5"));
    assert_eq!(bearer("missing").as_deref(), Some("Bearer"));
    assert_eq!(bearer("n").as_deref(), Some("Bearer"));
    let basic = |user: &str, password: &str| {
        let password = format!("password: \"{{{{ config['{password}'] }}}}\"");
        sent(&format!("{{type: BasicHttpAuthenticator, username: \"{user}\", {password}}}"))
    };
    assert_eq!(basic("me", "t").as_deref(), Some("Basic bWU6MWU1"));
    assert_eq!(basic("me", "n").as_deref(), Some("Basic bWU6"));
    assert_eq!(basic("{{ config['colon'] }}", "missing").as_deref(), Some("Basic YTpiOg=="));
    assert_eq!(sent("{type: NoAuth}"), None);
}

#[test]
fn a_key_goes_into_a_header_or_where_the_option_says() {
    let config = json!({"k": "0x10"});
    let key = "api_token: \"{{ config['k'] }}\"";
    let built = auth(&format!("{{type: ApiKeyAuthenticator, header: X-Key, {key}}}"), config.clone()).good();
    assert_eq!(header(&built, "x-key").as_deref(), Some("0x10"));
    let option = "inject_into: {type: RequestOption, inject_into: request_parameter, field_name: key}";
    let built = auth(&format!("{{type: ApiKeyAuthenticator, {key}, {option}}}"), config).good();
    assert_eq!((header(&built, "key"), built.injections[0].value.clone()), (None, json!("0x10")));
    let both = format!(", header: X-Key, {option}");
    for (fields, told) in [(both.as_str(), "exclude each other"), ("", "does not say where its key goes")] {
        let built = auth(&format!("{{type: ApiKeyAuthenticator{fields}, {key}}}"), json!({}));
        assert!(built.errors[0].contains(told), "{:?}", built.errors);
    }
}

#[test]
fn the_key_is_registered_as_a_secret() {
    let redactor = Redactor::default();
    let config = json!({"k": "s3cret-key"});
    let snippet = "{type: ApiKeyAuthenticator, api_token: \"{{ config['k'] }}\", inject_into: {type: RequestOption, \
                   inject_into: body_json, field_path: [a, b]}}";
    built_with(snippet, config, &redactor, |builder, part| Auth::build(builder, Some(part), None)).good();
    assert!(redactor.finds("x s3cret-key y"));
}

#[test]
fn equal_definitions_share_one_instance() {
    let snippet = "{a: {type: BearerAuthenticator, api_token: x}, b: {type: BearerAuthenticator, api_token: x}, \
                   c: {type: BearerAuthenticator, api_token: y}}";
    built(snippet, json!({}), |builder, part| {
        let auth = |name| Auth::build(builder, part.field(name).as_ref(), None).unwrap();
        assert!(Arc::ptr_eq(&auth("a"), &auth("b")) && !Arc::ptr_eq(&auth("a"), &auth("c")));
        Some(())
    })
    .good();
}

#[test]
fn a_custom_class_is_refused_by_name() {
    let built = auth("{type: CustomAuthenticator}", json!({}));
    assert_eq!(built.refusals, ["the authenticator `CustomAuthenticator`: m.yaml:1:1"]);
}

#[test]
fn unusable_keys_and_unknown_algorithms_are_reported_by_name() {
    let jwt = |more: &str| {
        auth(&format!("{{type: JwtAuthenticator, secret_key: \"{{{{ config['k'] }}}}\"{more}}}"), json!({"k": "x"}))
    };
    assert!(jwt(", algorithm: ES1").errors[0].contains("must be one of HS256, HS384, "));
    let built = jwt(", algorithm: HS256, passphrase: \"{{ config['k'] }}\"");
    assert!(built.errors[0].contains("Remove `passphrase`"), "{:?}", built.errors);
    assert!(jwt(", algorithm: RS256").errors[0].contains("it is not a PEM"));
    assert!(
        jwt(", algorithm: HS256, additional_jwt_payload: {iss: a}").errors[0].contains("`iss` has a field of its own")
    );
}

#[test]
fn a_key_may_be_inside_a_json_text_and_claims_keep_their_types() {
    let snippet = "{type: JwtAuthenticator, algorithm: HS256, secret_key: \"{{ json_loads(config['account'])['key'] }}\", \
                   header_prefix: Bearer, additional_jwt_payload: {n: '5', v: \"{{ config['version'] }}\"}, \
                   jwt_payload: {iss: \"{{ json_loads(config['account']).id }}\"}}";
    let config = json!({"account": "{\"key\": \"s3cret-key\", \"id\": \"12\"}", "version": "1.10"});
    let sent = header(&auth(snippet, config).good(), "authorization").unwrap();
    let payload = sent.strip_prefix("Bearer ").unwrap().split('.').nth(1).unwrap();
    let payload = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!((&payload["n"], &payload["v"], &payload["iss"]), (&json!(5), &json!("1.10"), &json!("12")));
}

#[test]
fn missing_login_fields_are_reported_before_any_request() {
    for (fields, told) in [
        ("client_id: c, client_secret: s", "neither a `token_refresh_endpoint` nor"),
        ("token_refresh_endpoint: \"{{ config['no'] }}\"", "it gives no URL"),
        ("token_refresh_endpoint: http://a.com, client_secret: s", "it has no `client_id`"),
        ("token_refresh_endpoint: http://a.com, client_id: c, client_secret: s", "needs a `refresh_token`"),
        ("token_refresh_endpoint: http://a.com, use_profile_assertion: true", "needs a `profile_assertion`"),
    ] {
        let built = auth(&format!("{{type: OAuthAuthenticator, {fields}}}"), json!({}));
        assert!(built.errors.first().is_some_and(|error| error.contains(told)), "{fields}: {:?}", built.errors);
    }
    let built = auth(
        "{type: SelectiveAuthenticator, authenticator_selection_path: [a, b], authenticators: {x: {type: NoAuth}}}",
        json!({"a": {}}),
    );
    assert!(built.errors[0].contains("the config has no `a.b`"), "{:?}", built.errors);
}
