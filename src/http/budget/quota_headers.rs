//! What a response says about the quota that is left.

use std::time::Duration;

use jiff::Timestamp;

use crate::http::{Response, retry_after, server_hint};

/// A reset value from this on counts milliseconds: as seconds it would lie thousands of years ahead.
const MILLISECONDS_FROM: f64 = 1e11;
/// A reset further ahead than the longest quota in use, a month's, is no reset.
const FURTHEST: Duration = Duration::from_secs(31 * 86_400);

/// Names of the headers that tell how many requests are left, and when the count starts anew. The first of them that
/// makes sense is taken.
///
/// Default: `ratelimit-remaining`, `x-ratelimit-remaining` and `x-rate-limit-remaining`, with `ratelimit-reset`,
/// `x-ratelimit-reset` and `x-rate-limit-reset`.
///
/// A reset is seconds from now, or seconds or milliseconds since the epoch, told apart by their size, or an HTTP date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaHeaders {
    /// Headers with the number of requests left.
    pub remaining: Vec<String>,
    /// Headers with the time of the reset.
    pub reset: Vec<String>,
}

impl Default for QuotaHeaders {
    fn default() -> Self {
        let names = |what: &str| ["ratelimit-", "x-ratelimit-", "x-rate-limit-"].map(|start| start.to_owned() + what);
        Self { remaining: names("remaining").to_vec(), reset: names("reset").to_vec() }
    }
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerSays {
    /// Requests left, as weight.
    pub(super) remaining: u32,
    /// Time to the reset, if that was said.
    pub(super) reset: Option<Duration>,
    /// The words it was said with.
    pub(super) words: String,
}

impl QuotaHeaders {
    /// One header for each.
    #[must_use]
    pub fn new(remaining: &str, reset: &str) -> Self {
        Self { remaining: vec![remaining.to_owned()], reset: vec![reset.to_owned()] }
    }

    /// What a response says about its quota; `None` if nothing that makes sense. Status 429 says that nothing is left,
    /// whatever the headers; its `Retry-After`, if there is one, says until when.
    pub(super) fn read(&self, response: &Response, now: Timestamp) -> Option<ServerSays> {
        let reset = self.reset.iter().find_map(|name| reset(response.header(name)?, now));
        if response.status == 429 {
            let hint = server_hint(response, now).filter(|(_, name)| *name == "Retry-After");
            let reset = hint.map(|(delay, _)| delay).filter(|delay| *delay <= FURTHEST).or(reset);
            return Some(ServerSays { remaining: 0, reset, words: "answered 429".to_owned() });
        }
        self.remaining.iter().find_map(|name| {
            let remaining = remaining(response.header(name)?)?;
            Some(ServerSays { remaining, reset, words: format!("says {name}: {remaining}") })
        })
    }
}

fn remaining(value: &str) -> Option<u32> {
    // More than fits is as good as no limit.
    value.trim().parse::<u64>().ok().map(|remaining| u32::try_from(remaining).unwrap_or(u32::MAX))
}

fn reset(value: &str, now: Timestamp) -> Option<Duration> {
    let delay = match value.trim().parse::<f64>() {
        Ok(number) if number >= MILLISECONDS_FROM => retry_after::delay(&(number / 1000.0).to_string(), now),
        _ => retry_after::delay(value, now),
    };
    delay.filter(|delay| *delay <= FURTHEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response::tests::response;

    fn read(status: u16, headers: &[(&'static str, &str)]) -> Option<(u32, Option<f64>)> {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let says = QuotaHeaders::default().read(&response(status, headers, ""), now)?;
        Some((says.remaining, says.reset.map(|reset| reset.as_secs_f64())))
    }

    #[test]
    fn resets_are_read_relative_and_absolute_in_seconds_milliseconds_and_dates() {
        for (value, reset) in [
            ("30", Some(30.0)),
            ("1.5", Some(1.5)),
            ("1800000012", Some(12.0)),
            ("1800000012000", Some(12.0)),
            ("Fri, 15 Jan 2027 08:00:30 GMT", Some(30.0)),
            ("0", None),
            ("-5", None),
            ("1799999999", None),
            ("soon", None),
            ("NaN", None),
            ("1e300", None),
            ("99999999", None),
        ] {
            let headers = [("ratelimit-remaining", "7"), ("ratelimit-reset", value)];
            assert_eq!(read(200, &headers), Some((7, reset)), "{value}");
        }
    }

    #[test]
    fn a_remaining_count_that_is_none_is_ignored_and_the_next_header_is_asked() {
        for value in ["", "-1", "many", "1.5", "5, 10"] {
            assert_eq!(read(200, &[("ratelimit-remaining", value)]), None, "{value}");
        }
        let headers = [("ratelimit-remaining", "?"), ("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "9")];
        assert_eq!(read(200, &headers), Some((3, Some(9.0))));
        assert_eq!(read(200, &[("ratelimit-remaining", "99999999999")]), Some((u32::MAX, None)));
        assert_eq!(read(200, &[]), None);
    }

    #[test]
    fn status_429_leaves_nothing_until_retry_after_or_the_reset() {
        assert_eq!(read(429, &[]), Some((0, None)));
        assert_eq!(read(429, &[("ratelimit-remaining", "5"), ("ratelimit-reset", "9")]), Some((0, Some(9.0))));
        assert_eq!(read(429, &[("retry-after", "4"), ("ratelimit-reset", "9")]), Some((0, Some(4.0))));
    }

    #[test]
    fn the_names_can_be_an_apis_own() {
        let now = Timestamp::from_second(0).unwrap();
        let headers = QuotaHeaders::new("X-Left", "X-Until");
        let says = headers.read(&response(200, &[("x-left", "2"), ("x-until", "8")], ""), now).unwrap();
        assert_eq!((says.remaining, says.reset), (2, Some(Duration::from_secs(8))));
        assert_eq!(headers.read(&response(200, &[("ratelimit-remaining", "2")], ""), now), None);
    }
}
