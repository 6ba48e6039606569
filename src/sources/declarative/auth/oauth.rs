//! `OAuthAuthenticator`: builds the token request as Airbyte's runtime does. The OAuth client of the HTTP layer sends
//! it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::part::{Builder, Part, flat, literal};
use super::{Auth, Target, pairs, secret, text_or};
use crate::http::auth::{ConfigPaths, OAuth2Authenticator, TokenAuthenticator, TokenConfig, TokenRequest};

/// Errors of the endpoint for an invalid refresh token, unless the manifest lists others.
const REFUSED: (u16, &str, [&str; 2]) = (400, "error", ["invalid_grant", "invalid_permissions"]);

/// The authenticator that a part describes.
pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Auth> {
    let target = Target::authorization(builder, part, "Bearer");
    let updater = part.field("refresh_token_updater");
    let first = secret(builder, part, "access_token_value")?;
    let endpoint = part.field("token_refresh_endpoint");
    let Some(endpoint) = endpoint else {
        if first.is_empty() {
            builder
                .error(part, "it has neither a `token_refresh_endpoint` nor an `access_token_value` with this config");
            return None;
        }
        return Some(target.auth(Arc::new(TokenAuthenticator::bearer(&first, &builder.redactor))));
    };
    let url = builder.noted_failure(&endpoint, builder.text(&endpoint, &[])?.text(&[]))?;
    if url.is_empty() {
        builder.error(&endpoint, "it gives no URL with this config");
        return None;
    }
    let (request, is_assertion) = request(builder, part, &url, updater.as_ref())?;
    let request = with_further_fields(builder, part, request, is_assertion)?;
    let names = ["access_token", "expires_in"].map(|name| text_or(builder, part, &format!("{name}_name"), name));
    let [Some(access_token), Some(expires_in)] = names else { return None };
    let mut auth = OAuth2Authenticator::new(request).access_token_name(&access_token).expires_in_name(&expires_in);
    let (statuses, member, values) = refused_by(builder, part, updater.as_ref())?;
    auth = auth.refresh_token_refused_by(statuses, &member, values);
    if let Some(updater) = &updater {
        let config = builder.shared_as("the config of refresh tokens".to_owned(), || {
            let Value::Object(config) = &builder.env.config else { return TokenConfig::new(Map::new()) };
            TokenConfig::new(config.clone())
        });
        auth = auth.stored_with_others(&config, paths(updater)).storing_each_token();
    } else if !first.is_empty() {
        auth = auth.first_token(&first, &text_or(builder, part, "token_expiry_date", "")?);
    }
    // Definitions that differ only in `$parameters` share one login.
    let key = format!("OAuth {}", auth.definition());
    Some(target.auth(builder.shared_as(key, || auth)))
}

/// The request without the manifest's own fields, and whether it sends a signed token.
fn request(
    builder: &Builder<'_>,
    part: &Part<'_>,
    url: &str,
    updater: Option<&Part<'_>>,
) -> Option<(TokenRequest, bool)> {
    let redactor = &builder.redactor;
    let text = |field: &str, default: &str| text_or(builder, part, field, default);
    let grant_name = text("grant_type_name", "grant_type")?;
    let is_assertion = match part.field("use_profile_assertion") {
        None => false,
        Some(field) => builder.noted_failure(&field, builder.condition(&field, &[])?.holds(&[]))?,
    };
    if is_assertion {
        let Some(assertion) = part.field("profile_assertion") else {
            builder.error(part, "`use_profile_assertion` needs a `profile_assertion`: a JwtAuthenticator");
            return None;
        };
        let signer = super::jwt::signer(builder, &assertion)?;
        return Some((TokenRequest::jwt_bearer(url, signer, redactor).grant_type_name(&grant_name), true));
    }
    let (client_id, client_secret) =
        (client(builder, part, "client_id", updater)?, client(builder, part, "client_secret", updater)?);
    if client_id.is_empty() {
        builder.error(part, "`client_id` is empty with this config");
        return None;
    }
    let grant = text("grant_type", "refresh_token")?;
    let refresh_token = match updater {
        // The config has it.
        Some(_) => None,
        None => part.field("refresh_token").map(|_| secret(builder, part, "refresh_token")),
    };
    let refresh_token = flat(refresh_token)?;
    if grant == "refresh_token" && updater.is_none() && refresh_token.is_none() {
        builder.error(part, "the grant `refresh_token` needs a `refresh_token`");
        return None;
    }
    let request = match (grant.as_str(), refresh_token) {
        ("refresh_token", token) => {
            TokenRequest::refresh_token(url, &client_id, &client_secret, &token.unwrap_or_default(), redactor)
        }
        (_, None) => TokenRequest::client_credentials(url, &client_id, &client_secret, redactor),
        (_, Some(token)) => {
            TokenRequest::client_credentials(url, &client_id, &client_secret, redactor).with_refresh_token(&token)
        }
    };
    let refresh_token_name = match updater {
        Some(updater) => text_or(builder, updater, "refresh_token_name", "refresh_token")?,
        None => text("refresh_token_name", "refresh_token")?,
    };
    let request = request
        .grant_type(&grant)
        .grant_type_name(&grant_name)
        .client_id_name(&text("client_id_name", "client_id")?)
        .client_secret_name(&text("client_secret_name", "client_secret")?)
        .refresh_token_name(&refresh_token_name)
        .with_empty_fields();
    Some((request, false))
}

