//! The way of one request: sign, send, read, decode, judge; and when it did not work, wait and do it again. Reading
//! and decoding are inside the repeated part: a body that was cut short is a fault of the network like any other.
//! All counters of retries are here, in one place.

use std::sync::Arc;
use std::time::Duration;

use super::auth::AuthContext;
use super::cache::{Credential, ResponseCache};
use super::failures::{error_response, gave_up, no_response, quota_used_up, refused_again, unreadable};
use super::{
    Backoff, Exchange, HttpRequest, NetworkEnvironment, Outcome, RequestBody, Response, ResponseAction, RetryQuota,
    Sent, Transport, TransportError, Undecodable, Wait, server_hint,
};
use crate::clock::{Clock, Random};
use crate::protocol::{Failure, FailureKind, LogLevel, Output};

/// Jitter on top of a server's hint, as a part of it: clients told to come back at the same moment spread out.
const HINT_JITTER: f64 = 0.1;

/// Sends requests for all streams of a run.
#[derive(Debug)]
pub struct HttpClient {
    transport: Transport,
    quota: RetryQuota,
    cache: ResponseCache,
    backoff: Backoff,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    output: Arc<Output>,
}

/// What an attempt came to.
enum Attempt<T> {
    Done(Option<T>),
    Failed { failure: Failure, reason: String, answer: Answer },
}

/// What of a failed attempt the retry decision needs.
struct Answer {
    action: ResponseAction,
    /// A wait the stream asks for.
    backoff_time: Option<Duration>,
    /// A wait the server asks for, and the header it does so in.
    hint: Option<(Duration, &'static str)>,
    answered: bool,
    /// The request with the credentials that were answered so.
    signed: Option<Box<HttpRequest>>,
}

impl HttpClient {
    /// A client that waits on `clock`, draws its jitter from `random`, and tells of its requests at debug level.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>, output: Arc<Output>) -> Self {
        let (transport, quota) = (Transport::default(), RetryQuota::default());
        let cache = ResponseCache::default();
        Self { transport, quota, cache, backoff: Backoff::default(), clock, random, output }
    }

    /// With the proxies and trusted authorities of an environment. Default: one that is empty.
    #[must_use]
    pub fn with_network(mut self, environment: NetworkEnvironment) -> Self {
        environment.register_secrets(self.output.redactor());
        self.transport = Transport::new(environment);
        self
    }

    /// Keeps responses in that cache. Default: [`ResponseCache::default`].
    #[must_use]
    pub fn with_cache(mut self, cache: ResponseCache) -> Self {
        self.cache = cache;
        self
    }

    /// Sends a request until it succeeds or the rules say to stop, and decodes the response; or decodes the one that
    /// is kept in the cache. `None` is a response that the rules say to ignore.
    ///
    /// # Errors
    /// A [`Failure`] inside, of the kind the last attempt calls for; or an error of the authenticator or observer.
    pub fn send<T>(
        &self,
        exchange: &Exchange<'_>,
        decode: &mut dyn FnMut(Response) -> Result<T, Box<(Response, Undecodable)>>,
    ) -> anyhow::Result<Option<T>> {
        // What a streamed body holds is not known, so no two requests with one are the same.
        if !exchange.cache || matches!(exchange.request.body, RequestBody::Streamed(_)) {
            return self.fetch(exchange, decode);
        }
        let credential = Credential::of(exchange, &self.auth_context(exchange))?;
        let mut visit = self.cache.visit(exchange.request, &credential, &*self.random, &self.output);
        while let Some(response) = visit.next()? {
            // What was good for one stream may not be for another.
            if exchange.rules.response_action(&response) == ResponseAction::Success
                && let Ok(decoded) = decode(response)
            {
                return Ok(Some(decoded));
            }
        }
        let done = self.fetch(exchange, &mut |response| {
            visit.draft(&response);
            decode(response)
        })?;
        if done.is_some() {
            visit.keep()?;
        }
        Ok(done)
    }

