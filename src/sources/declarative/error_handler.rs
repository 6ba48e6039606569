//! What to do about a response: `DefaultErrorHandler` and `CompositeErrorHandler`. Filters are tried in order, for good
//! responses, too; the first match with an action decides, otherwise the status.

mod backoff;
mod filter;
mod message;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use self::backoff::Strategy;
use self::filter::{Filter, Seen};
pub(super) use self::verdict::Verdict;
use self::verdict::by_status;
use super::cookies::Cookies;
use super::part::{Builder, Part};
use super::placed::Env;
use super::template::Literal;
use crate::http::{self, Outcome, Response, ResponseAction, RetryRules, server_hint};
use crate::protocol::{Failure, Otherwise};

/// Retries by default.
const MAX_RETRIES: u32 = 5;

/// Time limit for one request when the manifest sets waits: a daily quota is no fault of this program, but nobody
/// intends to wait a week.
const LONGEST_WITH_WAITS: Duration = Duration::from_secs(25 * 3600);

/// The error handler of a requester.
#[derive(Debug)]
pub(super) struct ErrorHandler {
    handlers: Vec<Vec<Filter>>,
    strategies: Vec<Strategy>,
    max_retries: u32,
    env: Arc<Env>,
    /// Stores the cookies of each response.
    pub(super) cookies: Option<Arc<Cookies>>,
}

impl RetryRules for ErrorHandler {
    fn verdict(&self, response: &Response) -> Result<http::Verdict, Failure> {
        if let Some(cookies) = &self.cookies {
            cookies.keep(response);
        }
        let Verdict { action, kind, message, hint } = self.verdict(response)?;
        let action = match action {
            ResponseAction::Fail(_) => ResponseAction::Fail(kind),
            action => action,
        };
        let mut verdict = http::Verdict::for_status(response.status);
        verdict.action = action;
        verdict.message = message;
        verdict.hint = hint.or(verdict.hint);
        Ok(verdict)
    }

    fn redirected(&self, response: &Response) {
        if let Some(cookies) = &self.cookies {
            cookies.keep(response);
        }
    }

    fn backoff_time(&self, outcome: Outcome<'_>, failed: u32) -> Result<Option<Duration>, Failure> {
        self.wait(outcome.response(), failed)
    }

    fn max_retries(&self) -> u32 {
        self.max_retries()
    }

    fn max_time(&self) -> Duration {
        if self.has_waits() { LONGEST_WITH_WAITS } else { http::UsualRules.max_time() }
    }
}

impl ErrorHandler {
    /// The error handler that a part describes; the default without one.
    pub(super) fn build(builder: &Builder<'_>, part: Option<&Part<'_>>) -> Option<Self> {
        let env = Arc::clone(&builder.env);
        let (handlers, strategies) = (Vec::new(), Vec::new());
        let mut handler = Self { handlers, strategies, max_retries: MAX_RETRIES, env, cookies: None };
        if let Some(part) = part {
            handler.add_all(builder, part)?;
        }
        Some(handler)
    }

    /// Adds the handlers that a part has, in the order in which they are asked. A list within a list gives the same
    /// verdicts as its handlers in its place.
    fn add_all(&mut self, builder: &Builder<'_>, part: &Part<'_>) -> Option<()> {
        match part.kind() {
            "DefaultErrorHandler" => {
                let retries = self.add(builder, part)?;
                if self.handlers.len() == 1 {
                    self.max_retries = retries;
                } else {
                    self.tell_unreachable(builder, part);
                }
            }
            "CompositeErrorHandler" => {
                let list = part.field("error_handlers").filter(|list| list.items().next().is_some());
                let Some(list) = list else {
                    builder.error(part, "it has no `error_handlers`: add a DefaultErrorHandler");
                    return None;
                };
                for item in list.items() {
                    self.add_all(builder, &item)?;
                }
            }
            other => {
                builder.refuse(part, &format!("the error handler `{other}`"));
                return None;
            }
        }
        Some(())
    }

    /// Adds one handler, and returns its number of retries.
    fn add(&mut self, builder: &Builder<'_>, part: &Part<'_>) -> Option<u32> {
        let filters = part.field("response_filters");
        let filters: Option<Vec<_>> = match &filters {
            Some(list) => list.items().map(|item| Filter::build(builder, &item)).collect(),
            None => Some(Vec::new()),
        };
        let strategies = part.field("backoff_strategies");
        let strategies: Option<Vec<_>> = match &strategies {
            Some(list) => list.items().map(|item| Strategy::build(builder, &item)).collect(),
            None => Some(Vec::new()),
        };
        let retries = match part.field("max_retries") {
            Some(field) => max_retries(builder, &field),
            None => Some(MAX_RETRIES),
        };
        self.handlers.push(filters?);
        self.strategies.extend(strategies?);
        retries
    }

