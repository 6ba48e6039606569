//! `RateLimitedMultipleTokenAuthenticator`: several tokens, each with quotas of its own.

use std::time::Duration;

use super::super::options::By;
use super::super::part::{Builder, Part, literal};
use super::super::request_matcher::request_matcher;
use super::super::template::Literal;
use super::super::template::datetime::fixed_duration;
use super::{Auth, RequestOption, Target, pairs, secret, text_or};
use crate::http::auth::{QuotaTokenAuthenticator, TokenPlace, TokenQuota};
use crate::http::{HttpRequest, Method, join_url};

/// The authenticator that a part describes.
pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Auth> {
    let tokens = tokens(builder, part)?;
    if tokens.is_empty() {
        builder.error(part, "`tokens` gives none with this config: add a token to the config");
        return None;
    }
    let source = part.field("quota_status_source")?;
    let url = text_or(builder, &source, "url", "")?;
    let mut status = HttpRequest::get(builder.noted_failure(&source, join_url(&url, ""))?);
    if source.text("http_method") == Some("POST") {
        status.method = Method::POST;
    }
    for (name, values) in pairs(builder, &source, "request_headers")? {
        builder.noted_failure(&source, status.set_secret_header(&name, values.first()?))?;
    }
    let unavailable = source.statuses("unavailable_status_codes");
    let quotas = part.field("quotas")?;
    let quotas: Option<Vec<_>> = quotas.items().map(|quota| self::quota(builder, &quota)).collect();
    let max_wait = match part.field("max_wait_time") {
        None => Duration::from_secs(7200),
        Some(field) => max_wait(builder, &field, &text_or(builder, part, "max_wait_time", "")?)?,
    };
    let number = |name: &str| part.field(name).map(|field| literal(field.node));
    let fraction = match number("budget_reserve_fraction") {
        Some(Literal::Float(fraction)) => fraction,
        Some(Literal::Int(0)) => 0.0,
        Some(Literal::Int(_)) => 1.0,
        _ => 0.1,
    };
    let least = match number("budget_min_reserve") {
        Some(Literal::Int(least)) => u32::try_from(least.max(0)).unwrap_or(u32::MAX),
        _ => 50,
    };
    let (method, header) = (text(part, "auth_method", "Bearer"), text(part, "header", "Authorization"));
    let place = TokenPlace::Header { name: header.to_owned(), method: method.to_owned() };
    let option = RequestOption::header(builder, part, header.to_owned(), By::Authenticator);
    let target = Target { place, injections: Vec::new(), option };
    // Streams whose definitions evaluate to the same share one set of counters.
    let definition = [part.field("quotas"), part.field("quota_status_source")];
    let definition = definition.map(|field| field.map(|field| super::definition(&field)));
    let key = format!(
        "tokens {tokens:?} {} {:?} {definition:?} {unavailable:?} {method} {header} {max_wait:?} {fraction} {least}",
        status.url, status.headers
    );
    let quotas = quotas?;
    if quotas.is_empty() {
        builder.error(part, "`quotas` is empty: add the quota that the requests are charged to");
        return None;
    }
    let auth = builder.shared_as(key, || {
        QuotaTokenAuthenticator::new(&tokens, status, quotas, &builder.redactor)
            .method(method)
            .header(header)
            .uncounted_at(unavailable)
            .max_wait(max_wait)
            .reserve(fraction, least)
    });
    Some(target.auth(auth))
}

fn text<'p>(part: &Part<'p>, name: &str, default: &'p str) -> &'p str {
    part.text(name).filter(|text| !text.is_empty()).unwrap_or(default)
}

/// The tokens: a list of texts, or one text with a separator.
fn tokens(builder: &Builder<'_>, part: &Part<'_>) -> Option<Vec<String>> {
    let field = part.field("tokens")?;
    let given: Vec<String> = if field.node.as_list().is_some() {
        let each = |item: Part<'_>| {
            let text = builder.text(&item, &[])?;
            builder.noted_failure(&item, super::credential(&text))
        };
        field.items().map(each).collect::<Option<_>>()?
    } else {
        let text = secret(builder, part, "tokens")?;
        text.split(self::text(part, "token_delimiter", ",")).map(str::to_owned).collect()
    };
    Some(given.iter().map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()).collect())
}

fn quota(builder: &Builder<'_>, part: &Part<'_>) -> Option<TokenQuota> {
    let name = part.text("name").unwrap_or_default();
    let mut quota = TokenQuota::new(name, part.texts("remaining_path"), part.texts("reset_path"));
    if part.present("limit_path").is_some() {
        quota = quota.limit_at(part.texts("limit_path"));
    }
    let matchers = part.field("matchers");
    let matchers: Option<Vec<_>> =
        matchers.iter().flat_map(Part::items).map(|matcher| request_matcher(builder, &matcher)).collect();
    let matchers = matchers?;
    if !matchers.is_empty() {
        quota = quota.when(move |request| matchers.iter().any(|matcher| matcher.matches(request)));
    }
    let quota = quota.headers(part.text("remaining_header"), part.text("reset_header"), part.text("limit_header"));
    Some(quota.exhausted_by(part.statuses("exhaustion_status_codes")))
}

fn max_wait(builder: &Builder<'_>, part: &Part<'_>, text: &str) -> Option<Duration> {
    let wait = fixed_duration(text);
    if wait.is_none() {
        builder.error(part, "it has to be an ISO 8601 duration without years and months, such as `PT2H`");
    }
    wait
}
