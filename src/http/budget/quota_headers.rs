//! Reads the remaining quota in a response.

use std::time::Duration;

use jiff::Timestamp;

use crate::http::{Response, ResponseAction, retry_after};

/// Names of the headers with the number of requests left and the time of the reset. The first valid one counts.
///
/// Default: `ratelimit-remaining`, `x-ratelimit-remaining` and `x-rate-limit-remaining`, with `ratelimit-reset`,
/// `x-ratelimit-reset` and `x-rate-limit-reset`.
///
/// A reset is seconds from now, seconds or milliseconds since the epoch, distinguished by size, or an HTTP date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaHeaders {
    /// Headers with the number of requests left.
    pub remaining: Vec<String>,
    /// Headers with the time of the reset, each at the index of its header in `remaining`.
    pub reset: Vec<String>,
    /// Statuses that mean that nothing is left. Default: 429.
    pub limited: Vec<u16>,
}

impl Default for QuotaHeaders {
    fn default() -> Self {
        let names = |what: &str| retry_after::FAMILIES.map(|start| start.to_owned() + what);
        Self { remaining: names("remaining").to_vec(), reset: names("reset").to_vec(), limited: vec![429] }
    }
}

/// The quota in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct ServerSays {
    /// Requests left, as weight.
    pub(in crate::http) remaining: u32,
    /// Time to the reset, if stated.
    pub(in crate::http) reset: Option<Duration>,
    /// Its words, for messages.
    pub(super) words: String,
}

impl QuotaHeaders {
    /// One header for each.
    #[must_use]
    pub fn new(remaining: &str, reset: &str) -> Self {
        Self { remaining: vec![remaining.to_owned()], reset: vec![reset.to_owned()], limited: vec![429] }
    }

    /// The quota in a response; `None` without a valid one. A refused request, by status or because `action` says so,
    /// leaves nothing until its `Retry-After` or reset; without either, it says nothing: the backoff has to find the
    /// wait.
    pub(super) fn read(&self, response: &Response, action: ResponseAction, now: Timestamp) -> Option<ServerSays> {
        if self.limited.contains(&response.status.as_u16()) || action == ResponseAction::RateLimited {
            let resets = self.reset.iter().enumerate().map(|(at, reset)| {
                let remaining = self.remaining.get(at).map_or("", String::as_str);
                retry_after::reset_when_empty(response, remaining, reset, now)
            });
            let reset = retry_after::retry_after(response, now).or_else(|| resets.flatten().next())?;
            let words = format!("answered {}", response.status.as_u16());
            return Some(ServerSays { remaining: 0, reset: Some(reset), words });
        }
        self.remaining.iter().find_map(|name| {
            let counts = retry_after::counts(response, name);
            // The quota that is nearest to its end counts.
            let remaining = *counts.iter().min()?;
            let mut resets = self.reset.iter();
            let reset = resets.find_map(|name| retry_after::reset_of(response, name, &counts, remaining, now));
            Some(ServerSays { remaining, reset, words: format!("says {name}: {remaining}") })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response::tests::response;

    fn read(status: u16, headers: &[(&'static str, &str)]) -> Option<(u32, Option<f64>)> {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let says = QuotaHeaders::default().read(&response(status, headers, ""), ResponseAction::Success, now)?;
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
            ("Friday, 15-Jan-27 08:00:30 GMT", Some(30.0)),
            ("Fri Jan 15 08:00:30 2027", Some(30.0)),
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
    fn an_invalid_remaining_count_is_ignored_and_the_next_header_is_read() {
        for value in ["", "-1", "many", "1.5"] {
            assert_eq!(read(200, &[("ratelimit-remaining", value)]), None, "{value}");
        }
        let headers = [("ratelimit-remaining", "?"), ("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "9")];
        assert_eq!(read(200, &headers), Some((3, Some(9.0))));
        assert_eq!(read(200, &[("ratelimit-remaining", "99999999999")]), Some((u32::MAX, None)));
        assert_eq!(read(200, &[]), None);
    }

    #[test]
    fn of_several_quotas_the_one_with_the_least_left_counts_with_its_own_reset() {
        assert_eq!(
            read(200, &[("ratelimit-remaining", "50, 10"), ("ratelimit-reset", "9, 60")]),
            Some((10, Some(60.0)))
        );
        assert_eq!(read(200, &[("ratelimit-remaining", "5, 10"), ("ratelimit-reset", "9, 60")]), Some((5, Some(9.0))));
        let lines = [("ratelimit-remaining", "50"), ("ratelimit-remaining", "10"), ("ratelimit-reset", "9, 60, 7")];
        assert_eq!(read(200, &lines), Some((10, Some(60.0))));
    }

    #[test]
    fn status_429_leaves_nothing_until_retry_after_or_the_reset_and_says_nothing_without() {
        assert_eq!(read(429, &[]), None);
        assert_eq!(read(429, &[("ratelimit-remaining", "0")]), None);
        assert_eq!(read(429, &[("ratelimit-remaining", "5"), ("ratelimit-reset", "9")]), None);
        assert_eq!(read(429, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "9")]), Some((0, Some(9.0))));
        assert_eq!(read(429, &[("retry-after", "4"), ("ratelimit-reset", "9")]), Some((0, Some(4.0))));
        assert_eq!(read(429, &[("retry-after", "99999999")]), None);
    }

    #[test]
    fn a_status_that_the_streams_rules_call_a_rate_limit_is_read_as_one() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let response = response(403, &[("x-ratelimit-reset", "9")], "");
        let read = |action| QuotaHeaders::default().read(&response, action, now).map(|says| says.words);
        assert_eq!(read(ResponseAction::RateLimited).as_deref(), Some("answered 403"));
        assert_eq!(read(ResponseAction::Retry), None);
    }

    #[test]
    fn the_names_can_be_changed() {
        let now = Timestamp::from_second(0).unwrap();
        let headers = QuotaHeaders::new("X-Left", "X-Until");
        let says = headers
            .read(&response(200, &[("x-left", "2"), ("x-until", "8")], ""), ResponseAction::Success, now)
            .unwrap();
        assert_eq!((says.remaining, says.reset), (2, Some(Duration::from_secs(8))));
        assert_eq!(
            headers.read(&response(200, &[("ratelimit-remaining", "2")], ""), ResponseAction::Success, now),
            None
        );
    }
}
