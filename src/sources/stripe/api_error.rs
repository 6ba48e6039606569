//! What Stripe's errors mean: worth another attempt, a list that the key or the account has no access to, an object that
//! is gone, and what the user can do about it.

use serde::Deserialize;

use crate::http::{Response, ResponseAction};
use crate::protocol::FailureKind;

/// The parameter that asks for the page after an object.
pub(super) const STARTING_AFTER: &str = "starting_after";

/// What is done about a response. Stripe says in a header whether another attempt makes sense, and expects one after
/// a conflict. <https://docs.stripe.com/error-low-level> What a key or an account may not list is left out.
pub(super) fn response_action(response: &Response) -> ResponseAction {
    let default = ResponseAction::for_status(response.status);
    match response.header("stripe-should-retry") {
        Some("true") if !default.is_retry() => return ResponseAction::Retry,
        Some("false") if default.is_retry() => return ResponseAction::Fail(FailureKind::Transient),
        Some("false") => {}
        _ if response.status == 409 => return ResponseAction::Retry,
        _ => {}
    }
    match ErrorObject::of(response) {
        Some(error) if error.is_refusal(response) => ResponseAction::SkipStream,
        _ => default,
    }
}

/// Whether a response says that the object is gone whose children were asked for.
pub(super) fn is_vanished(response: &Response) -> bool {
    matches!(response.status.as_u16(), 400 | 404)
        && ErrorObject::of(response).is_some_and(|error| error.is_missing() && !error.is_stale())
}

/// What the user can do, in terms of the config.
pub(super) fn error_hint(response: &Response) -> Option<String> {
    let hint = match (response.status.as_u16(), response_action(response)) {
        (403, ResponseAction::SkipStream) => format!("{LACKS}{}.", permission(response)),
        (_, ResponseAction::SkipStream) => "This account has no such list: leave the stream out.".to_owned(),
        (401, _) => "Check `client_secret` in the config.".to_owned(),
        (403, _) => "Check `account_id` and `api_url` in the config, and any proxy on the way.".to_owned(),
        (404, _) => "Check `api_url` and `account_id` in the config.".to_owned(),
        _ => return None,
    };
    Some(hint)
}

/// How the hint begins that names a missing permission.
pub(super) const LACKS: &str = "The key in `client_secret` lacks ";

/// The permission that a refusal is about: the names Stripe gives for it (`rak_charge_read`), or else the list.
fn permission(response: &Response) -> String {
    let words = response.error_message().unwrap_or_default();
    let names: Vec<&str> =
        words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("rak_")).collect();
    if names.is_empty() {
        let list = response.url().map(|url| url.path().to_owned()).unwrap_or_default();
        return format!("read permission for {list}");
    }
    names.join(" or ")
}

/// What an error of Stripe says of itself. <https://docs.stripe.com/api/errors>
#[derive(Deserialize)]
struct ErrorObject {
    code: Option<String>,
    param: Option<String>,
}

impl ErrorObject {
    /// The error in a response. Anything else, such as a page of a proxy, is not Stripe's word.
    fn of(response: &Response) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            error: ErrorObject,
        }
        response.status.is_client_error().then(|| response.json::<Body>().ok()).flatten().map(|body| body.error)
    }

    /// Whether the object is gone that the page is asked for after.
    fn is_stale(&self) -> bool {
        matches!(self.param.as_deref(), Some(STARTING_AFTER | "ending_before"))
    }

    /// Whether an object that the request names is gone.
    fn is_missing(&self) -> bool {
        self.code.as_deref() == Some("resource_missing")
    }

    /// Whether it is about what the key or the account may list, and not about the request or the whole account.
    fn is_refusal(&self, response: &Response) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        match response.status.as_u16() {
            403 => code != "account_invalid",
            400 => {
                // An object that was named is gone, or this program has asked for nonsense.
                !self.is_stale() && !self.is_missing() && !code.starts_with("parameter_")
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn what_a_key_or_an_account_may_not_list_is_skipped_and_every_other_refusal_fails() {
        for (status, body, action) in [
            (403, error("more_permissions_required", ""), ResponseAction::SkipStream),
            (403, error("account_invalid", ""), CONFIG),
            (403, "<html>Access denied</html>".to_owned(), CONFIG),
            (400, r#"{"error":{"message":"Sigma is not enabled."}}"#.to_owned(), ResponseAction::SkipStream),
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
        ] {
            assert_eq!(response_action(&response(status, &[], &body)), action, "{status} {body}");
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
            assert_eq!(response_action(&response), action, "{status} {word}");
        }
    }

    #[test]
    fn the_hint_names_the_permission_that_stripe_names_or_else_the_list() {
        let hint = |words: &str| {
            let body = format!(r#"{{"error":{{"message":"{words}"}}}}"#);
            error_hint(&response(403, &[], &body)).unwrap()
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
}
