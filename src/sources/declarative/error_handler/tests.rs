use serde_json::{Value, json};

use super::super::testing::{Built, built};
use super::*;
use crate::http::{Body, HeaderMap, HeaderName, StatusCode};
use crate::protocol::FailureKind;

fn handler(fields: &str, config: Value) -> Built<ErrorHandler> {
    let snippet =
        if fields.starts_with("type:") { fields.to_owned() } else { format!("type: DefaultErrorHandler\n{fields}") };
    built(&snippet, config, |builder, part| ErrorHandler::build(builder, Some(part)))
}

fn filters(filters: &str) -> ErrorHandler {
    handler(&format!("response_filters:\n{filters}"), json!({"who": "me"})).good()
}

fn waits(strategies: &str) -> ErrorHandler {
    handler(&format!("backoff_strategies:\n{strategies}"), json!({"h": "X-Wait"})).good()
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect();
    let (status, body) = (StatusCode::from_u16(status).unwrap(), Body::Memory(body.as_bytes().to_vec().into()));
    Response { request: "GET http://a.com/x?key=1".to_owned(), status, headers, body }
}

fn action(handler: &ErrorHandler, status: u16, body: &str) -> ResponseAction {
    handler.verdict(&response(status, &[], body)).unwrap().action
}

use FailureKind::{Config, System, Transient};
use ResponseAction::{Fail, Ignore, RateLimited, RefreshToken, Retry, Success};

#[test]
fn without_filters_the_status_decides() {
    let default = built("{}", json!({}), |builder, _| ErrorHandler::build(builder, None)).good();
    for (status, action, kind) in [
        (200, Success, System),
        (204, Success, System),
        (300, Success, System),
        (400, Fail(System), System),
        (401, RefreshToken, Config),
        (402, Fail(System), System),
        (403, Fail(Config), Config),
        (404, Fail(System), System),
        (408, Retry, Transient),
        (409, Fail(System), System),
        (422, Fail(System), System),
        (423, Retry, Transient),
        (429, RateLimited, Transient),
        (500, Retry, Transient),
        (501, Fail(System), System),
        (503, Retry, Transient),
        (520, Retry, Transient),
    ] {
        let verdict = default.verdict(&response(status, &[], "")).unwrap();
        assert_eq!((verdict.action, verdict.kind), (action, kind), "{status}");
    }
    assert_eq!((default.max_retries(), default.has_waits()), (5, false));
    assert_eq!(default.wait(Some(&response(429, &[], "")), 1).unwrap(), None);
}