/// Id or secret of the client. If the config holds the tokens, its value wins.
fn client(builder: &Builder<'_>, part: &Part<'_>, field: &str, updater: Option<&Part<'_>>) -> Option<String> {
    let stored = builder.env.config.get("credentials").and_then(|credentials| credentials.get(field));
    match stored.filter(|_| updater.is_some()) {
        Some(stored) => Some(super::super::literals::literal_of(stored).to_text()),
        None if part.field(field).is_none() && updater.is_none() => {
            builder.error(part, format!("it has no `{field}`"));
            None
        }
        None => secret(builder, part, field),
    }
}

/// The fields and headers that the manifest adds.
fn with_further_fields(
    builder: &Builder<'_>,
    part: &Part<'_>,
    mut request: TokenRequest,
    is_assertion: bool,
) -> Option<TokenRequest> {
    if !is_assertion {
        let scopes = part.texts("scopes");
        if !scopes.is_empty() {
            request = request.fields("scopes", scopes);
        }
        for (name, values) in pairs(builder, part, "refresh_request_body")? {
            request = request.fields(&name, values);
        }
        if part.flag("send_refresh_request_as_query_params") == Some(true) {
            request = request.in_query();
        }
    }
    // The header of Python's client. An endpoint whose answer depends on it can be described in the manifest.
    request = request.header("Accept", "*/*");
    for (name, values) in pairs(builder, part, "refresh_request_headers")? {
        let value = values.first()?;
        // Headers do not help people, and may contain a secret.
        if let Some((_, credentials)) = value.split_once(' ').filter(|_| name.eq_ignore_ascii_case("authorization")) {
            builder.redactor.add(credentials);
        }
        request = request.header(&name, value);
    }
    Some(request)
}

/// The endpoint's answers for an invalid refresh token.
fn refused_by(
    builder: &Builder<'_>,
    part: &Part<'_>,
    updater: Option<&Part<'_>>,
) -> Option<(Vec<u16>, String, Vec<String>)> {
    let fields = ["refresh_token_error_status_codes", "refresh_token_error_key", "refresh_token_error_values"];
    let is_set =
        |part: &Part<'_>| fields.iter().any(|name| part.field(name).is_some_and(|field| field.node.is_truthy()));
    let from = match updater.filter(|updater| is_set(updater)) {
        Some(updater) if is_set(part) => {
            builder.error(updater, "the fields `refresh_token_error_*` are here and beside it: keep one of both");
            return None;
        }
        Some(updater) => updater,
        None if is_set(part) => part,
        None => {
            let (status, member, values) = REFUSED;
            return Some((vec![status], member.to_owned(), values.map(str::to_owned).to_vec()));
        }
    };
    Some((from.statuses(fields[0]), from.text(fields[1]).unwrap_or_default().to_owned(), from.texts(fields[2])))
}

/// Where the config stores the tokens.
fn paths(updater: &Part<'_>) -> ConfigPaths {
    let path = |name: &str, default: String| {
        let Some(list) = updater.field(name) else { return default };
        let name = |item: Part<'_>| literal(item.node).to_text().replace('\\', "\\\\").replace('.', "\\.");
        let names: Vec<String> = list.items().map(name).collect();
        if names.is_empty() { default } else { names.join(".") }
    };
    let default = ConfigPaths::default();
    ConfigPaths {
        access_token: path("access_token_config_path", default.access_token),
        refresh_token: path("refresh_token_config_path", default.refresh_token),
        token_expiry_date: path("token_expiry_date_config_path", default.token_expiry_date),
    }
}
