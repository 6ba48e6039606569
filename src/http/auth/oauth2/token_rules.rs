//! Which failures of a token endpoint are worth another attempt.

use serde_json::Value;

use crate::http::{Response, ResponseAction, RetryRules, Verdict};
use crate::protocol::{Failure, FailureKind};

/// The fix for a refusal.
pub(super) const RE_AUTHENTICATE: &str = "Re-authenticate: connect the account again, or put valid client credentials and a valid refresh token in the \
     config.";

/// The fix for a refusal of anything but the refresh token.
const CHECK_THE_CLIENT: &str = "Check the client id, the secret and the other login settings in the config. \
     If they are right, connect the account again.";

/// The rules for requests to a token endpoint: repeating a refused one is useless.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenRules {
    pub(super) refused_by: Option<RefusedBy>,
}

/// How an endpoint reports that the refresh token is invalid.
#[derive(Debug, Clone)]
pub(super) struct RefusedBy {
    pub(super) statuses: Vec<u16>,
    pub(super) member: String,
    pub(super) values: Vec<String>,
}

impl RefusedBy {
    fn fits(&self, response: &Response) -> bool {
        let document = response.json::<Value>().unwrap_or_default();
        let value = match document.get(&self.member) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => return false,
        };
        self.statuses.contains(&response.status.as_u16()) && self.values.contains(&value)
    }
}

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
            _ if (300..400).contains(&status) => Some(super::super::NO_REDIRECT.to_owned()),
            ResponseAction::Fail(FailureKind::Config) => {
                let is_client = self.refused_by.as_ref().is_some_and(|refused_by| !refused_by.fits(response));
                Some(if is_client { CHECK_THE_CLIENT } else { RE_AUTHENTICATE }.to_owned())
            }
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
    fn only_limits_and_server_errors_are_retried() {
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
            assert_eq!(
                TokenRules::default().verdict(&response(status, &[], "")).unwrap().action.is_retry(),
                retried,
                "{status}"
            );
        }
    }

    #[test]
    fn a_refusal_asks_to_authenticate_again_and_a_slow_client_is_no_refusal() {
        let hint = |status| TokenRules::default().verdict(&response(status, &[], "")).unwrap().hint;
        assert_eq!(hint(400).as_deref(), Some(RE_AUTHENTICATE));
        assert_eq!((hint(408), hint(429), hint(500)), (None, None, None));
    }

    #[test]
    fn a_refused_refresh_token_can_be_distinguished() {
        let refused_by =
            RefusedBy { statuses: vec![400], member: "error".to_owned(), values: vec!["expired".to_owned()] };
        let rules = TokenRules { refused_by: Some(refused_by) };
        let hint = |status, body: &str| rules.verdict(&response(status, &[], body)).unwrap().hint.unwrap();
        assert_eq!(hint(400, r#"{"error": "expired"}"#), RE_AUTHENTICATE);
        for (status, body) in [(401, r#"{"error": "expired"}"#), (400, r#"{"error": "other"}"#), (400, "no")] {
            assert_eq!(hint(status, body), CHECK_THE_CLIENT, "{body}");
        }
    }

    #[test]
    fn code_and_description_are_both_reported() {
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