    fn fetch<T>(
        &self,
        exchange: &Exchange<'_>,
        decode: &mut dyn FnMut(Response) -> Result<T, Box<(Response, Undecodable)>>,
    ) -> anyhow::Result<Option<T>> {
        let host = exchange.request.url.host_str().unwrap_or_default();
        let max_retries = exchange.rules.max_retries();
        let started = self.clock.elapsed();
        let mut paid = None;
        let mut retry = 0;
        let mut refreshed = false;
        let mut throttled = Duration::ZERO;
        loop {
            throttled += self.throttle(exchange)?;
            let (failure, reason, mut answer) = match self.attempt(exchange, retry + 1, decode)? {
                Attempt::Done(done) => {
                    self.quota.succeeded(host, paid);
                    return Ok(done);
                }
                Attempt::Failed { failure, reason, answer } => (failure, reason, answer),
            };
            let action = answer.action;
            match action {
                ResponseAction::RefreshToken if refreshed => return Err(refused_again(failure).into()),
                ResponseAction::RefreshToken => {
                    refreshed = true;
                    if !self.refresh(exchange, &answer, &reason)? {
                        return Err(failure.into());
                    }
                    continue;
                }
                // It costs no wait and none of the retries, but the quota: a host that limits everyone is left alone.
                ResponseAction::RateLimited if self.rotate(exchange, &mut answer, &reason)? => {
                    paid = Some(self.pay(host, &answer).ok_or_else(|| quota_used_up(failure, host))?);
                    continue;
                }
                _ if !action.is_retry() => return Err(failure.into()),
                _ => {}
            }
            if retry == max_retries {
                return Err(gave_up(failure, &format!("after {} attempts", retry + 1)).into());
            }
            retry += 1;
            let spent = self.clock.elapsed().saturating_sub(started).saturating_sub(throttled);
            let wait = self.plan(exchange, &answer, reason, retry, spent);
            if wait.too_long {
                exchange.observer.waiting(&wait)?;
                let limit = exchange.rules.max_time().as_secs();
                let why = format!(
                    "because the next attempt would be in {:.0} s ({}), past the {limit} s that one request may take",
                    wait.delay.as_secs_f64(),
                    wait.rule
                );
                return Err(gave_up(failure, &why).into());
            }
            paid = Some(self.pay(host, &answer).ok_or_else(|| quota_used_up(failure, host))?);
            exchange.observer.waiting(&wait)?;
            self.clock.sleep(wait.delay);
        }
    }

    /// Asks the authenticator for new credentials. True if the request is to be sent again with them.
    fn refresh(&self, exchange: &Exchange<'_>, answer: &Answer, reason: &str) -> anyhow::Result<bool> {
        let Some(rejected) = &answer.signed else { return Ok(false) };
        let refreshed = exchange.authenticator.refresh(rejected, &self.auth_context(exchange))?;
        if refreshed {
            let text = format!("{reason}: sending {} again with new credentials.", exchange.request.describe());
            self.output.log(LogLevel::Info, &text)?;
        }
        Ok(refreshed)
    }

    /// Tells the authenticator of a rate limit. True if the request is to be sent again at once with other credentials;
    /// if all are limited, the wait becomes the one until some are free.
    fn rotate(&self, exchange: &Exchange<'_>, answer: &mut Answer, reason: &str) -> anyhow::Result<bool> {
        let Some(limited) = &answer.signed else { return Ok(false) };
        let wait = answer.backoff_time.or(answer.hint.map(|(wait, _)| wait));
        match exchange.authenticator.rate_limited(limited, wait, &self.auth_context(exchange)) {
            None => Ok(false),
            Some(Duration::ZERO) => {
                let text = format!("{reason}: sending {} again with other credentials.", exchange.request.describe());
                self.output.log(LogLevel::Info, &text)?;
                Ok(true)
            }
            Some(free_in) => {
                answer.backoff_time = None;
                answer.hint = Some((free_in, "limit on the credentials that are free first"));
                Ok(false)
            }
        }
    }

    fn pay(&self, host: &str, answer: &Answer) -> Option<u32> {
        self.quota.acquire(host, answer.answered)
    }

