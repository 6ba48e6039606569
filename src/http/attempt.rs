//! One attempt of a request: sign, send, read, decode, judge. Reading and decoding are part of it: a body that was cut
//! short is a fault of the network like any other, and is attempted again.

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

/// What an attempt came to.
pub(super) enum Attempt<T> {
    Done(Option<T>),
    Failed { failure: Failure, reason: String, answer: Box<Answer> },
}

/// What of a failed attempt the retry decision needs.
pub(super) struct Answer {
    pub(super) action: ResponseAction,
    /// A wait the stream asks for.
    pub(super) backoff_time: Option<Duration>,
    /// A wait the server asks for, and the header it does so in.
    pub(super) hint: Option<(Duration, &'static str)>,
    pub(super) answered: bool,
    /// The response was good, and its body made no sense.
    pub(super) unreadable: bool,
    /// What a rate limit says of the quota. Who it is about is not known before the authenticator was asked.
    pub(super) says: Option<ServerSays>,
    /// The request with the credentials that were answered so.
    pub(super) signed: Option<Box<HttpRequest>>,
}

/// Decodes a response, unless it is in a coding that nobody here can undo.
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

/// An attempt that no response came back for.
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
    /// Attempts a request, `failed` attempts having been made before it, this one counted.
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
        // An error of this kind comes back with the next line that is written.
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
            // The last request of a quota that is these credentials' own.
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

    /// Tells, once for each host, that a request goes there without credentials.
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
}
