//! Credentials. Authenticators of the HTTP layer add headers before each attempt. A key in the query or the body is
//! added once, in the order of the request. A token that is fetched during the run has a placeholder there, which each
//! attempt replaces. Credentials are sent as the config's text: `1e5` is a password, not a number. Streams whose
//! definitions evaluate to the same share one instance, and one login.

mod jwt;
mod legacy_session;
mod multiple_tokens;
mod oauth;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::options::{By, Injection, Place, RequestOption, credential};
use super::part::{Builder, Part, literal};
use super::placed::Text;
use super::template::Literal;
use crate::http::auth::{
    ApiKeyAuthenticator, Authenticator, BasicAuthenticator, NO_REDIRECT, NoAuth, TokenAuthenticator, TokenPlace,
};
use crate::http::{Response, ResponseAction, Verdict};
use crate::protocol::{Failure, FailureKind, Redactor};

/// The credentials of a requester.
#[derive(Debug)]
pub(super) struct Auth {
    /// Adds headers to each attempt.
    pub(super) authenticator: Arc<dyn Authenticator>,
    /// Values for the query or the body, if there are any.
    pub(super) injections: Vec<Injection>,
    /// The place of a key, for [`super::request::tell_collisions`].
    pub(super) option: Option<RequestOption>,
}

impl Auth {
    fn of(authenticator: impl Authenticator + 'static) -> Self {
        Self { authenticator: Arc::new(authenticator), injections: Vec::new(), option: None }
    }

    /// The credentials that a part describes; none without a part. `requester` is their requester. An unknown kind is
    /// refused, and the stream with it.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: Option<&Part<'_>>,
        requester: Option<&Part<'_>>,
    ) -> Option<Arc<Self>> {
        let Some(part) = part else { return Some(Arc::new(Self::of(NoAuth))) };
        match part.kind() {
            "SelectiveAuthenticator" => {
                let chosen = selected(builder, part)?;
                Self::build(builder, Some(&chosen.field(&chosen_name(builder, part)?)?), requester)
            }
            // It depends on the URL of its requester, which is not in its definition.
            "LegacySessionTokenAuthenticator" => legacy_session::build(builder, part, requester?).map(Arc::new),
            _ => builder.shared(part, || Self::kind(builder, part)),
        }
    }

    fn kind(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        match part.kind() {
            "NoAuth" => Some(Self::of(NoAuth)),
            "ApiKeyAuthenticator" => api_key(builder, part),
            "BearerAuthenticator" => bearer(builder, part),
            "BasicHttpAuthenticator" => basic(builder, part),
            "OAuthAuthenticator" => oauth::build(builder, part),
            "JwtAuthenticator" => jwt::build(builder, part),
            "SessionTokenAuthenticator" => session::build(builder, part),
            "RateLimitedMultipleTokenAuthenticator" => multiple_tokens::build(builder, part),
            other => {
                builder.refuse(part, &format!("the authenticator `{other}`"));
                None
            }
        }
    }
}

/// Where a token goes that is fetched during the run.
struct Target {
    /// Where the authenticator finds its place.
    place: TokenPlace,
    /// The placeholder.
    injections: Vec<Injection>,
    option: RequestOption,
}

impl Target {
    /// The `Authorization` header, with a word before the token.
    fn authorization(builder: &Builder<'_>, part: &Part<'_>, method: &str) -> Self {
        let place = TokenPlace::Header { name: "Authorization".to_owned(), method: method.to_owned() };
        Self { place, injections: Vec::new(), option: own_header(builder, part) }
    }

    /// The place of an option. `prefix` is sent before the token.
    fn of(builder: &Builder<'_>, option: RequestOption, prefix: &str) -> Self {
        if option.place == Place::Header {
            let place = TokenPlace::Header { name: option.path[0].clone(), method: prefix.to_owned() };
            return Self { place, injections: Vec::new(), option };
        }
        // The same for the same place, so the cache sees equal requests as equal.
        let name = format!("{:?} {:?}", option.place, option.path);
        let digits = Sha256::digest(name).iter().take(16).fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
        let stand_in = format!("{digits:032x}");
        // It stands for a secret, and is masked like one.
        builder.redactor.add(&stand_in);
        let value = if prefix.is_empty() { stand_in.clone() } else { format!("{prefix} {stand_in}") };
        let injections = vec![option.inject(Value::String(value))];
        Self { place: TokenPlace::StandIn(stand_in), injections, option }
    }

    fn auth(self, authenticator: Arc<dyn Authenticator>) -> Auth {
        Auth { authenticator, injections: self.injections, option: Some(self.option) }
    }
}

/// The authenticators among which a `SelectiveAuthenticator` selects one.
fn selected<'p>(builder: &Builder<'_>, part: &'p Part<'p>) -> Option<Part<'p>> {
    let authenticators = part.field("authenticators");
    if authenticators.is_none() {
        builder.error(part, "it has no `authenticators`");
    }
    authenticators
}

