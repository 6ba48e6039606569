//! What all streams of Stripe share: where the API is, who asks, how its lists are paged, what its errors mean.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::config::StripeConfig;
use super::feed::AFTER;
use crate::clock::Clock;
use crate::http::auth::{Authenticator, TokenAuthenticator};
use crate::http::budget::RequestBudget;
use crate::http::{HttpRequest, Response, ResponseAction};
use crate::protocol::{Failure, FailureKind};
use crate::source::SourceContext;
use crate::streams::pager::{LastRecord, Pager};
use crate::streams::{NestedPages, Page, PageToken, path_segment};

/// The API version the objects are asked for in, whatever the account's default is.
pub(super) const VERSION: &str = "2022-11-15";
/// Objects a page, the most Stripe gives.
const PAGE: &str = "100";
/// What stands for the config's account in a path.
pub(super) const ACCOUNT_ID: &str = "{account_id}";
const STARTING_AFTER: &str = "starting_after";

/// One account of Stripe, as seen by one key.
pub(super) struct Api {
    pub(super) config: StripeConfig,
    authenticator: TokenAuthenticator,
    pager: Pages,
    budget: RequestBudget,
    clock: Arc<dyn Clock>,
    now: i64,
}

impl Api {
    pub(super) fn new(config: StripeConfig, cx: &SourceContext) -> Self {
        let authenticator = TokenAuthenticator::bearer(&config.client_secret, &cx.redactor);
        let budget = super::budget::request_budget(&config);
        let clock = cx.clock.clone();
        let now = clock.now().as_second();
        Self { config, authenticator, pager: Pages::new(), budget, clock, now }
    }

    pub(super) fn url_base(&self) -> &str {
        &self.config.api_url
    }

    pub(super) fn authenticator(&self) -> &dyn Authenticator {
        &self.authenticator
    }

    /// The calls of all streams.
    pub(super) fn request_budget(&self) -> &RequestBudget {
        &self.budget
    }

    /// The moment up to which is read, in seconds since the epoch: the same one for all streams of a run, so that those
    /// that read the same list send the same requests.
    pub(super) fn now(&self) -> i64 {
        self.now
    }

    /// This very moment, in seconds since the epoch.
    pub(super) fn clock_now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// A path with the account's id in its place.
    pub(super) fn fill(&self, path: &str) -> String {
        path.replace(ACCOUNT_ID, &path_segment(&self.config.account_id))
    }

    /// The headers of a request in this version of the API.
    pub(super) fn headers(&self, version: &str) -> Vec<(String, String)> {
        let mut headers = vec![("Stripe-Version".to_owned(), version.to_owned())];
        if !self.config.account_id.is_empty() {
            headers.push(("Stripe-Account".to_owned(), self.config.account_id.clone()));
        }
        headers
    }

    /// The parameters of a list: its own, then the window of creation times, if any.
    pub(super) fn list_params<'p>(
        own: impl IntoIterator<Item = (&'p str, &'p str)>,
        window: Option<(i64, i64)>,
    ) -> Vec<(String, String)> {
        let mut params: Vec<(String, String)> =
            own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        params.push(("limit".to_owned(), PAGE.to_owned()));
        if let Some((from, to)) = window {
            params.push(("created[gte]".to_owned(), from.to_string()));
            params.push(("created[lte]".to_owned(), to.to_string()));
        }
        params
    }

    pub(super) fn pager(&self) -> &dyn Pager {
        &self.pager
    }

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
        let hint = match (response.status.as_u16(), Self::response_action(response)) {
            (403, ResponseAction::SkipStream) => format!("{LACKS}{}.", permission(response)),
            (_, ResponseAction::SkipStream) => "This account has no such list: leave the stream out.".to_owned(),
            (401, _) => "Check `client_secret` in the config.".to_owned(),
            (403, _) => "Check `account_id` and `api_url` in the config, and any proxy on the way.".to_owned(),
            (404, _) => "Check `api_url` and `account_id` in the config.".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
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

/// Lists are paged by the id of the last object. <https://docs.stripe.com/api/pagination>
///
/// A page token is that id; or, for events and for lists inside objects, an object of their own that has it.
struct Pages(LastRecord);

impl Pages {
    fn new() -> Self {
        Self(LastRecord::new("id", STARTING_AFTER).has_more("has_more"))
    }
}

impl Pager for Pages {
    fn next_page_token(&self, page: &Page, current: Option<&PageToken>) -> anyhow::Result<Option<PageToken>> {
        self.0.next_page_token(page, current)
    }

    fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure> {
        let id = match token {
            Some(token) if token.is_object() => {
                let pages = NestedPages::of(Some(token));
                let after = pages.inner().map(|inner| inner.after.clone().map(Value::from));
                after.unwrap_or(pages.outer).or_else(|| token.get(AFTER).cloned())
            }
            token => token.cloned(),
        };
        match id {
            Some(events) if events.is_object() => self.apply(Some(&events), request),
            id => self.0.apply(id.as_ref(), request),
        }
    }
}

/// Writes the methods of [`crate::streams::HttpStream`] that are the same for every stream of Stripe.
macro_rules! stripe_stream {
    () => {
        fn name(&self) -> &str {
            super::table::Row::name(self.row)
        }

        fn url_base(&self) -> &str {
            self.api.url_base()
        }

        fn record_path(&self) -> crate::json::RecordPath {
            crate::json::RecordPath::new(["data"])
        }

        fn primary_key(&self) -> Vec<Vec<String>> {
            if super::table::Row::has_id(self.row) { vec![vec!["id".to_owned()]] } else { Vec::new() }
        }

        fn schemas(&self) -> Option<crate::streams::SchemaFolder> {
            Some(super::SCHEMAS)
        }

        fn authenticator(&self) -> &dyn crate::http::auth::Authenticator {
            self.api.authenticator()
        }

        fn request_budget(&self) -> Option<&crate::http::budget::RequestBudget> {
            Some(self.api.request_budget())
        }

        fn request_headers(&self, _: &crate::streams::RequestContext<'_>) -> Vec<(String, String)> {
            self.api.headers(super::table::Row::version(self.row))
        }

        fn pager(&self) -> &dyn crate::streams::pager::Pager {
            self.api.pager()
        }

        fn response_action(&self, response: &crate::http::Response) -> crate::http::ResponseAction {
            let vanished = Self::VANISHED.filter(|_| super::api::Api::is_vanished(response));
            vanished.unwrap_or_else(|| super::api::Api::response_action(response))
        }

        fn error_hint(&self, response: &crate::http::Response) -> Option<String> {
            super::api::Api::error_hint(response)
        }
    };
}
pub(super) use stripe_stream;

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
            body: Body::Memory(body.as_bytes().to_vec()),
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
            assert_eq!(Api::response_action(&response(status, &[], &body)), action, "{status} {body}");
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
            assert_eq!(Api::response_action(&response), action, "{status} {word}");
        }
    }

    #[test]
    fn the_hint_names_the_permission_that_stripe_names_or_else_the_list() {
        let hint = |words: &str| {
            let body = format!(r#"{{"error":{{"message":"{words}"}}}}"#);
            Api::error_hint(&response(403, &[], &body)).unwrap()
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
}