    fn auth_context<'a>(&'a self, exchange: &Exchange<'a>) -> AuthContext<'a> {
        AuthContext::new(self, exchange.options, exchange.observer)
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn output(&self) -> &Output {
        &self.output
    }

    fn attempt<T>(
        &self,
        exchange: &Exchange<'_>,
        failed: u32,
        decode: &mut dyn FnMut(Response) -> Result<T, Box<(Response, Undecodable)>>,
    ) -> anyhow::Result<Attempt<T>> {
        let rules = exchange.rules;
        let cx = self.auth_context(exchange);
        let mut sign = |request: &mut HttpRequest| match exchange.authenticated {
            true => exchange.authenticator.authenticate(request, &cx).map(|()| true),
            false => Ok(false),
        };
        let started = self.clock.elapsed();
        let sent = self.transport.send(exchange.request, exchange.options, &mut sign);
        self.trace(exchange.request, &sent, self.clock.elapsed().saturating_sub(started))?;
        if let (Some(budget), Ok(Sent { response, .. })) = (exchange.budget, &sent) {
            budget.observe(exchange.request, response, &*self.clock);
        }
        let Sent { response, signed } = match sent {
            Ok(sent) => sent,
            Err(error) => {
                let error: TransportError = error.downcast()?;
                let action = match error.kind {
                    FailureKind::Transient => ResponseAction::Retry,
                    kind => ResponseAction::Fail(kind),
                };
                let backoff_time = rules.backoff_time(Outcome::NoResponse(&error), failed);
                return Ok(Attempt::Failed {
                    failure: no_response(exchange.request, &error),
                    reason: error.to_string(),
                    answer: Answer { action, backoff_time, hint: None, answered: false, signed: None },
                });
            }
        };
        let action = rules.response_action(&response);
        let answer = |response: &Response, action, outcome| Answer {
            action,
            backoff_time: rules.backoff_time(outcome, failed),
            hint: server_hint(response, self.clock.now()),
            answered: true,
            signed: signed.map(Box::new),
        };
        match action {
            ResponseAction::Ignore => Ok(Attempt::Done(None)),
            ResponseAction::Success => match decode(response) {
                Ok(decoded) => Ok(Attempt::Done(Some(decoded))),
                Err(returned) => {
                    let (response, undecodable) = *returned;
                    let (action, failure) = unreadable(&response, &undecodable);
                    let answer = answer(&response, action, Outcome::Undecodable(&response));
                    Ok(Attempt::Failed {
                        failure,
                        reason: format!("the response cannot be read: {}", undecodable.problem),
                        answer,
                    })
                }
            },
            _ => Ok(Attempt::Failed {
                failure: error_response(&response, action, rules),
                reason: format!("HTTP {}", response.status),
                answer: answer(&response, action, Outcome::Response(&response)),
            }),
        }
    }

    /// Waits until the budget lets an attempt through. Returns the time waited, which does not count as the request's.
    fn throttle(&self, exchange: &Exchange<'_>) -> anyhow::Result<Duration> {
        exchange.budget.map_or(Ok(Duration::ZERO), |budget| {
            budget.acquire(exchange.request, exchange.rules.max_time(), &*self.clock, exchange.observer)
        })
    }

    /// One debug line an attempt.
    fn trace(&self, request: &HttpRequest, sent: &anyhow::Result<Sent>, took: Duration) -> anyhow::Result<()> {
        if !self.output.logs(LogLevel::Debug) {
            return Ok(());
        }
        let result = match sent {
            Ok(Sent { response, .. }) => format!("{}, {} bytes", response.status, response.body.len()),
            Err(error) => error.to_string(),
        };
        let line = format!("{}: {result} in {} ms", request.describe(), took.as_millis());
        Ok(self.output.log(LogLevel::Debug, &line)?)
    }

    /// How long to wait and whose rule it is: the stream's, the server's, or the backoff's.
    fn plan(&self, exchange: &Exchange<'_>, answer: &Answer, reason: String, retry: u32, spent: Duration) -> Wait {
        let (delay, rule) = if let Some(delay) = answer.backoff_time {
            (delay, "the stream's own backoff_time".to_owned())
        } else if let Some((floor, header)) = answer.hint {
            // A floor, never cut short; a tenth on top at most.
            let floor = floor.max(self.backoff.draw(retry, &*self.random));
            (
                floor.saturating_add(floor.mul_f64(HINT_JITTER * self.random.fraction())),
                format!("the server's {header}"),
            )
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
            too_long: spent.saturating_add(delay) > exchange.rules.max_time(),
        }
    }
}
