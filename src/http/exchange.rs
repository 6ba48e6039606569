//! The client's input, and its findings about a response: the terms of its contract.

use super::auth::Authenticator;
use super::budget::RequestBudget;
use super::{HttpRequest, RequestOptions, RetryObserver, RetryRules};

/// A request and everything about how to send it.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The request, without credentials.
    pub request: &'a HttpRequest,
    /// Signs each attempt.
    pub authenticator: &'a dyn Authenticator,
    /// Whether [`Exchange::authenticator`] is used at all: not for a URL on a host it was not meant for.
    pub authenticated: bool,
    /// The network options.
    pub options: &'a RequestOptions,
    /// The stream's retry rules.
    pub rules: &'a dyn RetryRules,
    /// Notified of waits.
    pub observer: &'a dyn RetryObserver,
    /// The request budget.
    pub budget: Option<&'a RequestBudget>,
    /// Whether an earlier response may answer the same request, and this response is stored.
    pub cache: bool,
}

/// A good response whose body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Undecodable {
    /// The problem.
    pub problem: String,
    /// Whether a retry may help: the body looks truncated or garbled, not merely unexpected.
    pub retry: bool,
}
