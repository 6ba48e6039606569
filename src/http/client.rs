//! The way of one request: sign, send, read, decode, judge; and when it did not work, wait and do it again. Reading
//! and decoding are inside the repeated part: a body that was cut short is a fault of the network like any other.
//! All counters of retries are here, in one place.

use std::sync::Arc;
use std::time::Duration;

use super::auth::Authenticator;
use super::budget::RequestBudget;
use super::cache::ResponseCache;
use super::{
    Backoff, HttpRequest, NetworkEnvironment, Outcome, RequestOptions, Response, ResponseAction, RetryObserver,
    RetryQuota, RetryRules, Transport, TransportError, Wait, server_hint,
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
    /// Who is told of waits.
    pub observer: &'a dyn RetryObserver,
    /// The limits the request has to keep to.
    pub budget: Option<&'a RequestBudget>,
    /// Whether the same request may be answered by a response from before, and this response is kept.
    pub cache: bool,
}

/// A good response whose body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// What is wrong with it.
    pub problem: String,
    /// Asking again may help: the body looks cut or garbled, not merely different from what was expected.
    pub retry: bool,
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
        if !exchange.cache {
            return self.fetch(exchange, decode);
        }
        let authenticator = exchange.authenticated.then_some(exchange.authenticator);
        let mut visit = self.cache.visit(exchange.request, authenticator, &*self.random, &self.output)?;
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
        let mut throttled = Duration::ZERO;
        loop {
            throttled += self.throttle(exchange)?;
            let (failure, reason, answer) = match self.attempt(exchange, retry + 1, decode)? {
                Attempt::Done(done) => {
                    self.quota.succeeded(host, paid);
                    return Ok(done);
                }
                Attempt::Failed { failure, reason, answer } => (failure, reason, answer),
            };
            if !answer.action.is_retry() {
                return Err(failure.into());
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
            let Some(cost) = self.quota.acquire(host, answer.answered) else {
                let why = format!("because too many requests to {host} failed: the retry quota is used up");
                return Err(gave_up(failure, &why).into());
            };
            paid = Some(cost);
            exchange.observer.waiting(&wait)?;
            self.clock.sleep(wait.delay);
        }
    }

    fn attempt<T>(
        &self,
        exchange: &Exchange<'_>,
        failed: u32,
        decode: &mut dyn FnMut(Response) -> Result<T, Box<(Response, Undecodable)>>,
    ) -> anyhow::Result<Attempt<T>> {
        let rules = exchange.rules;
        let mut sign = |request: &mut HttpRequest| match exchange.authenticated {
            true => exchange.authenticator.authenticate(request),
            false => Ok(()),
        };
        let started = self.clock.elapsed();
        let sent = self.transport.send(exchange.request, exchange.options, &mut sign);
        self.trace(exchange.request, &sent, self.clock.elapsed().saturating_sub(started))?;
        if let (Some(budget), Ok(response)) = (exchange.budget, &sent) {
            budget.observe(exchange.request, response, &*self.clock);
        }
        let response = match sent {
            Ok(response) => response,
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
                    answer: Answer { action, backoff_time, hint: None, answered: false },
                });
            }
        };
        let action = rules.response_action(&response);
        let answer = |response: &Response, action, outcome| Answer {
            action,
            backoff_time: rules.backoff_time(outcome, failed),
            hint: server_hint(response, self.clock.now()),
            answered: true,
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
    fn trace(&self, request: &HttpRequest, sent: &anyhow::Result<Response>, took: Duration) -> anyhow::Result<()> {
        if !self.output.logs(LogLevel::Debug) {
            return Ok(());
        }
        let result = match sent {
            Ok(response) => format!("{}, {} bytes", response.status, response.body.len()),
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

fn gave_up(mut failure: Failure, why: &str) -> Failure {
    failure.kind = FailureKind::Transient;
    failure.message = format!("{} Gave up {why}.", failure.message);
    failure
}

fn no_response(request: &HttpRequest, error: &TransportError) -> Failure {
    let target = match (request.url.host_str(), request.url.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        _ => request.url.to_string(),
    };
    let message = format!("{} got no response from {target}: {error}.", request.describe());
    Failure::new(error.kind, message).with_internal(format!("{error:?}"))
}

fn error_response(response: &Response, action: ResponseAction, rules: &dyn RetryRules) -> Failure {
    let kind = match action {
        ResponseAction::Fail(kind) => kind,
        _ => FailureKind::Transient,
    };
    let words = rules.error_message(response).map(|words| format!(": {}", words.trim_end_matches('.')));
    let hint = rules.error_hint(response).map(|hint| format!(" {hint}")).unwrap_or_default();
    let text = match words {
        Some(words) => format!("{} answered {}{words}.{hint}", response.request, response.status),
        None => format!("{}.{hint}", response.describe()),
    };
    Failure::new(kind, text).with_internal(response.describe()).with_http_status(response.status.as_u16())
}

fn unreadable(response: &Response, undecodable: &Undecodable) -> (ResponseAction, Failure) {
    // A page made for people is no API: sent by a login, a proxy, or the wrong host. It won't become JSON.
    let start = response.snippet().to_ascii_lowercase();
    let is_page = response.header("content-type").is_some_and(|kind| kind.contains("html"))
        || ["<html", "<!doctype html"].iter().any(|tag| start.starts_with(tag));
    let (action, kind, hint) = match undecodable.retry {
        _ if is_page => {
            let hint =
                " This is a web page, not an API: check the URL in the config, and any proxy or login on the way.";
            (ResponseAction::Fail(FailureKind::Config), FailureKind::Config, hint)
        }
        true => (ResponseAction::Retry, FailureKind::Transient, ""),
        false => {
            let hint = " The API has changed, or the URL in the config leads elsewhere.";
            (ResponseAction::Fail(FailureKind::System), FailureKind::System, hint)
        }
    };
    let text = format!("The response cannot be read: {}. {}.{hint}", undecodable.problem, response.describe());
    (action, Failure::new(kind, text))
}
