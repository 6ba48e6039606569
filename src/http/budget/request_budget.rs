//! All policies of an API, checked before each attempt and updated by each response.

use std::time::Duration;

use jiff::Timestamp;

use super::policy::TooLong;
use super::quota_headers::ServerSays;
use super::{BudgetPolicy, BudgetWait};
use crate::clock::Clock;
use crate::http::{HttpRequest, Response, ResponseAction, Telling, Wait, Waits};
use crate::protocol::Failure;

/// The limits of an API, shared by everything that sends requests to it. The first policy that covers a request
/// applies; an uncovered request is free. [`crate::streams::HttpStream::request_budget`] returns a budget; the streams
/// of a source share one, behind an `Arc`.
///
/// Requests go in the order they came. Each attempt counts, retries too; answers from the response cache do not; the
/// redirects of an attempt count as one with it. Default: no policies.
///
/// The headers of each response can tighten a policy and never loosen it. Status 429 empties it until the time in the
/// response; without one, the retry's own wait applies. Reports about replaced credentials are forgotten.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use source_http::http::Method;
/// use source_http::http::budget::{BudgetPolicy, FixedWindow, MovingWindow, RequestBudget, RequestMatcher};
///
/// // Searches: 30 a minute. Everything else: 10 in any second.
/// let searches = RequestMatcher::path("/v2/*/search").method(Method::POST);
/// let budget = RequestBudget::new()
///     .policy(BudgetPolicy::new(FixedWindow::new(30, Duration::from_secs(60))).matching(searches))
///     .policy(BudgetPolicy::new(MovingWindow::new(10, Duration::from_secs(1))));
/// let shared = Arc::new(budget);
/// # drop(shared);
/// ```
#[derive(Debug, Default)]
pub struct RequestBudget {
    policies: Vec<BudgetPolicy>,
}

impl RequestBudget {
    /// A budget without limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a policy, for requests that no earlier one covers.
    #[must_use]
    pub fn policy(mut self, policy: BudgetPolicy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Waits until a request may be sent, and counts it. The observer of `waits` is notified before each wait. Returns
    /// the time waited for the policies' own limits, which is unlimited; `patience` bounds the total of the waits that
    /// the server imposes.
    ///
    /// # Errors
    /// A transient [`Failure`] inside if the server imposes a wait longer than `patience`, which the observer gets as a
    /// rate limit; the errors of [`Waits::wait`]; or an error of the observer.
    pub fn acquire(&self, request: &HttpRequest, patience: Duration, waits: &Waits<'_>) -> anyhow::Result<Duration> {
        let Waits { clock, observer, .. } = *waits;
        let Some((policy, weight)) = self.find(request) else { return Ok(Duration::ZERO) };
        let (mut own, mut patience, mut told) = (Duration::ZERO, patience, false);
        loop {
            let ticket = match policy.ticket(weight, clock.elapsed(), patience) {
                Ok(ticket) => ticket,
                Err(too_long) => {
                    let wait = rate_limited(request, &too_long, clock);
                    observer.waiting(&wait)?;
                    let text = format!(
                        "{} would have to wait {:.0} s, past the {} s that it may still take: {}.",
                        wait.request,
                        wait.delay.as_secs_f64(),
                        patience.as_secs(),
                        wait.rule
                    );
                    return Err(Failure::transient(text).into());
                }
            };
            let delay = ticket.at.saturating_sub(clock.elapsed());
            if delay.is_zero() {
                return Ok(own);
            }
            let wait = BudgetWait { request: request.describe(), delay, rule: ticket.rule.clone(), again: told };
            observer.throttled(&wait)?;
            told |= wait.is_worth_telling();
            waits.wait(delay)?;
            if ticket.by_server {
                patience = patience.saturating_sub(delay);
            } else {
                own += delay;
            }
            if !policy.revokes(&ticket, weight) {
                return Ok(own);
            }
        }
    }

    /// The quota in a response, if a policy covers its request.
    pub(in crate::http) fn read(
        &self,
        request: &HttpRequest,
        response: &Response,
        action: ResponseAction,
        now: Timestamp,
    ) -> Option<ServerSays> {
        self.find(request)?.0.read(response, action, now)
    }

    /// Applies the server's quota.
    pub(in crate::http) fn book(&self, request: &HttpRequest, says: &ServerSays, clock: &dyn Clock) {
        if let Some((policy, _)) = self.find(request) {
            policy.book(says, clock.elapsed());
        }
    }

    /// Forgets the server's quota: it was about replaced credentials.
    pub(in crate::http) fn forget(&self, request: &HttpRequest) {
        if let Some((policy, _)) = self.find(request) {
            policy.forget();
        }
    }

    fn find(&self, request: &HttpRequest) -> Option<(&BudgetPolicy, u32)> {
        self.policies.iter().find_map(|policy| Some((policy, policy.weight_of(request)?)))
    }
}

/// A wait past all patience, for the platform.
fn rate_limited(request: &HttpRequest, too_long: &TooLong, clock: &dyn Clock) -> Wait {
    Wait {
        request: request.describe(),
        reason: too_long.rule.clone(),
        delay: too_long.delay,
        rule: too_long.rule.clone(),
        retry: 0,
        max_retries: 0,
        quota_reset: clock.now().checked_add(too_long.delay).ok(),
        too_long: true,
        telling: Telling::Silent,
    }
}

#[cfg(test)]
mod tests;
