//! Credentials. What stands in a header is put there by the authenticators of the HTTP layer, before each attempt; a key in
//! the query or the body is put there once, where the order of a request has it. Credentials are sent as the text that
//! the config has: `1e5` is a password and no number. Streams with the same definition share one instance.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;

use super::options::{By, Injection, Place, RequestOption, credential};
use super::part::{Builder, Part};
use crate::http::auth::{ApiKeyAuthenticator, Authenticator, BasicAuthenticator, NoAuth, TokenAuthenticator};
use crate::protocol::Redactor;

/// The credentials of a requester.
#[derive(Debug)]
pub(super) struct Auth {
    /// Puts on each attempt what stands in a header.
    pub(super) authenticator: Arc<dyn Authenticator>,
    /// What is put in the query or the body, if anything is.
    pub(super) injections: Vec<Injection>,
    /// The place of a key, for [`super::options::tell_collisions`].
    pub(super) option: Option<RequestOption>,
}

impl Auth {
    fn of(authenticator: impl Authenticator + 'static) -> Self {
        Self { authenticator: Arc::new(authenticator), injections: Vec::new(), option: None }
    }

    /// The credentials that a part is; none without a part. A kind that is not known yet is refused, and the stream with it.
    pub(super) fn build(builder: &Builder<'_>, part: Option<&Part<'_>>) -> Option<Arc<Self>> {
        let Some(part) = part else { return Some(Arc::new(Self::of(NoAuth))) };
        builder.shared(part, || Self::kind(builder, part))
    }

    fn kind(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        match part.kind() {
            "NoAuth" => Some(Self::of(NoAuth)),
            "ApiKeyAuthenticator" => api_key(builder, part),
            "BearerAuthenticator" => bearer(builder, part),
            "BasicHttpAuthenticator" => basic(builder, part),
            other => {
                builder.refuse(part, &format!("the authenticator `{other}`"));
                None
            }
        }
    }
}

/// The text that a field gives with this config; empty where it gives nothing.
fn secret(builder: &Builder<'_>, part: &Part<'_>, field: &str) -> Option<String> {
    match part.field(field) {
        None => Some(String::new()),
        Some(field) => builder.noted_failure(&field, credential(&builder.text(&field, &[])?)),
    }
}

fn api_key(builder: &Builder<'_>, part: &Part<'_>) -> Option<Auth> {
    let (option, header) = (part.field("inject_into"), part.field("header").filter(|header| header.node.is_truthy()));
    let key = secret(builder, part, "api_token");
    let option = match (option, header) {
        (Some(option), None) => RequestOption::build(builder, &option, By::Authenticator)?,
        (None, Some(header)) => {
            let name = builder.text(&header, &[])?;
            let name = builder.noted_failure(&header, name.literal(&[]))?.to_text();
            RequestOption::header(builder, &header, name, By::Authenticator)
        }
        (Some(_), Some(header)) => {
            builder.error(&header, "`header` and `inject_into` exclude each other: keep `inject_into`");
            return None;
        }
        (None, None) => {
            builder.error(part, "it does not say where its key goes: add `inject_into`");
            return None;
        }
    };
    let key = key?;
    builder.redactor.add(&key);
    let auth = if option.place == Place::Header {
        Auth::of(ApiKeyAuthenticator::header(&option.path[0], &key, &builder.redactor))
    } else {
        let injections = vec![option.inject(Value::String(key))];
        Auth { injections, ..Auth::of(NoAuth) }
    };
    Some(Auth { option: Some(option), ..auth })
}

fn bearer(builder: &Builder<'_>, part: &Part<'_>) -> Option<Auth> {
    let token = secret(builder, part, "api_token")?;
    Some(match token.is_empty() {
        true => authorization("Bearer", builder, part),
        false => Auth {
            option: Some(own_header(builder, part)),
            ..Auth::of(TokenAuthenticator::bearer(&token, &builder.redactor))
        },
    })
}

fn basic(builder: &Builder<'_>, part: &Part<'_>) -> Option<Auth> {
    let (name, password) = (secret(builder, part, "username"), secret(builder, part, "password"));
    let (name, password) = (name?, password?);
    let redactor = &builder.redactor;
    let auth = if name.contains(':') {
        // Id and key in one setting, which the server takes apart at the first colon.
        redactor.add(&name);
        redactor.add(&password);
        let encoded = BASE64_STANDARD.encode(format!("{name}:{password}"));
        Auth::of(TokenAuthenticator::bearer(&encoded, redactor).method("Basic"))
    } else {
        Auth::of(builder.noted_failure(part, BasicAuthenticator::new(&name, &password, redactor))?)
    };
    Some(Auth { option: Some(own_header(builder, part)), ..auth })
}

/// The method without credentials, as a config without a token has it. The word is no secret.
fn authorization(method: &str, builder: &Builder<'_>, part: &Part<'_>) -> Auth {
    let auth = TokenAuthenticator::bearer(method, &Redactor::default()).method("");
    Auth { option: Some(own_header(builder, part)), ..Auth::of(auth) }
}

fn own_header(builder: &Builder<'_>, part: &Part<'_>) -> RequestOption {
    RequestOption::header(builder, part, "Authorization".to_owned(), By::Authenticator)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Built, built, built_with};
    use super::*;
    use crate::http::HttpRequest;

    fn auth(snippet: &str, config: Value) -> Built<Arc<Auth>> {
        built(snippet, config, |builder, part| Auth::build(builder, Some(part)))
    }

    /// The value of the header that is sent, signed without any network.
    fn header(auth: &Auth, name: &str) -> Option<String> {
        let request =
            crate::http::auth::signed(&*auth.authenticator, HttpRequest::get("http://a.com/".parse().unwrap()));
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
        built_with(snippet, config, &redactor, |builder, part| Auth::build(builder, Some(part))).good();
        assert!(redactor.finds("x s3cret-key y"));
    }

    #[test]
    fn equal_definitions_share_one_instance() {
        let snippet = "{a: {type: BearerAuthenticator, api_token: x}, b: {type: BearerAuthenticator, api_token: x}, \
                       c: {type: BearerAuthenticator, api_token: y}}";
        built(snippet, json!({}), |builder, part| {
            let auth = |name| Auth::build(builder, part.field(name).as_ref()).unwrap();
            assert!(Arc::ptr_eq(&auth("a"), &auth("b")) && !Arc::ptr_eq(&auth("a"), &auth("c")));
            Some(())
        })
        .good();
    }

    #[test]
    fn other_kinds_are_refused_by_name() {
        let built = auth("{type: SelectiveAuthenticator}", json!({}));
        assert_eq!(built.refusals, ["the authenticator `SelectiveAuthenticator`: m.yaml:1:1"]);
    }
}
