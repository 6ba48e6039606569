//! What all streams of Stripe share: where the API is, who asks, how its lists are paged, what its errors mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::fmt::rfc2822::DateTimeParser;

use super::config::StripeConfig;
use super::pages::Pages;
use crate::clock::Clock;
use crate::http::Response;
use crate::http::auth::{Authenticator, TokenAuthenticator};
use crate::http::budget::RequestBudget;
use crate::source::SourceContext;
use crate::streams::pager::Pager;
use crate::streams::path_segment;

/// The API version the objects are asked for in, whatever the account's default is.
pub(super) const VERSION: &str = "2022-11-15";
/// Objects a page, the most Stripe gives.
const PAGE: &str = "100";
/// What stands for the config's account in a path.
pub(super) const ACCOUNT_ID: &str = "{account_id}";

/// One account of Stripe, as seen by one key.
pub(super) struct Api {
    pub(super) config: StripeConfig,
    authenticator: TokenAuthenticator,
    pager: Pages,
    budget: RequestBudget,
    clock: Arc<dyn Clock>,
    now: i64,
    /// How many seconds this machine's clock is ahead of Stripe's, as far as answers have told.
    ahead: AtomicI64,
}

impl Api {
    pub(super) fn new(config: StripeConfig, cx: &SourceContext) -> Self {
        let authenticator = TokenAuthenticator::bearer(&config.client_secret, &cx.redactor);
        let budget = super::budget::request_budget(&config);
        let clock = cx.clock.clone();
        let now = clock.now().as_second();
        Self { config, authenticator, pager: Pages::new(), budget, clock, now, ahead: AtomicI64::new(0) }
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

    /// Learns from an answer what time it is at Stripe.
    pub(super) fn note_time(&self, response: &Response) {
        let date = response.header("date").and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
        if let Some(date) = date {
            self.ahead.fetch_max(self.clock_now().saturating_sub(date.as_second()), Ordering::Relaxed);
        }
    }

    /// How many seconds this machine's clock is ahead of Stripe's, as far as is known. What is known up to a moment of
    /// this clock is known up to one so much earlier of Stripe's.
    pub(super) fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
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
}
