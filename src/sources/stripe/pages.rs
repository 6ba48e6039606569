//! Pagination of Stripe's lists, and their page tokens.

use serde_json::Value;

use super::api_error::STARTING_AFTER;
use crate::http::HttpRequest;
use crate::protocol::Failure;
use crate::streams::pager::{LastRecord, Pager};
use crate::streams::{NestedPages, Page, PageToken};

/// The member of an event page token with the id after which the next page begins.
const AFTER: &str = "after";

/// Lists are paged by the id of the last object. <https://docs.stripe.com/api/pagination>
///
/// A page token is that id; or, for events and for lists inside objects, an object that contains it.
pub(super) struct Pages(LastRecord);

impl Pages {
    pub(super) fn new() -> Self {
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
