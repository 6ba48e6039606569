//! How long to wait before a retry: the backoff strategies of a manifest. Strategies that depend only on the config are
//! evaluated when the manifest is read.

use std::time::Duration;

use fancy_regex::Regex;
use jiff::Timestamp;

use super::super::part::{Builder, Part};
use super::super::placed::Text;
use super::super::template::Literal;
use super::filter::Seen;
use crate::protocol::Failure;

/// A larger timestamp is in milliseconds: in seconds it would be thousands of years ahead.
const MILLISECONDS_FROM: f64 = 1e11;

/// A strategy.
#[derive(Debug)]
pub(super) enum Strategy {
    /// Always the same wait.
    Constant { seconds: f64, jitter: f64 },
    /// Twice the wait each time.
    Exponential { factor: f64, jitter: f64 },
    /// The seconds in a header.
    FromHeader { header: Header, longest: Option<f64> },
    /// Until the time in a header.
    UntilHeader { header: Header, shortest: Option<f64>, longest: Option<f64> },
    /// The seconds that a template makes of the response.
    FromResponse { seconds: Box<Text>, longest: Option<f64> },
}

/// A number in a header.
#[derive(Debug)]
pub(super) struct Header {
    name: String,
    /// Matches the number, if it is not the whole value, from the start of the value.
    pattern: Option<Box<Regex>>,
}

impl Strategy {
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let longest = || optional(builder, part, "max_waiting_time_in_seconds");
        match part.kind() {
            "ConstantBackoffStrategy" => {
                let Some(seconds) = optional(builder, part, "backoff_time_in_seconds")? else {
                    builder.error(part, "it has no `backoff_time_in_seconds`");
                    return None;
                };
                Some(Self::Constant { seconds, jitter: jitter(builder, part)? })
            }
            "ExponentialBackoffStrategy" => {
                let factor = optional(builder, part, "factor")?.unwrap_or(5.0);
                Some(Self::Exponential { factor, jitter: jitter(builder, part)? })
            }
            "WaitTimeFromHeader" => {
                Some(Self::FromHeader { header: Header::build(builder, part)?, longest: longest()? })
            }
            "WaitUntilTimeFromHeader" => {
                let shortest = optional(builder, part, "min_wait")?.filter(|shortest| *shortest != 0.0);
                Some(Self::UntilHeader { header: Header::build(builder, part)?, shortest, longest: longest()? })
            }
            "WaitTimeFromResponse" => {
                let Some(seconds) = part.field("wait_time_in_seconds") else {
                    builder.error(part, "it has no `wait_time_in_seconds`");
                    return None;
                };
                let seconds = Box::new(builder.text(&seconds, &["response", "headers"])?);
                Some(Self::FromResponse { seconds, longest: longest()? })
            }
            other => {
                builder.refuse(part, &format!("the backoff strategy `{other}`"));
                None
            }
        }
    }

    /// The wait after N failed attempts, from 1. `None` leaves it to the next strategy.
    ///
    /// # Errors
    /// A transient failure if it is longer than the manifest allows.
    pub(super) fn wait(
        &self,
        seen: Option<&Seen<'_>>,
        failed: u32,
        now: Timestamp,
    ) -> Result<Option<Duration>, Failure> {
        let (seconds, longest) = match self {
            Self::Constant { seconds, jitter } => (Some(jittered(*seconds, *jitter)), &None),
            Self::Exponential { factor, jitter } => {
                let power = 2f64.powi(i32::try_from(failed).unwrap_or(i32::MAX));
                (Some(jittered(factor * power, *jitter)), &None)
            }
            Self::FromHeader { header, longest } => (seen.and_then(|seen| header.number(seen)), longest),
            Self::UntilHeader { header, shortest, longest } => {
                let until = seen.and_then(|seen| header.number(seen)).filter(|until| *until != 0.0);
                let until = until.map(|until| if until >= MILLISECONDS_FROM { until / 1000.0 } else { until });
                let wait = until.map(|until| until - seconds_of(now));
                (wait.map_or(*shortest, |wait| Some(wait.max(shortest.unwrap_or(wait)))), longest)
            }
            Self::FromResponse { seconds, longest } => (seen.and_then(|seen| of_response(seconds, seen)), longest),
        };
        let Some(seconds) = seconds.filter(|seconds| *seconds > 0.0) else { return Ok(None) };
        if longest.is_some_and(|longest| seconds >= longest) {
            let text = "The server asks for a longer wait than the manifest allows (`max_waiting_time_in_seconds`).";
            return Err(Failure::transient(text));
        }
        Ok(Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
    }
}

impl Header {
    fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let Some(name) = part.field("header") else {
            builder.error(part, "it has no `header`");
            return None;
        };
        let text = |part: &Part<'_>| Some(builder.value(part)?.to_text());
        let pattern = match part.present("regex") {
            None => None,
            Some(regex) => match Regex::new(&format!(r"\A(?:{})", text(&regex)?)) {
                Ok(pattern) => Some(Box::new(pattern)),
                Err(error) => {
                    builder.error(&regex, format!("it is not a regular expression: {error}"));
                    return None;
                }
            },
        };
        Some(Self { name: text(&name)?, pattern })
    }

    /// The number in it.
    fn number(&self, seen: &Seen<'_>) -> Option<f64> {
        let value = seen.response.header(&self.name)?;
        let found = self.pattern.as_ref().and_then(|pattern| pattern.find(value).ok().flatten());
        number(found.map_or(value, |found| found.as_str()))
    }
}

/// The template's result for a response. A template that cannot be evaluated leaves it to the next strategy: it also
/// meets responses for which it was not written.
fn of_response(seconds: &Text, seen: &Seen<'_>) -> Option<f64> {
    let [response, headers, _] = seen.vars();
    seconds.literal(&[response, headers]).ok().and_then(|value| number(&value.to_text()))
}

/// A finite number as Python's `float` reads it.
fn number(text: &str) -> Option<f64> {
    text.trim().replace('_', "").parse().ok().filter(|number: &f64| number.is_finite())
}

fn jittered(seconds: f64, jitter: f64) -> f64 {
    seconds + 2.0 * jitter * f64::from(rand::random::<u32>()) / f64::from(u32::MAX)
}

fn jitter(builder: &Builder<'_>, part: &Part<'_>) -> Option<f64> {
    optional(builder, part, "jitter_range_in_seconds").map(Option::unwrap_or_default)
}

/// A number of seconds that depends on the config alone.
#[allow(clippy::option_option, reason = "a wrong number differs from a missing one")]
fn optional(builder: &Builder<'_>, part: &Part<'_>, name: &str) -> Option<Option<f64>> {
    let Some(field) = part.field(name) else { return Some(None) };
    let value = builder.value(&field)?;
    if value == Literal::None || value.to_text().trim().is_empty() {
        return Some(None);
    }
    let number = number(&value.to_text());
    if number.is_none() {
        builder.error(&field, format!("it has to be a number with this config, not {}", value.type_name()));
    }
    number.map(Some)
}

#[allow(clippy::cast_precision_loss, reason = "microseconds since 1970 fit for a long time")]
fn seconds_of(now: Timestamp) -> f64 {
    now.as_microsecond() as f64 / 1e6
}
