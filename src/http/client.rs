//! The path of one request: check the cache, attempt it, and after a failure wait and retry. All retry counters are in
//! this one place.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::attempt::{Answer, Attempt};
use super::auth::AuthContext;
use super::budget::ServerSays;
use super::cache::{Credential, ResponseCache};
use super::failures::{gave_up, quota_used_up, refused_again, time_used_up, too_long};
use super::told_waits::ToldWaits;
use super::url::authority;
use super::{
    Activity, Backoff, Exchange, HttpRequest, NetworkEnvironment, RequestBody, Response, ResponseAction, RetryQuota,
    Telling, Transport, Undecodable, Wait, Waits,
};
use crate::clock::{Clock, Random};
use crate::protocol::{LogLevel, Output};
use crate::stop::Stop;

/// Jitter on top of a server's hint, as a part of it: it spreads clients that should return at the same moment.
const HINT_JITTER: f64 = 0.1;

/// Retries of a request whose good response could not be read. It may have been garbled or truncated; an API that keeps
/// answering so has no other answer.
const MAX_UNREADABLE: u32 = 2;

/// Sends requests for all streams of a run.
#[derive(Debug)]
pub struct HttpClient {
    pub(super) transport: Transport,
    quota: RetryQuota,
    cache: ResponseCache,
    backoff: Backoff,
    pub(super) clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pub(super) output: Arc<Output>,
    stop: Stop,
    /// Hosts from which credentials were withheld, and that this was reported.
    pub(super) withheld: Mutex<HashSet<String>>,
    /// The waits that were reported.
    told_waits: ToldWaits,
    /// Whether it was reported that some requests cannot be cached.
    told_unnamed: AtomicBool,
}

