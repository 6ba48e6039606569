//! Finds the next page, and adds it to the request: `DefaultPaginator` and its strategies.
//!
//! A token is a JSON value, never null: no token means the first page, or the end.

mod page;
mod strategy;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(super) use self::page::{Next, Page};
use self::strategy::Strategy;
pub(super) use self::strategy::header_pairs;
use super::options::{By, Injection, RequestOption};
use super::part::{Builder, Part, flat};
use super::template::Literal;
use crate::protocol::Failure;

/// The paginator of a stream.
#[derive(Debug)]
pub(super) struct Paginator {
    strategy: Strategy,
    size_option: Option<RequestOption>,
    token_option: Option<TokenOption>,
}

#[derive(Debug)]
enum TokenOption {
    Path,
    Option(RequestOption),
}

impl Paginator {
    /// The paginator that a part describes; without a part, there is one page.
    pub(super) fn build(builder: &Builder<'_>, part: Option<&Part<'_>>) -> Option<Self> {
        let none = || Self { strategy: Strategy::None, size_option: None, token_option: None };
        let Some(part) = part else { return Some(none()) };
        match part.kind() {
            "NoPagination" => return Some(none()),
            "DefaultPaginator" => {}
            other => {
                builder.refuse(part, &format!("the paginator `{other}`"));
                return None;
            }
        }
        let Some(strategy) = part.field("pagination_strategy") else {
            builder.error(part, "it has no `pagination_strategy`");
            return None;
        };
        let (size, token) = (part.field("page_size_option"), part.field("page_token_option"));
        let strategy = Strategy::build(builder, &strategy, size.is_some());
        let size_option = flat(size.as_ref().map(|option| RequestOption::build(builder, option, By::Paginator)))?;
        let token_option = match &token {
            None => {
                builder.warn(part, "without `page_token_option`, the same page is requested again and again");
                None
            }
            Some(option) if option.kind() == "RequestPath" => Some(TokenOption::Path),
            Some(option) => Some(TokenOption::Option(RequestOption::build(builder, option, By::Paginator)?)),
        };
        let strategy = strategy?;
        if let Some(option) = size.as_ref().filter(|_| strategy.size().is_none()) {
            builder.error(option, "there is no page size to send: add `page_size` to the `pagination_strategy`");
            return None;
        }
        Some(Self { strategy, size_option, token_option })
    }

    /// The token of the first page, if that has one.
    pub(super) fn initial(&self) -> Option<Value> {
        self.strategy.initial()
    }

    /// The page size of the manifest.
    pub(super) fn size(&self) -> Option<i64> {
        self.strategy.size()
    }

    /// Whether pages can get smaller without losing records, or why not. `smallest` is the smallest size.
    pub(super) fn can_reduce(&self, smallest: i64) -> Result<(), &'static str> {
        if self.size_option.is_none() {
            return Err("the paginator has no `page_size_option`, so no smaller page can be requested");
        }
        if matches!(self.token_option, Some(TokenOption::Path)) {
            return Err(
                "a link to the next page has its page size in it: use a `page_token_option` other than RequestPath",
            );
        }
        self.strategy.can_reduce(smallest)
    }

    /// The values for the request of this token's page; `size` is its size, if it is not the manifest's.
    pub(super) fn injections(&self, token: Option<&Value>, size: Option<i64>) -> Vec<Injection> {
        let mut injections = Vec::new();
        if let (Some(TokenOption::Option(option)), Some(token)) = (&self.token_option, token) {
            injections.push(option.inject(token.clone()));
        }
        if let (Some(option), Some(size)) = (&self.size_option, size.or(self.strategy.size())) {
            injections.push(option.inject(size.into()));
        }
        injections
    }

    /// The path of this token's page, if the token is a path: it replaces the requester's own.
    pub(super) fn path(&self, token: Option<&Value>) -> Option<String> {
        match (&self.token_option, token) {
            (Some(TokenOption::Path), Some(token)) => {
                // The number of a first page, 0, is not a path.
                Some(super::literals::literal_of(token)).filter(Literal::truth).map(|token| token.to_text())
            }
            _ => None,
        }
    }

    /// Whether the paginator reads a page's body.
    pub(super) fn reads_response(&self) -> bool {
        self.strategy.reads_response()
    }

    /// The page after this one.
    ///
    /// # Errors
    /// A config failure if a template cannot be evaluated.
    pub(super) fn next(&self, page: &Page<'_>) -> Result<Next, Failure> {
        if page.status.as_u16() >= 400 {
            return Ok(Next::End("the response is an error that is ignored"));
        }
        self.strategy.next(page)
    }

    /// The places in a request that it uses, for [`super::request::tell_collisions`].
    pub(super) fn options(&self) -> impl Iterator<Item = &RequestOption> {
        let token = match &self.token_option {
            Some(TokenOption::Option(option)) => Some(option),
            _ => None,
        };
        token.into_iter().chain(&self.size_option)
    }
}
