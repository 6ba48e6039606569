//! Which failures of a token endpoint are worth another attempt.

use serde_json::Value;

use crate::http::{Response, ResponseAction, RetryRules, Verdict};
use crate::protocol::{Failure, FailureKind};

/// What a user can do about a refusal.
pub(super) const RE_AUTHENTICATE: &str = "Re-authenticate: connect the account again, or put valid client credentials and a valid refresh token in the \
     config.";

/// The rules for requests to a token endpoint: a refusal stays one however often it is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenRules;

impl RetryRules for TokenRules {
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        let status = response.status.as_u16();
        let action = match status {
            429 => ResponseAction::RateLimited,
            408 | 425 => ResponseAction::Fail(FailureKind::Transient),
            400..=499 => ResponseAction::Fail(FailureKind::Config),
            _ => ResponseAction::for_status(response.status),
        };
        let mut verdict = Verdict::from(action);
        if action != ResponseAction::Success {
            verdict.message = response.json().ok().and_then(|document| words(&document));
        }
        verdict.hint = match action {
            _ if (300..400).contains(&status) => {
                Some("Credentials are not sent after a redirect: use the URL it leads to.".to_owned())
            }
            ResponseAction::Fail(FailureKind::Config) => Some(RE_AUTHENTICATE.to_owned()),
            _ => None,
        };
        Ok(verdict)
    }
}

/// The error code and its description (RFC 6749, section 5.2): the code is what people search for.
pub(super) fn words(document: &Value) -> Option<String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    match (text("error"), text("error_description")) {
        (Some(code), Some(description)) => Some(format!("{code}: {}", description.trim())),
        (Some(code), None) => Some(code.to_owned()),
        _ => crate::http::api_message::find(document),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::response::tests::response;

    #[test]
    fn only_limits_and_troubles_of_the_server_are_retried() {
        for (status, retried) in [
            (400, false),
            (401, false),
            (403, false),
            (404, false),
            (408, false),
            (429, true),
            (500, true),
            (503, true),
        ] {
            assert_eq!(TokenRules.verdict(&response(status, &[], "")).unwrap().action.is_retry(), retried, "{status}");
        }
    }

    #[test]
    fn a_refusal_says_to_authenticate_again_and_a_slow_client_is_none() {
        let hint = |status| TokenRules.verdict(&response(status, &[], "")).unwrap().hint;
        assert_eq!(hint(400).as_deref(), Some(RE_AUTHENTICATE));
        assert_eq!((hint(408), hint(429), hint(500)), (None, None, None));
    }

    #[test]
    fn code_and_description_are_both_told() {
        for (document, told) in [
            (json!({"error": "invalid_grant", "error_description": "revoked"}), Some("invalid_grant: revoked")),
            (json!({"error": "invalid_client"}), Some("invalid_client")),
            (json!({"error": {"message": "no"}}), Some("no")),
            (json!({"message": "down"}), Some("down")),
            (json!({}), None),
        ] {
            assert_eq!(words(&document).as_deref(), told, "{document}");
        }
    }
}
