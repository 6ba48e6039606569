use super::*;
use crate::http::{Body, StatusCode};

const FAIL: ResponseAction = ResponseAction::Fail(FailureKind::System);
const CONFIG: ResponseAction = ResponseAction::Fail(FailureKind::Config);

fn response(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
    Response {
        request: "GET https://stripe.example.com/v1/charges?limit=100".to_owned(),
        status: StatusCode::from_u16(status).unwrap(),
        headers: headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
        body: Body::Memory(body.as_bytes().to_vec().into()),
    }
}

fn error(code: &str, param: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"no","param":"{param}","type":"invalid_request_error"}}}}"#)
}

fn of_account(response: &Response) -> ResponseAction {
    response_action(response, Subject::Account)
}

#[test]
fn the_subject_of_a_refusal_is_the_account_where_the_path_is_that_of_its_list() {
    for (url, subject) in [
        ("https://a.com/v1/events?limit=1", Subject::Account),
        ("https://a.com/v1/customers/?limit=1", Subject::Account),
        ("https://a.com/v1/customers/cus_1/bank_accounts", Subject::Object),
        ("https://a.com/v1/other_events", Subject::Object),
    ] {
        let response = Response { request: format!("GET {url}"), ..response(403, &[], "") };
        assert_eq!(Subject::of(&response, &["events", "customers"]), subject, "{url}");
    }
}

/// A message of Stripe's without a code.
fn says(words: &str) -> String {
    serde_json::json!({"error": {"message": words, "type": "invalid_request_error"}}).to_string()
}

#[test]
fn what_is_refused_of_one_object_is_its_slice_unless_it_is_about_the_key_or_the_request() {
    const KEY: &str = "The provided key does not have the required permissions for this endpoint on account 'acct_1'.";
    for (status, body, action) in [
        (
            400,
            says("Balance transaction history can only be filtered on automatic transfers."),
            ResponseAction::SkipSlice,
        ),
        (403, says("You do not have Platform Controls on the account acct_2."), ResponseAction::SkipSlice),
        (404, says("Could not find line items for this Checkout Session."), ResponseAction::SkipSlice),
        (403, error("account_invalid", ""), ResponseAction::SkipSlice),
        (400, error("parameter_invalid_string", "payout"), ResponseAction::SkipSlice),
        (403, says("Having the 'rak_person_read' permission would allow it."), ResponseAction::SkipStream),
        (403, says(KEY), ResponseAction::SkipStream),
        (403, error("more_permissions_required", ""), ResponseAction::SkipStream),
        (400, error("resource_missing", "starting_after"), FAIL),
        (400, error("parameter_unknown", "payout"), FAIL),
        (400, error("parameter_invalid_integer", "limit"), FAIL),
        (400, says("Invalid Stripe API version: 2022-11-15."), FAIL),
        (404, says("Unrecognized request URL (GET: /v1/customers/cus_1/x)."), FAIL),
        (404, "<html>".to_owned(), FAIL),
    ] {
        assert_eq!(response_action(&response(status, &[], &body), Subject::Object), action, "{status} {body}");
    }
}

#[test]
fn what_a_key_or_an_account_may_not_list_is_skipped_and_every_other_refusal_fails() {
    for (status, body, action) in [
        (403, error("more_permissions_required", ""), ResponseAction::SkipStream),
        (403, error("account_invalid", ""), CONFIG),
        (403, "<html>Access denied</html>".to_owned(), CONFIG),
        (400, says("Sigma is not enabled."), ResponseAction::SkipStream),
        (
            400,
            says("Your account is not set up to use Issuing. Please visit the dashboard."),
            ResponseAction::SkipStream,
        ),
        (400, says("You can only list accounts if you've signed up for Connect."), ResponseAction::SkipStream),
        (400, error("platform_account_required", ""), ResponseAction::SkipStream),
        (400, says("Invalid Stripe API version: 2022-11-15."), FAIL),
        (400, says("This account has been closed."), FAIL),
        (400, says("Charges are not for you."), FAIL),
        (400, error("resource_missing", "starting_after"), FAIL),
        (400, error("", "starting_after"), FAIL),
        (400, error("", "ending_before"), FAIL),
        (400, error("resource_missing", "customer"), FAIL),
        (400, error("parameter_unknown", "created"), FAIL),
        (400, error("parameter_invalid_integer", "limit"), FAIL),
        (400, "plain HTTP on a TLS port".to_owned(), FAIL),
        (401, error("", ""), ResponseAction::RefreshToken),
        (404, error("resource_missing", "id"), FAIL),
        (409, error("lock_timeout", ""), ResponseAction::Retry),
        (429, error("rate_limit", ""), ResponseAction::RateLimited),
        (200, r#"{"error":{"message":"no"}}"#.to_owned(), ResponseAction::Success),
        (503, String::new(), ResponseAction::Retry),
        (204, String::new(), ResponseAction::Fail(FailureKind::Transient)),
        (205, String::new(), ResponseAction::Fail(FailureKind::Transient)),
    ] {
        assert_eq!(of_account(&response(status, &[], &body)), action, "{status} {body}");
    }
}

#[test]
fn stripes_own_word_on_retries_comes_first() {
    let refused = error("more_permissions_required", "");
    for (status, word, action) in [
        (400, "true", ResponseAction::Retry),
        (403, "true", ResponseAction::Retry),
        (403, "false", ResponseAction::SkipStream),
        (409, "false", FAIL),
        (429, "true", ResponseAction::RateLimited),
        (429, "false", ResponseAction::Fail(FailureKind::Transient)),
        (500, "false", ResponseAction::Fail(FailureKind::Transient)),
    ] {
        let response = response(status, &[("stripe-should-retry", word)], &refused);
        assert_eq!(of_account(&response), action, "{status} {word}");
    }
}

#[test]
fn the_hint_names_the_permission_that_stripe_names_or_else_the_list() {
    let hint = |words: &str| {
        let body = format!(r#"{{"error":{{"message":"{words}"}}}}"#);
        let response = response(403, &[], &body);
        error_hint(&response, of_account(&response)).unwrap()
    };
    assert_eq!(
        hint("Having the 'rak_charge_read' permission would allow this request to continue."),
        "The key in `client_secret` lacks rak_charge_read."
    );
    assert_eq!(
        hint("One of 'rak_plan_read', 'rak_price_read' is needed."),
        "The key in `client_secret` lacks rak_plan_read or rak_price_read."
    );
    assert_eq!(hint("no"), "The key in `client_secret` lacks read permission for /v1/charges.");
}

#[test]
fn an_object_that_is_gone_is_told_from_a_page_token_that_is() {
    for (status, body, vanished) in [
        (404, error("resource_missing", "customer"), true),
        (400, error("resource_missing", "subscription"), true),
        (400, error("resource_missing", "starting_after"), false),
        (404, r#"{"error":{"message":"Unrecognized request URL"}}"#.to_owned(), false),
        (404, "<html>".to_owned(), false),
        (403, error("resource_missing", "customer"), false),
    ] {
        assert_eq!(is_vanished(&response(status, &[], &body)), vanished, "{status} {body}");
    }
}
