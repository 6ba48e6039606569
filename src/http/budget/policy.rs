//! One rule of a budget: the requests it covers, their limit, and the server's quota for them.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use super::quota_headers::ServerSays;
use super::seconds::seconds;
use super::server_quota::ServerQuota;
use super::{QuotaHeaders, RequestMatcher, Window};
use crate::http::{HttpRequest, Response, ResponseAction};
use crate::locks;

/// A limit for the requests that match any of its matchers, or for all requests without matchers.
///
/// ```
/// use std::time::Duration;
/// use source_http::http::budget::{BudgetPolicy, MovingWindow, QuotaHeaders, RequestMatcher};
///
/// let policy = BudgetPolicy::new(MovingWindow::new(20, Duration::from_secs(1)))
///     .matching(RequestMatcher::path("/v1/files"))
///     .matching(RequestMatcher::path_prefix("/v1/exports").weight(5))
///     .headers(QuotaHeaders::new("X-Credits-Left", "X-Credits-Until"));
/// # drop(policy);
/// ```
#[derive(Debug)]
pub struct BudgetPolicy {
    matchers: Vec<RequestMatcher>,
    headers: QuotaHeaders,
    ledger: Mutex<Ledger>,
}

#[derive(Debug)]
struct Ledger {
    window: Window,
    server: ServerQuota,
    /// The latest moment given to a request. Later requests never get an earlier one: first come, first served.
    latest: Duration,
    /// How often the server's quota has changed.
    revision: u64,
}

/// A place in the queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// When the request may go.
    pub(super) at: Duration,
    /// The limit that set it.
    pub(super) rule: String,
    /// Whether the limit is the server's and not the policy's own.
    pub(super) by_server: bool,
    /// The state of the server's quota when the ticket was issued.
    revision: u64,
}

/// The server wants requests to wait longer than the caller is willing to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong {
    pub(super) delay: Duration,
    pub(super) rule: String,
}

impl BudgetPolicy {
    /// A limit for all requests.
    #[must_use]
    pub fn new(window: impl Into<Window>) -> Self {
        let ledger =
            Ledger { window: window.into(), server: ServerQuota::default(), latest: Duration::ZERO, revision: 0 };
        Self { matchers: Vec::new(), headers: QuotaHeaders::default(), ledger: Mutex::new(ledger) }
    }

    /// Restricts it to requests that match this matcher, or an earlier one.
    #[must_use]
    pub fn matching(mut self, matcher: RequestMatcher) -> Self {
        self.matchers.push(matcher);
        self
    }

    /// The headers that report the quota. Default: the usual ones, see [`QuotaHeaders`].
    #[must_use]
    pub fn headers(mut self, headers: QuotaHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// The weight of a request; `None` if the policy does not cover it.
    pub(super) fn weight_of(&self, request: &HttpRequest) -> Option<u32> {
        match self.matchers.is_empty() {
            true => Some(1),
            false => self.matchers.iter().find_map(|matcher| matcher.weight_of(request)),
        }
    }

    /// Issues a request's ticket, which it keeps: a later caller gets a later one. `patience` is the longest time that
    /// the server's quota may delay it.
    pub(super) fn ticket(&self, weight: u32, now: Duration, patience: Duration) -> Result<Ticket, TooLong> {
        let mut ledger = self.lock();
        let Ledger { window, server, latest, revision } = &mut *ledger;
        let mut at = now.max(*latest);
        let mut rule = None;
        let mut by_server = false;
        if let Some(said) = server.blocks(at, weight)
            && let delay = said.until.saturating_sub(now)
            && said.told
            && delay > patience
        {
            return Err(TooLong { delay, rule: server_rule(&said.words) });
        }
        loop {
            let fits = window.earliest(at, weight);
            if let Some(said) = server.blocks(fits, weight) {
                rule = Some(server_rule(&said.words));
                by_server = said.told;
                at = said.until;
                continue;
            }
            if fits > now && rule.is_none() {
                rule = Some(format!("the request budget allows {}", window.describe()));
            }
            window.take(fits, weight);
            server.take(fits, weight);
            *latest = fits;
            return Ok(Ticket { at: fits, rule: rule.unwrap_or_default(), by_server, revision: *revision });
        }
    }

    /// Whether the server has reported, since a ticket was issued, that there is no room for it at that time. Its share
    /// of the window is returned, and it needs a new ticket.
    pub(super) fn revokes(&self, ticket: &Ticket, weight: u32) -> bool {
        let mut ledger = self.lock();
        let revoked = ledger.revision != ticket.revision && ledger.server.blocks(ticket.at, weight).is_some();
        if revoked {
            ledger.window.give_back(ticket.at, weight);
        }
        revoked
    }

    /// The quota in a response.
    pub(super) fn read(&self, response: &Response, action: ResponseAction, now: Timestamp) -> Option<ServerSays> {
        self.headers.read(response, action, now)
    }

    /// Applies the server's quota.
    pub(super) fn book(&self, says: &ServerSays, elapsed: Duration) {
        let mut ledger = self.lock();
        let until = match says.reset {
            Some(reset) => elapsed.saturating_add(reset),
            None => ledger.window.reset(elapsed),
        };
        if says.reset.is_some() {
            ledger.window.ends_no_sooner_than(until, elapsed);
        }
        let words = format!("{}, for {} from then", says.words, seconds(until.saturating_sub(elapsed)));
        let until = (until, says.reset.is_some());
        ledger.revision += u64::from(ledger.server.tighten(says.remaining, until, words, elapsed));
    }

    /// The server's report was about credentials that are no longer used.
    pub(super) fn forget(&self) {
        self.lock().server.forget();
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        locks::lock(&self.ledger)
    }
}

fn server_rule(words: &str) -> String {
    format!("the server {words}")
}
