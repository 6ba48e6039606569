//! All policies of an API, asked before each attempt and notified of each response.

use std::time::Duration;

use jiff::Timestamp;

use super::policy::TooLong;
use super::quota_headers::ServerSays;
use super::{BudgetPolicy, BudgetWait};
use crate::clock::Clock;
use crate::http::{HttpRequest, Response, ResponseAction, Telling, Wait, Waits};
use crate::protocol::Failure;

/// The limits of an API, shared by everything that sends requests to it. The first policy that is for a request
/// applies; a request that none is for is free. A budget is handed out by
/// [`crate::streams::HttpStream::request_budget`]; the streams of a source share one, behind an `Arc`.
///
/// Requests are let through in the order they came. Each attempt counts, retries too; answers of the response cache
/// don't; the redirects of an attempt count as one with it. Default: no policies.
///
/// The headers of each response can tighten a policy and never loosen it. Status 429 leaves it empty until the time the
/// response names; if it names none, the wait is the retry's own. What was said to credentials that another of
/// several took the place of is forgotten.
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

    /// Adds a policy, for the requests that no earlier one is for.
    #[must_use]
    pub fn policy(mut self, policy: BudgetPolicy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Waits until a request may be sent, and counts it. The observer of `waits` is notified of each wait before it
    /// begins. Returns the time waited for the policies' own limits, however long that took; `patience` bounds the
    /// waits that the server's word imposes, all together.
    ///
    /// # Errors
    /// A transient [`Failure`] inside if the server's word means a wait longer than `patience`, which the observer is
    /// reported as a rate limit; that of [`Waits::wait`]; or an error of the observer.
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

    /// What a response says about the quota, if a policy is for its request.
    pub(in crate::http) fn read(
        &self,
        request: &HttpRequest,
        response: &Response,
        action: ResponseAction,
        now: Timestamp,
    ) -> Option<ServerSays> {
        self.find(request)?.0.read(response, action, now)
    }

    /// Takes the server at its word.
    pub(in crate::http) fn book(&self, request: &HttpRequest, says: &ServerSays, clock: &dyn Clock) {
        if let Some((policy, _)) = self.find(request) {
            policy.book(says, clock.elapsed());
        }
    }

    /// Forgets the server's word: it was about credentials that others have taken the place of.
    pub(in crate::http) fn forget(&self, request: &HttpRequest) {
        if let Some((policy, _)) = self.find(request) {
            policy.forget();
        }
    }

    fn find(&self, request: &HttpRequest) -> Option<(&BudgetPolicy, u32)> {
        self.policies.iter().find_map(|policy| Some((policy, policy.weight_of(request)?)))
    }
}

/// A wait past all patience, as it is reported to the platform.
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