impl HttpClient {
    /// A client that waits on `clock`, draws its jitter from `random`, and logs its requests at debug level.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>, output: Arc<Output>) -> Self {
        let (transport, quota) = (Transport::default(), RetryQuota::default());
        let cache = ResponseCache::default();
        Self {
            transport,
            quota,
            cache,
            backoff: Backoff::default(),
            clock,
            random,
            output,
            stop: Stop::default(),
            withheld: Mutex::default(),
            told_waits: ToldWaits::default(),
            told_unnamed: AtomicBool::new(false),
        }
    }

    /// Uses the proxies and trusted authorities of an environment. Default: an empty one.
    #[must_use]
    pub fn with_network(mut self, environment: NetworkEnvironment) -> Self {
        environment.register_secrets(self.output.redactor());
        self.transport = Transport::new(environment).with_stop(&self.stop);
        self
    }

    /// Ends its waits and its requests when a stop is requested. Default: nothing does.
    #[must_use]
    pub fn with_stop(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self.transport = self.transport.with_stop(stop);
        self
    }

    /// A client with the same network and clock that sends even after a stop: for last messages to an API, such as
    /// cancelling a job.
    pub(crate) fn without_stop(&self) -> Self {
        let client = Self::new(Arc::clone(&self.clock), Arc::clone(&self.random), Arc::clone(&self.output));
        Self { transport: self.transport.without_stop(), ..client }
    }

    /// Stores responses in that cache. Default: [`ResponseCache::default`].
    #[must_use]
    pub fn with_cache(mut self, cache: ResponseCache) -> Self {
        self.cache = cache;
        self
    }

    /// Sends a request until it succeeds or the rules say to stop, and decodes the response; or decodes the one in the
    /// cache. `None` is a response that the rules say to ignore.
    ///
    /// # Errors
    /// A [`crate::protocol::Failure`] inside, of the kind of the last attempt; or an error of the authenticator or
    /// observer.
    pub fn send<T>(
        &self,
        exchange: &Exchange<'_>,
        decode: &mut dyn FnMut(Response) -> Result<T, Box<(Response, Undecodable)>>,
    ) -> anyhow::Result<Option<T>> {
        self.stop.check()?;
        exchange.observer.alive()?;
        // The content of a streamed body is unknown, so no two such requests are equal.
        if !exchange.cache || matches!(exchange.request.body, RequestBody::Streamed(_)) {
            return self.fetch(exchange, decode);
        }
        let Some(credential) =
            Credential::of(exchange, &self.auth_context(exchange)).map_err(|error| self.name_setting(error))?
        else {
            if !self.told_unnamed.swap(true, Ordering::Relaxed) {
                let text = "The response cache is not used for requests whose signature changes each time: \
                            their authenticator has to return an identity().";
                self.output.log(LogLevel::Warn, text)?;
            }
            return self.fetch(exchange, decode);
        };
        let mut lookup = self.cache.lookup(exchange, &credential, &*self.random, &self.output);
        while let Some(response) = lookup.next()? {
            // A response that is good for one stream may not be for another.
            if exchange.rules.verdict(&response)?.action == ResponseAction::Success
                && let Ok(decoded) = decode(response)
            {
                exchange.observer.active(Activity::CacheHit);
                return Ok(Some(decoded));
            }
        }
        let done = self.fetch(exchange, &mut |response| {
            lookup.draft(&response);
            decode(response)
        });
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                lookup.fail(&error);
                return Err(error);
            }
        };
        if done.is_some() {
            lookup.keep()?;
        }
        Ok(done)
    }

    fn fetch<T>(
        &self,
        exchange: &Exchange<'_>,
        decode: &mut dyn FnMut(Response) -> Result<T, Box<(Response, Undecodable)>>,
    ) -> anyhow::Result<Option<T>> {
        let host = &authority(&exchange.request.url);
        let max_time = exchange.rules.max_time();
        let max_retries = exchange.rules.max_retries();
        let started = self.clock.elapsed();
        let mut paid = None;
        let mut retry = 0;
        let mut refreshed = false;
        let mut again = false;
        let mut throttled = Duration::ZERO;
        // Requests refused since the last wait, each with its credentials.
        let mut limited: Vec<Box<HttpRequest>> = Vec::new();
        let mut unreadable = 0;
        loop {
            let spent = self.clock.elapsed().saturating_sub(started).saturating_sub(throttled);
            throttled += self.throttle(exchange, max_time.saturating_sub(spent))?;
            exchange.observer.alive()?;
            exchange.observer.active(Activity::Attempt { again });
            again = true;
            let (failure, reason, mut answer) = match self.attempt(exchange, retry + 1, decode)? {
                Attempt::Done(done) => {
                    self.quota.succeeded(host, paid);
                    return Ok(done);
                }
                Attempt::Failed { failure, reason, answer } => (failure, reason, answer),
            };
            let action = answer.action;
            let spent = self.clock.elapsed().saturating_sub(started).saturating_sub(throttled);
            match action {
                ResponseAction::RefreshToken if refreshed => return Err(refused_again(failure).into()),
                ResponseAction::RefreshToken => {
                    refreshed = true;
                    if !self.refresh(exchange, &answer, &reason)? {
                        return Err(failure.into());
                    }
                    continue;
                }
                // It costs no wait and no retry, but it costs retry quota: a host that limits everyone is left alone.
                ResponseAction::RateLimited if self.rotate(exchange, &mut answer) => {
                    if spent > max_time {
                        return Err(gave_up(failure, &time_used_up(max_time)).into());
                    }
                    if let Some(signed) = answer.signed.take_if(|signed| !limited.contains(signed)) {
                        limited.push(signed);
                        paid = Some(self.pay(host, &answer).ok_or_else(|| quota_used_up(failure, host))?);
                        let request = exchange.request.describe();
                        let text = format!("{reason}: sending {request} again with other credentials.");
                        self.output.log(LogLevel::Info, &text)?;
                        continue;
                    }
                    // All have had their turn. However soon they are free again, it is time for a wait.
                    answer.hint = None;
                }
                _ if !action.is_retry() => return Err(failure.into()),
                _ => {}
            }
            unreadable += u32::from(answer.unreadable);
            if retry == max_retries || unreadable > MAX_UNREADABLE {
                return Err(gave_up(failure, &format!("after {} attempts", retry + 1)).into());
            }
            retry += 1;
            let mut wait = self.plan(exchange, &answer, reason, retry, spent);
            if wait.too_long {
                exchange.observer.waiting(&wait)?;
                let why = if spent < max_time { too_long(&wait, max_time) } else { time_used_up(max_time) };
                return Err(gave_up(failure, &why).into());
            }
            paid = Some(self.pay(host, &answer).ok_or_else(|| quota_used_up(failure, host))?);
            wait.telling = self.told_waits.telling(&wait, self.clock.elapsed());
            exchange.observer.waiting(&wait)?;
            self.waits(exchange).wait(wait.delay)?;
            limited.clear();
        }
    }

    /// Asks the authenticator for new credentials. True if the request should be sent again with them.
    fn refresh(&self, exchange: &Exchange<'_>, answer: &Answer, reason: &str) -> anyhow::Result<bool> {
        let Some(rejected) = &answer.signed else { return Ok(false) };
        let refreshed = exchange.authenticator.refresh(rejected, &self.auth_context(exchange))?;
        if refreshed {
            let text = format!("{reason}: sending {} again with new credentials.", exchange.request.describe());
            self.output.log(LogLevel::Info, &text)?;
        }
        Ok(refreshed)
    }

    /// Reports a rate limit to the authenticator, and to the budget unless it concerned replaced credentials. True if
    /// the request should be sent again at once with other credentials; if all are limited, the wait ends when some are
    /// free.
    fn rotate(&self, exchange: &Exchange<'_>, answer: &mut Answer) -> bool {
        let wait = answer.backoff_time.or(answer.hint.map(|(wait, _)| wait));
        let free_in = self.limited(exchange, answer.signed.as_deref(), wait);
        self.book(exchange, answer.says.take(), free_in);
        if let Some(free_in) = free_in.filter(|wait| !wait.is_zero()) {
            answer.backoff_time = None;
            answer.hint = Some((free_in, "limit on the credentials that are free first"));
        }
        free_in == Some(Duration::ZERO)
    }

    /// The wait until some credentials are free; `None` if the authenticator does not decide that.
    pub(super) fn limited(
        &self,
        exchange: &Exchange<'_>,
        signed: Option<&HttpRequest>,
        wait: Option<Duration>,
    ) -> Option<Duration> {
        exchange.authenticator.rate_limited(signed?, wait, &self.auth_context(exchange))
    }

    /// Reports the server's quota to the budget; `free_in` is when other credentials take over.
    pub(super) fn book(&self, exchange: &Exchange<'_>, says: Option<ServerSays>, free_in: Option<Duration>) {
        let Some(budget) = exchange.budget else { return };
        match (says, free_in) {
            (_, Some(Duration::ZERO)) => budget.forget(exchange.request),
            (Some(mut says), _) => {
                says.reset = free_in.or(says.reset);
                budget.book(exchange.request, &says, &*self.clock);
            }
            (None, _) => {}
        }
    }

    fn pay(&self, host: &str, answer: &Answer) -> Option<u32> {
        self.quota.acquire(host, answer.answered)
    }

    pub(super) fn auth_context<'a>(&'a self, exchange: &Exchange<'a>) -> AuthContext<'a> {
        AuthContext::new(self, exchange.options, exchange.observer)
    }

    /// Names the config setting with the unsendable text, if it can be determined.
    pub(crate) fn name_setting(&self, error: anyhow::Error) -> anyhow::Error {
        super::sendable::name_setting(error, self.output.redactor())
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// Waits until the budget allows an attempt; `patience` bounds the waits that the server imposes. Returns the time
    /// that does not count as the request's.
    fn throttle(&self, exchange: &Exchange<'_>, patience: Duration) -> anyhow::Result<Duration> {
        exchange
            .budget
            .map_or(Ok(Duration::ZERO), |budget| budget.acquire(exchange.request, patience, &self.waits(exchange)))
    }

    fn waits<'a>(&'a self, exchange: &Exchange<'a>) -> Waits<'a> {
        Waits { clock: &*self.clock, stop: &self.stop, observer: exchange.observer }
    }

    /// The wait and its source: the stream, the server, or the backoff.
    fn plan(&self, exchange: &Exchange<'_>, answer: &Answer, reason: String, retry: u32, spent: Duration) -> Wait {
        let left = exchange.rules.max_time().saturating_sub(spent);
        let (delay, rule) = if let Some(delay) = answer.backoff_time {
            (delay, "the stream's own backoff_time".to_owned())
        } else if let Some((floor, header)) = answer.hint {
            // The server's hint is a minimum; up to a tenth is added, while there is time.
            let delay = floor.max(self.backoff.draw(retry, &*self.random));
            let delay = delay.saturating_add(delay.mul_f64(HINT_JITTER * self.random.fraction()));
            let delay = if floor <= left { delay.min(left) } else { delay };
            (delay, format!("the server's {header}"))
        } else {
            let bound = self.backoff.bound(retry).as_secs_f64();
            (self.backoff.draw(retry, &*self.random), format!("backoff with full jitter up to {bound} s"))
        };
        let quota_reset =
            (answer.action == ResponseAction::RateLimited).then(|| self.clock.now().checked_add(delay).ok()).flatten();
        Wait {
            request: exchange.request.describe(),
            reason,
            delay,
            rule,
            retry,
            max_retries: exchange.rules.max_retries(),
            quota_reset,
            too_long: delay > left || left.is_zero(),
            telling: Telling::Silent,
        }
    }
}
