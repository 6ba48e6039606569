//! One attempt of a request: sign, send, read, decode, judge. Reading and decoding are included because a truncated
//! body is a network fault like any other, and is retried.

use std::io;
use std::time::Duration;

use url::Url;

use super::budget::ServerSays;
use super::failures::{error_response, no_response, unreadable};
use super::url::authority;
use super::{
    Activity, Exchange, HttpClient, HttpRequest, Outcome, Response, ResponseAction, Sent, TransportError, Undecodable,
    content_coding, server_hint,
};
use crate::locks;
use crate::protocol::{Failure, FailureKind, LogLevel};

/// The result of an attempt.
pub(super) enum Attempt<T> {
    Done(Option<T>),
    Failed { failure: Failure, reason: String, answer: Box<Answer> },
}

/// The parts of a failed attempt that the retry decision needs.
pub(super) struct Answer {
    pub(super) action: ResponseAction,
    /// A wait that the stream asks for.
    pub(super) backoff_time: Option<Duration>,
    /// A wait that the server asks for, and its header.
    pub(super) hint: Option<(Duration, &'static str)>,
    pub(super) answered: bool,
    /// The response was good, but its body could not be decoded.
    pub(super) unreadable: bool,
    /// The quota in a rate limit response. Its owner is unknown until the authenticator is asked.
    pub(super) says: Option<ServerSays>,
    /// The request with the credentials of that attempt.
    pub(super) signed: Option<Box<HttpRequest>>,
}

/// Decodes a response, unless its content coding is unsupported.
fn decode_known<T>(
    response: Response,
    decode: &mut dyn FnMut(Response) -> Result<T, Box<(Response, Undecodable)>>,
) -> Result<T, Box<(Response, Undecodable)>> {
    match content_coding::foreign(&response.headers) {
        Some(coding) if !response.body.is_empty() => {
            let problem = format!("its content coding is {coding}, which is not supported");
            Err(Box::new((response, Undecodable { problem, retry: false })))
        }
        _ => decode(response),
    }
}

/// An attempt without a response.
fn unanswered<T>(exchange: &Exchange<'_>, error: &TransportError, failed: u32) -> anyhow::Result<Attempt<T>> {
    let action = match error.kind {
        FailureKind::Transient => ResponseAction::Retry,
        kind => ResponseAction::Fail(kind),
    };
    let outcome = Outcome::NoResponse(error);
    let backoff_time = if action.is_retry() { exchange.rules.backoff_time(outcome, failed)? } else { None };
    Ok(Attempt::Failed {
        failure: no_response(exchange.request, error),
        reason: error.to_string(),
        answer: Box::new(Answer {
            action,
            backoff_time,
            hint: None,
            answered: false,
            unreadable: false,
            says: None,
            signed: None,
        }),
    })
}

impl HttpClient {
    /// Attempts a request after `failed` attempts, including this one.
    pub(super) fn attempt<T>(
        &self,
        exchange: &Exchange<'_>,
        failed: u32,
        decode: &mut dyn FnMut(Response) -> Result<T, Box<(Response, Undecodable)>>,
    ) -> anyhow::Result<Attempt<T>> {
        let (rules, cx) = (exchange.rules, self.auth_context(exchange));
        let host = &authority(&exchange.request.url);
        let mut sign = |request: &mut HttpRequest| match exchange.authenticated {
            true => {
                let signed = exchange.authenticator.authenticate(request, &cx).map(|()| true);
                // It may have asked another host.
                exchange.observer.asking(Some(host));
                signed.map_err(|error| self.name_setting(error))
            }
            false => Ok(false),
        };
        let started = self.clock.elapsed();
        // An error of this kind recurs when the next line is written.
        let alive = || {
            exchange.observer.asking(Some(host));
            drop(exchange.observer.alive());
        };
        exchange.observer.asking(Some(host));
        let sent = self.transport.send(
            exchange.request,
            exchange.options,
            &mut sign,
            &|redirect| rules.redirected(redirect),
            &alive,
        );
        exchange.observer.asking(None);
        self.trace(exchange.request, &sent, self.clock.elapsed().saturating_sub(started))?;
        let Sent { response, signed, withheld } = match sent {
            Ok(sent) => {
                exchange.observer.active(Activity::Received { bytes: sent.response.body.len() });
                sent
            }
            Err(error) => return unanswered(exchange, &error.downcast()?, failed),
        };
        if withheld && let Some(url) = response.url() {
            self.tell_withheld(&url)?;
        }
        if let Some(signed) = &signed {
            exchange.authenticator.answered(signed, &response, &cx);
        }
        let verdict = rules.verdict(&response)?;
        let action = verdict.action;
        let now = self.clock.now();
        let mut says = exchange.budget.and_then(|budget| budget.read(exchange.request, &response, action, now));
        if action != ResponseAction::RateLimited {
            let says = says.take();
            // The last request in a quota of these credentials alone.
            let empty = says.as_ref().filter(|says| says.remaining == 0);
            let free_in = empty.and_then(|says| self.limited(exchange, signed.as_ref(), says.reset));
            self.book(exchange, says, free_in);
        }
        let answer = |response: &Response, action: ResponseAction, outcome| {
            let backoff_time = if action.is_retry() { rules.backoff_time(outcome, failed)? } else { None };
            Ok::<_, Failure>(Box::new(Answer {
                action,
                backoff_time,
                hint: server_hint(response, action, now),
                answered: true,
                unreadable: false,
                says,
                signed: signed.map(Box::new),
            }))
        };
        match action {
            ResponseAction::Ignore => Ok(Attempt::Done(None)),
            ResponseAction::Success => match decode_known(response, decode) {
                Ok(decoded) => Ok(Attempt::Done(Some(decoded))),
                Err(returned) => {
                    let (response, undecodable) = *returned;
                    let (action, failure) = unreadable(&response, &undecodable);
                    let mut answer = answer(&response, action, Outcome::Undecodable(&response))?;
                    answer.unreadable = true;
                    Ok(Attempt::Failed {
                        failure,
                        reason: format!("the response cannot be read: {}", undecodable.problem),
                        answer,
                    })
                }
            },
            _ => Ok(Attempt::Failed {
                failure: error_response(&response, verdict),
                reason: format!("HTTP {}", response.status),
                answer: answer(&response, action, Outcome::Response(&response))?,
            }),
        }
    }

    /// Warns, once for each host, that a request goes there without credentials.
    ///
    /// # Errors
    /// If stdout is closed.
    pub(crate) fn tell_withheld(&self, url: &Url) -> io::Result<()> {
        let host = authority(url);
        let is_new = locks::lock(&self.withheld).insert(host.clone());
        if !is_new {
            return Ok(());
        }
        let text = format!("Requests to {host} are sent without credentials, which belong to another host.");
        self.output.log(LogLevel::Info, &text)
    }

    /// Logs one debug line an attempt.
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
}
