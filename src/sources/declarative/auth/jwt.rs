//! `JwtAuthenticator`: a token that is signed here, with values from the manifest and the config.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::super::literals::json_of;
use super::super::options::{By, RequestOption, credential};
use super::super::part::{Builder, Part, literal};
use super::super::placed::{Text, Var};
use super::super::template::{Literal, Variable};
use super::{Auth, Target};
use crate::http::auth::{JwtAlgorithm, JwtAuthenticator, JwtSigner};
use crate::protocol::Failure;

/// Lifetime of a token, in seconds.
const DURATION: u64 = 1200;
/// The variables of its templates beside the config: configs often hold keys as JSON in a text.
const NAMES: [&str; 1] = ["json_loads"];
const VARS: [Var<'static>; 1] = [("json_loads", Variable::Function("json_loads"))];

/// Members of the header that have fields of their own.
const OWN_HEADERS: [&str; 4] = ["kid", "alg", "typ", "cty"];
/// Claims with fields of their own, or set while signing.
const OWN_CLAIMS: [&str; 6] = ["iss", "sub", "aud", "iat", "exp", "nbf"];

/// The authenticator that a part describes.
pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Auth> {
    let prefix = text(builder, part, "header_prefix")?.unwrap_or_default();
    let target = match part.field("request_option") {
        None => Target::authorization(builder, part, &prefix),
        Some(option) => Target::of(builder, RequestOption::build(builder, &option, By::Authenticator)?, &prefix),
    };
    let signer = signer(builder, part)?;
    let authenticator = JwtAuthenticator::new(signer).place(target.place.clone());
    Some(target.auth(Arc::new(authenticator)))
}

/// The signer of a part's tokens.
pub(super) fn signer(builder: &Builder<'_>, part: &Part<'_>) -> Option<JwtSigner> {
    let name = part.text("algorithm").unwrap_or_default();
    let Some(algorithm) = JwtAlgorithm::named(name) else {
        let known = JwtAlgorithm::names().collect::<Vec<_>>().join(", ");
        builder.error(part, format!("`algorithm` is `{name}`, and must be one of {known}"));
        return None;
    };
    let secret = text(builder, part, "secret_key")?.unwrap_or_default();
    let passphrase = text(builder, part, "passphrase")?.unwrap_or_default();
    builder.redactor.add(&secret);
    let is_encoded = match part.field("base64_encode_secret_key") {
        None => false,
        // A text is true unless it is empty: the reference does not evaluate it.
        Some(field) => field.node.is_truthy(),
    };
    // A key with a passphrase is read as it is.
    let secret = if is_encoded && passphrase.is_empty() { base64_of(&secret) } else { secret };
    let signer = JwtSigner::with_passphrase(algorithm, &secret, &passphrase, &builder.redactor);
    let mut signer = builder.noted_failure(part, signer)?;
    let duration = part.field("token_duration").map(|field| literal(field.node));
    let seconds = match duration {
        Some(Literal::Int(seconds)) => u64::try_from(seconds).unwrap_or(0),
        _ => DURATION,
    };
    signer = signer.lifetime(Duration::from_secs(seconds));
    for (name, value) in constants(builder, part, "additional_jwt_headers", &OWN_HEADERS)? {
        signer = signer.header(&name, value);
    }
    if let Some(headers) = part.field("jwt_headers") {
        for name in ["kid", "typ", "cty"] {
            match text(builder, &headers, name)? {
                Some(value) if !value.is_empty() => signer = signer.header(name, value),
                Some(_) if name == "typ" => signer = signer.without_header(name),
                _ => {}
            }
        }
    }
    let additional = entries(builder, part, "additional_jwt_payload", &OWN_CLAIMS)?;
    if additional.iter().all(Entry::is_constant) {
        let claims = additional.iter().map(Entry::value).collect::<Result<Vec<_>, _>>();
        for (name, value) in builder.noted_failure(part, claims)?.into_iter().flatten() {
            signer = signer.claim(&name, value);
        }
    } else {
        signer = signer.fresh_claims(move || {
            let claims = additional.iter().map(Entry::value).collect::<Result<Vec<_>, _>>()?;
            Ok(claims.into_iter().flatten().collect::<Map<_, _>>())
        });
    }
    if let Some(payload) = part.field("jwt_payload") {
        for name in ["iss", "sub", "aud"] {
            if let Some(value) = text(builder, &payload, name)?.filter(|value| !value.is_empty()) {
                signer = signer.claim(name, value);
            }
        }
    }
    Some(signer)
}

fn base64_of(text: &str) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    BASE64_STANDARD.encode(text)
}

/// The text of a field, if it is there.
#[allow(clippy::option_option, reason = "a missing field differs from a wrong one")]
fn text(builder: &Builder<'_>, part: &Part<'_>, field: &str) -> Option<Option<String>> {
    let Some(field) = part.field(field) else { return Some(None) };
    let text = builder.text(&field, &NAMES)?;
    let value = if text.template().uses("json_loads") { text.text(&VARS) } else { credential(&text) };
    builder.noted_failure(&field, value).map(Some)
}

/// A member of an object of the manifest.
enum Entry {
    Template(String, Box<Text>),
    Value(String, Value),
}

impl Entry {
    fn is_constant(&self) -> bool {
        match self {
            Self::Template(_, text) => text.template().is_constant() || text.template().is_plain(),
            Self::Value(..) => true,
        }
    }

    /// Its name and value; nothing if its template gives nothing.
    fn value(&self) -> Result<Option<(String, Value)>, Failure> {
        Ok(match self {
            Self::Value(name, value) => Some((name.clone(), value.clone())),
            Self::Template(name, text) => match text.kept_or_none(&VARS)? {
                Literal::None => None,
                value => Some((name.clone(), json_of(&value))),
            },
        })
    }
}

/// The members of an object field; none may have these names.
fn entries(builder: &Builder<'_>, part: &Part<'_>, field: &str, own: &[&str]) -> Option<Vec<Entry>> {
    let Some(field) = part.field(field) else { return Some(Vec::new()) };
    let mut all = Some(Vec::new());
    for (key, item) in field.entries() {
        let name = literal(key.node).to_text();
        if own.contains(&name.as_str()) {
            builder.error(&item, format!("`{name}` has a field of its own, or is set when the token is signed"));
            all = None;
            continue;
        }
        let entry = match item.node.as_text() {
            None => Some(Entry::Value(name, json_of(&literal(item.node)))),
            Some(_) => builder.text(&item, &NAMES).map(|text| Entry::Template(name, Box::new(text))),
        };
        match (entry, &mut all) {
            (Some(entry), Some(all)) => all.push(entry),
            _ => all = None,
        }
    }
    all
}

/// As [`entries`], each with its value.
fn constants(builder: &Builder<'_>, part: &Part<'_>, field: &str, own: &[&str]) -> Option<Vec<(String, Value)>> {
    let entries = entries(builder, part, field, own)?;
    let values = entries.iter().map(Entry::value).collect::<Result<Vec<_>, _>>();
    Some(builder.noted_failure(part, values)?.into_iter().flatten().collect())
}
