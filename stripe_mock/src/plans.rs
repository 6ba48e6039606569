//! Replies that replace an answer: planned faults, refusals, limits.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::api_error::ApiError;
use super::target::is_at;
use source_http::clock::Clock;
use source_http_testkit::server::{Reply, Request};

/// How often each path was requested, and its plans.
#[derive(Default)]
pub(super) struct Plans {
    counts: HashMap<String, u64>,
    faults: HashMap<(String, u64), Reply>,
    /// Path, number of hits that answer 429, and their `Retry-After`.
    limited: Vec<(String, u64, u64)>,
    /// Path, status, and the message if it is not about a missing permission.
    refused: Vec<(String, u16, Option<String>)>,
    /// Requests that are refused, the account's or those about one object.
    refusals: Vec<Refusal>,
    /// Paths whose next N pages begin after an object that is deleted just before.
    deleting: Vec<(String, u64)>,
    rate: Option<Rate>,
}

/// A refusal with its own message.
struct Refusal {
    /// As given: a path, with a query or without.
    target: String,
    status: u16,
    code: Option<String>,
    message: String,
}

impl Refusal {
    /// Whether a request matches the target: its path matches, and it has each of the parameters.
    fn concerns(&self, request: &Request) -> bool {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut params = query.split('&').filter_map(|pair| pair.split_once('='));
        (path == EVERYTHING || is_at(&request.path, path))
            && params.all(|(name, value)| request.param(name) == Some(value))
    }
}

/// The target of a refusal of every request.
pub(super) const EVERYTHING: &str = "*";

/// How many requests are accepted within any second.
struct Rate {
    limit: usize,
    clock: Arc<dyn Clock>,
    /// The times of the last second's requests.
    admitted: VecDeque<Duration>,
}

impl Plans {
    /// Plans the reply to the n-th hit of the path, counted from 1.
    pub(super) fn plan(&mut self, path: &str, hit: u64, reply: Reply) {
        self.faults.insert((path.to_owned(), hit), reply);
    }

    /// Plans the reply to the next hit of the path that has no plan yet.
    pub(super) fn plan_next(&mut self, path: &str, reply: Reply) {
        let mut hit = self.counts.get(path).copied().unwrap_or(0) + 1;
        while self.faults.contains_key(&(path.to_owned(), hit)) {
            hit += 1;
        }
        self.plan(path, hit, reply);
    }

    /// Lets the first hits of the path fail with 429.
    pub(super) fn limit(&mut self, path: &str, hits: u64, retry_after: u64) {
        self.limited.push((path.to_owned(), hits, retry_after));
    }

    /// Accepts no more than this many requests within any second of the clock.
    pub(super) fn limit_rate(&mut self, limit: usize, clock: Arc<dyn Clock>) {
        self.rate = Some(Rate { limit, clock, admitted: VecDeque::new() });
    }

    /// Refuses a path from now on.
    pub(super) fn refuse(&mut self, path: &str, status: u16, message: Option<&str>) {
        self.allow(path);
        self.refused.push((path.to_owned(), status, message.map(str::to_owned)));
    }

    /// Ends the refusal of a path.
    pub(super) fn allow(&mut self, path: &str) {
        self.refused.retain(|(refused, ..)| refused != path);
        self.refusals.retain(|refusal| refusal.target != path);
    }

    /// Refuses the requests for a target from now on, with this message.
    pub(super) fn refuse_in_words(&mut self, target: &str, status: u16, code: Option<&str>, message: &str) {
        self.allow(target);
        let (target, code, message) = (target.to_owned(), code.map(str::to_owned), message.to_owned());
        self.refusals.push(Refusal { target, status, code, message });
    }

    /// Lets the next N pages of a path begin after an object that is gone.
    pub(super) fn delete_cursors(&mut self, path: &str, pages: u64) {
        self.deleting.push((path.to_owned(), pages));
    }

    /// Whether to delete first the object after which a page of this path begins.
    pub(super) fn deletes_cursor(&mut self, path: &str) -> bool {
        let Some((_, left)) = self.deleting.iter_mut().find(|(at, left)| *left > 0 && is_at(path, at)) else {
            return false;
        };
        *left -= 1;
        true
    }

    /// Counts a request. Returns its planned reply, or an error.
    pub(super) fn hit(&mut self, path: &str) -> Result<Option<Reply>, ApiError> {
        let count = self.counts.entry(path.to_owned()).or_default();
        *count += 1;
        let hit = *count;
        if let Some(planned) = self.faults.remove(&(path.to_owned(), hit)) {
            return Ok(Some(planned));
        }
        match self.limited.iter().find(|(limited, ..)| limited == path) {
            Some((_, hits, retry_after)) if hit <= *hits => Err(ApiError::rate_limited(Some(*retry_after))),
            _ => Ok(None),
        }
    }

    /// Whether a request with a valid key is accepted.
    pub(super) fn admit(&mut self, request: &Request) -> Result<(), ApiError> {
        let path = request.path.as_str();
        if self.rate.as_mut().is_some_and(|rate| !rate.admits()) {
            return Err(ApiError::rate_limited(None));
        }
        if let Some(Refusal { status, code, message, .. }) =
            self.refusals.iter().find(|refusal| refusal.concerns(request))
        {
            return Err(ApiError::in_words(*status, code.as_deref(), message));
        }
        match self.refused.iter().find(|(refused, ..)| is_at(path, refused)) {
            Some((_, status, message)) => Err(ApiError::refused(*status, path, message.as_deref())),
            None => Ok(()),
        }
    }
}

impl Rate {
    fn admits(&mut self) -> bool {
        let now = self.clock.elapsed();
        while self.admitted.front().is_some_and(|earliest| now.saturating_sub(*earliest) >= Duration::from_secs(1)) {
            self.admitted.pop_front();
        }
        let admits = self.admitted.len() < self.limit;
        if admits {
            self.admitted.push_back(now);
        }
        admits
    }
}
