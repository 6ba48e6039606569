//! What all streams of Stripe share: where the API is, who asks, how its lists are paged, what its errors mean.

use std::sync::Arc;

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
        path.replace("{account_id}", &path_segment(&self.config.account_id))
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

    /// Stripe says in a header whether another attempt makes sense, and expects one after a conflict.
    /// <https://docs.stripe.com/error-low-level>
    pub(super) fn should_retry(response: &Response) -> bool {
        match response.header("stripe-should-retry") {
            Some("true") => true,
            Some("false") => false,
            _ => crate::http::ResponseAction::for_status(response.status).is_retry() || response.status == 409,
        }
    }

    /// Whether a response says that the object is gone whose children were asked for.
    pub(super) fn is_vanished(response: &Response) -> bool {
        let error = || response.json::<Value>().ok().map(|body| body["error"].clone()).unwrap_or_default();
        let is_missing = |error: Value| error["code"] == "resource_missing" && error["param"] != STARTING_AFTER;
        matches!(response.status.as_u16(), 400 | 404) && is_missing(error())
    }

    pub(super) fn response_action(response: &Response) -> ResponseAction {
        let default = ResponseAction::for_status(response.status);
        match (Self::should_retry(response), default.is_retry()) {
            (true, false) => ResponseAction::Retry,
            (false, true) => ResponseAction::Fail(FailureKind::Transient),
            _ => default,
        }
    }

    /// What the user can do, in terms of the config.
    pub(super) fn error_hint(response: &Response) -> Option<String> {
        let hint = match response.status.as_u16() {
            401 => "Check `client_secret` in the config.",
            403 => "Give the key in `client_secret` read permission for this, or check `account_id`.",
            404 => "Check `api_url` and `account_id` in the config.",
            _ => return None,
        };
        Some(hint.to_owned())
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

        fn should_retry(&self, response: &crate::http::Response) -> bool {
            super::api::Api::should_retry(response)
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