/// The name of the authenticator that the config selects.
fn chosen_name(builder: &Builder<'_>, part: &Part<'_>) -> Option<String> {
    let path = part.field("authenticator_selection_path")?;
    let names: Vec<String> = path.items().map(|item| literal(item.node).to_text()).collect();
    let found = names.iter().try_fold(&builder.env.config, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    });
    let Some(found) = found else {
        let setting = names.join(".");
        builder.error(&path, format!("the config has no `{setting}`, which selects how to authenticate. Add it"));
        return None;
    };
    let name = super::literals::literal_of(found).to_text();
    let authenticators = part.field("authenticators")?;
    if authenticators.field(&name).is_none() {
        let known: Vec<String> =
            authenticators.entries().map(|(key, _)| format!("`{}`", literal(key.node).to_text())).collect();
        let setting = names.join(".");
        let text =
            format!("`{setting}` in the config selects an unknown authenticator. It can be {}", known.join(", "));
        builder.error(&path, text);
        return None;
    }
    Some(name)
}

/// The text that a field gives with this config; empty if it gives nothing.
fn secret(builder: &Builder<'_>, part: &Part<'_>, field: &str) -> Option<String> {
    match part.field(field) {
        None => Some(String::new()),
        Some(field) => builder.noted_failure(&field, credential(&builder.text(&field, &[])?)),
    }
}

/// The text that a field gives, if it is not secret; the default without the field.
fn text_or(builder: &Builder<'_>, part: &Part<'_>, field: &str, default: &str) -> Option<String> {
    match part.field(field) {
        None => Some(default.to_owned()),
        Some(field) => builder.noted_failure(&field, builder.text(&field, &[])?.text(&[])),
    }
}

/// A component as written, without inherited `$parameters`: two equal definitions do the same.
fn definition(part: &Part<'_>) -> String {
    fn without_parameters(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(members) => {
                members.remove("$parameters");
                members.values_mut().for_each(without_parameters);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(without_parameters),
            _ => {}
        }
    }
    let mut definition = part.node.to_json();
    without_parameters(&mut definition);
    definition.to_string()
}

/// A login that is answered with a redirect has failed.
fn no_redirect(response: &Response, verdict: &mut Verdict) {
    if response.status.is_redirection() {
        verdict.action = ResponseAction::Fail(FailureKind::Config);
        verdict.hint = Some(NO_REDIRECT.to_owned());
    }
}

/// Names and values that a field gives, as they are sent: a list is several values, and an empty result is omitted.
/// Texts are sent unchanged: a password is not a number.
fn pairs(builder: &Builder<'_>, part: &Part<'_>, field: &str) -> Option<Vec<(String, Vec<String>)>> {
    let Some(field) = part.field(field) else { return Some(Vec::new()) };
    let mut all = Some(Vec::new());
    for (key, item) in field.entries() {
        let name = builder.text(&key, &[]).and_then(|key_text| builder.noted_failure(&key, key_text.text(&[])));
        let values = match item.node.as_text() {
            None => Some(literal(item.node)),
            Some(_) => builder.text(&item, &[]).and_then(|text| builder.noted_failure(&item, sent(&text))),
        };
        let (Some(name), Some(values)) = (name, values) else {
            all = None;
            continue;
        };
        let values = match values {
            Literal::Dict(_) => {
                builder.error(&item, "an object cannot be sent here: write a text");
                all = None;
                continue;
            }
            Literal::List(items) | Literal::Tuple(items) | Literal::Set(items) => items,
            value => vec![value],
        };
        let values = values.into_iter().filter(|value| *value != Literal::None).map(|value| value.to_text());
        let values: Vec<String> = values.filter(|value| !value.is_empty()).collect();
        if let Some(all) = all.as_mut().filter(|_| !values.is_empty()) {
            all.push((name, values));
        }
    }
    all
}

/// The sent form of a text: a list if it reads as one, nothing if it gives nothing, otherwise the text.
fn sent(text: &Text) -> Result<Literal, Failure> {
    Ok(match text.kept_or_none(&[])? {
        value @ (Literal::None | Literal::List(_) | Literal::Tuple(_) | Literal::Dict(_)) => value,
        _ => Literal::Str(text.text(&[])?),
    })
}

fn api_key(builder: &Builder<'_>, part: &Part<'_>) -> Option<Auth> {
    let (option, header) = (part.field("inject_into"), part.present("header"));
    let key = secret(builder, part, "api_token");
    let option = match (option, header) {
        (Some(option), None) => RequestOption::build(builder, &option, By::Authenticator)?,
        (None, Some(header)) => {
            let name = builder.value(&header)?.to_text();
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
        // Id and key in one setting; the server splits them at the first colon.
        redactor.add(&name);
        redactor.add(&password);
        let encoded = BASE64_STANDARD.encode(format!("{name}:{password}"));
        Auth::of(TokenAuthenticator::bearer(&encoded, redactor).method("Basic"))
    } else {
        Auth::of(builder.noted_failure(part, BasicAuthenticator::new(&name, &password, redactor))?)
    };
    Some(Auth { option: Some(own_header(builder, part)), ..auth })
}

/// The method without credentials, for a config without a token. The word is not secret.
fn authorization(method: &str, builder: &Builder<'_>, part: &Part<'_>) -> Auth {
    let auth = TokenAuthenticator::bearer(method, &Redactor::default()).method("");
    Auth { option: Some(own_header(builder, part)), ..Auth::of(auth) }
}

fn own_header(builder: &Builder<'_>, part: &Part<'_>) -> RequestOption {
    RequestOption::header(builder, part, "Authorization".to_owned(), By::Authenticator)
}