    /// Warns of filters of the last handler that never run, because an earlier handler has decided by the status.
    fn tell_unreachable(&self, builder: &Builder<'_>, part: &Part<'_>) {
        let last = self.handlers.last().into_iter().flatten();
        for filter in last.filter(|filter| filter.action.is_some() && filter.only_codes()) {
            let decided: Vec<_> = filter.codes.iter().filter(|code| ends_search(by_status(**code).action)).collect();
            if !decided.is_empty() && decided.len() == filter.codes.len() {
                let codes = decided.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let what = "the handlers before this one decide by the status, so this filter never runs";
                builder.warn(part, format!("{what} ({codes}). Put it in the first handler"));
            }
        }
    }

    /// What to do about a response.
    ///
    /// # Errors
    /// A config failure that names the template if a condition or a message cannot be evaluated.
    pub(super) fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        let seen = Seen::new(response);
        let mut verdict = None;
        for filters in &self.handlers {
            let found = decide(filters, &seen)?;
            let ends = ends_search(found.action);
            verdict = Some(found);
            if ends {
                break;
            }
        }
        Ok(verdict.unwrap_or_else(|| by_status(response.status.as_u16())))
    }

    /// How long to wait before the next attempt, given the number of failed ones, from 1; without a response if none
    /// came. `None` leaves it to the server's hint and the jittered backoff. The manifest's wait is never shorter than
    /// the response's `Retry-After`.
    ///
    /// # Errors
    /// A transient failure if the server wants a longer wait than the manifest allows; a config failure if a template
    /// cannot be evaluated.
    pub(super) fn wait(&self, response: Option<&Response>, failed: u32) -> Result<Option<Duration>, Failure> {
        let now = self.env.clock.now();
        let seen = response.map(Seen::new);
        for strategy in &self.strategies {
            let Some(wait) = strategy.wait(seen.as_ref(), failed, now)? else { continue };
            let asked = response.and_then(|response| server_hint(response, ResponseAction::Retry, now));
            let asked = asked.filter(|(_, header)| *header == "Retry-After").map_or(Duration::ZERO, |(wait, _)| wait);
            // The reference waits a second longer than a strategy says.
            return Ok(Some(wait.saturating_add(Duration::from_secs(1)).max(asked)));
        }
        Ok(None)
    }

    /// Attempts after the first.
    pub(super) fn max_retries(&self) -> u32 {
        self.max_retries
    }

    /// Whether a filter asks the stream to change its request in this way.
    pub(super) fn asks(&self, otherwise: Otherwise) -> bool {
        self.handlers.iter().flatten().any(|filter| filter.action == Some(filter::Action::AskOtherwise(otherwise)))
    }

    /// Whether the manifest has waits of its own, which may exceed the default time limit of a request.
    pub(super) fn has_waits(&self) -> bool {
        !self.strategies.is_empty()
    }
}

/// The verdict of one handler.
fn decide(filters: &[Filter], seen: &Seen<'_>) -> Result<Verdict, Failure> {
    for filter in filters {
        if let Some(verdict) = filter.verdict(seen)? {
            return Ok(verdict);
        }
    }
    Ok(by_status(seen.response.status.as_u16()))
}

/// Whether a verdict of one handler of several is final; otherwise the next handler decides.
fn ends_search(action: ResponseAction) -> bool {
    matches!(
        action,
        ResponseAction::Success | ResponseAction::Retry | ResponseAction::Ignore | ResponseAction::AskOtherwise(_)
    )
}

fn max_retries(builder: &Builder<'_>, part: &Part<'_>) -> Option<u32> {
    let text = builder.text_or(part, Some("5"), &[])?;
    let value = builder.noted_failure(part, text.literal(&[]))?;
    let number = match &value {
        Literal::Int(number) => u32::try_from(*number).ok(),
        Literal::Float(number) if *number >= 0.0 => format!("{:.0}", number.trunc()).parse().ok(),
        Literal::Str(text) => text.trim().parse().ok(),
        _ => None,
    };
    if number.is_none() {
        builder.error(part, format!("it has to be a whole number with this config, not {}", value.type_name()));
    }
    number
}
