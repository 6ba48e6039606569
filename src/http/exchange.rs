//! What the client is given, and what it learns from a response: the words of its contract.

use super::auth::Authenticator;
use super::budget::RequestBudget;
use super::{HttpRequest, RequestOptions, RetryObserver, RetryRules};

/// A request and everything that says how it is to be sent.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The request, without credentials.
    pub request: &'a HttpRequest,
    /// Puts credentials on each attempt.
    pub authenticator: &'a dyn Authenticator,
    /// Whether [`Exchange::authenticator`] is asked at all: not for a URL on a host it was not meant for.
    pub authenticated: bool,
    /// How it travels.
    pub options: &'a RequestOptions,
    /// What the stream says about retries.
    pub rules: &'a dyn RetryRules,
    /// Who is notified of waits.
    pub observer: &'a dyn RetryObserver,
    /// The limits the request has to keep to.
    pub budget: Option<&'a RequestBudget>,
    /// Whether the same request may be answered by a response from before, and this response is kept.
    pub cache: bool,
}

/// A good response whose body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Undecodable {
    /// What is wrong with it.
    pub problem: String,
    /// Asking again may help: the body looks cut or garbled, not merely different from what was expected.
    pub retry: bool,
}