#[test]
fn the_first_matching_filter_with_an_action_decides() {
    let handler = filters(
        "
- {http_codes: [404], error_message: no action, failure_type: config_error}
- {http_codes: [404, 410], action: IGNORE}
- {http_codes: [410], action: FAIL}
- {error_message_contains: quota, action: RATE_LIMITED}
- {predicate: \"{{ response['ok'] == false }}\", action: RETRY}
- {predicate: \"{{ 'secret' in headers['X-A'] }}\", action: FAIL}
- {predicate: \"{{ request_url == 'http://a.com/x' and response['url'] }}\", http_codes: [418], action: RETRY}
- {http_codes: [401], action: REFRESH_TOKEN_THEN_RETRY}
- {http_codes: [202], action: SUCCESS}
- {http_codes: [403], action: SUCCESS}
",
    );
    for (status, body, expected) in [
        (404, "", Ignore),
        (410, "", Ignore),
        (400, r#"{"error": {"message": "the quota is used up"}}"#, RateLimited),
        (400, "quota", RateLimited),
        (200, r#"{"ok": false}"#, Retry),
        (200, r#"{"ok": true}"#, Success),
        (200, "<html>", Success),
        (400, r#"{"url": 1}"#, Retry),
        (418, "[]", Retry),
        (401, "", RefreshToken),
        (202, "", Success),
        // As the reference: no records, and no more pages.
        (403, "", Ignore),
    ] {
        assert_eq!(action(&handler, status, body), expected, "{status} {body}");
    }
    let header = response(200, &[("x-a", "a secret")], "{}");
    assert_eq!(handler.verdict(&header).unwrap().action, Fail(System));
}

#[test]
fn a_good_response_that_is_ignored_keeps_its_records() {
    let handler =
        filters("- {predicate: \"{{ response.warn }}\", action: IGNORE, error_message: \"{{ response.warn }}\"}");
    let verdict = handler.verdict(&response(200, &[], r#"{"warn": "soon"}"#)).unwrap();
    assert_eq!((verdict.action, verdict.message.as_deref()), (Success, Some("soon")));
}

#[test]
fn a_failure_has_the_filters_kind_and_message() {
    let handler = filters(
        "
- {http_codes: [402], action: FAIL, failure_type: config_error, error_message: \"pay, {{ config['who'] }}: {{ response.error }}\"}
- {http_codes: [500], action: FAIL}
- {http_codes: [403], action: FAIL}
- {http_codes: [401], action: FAIL, failure_type: transient_error}
- {http_codes: [200], action: FAIL}
- {http_codes: [409], action: RETRY, error_message: \"{{ response['a']}}\"}
",
    );
    let verdict = |status| handler.verdict(&response(status, &[], r#"{"error": "now"}"#)).unwrap();
    assert_eq!((verdict(402).action, verdict(402).message.as_deref()), (Fail(Config), Some("pay, me: now")));
    for (status, kind) in [(500, Transient), (403, Config), (401, Transient), (200, System)] {
        assert_eq!((verdict(status).action, verdict(status).message), (Fail(kind), None), "{status}");
    }
    assert_eq!((verdict(409).kind, verdict(409).message), (Transient, None));
}

#[test]
fn a_predicate_that_cannot_be_evaluated_is_a_failure_that_names_it() {
    let handler = filters("- {predicate: \"{{ response['n'] > 1 }}\", action: IGNORE}");
    let failure = handler.verdict(&response(400, &[], r#"{"n": "s3cret"}"#)).unwrap_err();
    assert!(failure.message.contains("`{{ response['n'] > 1 }}`") && !failure.message.contains("s3cret"), "{failure}");
    assert_eq!(action(&handler, 400, "{}"), Fail(System), "a missing value is no verdict");
}

#[test]
fn filters_without_effect_and_unsupported_handlers_are_reported() {
    for (filter, told) in [
        ("{http_codes: [404]}", "without an `action` it changes nothing"),
        ("{action: IGNORE}", "it matches no response"),
        ("{http_codes: [404], action: RETRY, failure_type: config_error}", "has an effect only with `action: FAIL`"),
        ("{predicate: 'oops', action: RETRY}", "without `{{ }}` it is a text"),
    ] {
        let built = handler(&format!("response_filters: [{filter}]"), json!({}));
        assert!(built.warnings[0].contains(told), "{:?}", built.warnings);
    }
    let custom = handler("type: CustomErrorHandler", json!({}));
    assert!(custom.refusals[0].starts_with("the error handler `CustomErrorHandler`"), "{:?}", custom.refusals);
}

#[test]
fn retries_are_counted_by_the_config() {
    let retries = |value: &str, config| handler(&format!("max_retries: {value}"), config);
    assert_eq!(retries("2", json!({})).good().max_retries(), 2);
    assert_eq!(retries("0", json!({})).good().max_retries(), 0);
    assert_eq!(retries("\"{{ config['r'] }}\"", json!({"r": "7"})).good().max_retries(), 7);
    assert_eq!(retries("\"{{ config['r'] }}\"", json!({})).good().max_retries(), 5);
    let wrong = retries("\"{{ config['r'] }}\"", json!({"r": "many"}));
    assert!(wrong.errors[0].contains("a whole number with this config, not str"), "{:?}", wrong.errors);
}

/// The wait after the first attempt, in seconds; 0 for none.
fn wait(handler: &ErrorHandler, headers: &[(&str, &str)], body: &str) -> f64 {
    handler.wait(Some(&response(429, headers, body)), 1).unwrap().map_or(0.0, |wait| wait.as_secs_f64())
}

fn is_near(left: f64, right: f64) -> bool {
    (left - right).abs() < 0.001
}

#[test]
fn constant_and_exponential_waits_are_a_second_longer() {
    let constant = waits("- {type: ConstantBackoffStrategy, backoff_time_in_seconds: 2.5}");
    assert!(is_near(wait(&constant, &[], ""), 3.5));
    let zero =
        waits("- {type: ConstantBackoffStrategy, backoff_time_in_seconds: 0}\n- {type: ExponentialBackoffStrategy}");
    let all = |handler: &ErrorHandler| -> Vec<u64> {
        (1..=5).map(|failed| handler.wait(None, failed).unwrap().unwrap().as_secs()).collect()
    };
    assert_eq!(all(&zero), [11, 21, 41, 81, 161]);
    assert_eq!(all(&waits("- {type: ExponentialBackoffStrategy, factor: 0.5}")), [2, 3, 5, 9, 17]);
    let jittered = waits("- {type: ConstantBackoffStrategy, backoff_time_in_seconds: 1, jitter_range_in_seconds: 2}");
    assert!((0..100).all(|_| (2.0..=6.0).contains(&wait(&jittered, &[], ""))));
}

#[test]
fn a_header_gives_the_wait() {
    let name = "- {type: WaitTimeFromHeader, header: \"{{ config['h'] }}\"}";
    let plain = waits(name);
    for (value, seconds) in
        [("7", 8.0), ("1.5", 2.5), ("0", 0.0), ("-5", 0.0), ("soon", 0.0), ("Fri, 15 Mar 2024 10:20:40 GMT", 0.0)]
    {
        assert!(is_near(wait(&plain, &[("x-wait", value)], ""), seconds), "{value}");
    }
    assert!(is_near(wait(&plain, &[], ""), 0.0));
    let next = waits(&format!("{name}\n- {{type: ConstantBackoffStrategy, backoff_time_in_seconds: 4}}"));
    assert!(is_near(wait(&next, &[("x-wait", "soon")], ""), 5.0));
    let pattern = waits("- {type: WaitTimeFromHeader, header: X-Wait, regex: '[-+]?\\d+'}");
    assert!(is_near(wait(&pattern, &[("x-wait", "12 seconds")], ""), 13.0));
    assert!(is_near(wait(&pattern, &[("x-wait", "in 12 seconds")], ""), 0.0));
    let capped = waits("- {type: WaitTimeFromHeader, header: X-Wait, max_waiting_time_in_seconds: 10}");
    assert!(is_near(wait(&capped, &[("x-wait", "9")], ""), 10.0));
    let failure = capped.wait(Some(&response(429, &[("x-wait", "10")], "")), 1).unwrap_err();
    assert_eq!(failure.kind, Transient);
    assert!(plain.wait(Some(&response(429, &[("x-wait", "1e300")], "")), 1).unwrap().is_some());
    assert_eq!(plain.wait(None, 1).unwrap(), None);
}

#[test]
fn a_header_gives_the_end_of_the_wait() {
    // The clock says 1710498030.
    let until = waits("- {type: WaitUntilTimeFromHeader, header: X-Wait, regex: '\\d+'}");
    for (value, seconds) in
        [("1710498050", 21.0), ("1710498050;w=60", 21.0), ("1710498050000", 21.0), ("1710498000", 0.0)]
    {
        assert!(is_near(wait(&until, &[("x-wait", value)], ""), seconds), "{value}");
    }
    let floor = waits("- {type: WaitUntilTimeFromHeader, header: X-Wait, min_wait: 5}");
    for (headers, seconds) in
        [(vec![], 6.0), (vec![("x-wait", "1710498000")], 6.0), (vec![("x-wait", "1710498050")], 21.0)]
    {
        assert!(is_near(wait(&floor, &headers, ""), seconds), "{headers:?}");
    }
    assert_eq!(floor.wait(None, 1).unwrap().map(|wait| wait.as_secs()), Some(6));
}

#[test]
fn a_template_gives_the_wait() {
    let said = waits("- {type: WaitTimeFromResponse, wait_time_in_seconds: \"{{ response['retry_in'] * 1 }}\"}");
    for (body, seconds) in
        [(r#"{"retry_in": 4}"#, 5.0), (r#"{"retry_in": -1}"#, 0.0), (r#"{"retry_in": null}"#, 0.0), ("<html>", 0.0)]
    {
        assert!(is_near(wait(&said, &[], body), seconds), "{body}");
    }
    let typo = handler(
        "backoff_strategies: [{type: WaitTimeFromResponse, wait_time_in_seconds: '{{ resposne.x }}'}]",
        json!({}),
    );
    assert!(typo.errors[0].contains("'resposne'"), "{:?}", typo.errors);
}

#[test]
fn the_servers_retry_after_is_never_shortened() {
    let constant = waits("- {type: ConstantBackoffStrategy, backoff_time_in_seconds: 5}");
    assert!(is_near(wait(&constant, &[("retry-after", "60")], ""), 60.0));
    assert!(is_near(wait(&constant, &[("retry-after", "2")], ""), 6.0));
}

const SECOND: &str = "type: CompositeErrorHandler\nerror_handlers:\n";

#[test]
fn of_several_handlers_the_first_that_does_not_fail_decides() {
    let first = "- {type: DefaultErrorHandler, max_retries: 2, response_filters: [{http_codes: [404], action: FAIL}, {http_codes: [409], action: RETRY}]}\n";
    let second = "- {type: DefaultErrorHandler, max_retries: 9, backoff_strategies: [{type: ConstantBackoffStrategy, backoff_time_in_seconds: 3}], \
                  response_filters: [{http_codes: [404, 403, 409], action: IGNORE}, {http_codes: [429], action: RETRY}]}\n";
    let both = handler(&format!("{SECOND}{first}{second}"), json!({})).good();
    for (status, expected) in
        [(404, Ignore), (403, Ignore), (409, Retry), (429, Retry), (200, Success), (400, Fail(System))]
    {
        assert_eq!(action(&both, status, ""), expected, "{status}");
    }
    assert_eq!((both.max_retries(), wait(&both, &[], "").round()), (2, 4.0));
}

#[test]
fn a_list_of_handlers_in_a_list_counts_as_its_handlers() {
    let one = |retries: u32, status: u16, act: &str| {
        format!(
            "{{type: DefaultErrorHandler, max_retries: {retries}, response_filters: [{{http_codes: [{status}], action: {act}}}]}}"
        )
    };
    let inner =
        |handlers: &[String]| format!("{{type: CompositeErrorHandler, error_handlers: [{}]}}", handlers.join(", "));
    let nested = inner(&[one(2, 404, "FAIL"), inner(&[one(3, 403, "IGNORE")])]);
    let all = handler(&format!("{SECOND}- {nested}\n- {}\n", one(9, 404, "IGNORE")), json!({})).good();
    for (status, expected) in [(404, Ignore), (403, Ignore), (200, Success), (400, Fail(System)), (503, Retry)] {
        assert_eq!(action(&all, status, ""), expected, "{status}");
    }
    assert_eq!(all.max_retries(), 2);

    let empty = handler(&format!("{SECOND}- {}\n", inner(&[])), json!({}));
    assert!(empty.errors[0].contains("it has no `error_handlers`: add"), "{:?}", empty.errors);
}

#[test]
fn filters_that_never_run_are_reported() {
    let first = "- {type: DefaultErrorHandler}\n";
    let second = "- {type: DefaultErrorHandler, response_filters: [{http_codes: [500], action: IGNORE}]}\n";
    let built = handler(&format!("{SECOND}{first}{second}"), json!({}));
    assert!(built.warnings[0].contains("this filter never runs (500)"), "{:?}", built.warnings);
    assert_eq!(action(&built.good(), 500, ""), Retry);
}

#[test]
fn an_action_may_be_to_change_the_request() {
    use crate::protocol::Otherwise;
    for (name, otherwise) in [
        ("RESET_PAGINATION", Otherwise::FromStart),
        ("REDUCE_PAGE_SIZE", Otherwise::SmallerPage),
        ("SPLIT_REQUEST_WINDOW", Otherwise::ShorterSpan),
    ] {
        let handler = handler(&format!("response_filters: [{{http_codes: [400], action: {name}}}]"), json!({})).good();
        assert_eq!(action(&handler, 400, "{}"), ResponseAction::AskOtherwise(otherwise));
        assert!(handler.asks(otherwise));
    }
}
