//! Where logins differ on purpose. Each rule is a row of `docs/compatibility.md`, by its name.

use serde_json::Value;

use super::request_rules::{ALL, REQUESTS, Rule};
use super::shown::{Shown, parts};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "one_login_serves_all", may_differ: REQUESTS, holds: one_login },
    Rule { name: "a_401_gets_new_credentials", may_differ: ALL, holds: new_credentials },
    Rule { name: "numeric_headers_are_sent", may_differ: ALL, holds: numeric_header },
    Rule { name: "odd_lives_are_an_hour", may_differ: ALL, holds: odd_life },
    Rule { name: "logins_are_not_redirected", may_differ: REQUESTS, holds: redirected },
    Rule {
        name: "replies_are_checked_before_they_are_kept",
        may_differ: &["requests", "records", "error", "control"],
        holds: checked,
    },
    Rule { name: "texts_of_a_login_stay_texts", may_differ: REQUESTS, holds: texts_stay },
    Rule { name: "logins_in_trouble_are_asked_for_again", may_differ: REQUESTS, holds: in_trouble },
];

/// The components that log in.
const KINDS: [&str; 3] = ["OAuthAuthenticator", "SessionTokenAuthenticator", "LegacySessionTokenAuthenticator"];

fn logs_in(shown: &Shown<'_>) -> bool {
    KINDS.iter().any(|kind| !shown.components(kind).is_empty())
}

/// The ends of the login URLs in a manifest.
fn login_paths(shown: &Shown<'_>) -> Vec<String> {
    let mut paths: Vec<String> = ["token_refresh_endpoint", "login_url", "validate_session_url"]
        .iter()
        .flat_map(|name| shown.fields(name))
        .map(|url| url.rsplit('/').next().unwrap_or_default().to_owned())
        .collect();
    for component in shown.components("SessionTokenAuthenticator") {
        let login = &component["login_requester"];
        let url = login["path"].as_str().or_else(|| login["url"].as_str()).unwrap_or_default();
        paths.push(url.rsplit('/').next().unwrap_or_default().to_owned());
    }
    paths
}

fn path(line: &str) -> &str {
    parts(line).0.split('?').next().unwrap_or_default()
}

fn is_login(paths: &[String], line: &str) -> bool {
    paths.iter().any(|end| path(line).rsplit('/').next() == Some(end))
}

/// A request without the values of its headers and of its query.
fn shape(line: &str) -> String {
    let names = |text: &str, end: char| text.split(end).next().unwrap_or_default().to_owned();
    let headers: Vec<String> = parts(line).1.split(", ").map(|header| names(header, ':')).collect();
    let (before, query) = parts(line).0.split_once('?').unwrap_or((parts(line).0, ""));
    let query: Vec<String> = query.split('&').map(|pair| names(pair, '=')).collect();
    format!("{before} {query:?} {headers:?}")
}

/// The same, except for additional logins of the reference.
fn one_login(shown: &Shown<'_>) -> bool {
    let paths = login_paths(shown);
    let of = |lines: &[String], logins: bool| -> Vec<String> {
        lines.iter().filter(|line| is_login(&paths, line) == logins).cloned().collect()
    };
    let data = |lines: &[String]| of(lines, false).iter().map(|line| shape(line)).collect::<Vec<_>>();
    let (golden, mine) = (of(&shown.golden, true), of(&shown.mine, true));
    logs_in(shown)
        && data(&shown.golden) == data(&shown.mine)
        && mine.len() < golden.len()
        && mine.iter().all(|login| golden.contains(login))
        && golden.iter().all(|login| mine.contains(login))
}

/// The API refuses a token; the program gets another one, and continues.
fn new_credentials(shown: &Shown<'_>) -> bool {
    let refused = shown.replies().iter().any(|reply| reply["status"] == 401);
    logs_in(shown) && refused && shown.golden_error().contains("'401'") && shown.ends_later()
}

/// A header of the token request reads as a number, which Python's client refuses.
fn numeric_header(shown: &Shown<'_>) -> bool {
    let is_numeric = |value: &Value| value.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
    let headers = shown.components("OAuthAuthenticator");
    let mut headers = headers.iter().filter_map(|auth| auth["refresh_request_headers"].as_object()).flatten();
    headers.any(|(_, value)| is_numeric(value))
        && shown.golden_error().contains("must be of type str or bytes")
        && shown.ran.errors.is_empty()
        && shown.ends_later()
}

/// The endpoint gives no valid lifetime of its token.
fn odd_life(shown: &Shown<'_>) -> bool {
    shown.golden_error().starts_with("Invalid expires_in value") && shown.ran.errors.is_empty() && shown.ends_later()
}

/// The endpoint redirects a request that has credentials in it.
fn redirected(shown: &Shown<'_>) -> bool {
    let redirects =
        shown.replies().iter().any(|reply| reply["status"].as_u64().is_some_and(|s| (300..400).contains(&s)));
    logs_in(shown) && redirects && shown.fails_with("not sent after a redirect") && shown.ends_sooner()
}

/// The endpoint gives no token.
fn checked(shown: &Shown<'_>) -> bool {
    let sends_none = shown.golden.iter().any(|line| line.contains("Bearer None"));
    sends_none && shown.fails_with("without a text named") && shown.ends_sooner() && shown.ran.configs.is_empty()
}

/// Id, secret or token of the config is a literal of Python.
fn texts_stay(shown: &Shown<'_>) -> bool {
    let config = shown.case["config"].as_object();
    let mut texts = config.into_iter().flatten().filter_map(|(_, value)| value.as_str());
    let is_sent = |text: &str| shown.mine.iter().any(|line| line.contains(text));
    let has_literal = texts.any(|text| text.starts_with(|c: char| c.is_ascii_digit()) && is_sent(text));
    let names = |line: &str| {
        let body = parts(line).2.split('&').map(|pair| pair.split('=').next().unwrap_or_default().to_owned());
        (shape(line), body.collect::<Vec<_>>())
    };
    logs_in(shown)
        && has_literal
        && shown.pairs().is_some_and(|mut pairs| pairs.all(|(golden, mine)| names(golden) == names(mine)))
}

/// A login URL answers with a server error, which may pass.
fn in_trouble(shown: &Shown<'_>) -> bool {
    let paths = login_paths(shown);
    let is_down = shown.replies().iter().any(|reply| reply["status"].as_u64().is_some_and(|status| status >= 500));
    let again = shown.mine.iter().all(|line| shown.golden.contains(line) && is_login(&paths, line));
    logs_in(shown) && is_down && again && shown.ends_later() && shown.fails_with("transient_error")
}
