//! What all streams of Stripe share: where the API is, who asks, how its lists are paged, what its errors mean.

use std::sync::Arc;

use super::config::StripeConfig;
use crate::clock::Clock;
use crate::http::Response;
use crate::http::auth::{Authenticator, TokenAuthenticator};
use crate::http::budget::RequestBudget;
use crate::source::SourceContext;
use crate::streams::pager::{LastRecord, Pager};

/// The API version the objects are asked for in, whatever the account's default is.
const VERSION: &str = "2022-11-15";
/// Objects a page, the most Stripe gives.
const PAGE: &str = "100";

/// One account of Stripe, as seen by one key.
pub(super) struct Api {
    pub(super) config: StripeConfig,
    authenticator: TokenAuthenticator,
    pager: LastRecord,
    budget: RequestBudget,
    clock: Arc<dyn Clock>,
}

impl Api {
    pub(super) fn new(config: StripeConfig, cx: &SourceContext) -> Self {
        let authenticator = TokenAuthenticator::bearer(&config.client_secret, &cx.redactor);
        let budget = super::budget::request_budget(&config);
        let pager = LastRecord::new("id", "starting_after").has_more("has_more");
        Self { config, authenticator, pager, budget, clock: cx.clock.clone() }
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

    /// Seconds since the epoch.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![("Stripe-Version".to_owned(), VERSION.to_owned())];
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

    /// Lists are paged by the id of the last object. <https://docs.stripe.com/api/pagination>
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

/// Writes the methods of [`crate::streams::HttpStream`] that are the same for every stream of Stripe.
macro_rules! stripe_stream {
    () => {
        fn name(&self) -> &str {
            self.row.name
        }

        fn url_base(&self) -> &str {
            self.api.url_base()
        }

        fn record_path(&self) -> crate::json::RecordPath {
            crate::json::RecordPath::new(["data"])
        }

        fn primary_key(&self) -> Vec<Vec<String>> {
            vec![vec!["id".to_owned()]]
        }

        fn schemas(&self) -> Option<crate::streams::SchemaFolder> {
            Some(super::SCHEMAS)
        }

        fn slices_in_order(&self) -> bool {
            true
        }

        fn authenticator(&self) -> &dyn crate::http::auth::Authenticator {
            self.api.authenticator()
        }

        fn request_budget(&self) -> Option<&crate::http::budget::RequestBudget> {
            Some(self.api.request_budget())
        }

        fn request_headers(&self, _: &crate::streams::RequestContext<'_>) -> Vec<(String, String)> {
            self.api.headers()
        }

        fn pager(&self) -> &dyn crate::streams::pager::Pager {
            self.api.pager()
        }

        fn should_retry(&self, response: &crate::http::Response) -> bool {
            super::api::Api::should_retry(response)
        }

        fn error_hint(&self, response: &crate::http::Response) -> Option<String> {
            super::api::Api::error_hint(response)
        }
    };
}
pub(super) use stripe_stream;
