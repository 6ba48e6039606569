//! The common parts of all Stripe streams: the API's URL, the credentials, pagination, and errors.

use std::sync::Arc;

use super::api_error::STARTING_AFTER;
use super::config::StripeConfig;
use crate::http::auth::TokenAuthenticator;
use crate::http::budget::RequestBudget;
use crate::json::RecordPath;
use crate::source::SourceContext;
use crate::streams::pager::LastRecord;
use crate::streams::{ApiClock, path_segment};

/// The API version of the objects, whatever the account's default is.
pub(super) const VERSION: &str = "2022-11-15";
/// The path of the events, and the name of their stream.
pub(super) const EVENTS: &str = "events";
/// The placeholder of the config's account in a path.
pub(super) const ACCOUNT_ID: &str = "{account_id}";
/// Objects a page: Stripe's maximum.
const PAGE: &str = "100";

/// One account of Stripe, through one key.
pub(super) struct Api {
    pub(super) config: StripeConfig,
    pub(super) authenticator: TokenAuthenticator,
    /// The next page of a list begins after the last object. <https://docs.stripe.com/api/pagination>
    pub(super) pager: LastRecord,
    /// The budget of all streams.
    pub(super) budget: RequestBudget,
    pub(super) clock: Arc<ApiClock>,
}

impl Api {
    pub(super) fn new(config: StripeConfig, cx: &SourceContext) -> Self {
        let authenticator = TokenAuthenticator::bearer(&config.client_secret, &cx.redactor);
        let budget = super::budget::request_budget(&config);
        let clock = Arc::new(ApiClock::new(cx.clock.clone()));
        let pager = LastRecord::new("id", STARTING_AFTER).has_more("has_more");
        Self { config, authenticator, pager, budget, clock }
    }

    /// A path with the account's id filled in.
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
}

/// The place of the objects in a response.
pub(super) fn record_path() -> RecordPath {
    RecordPath::new(["data"])
}

/// The parameters of a list: its own, then the window of creation times, if there is one.
pub(super) fn list_params<'p>(
    own: impl IntoIterator<Item = (&'p str, String)>,
    window: Option<(i64, i64)>,
) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    params.push(("limit".to_owned(), PAGE.to_owned()));
    if let Some((from, to)) = window {
        params.push(("created[gte]".to_owned(), from.to_string()));
        params.push(("created[lte]".to_owned(), to.to_string()));
    }
    params
}
