//! Interprets Stripe's errors: which to retry, which refuse a list to the key or the account, which refuse the list of
//! one object, which mean that an object is gone, and how the user can fix them.

use serde::Deserialize;

use crate::http::{Response, ResponseAction};
use crate::protocol::FailureKind;

/// The parameter that requests the page after an object.
pub(super) const STARTING_AFTER: &str = "starting_after";

/// The subject of a request, and so of its refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// A list of the account.
    Account,
    /// A list of one object, such as the persons of one account.
    Object,
}

impl Subject {
    /// The subject of a response, if only these paths are lists of the account.
    pub(super) fn of(response: &Response, of_account: &[&str]) -> Self {
        let url = response.url();
        let path = url.as_ref().map_or("", |url| url.path().trim_end_matches('/'));
        let is_at = |list: &&str| path.strip_suffix(*list).is_some_and(|before| before.ends_with('/'));
        if of_account.iter().any(is_at) { Self::Account } else { Self::Object }
    }
}

/// The action for a response. Stripe says in a header whether a retry makes sense, and expects one after a conflict.
/// <https://docs.stripe.com/error-low-level> Lists that a key or an account cannot read are skipped.
pub(super) fn response_action(response: &Response, subject: Subject) -> ResponseAction {
    let default = ResponseAction::for_status(response.status);
    if is_nothing(response) {
        return ResponseAction::Fail(FailureKind::Transient);
    }
    match response.header("stripe-should-retry") {
        Some("true") if !default.is_retry() => return ResponseAction::Retry,
        Some("false") if default.is_retry() => return ResponseAction::Fail(FailureKind::Transient),
        Some("false") => {}
        _ if response.status == 409 => return ResponseAction::Retry,
        _ => {}
    }
    ErrorObject::of(response).and_then(|error| error.refusal(response, subject)).unwrap_or(default)
}

/// Whether a good response has no content. Stripe answers even an empty list with an object, so an intermediary must
/// have sent this: treating it as an empty list would lose the whole list.
fn is_nothing(response: &Response) -> bool {
    matches!(response.status.as_u16(), 204 | 205)
}

/// Whether a response says that the object is gone whose children were requested.
pub(super) fn is_vanished(response: &Response) -> bool {
    matches!(response.status.as_u16(), 400 | 404)
        && ErrorObject::of(response).is_some_and(|error| error.is_missing() && !error.is_stale())
}

/// The fix, in terms of the config, for a response with this action.
pub(super) fn error_hint(response: &Response, action: ResponseAction) -> Option<String> {
    let hint = match (response.status.as_u16(), action) {
        (_, ResponseAction::Success | ResponseAction::Ignore | ResponseAction::SkipSlice) => return None,
        _ if is_nothing(response) => {
            "Stripe never sends an empty response: check `api_url`, and any proxy on the way.".to_owned()
        }
        (400, ResponseAction::Fail(_)) if words_of(response).contains("api version") => {
            "Stripe does not know the API version that this program asks for: update the program.".to_owned()
        }
        (403, ResponseAction::SkipStream) => format!("{LACKS}{}.", permission(response)),
        (_, ResponseAction::SkipStream) => "This account has no such list: leave the stream out.".to_owned(),
        (401, _) => "Check `client_secret` in the config.".to_owned(),
        (403, _) => "Check `account_id` and `api_url` in the config, and any proxy on the way.".to_owned(),
        (404, _) => "Check `api_url` and `account_id` in the config.".to_owned(),
        _ => return None,
    };
    Some(hint)
}

/// The start of the hint about a missing permission.
pub(super) const LACKS: &str = "The key in `client_secret` lacks ";

/// The permission that a refusal names: Stripe's names (`rak_charge_read`), otherwise the list.
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

/// The message of an error, in lower case.
fn words_of(response: &Response) -> String {
    response.error_message().unwrap_or_default().to_lowercase()
}

/// Parts of Stripe's messages about a key's permissions. Such a refusal holds for every object.
const OF_THE_KEY: [&str; 3] = ["rak_", "required permissions", "would allow this request"];
/// Parts of Stripe's messages about products that an account lacks, such as Issuing or Connect.
const OF_A_PRODUCT: [&str; 8] = [
    "not set up",
    "signed up for",
    "sign up for",
    "not enabled",
    "isn't enabled",
    "only stripe connect platforms",
    "only available",
    "not available",
];

/// Stripe's description of an error. <https://docs.stripe.com/api/errors>
#[derive(Deserialize)]
struct ErrorObject {
    code: Option<String>,
    param: Option<String>,
}

impl ErrorObject {
    /// The error in a response. Anything else, such as a proxy's page, is not Stripe's.
    fn of(response: &Response) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            error: ErrorObject,
        }
        response.status.is_client_error().then(|| response.json::<Body>().ok()).flatten().map(|body| body.error)
    }

    /// Whether the object is gone after which the page was requested.
    fn is_stale(&self) -> bool {
        matches!(self.param.as_deref(), Some(STARTING_AFTER | "ending_before"))
    }

    /// Whether an object that the request names is gone.
    fn is_missing(&self) -> bool {
        self.code.as_deref() == Some("resource_missing")
    }

    /// Whether it is about a part of every request, and not about the object that this one names.
    fn is_of_request(&self, words: &str) -> bool {
        let own = ["limit", "created", "expand", "type"];
        let names_own = self.param.as_deref().is_some_and(|param| own.iter().any(|name| param.starts_with(name)));
        let unknown = self.code.as_deref() == Some("parameter_unknown") || words.contains("unrecognized request url");
        names_own || unknown || words.contains("api version")
    }

    /// The refused part of the stream: all of it, if the key or the account cannot list it; or one object's list.
    /// `None` if it is about the request or the whole account.
    fn refusal(&self, response: &Response, subject: Subject) -> Option<ResponseAction> {
        let code = self.code.as_deref().unwrap_or_default();
        let words = words_of(response);
        let contains = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        let status = response.status.as_u16();
        if status == 403 && (code.starts_with("more_permissions_required") || contains(&OF_THE_KEY)) {
            return Some(ResponseAction::SkipStream);
        }
        if self.is_stale() || !matches!(status, 400 | 403 | 404) || self.is_of_request(&words) {
            return None;
        }
        let is_refused = match (subject, status) {
            (Subject::Object, _) => return Some(ResponseAction::SkipSlice),
            (Subject::Account, 403) => code != "account_invalid",
            // Any other one may be about the whole account, or this program sent a wrong request.
            (Subject::Account, 400) => code == "platform_account_required" || contains(&OF_A_PRODUCT),
            (Subject::Account, _) => false,
        };
        is_refused.then_some(ResponseAction::SkipStream)
    }
}

#[cfg(test)]
mod tests;
