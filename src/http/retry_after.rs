//! The server's hint about when to return: `Retry-After` (RFC 9110, section 10.2.3) and the common rate-limit reset
//! headers. Invalid values are no hint. The longest of several values counts, so that nobody returns too early.

use std::time::Duration;

use jiff::Timestamp;

use super::header_list::items;
use super::{Response, ResponseAction, http_date};

/// The prefixes of rate-limit headers; `remaining` and `reset` follow.
pub(super) const FAMILIES: [&str; 3] = ["ratelimit-", "x-ratelimit-", "x-rate-limit-"];

/// Their `reset` headers, in the same order.
const RESETS: [&str; 3] = ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"];

/// Larger numbers of seconds are a point in time, smaller ones a duration: no API asks for a wait of thirty years.
const EPOCH_FROM: f64 = 1e9;
/// Larger points in time are in milliseconds: in seconds they would be thousands of years ahead.
const MILLISECONDS_FROM: f64 = 1e11;
/// A time further ahead than the longest quota in use, a month's, is invalid.
const FURTHEST: Duration = Duration::from_secs(31 * 86_400);

/// How long the server wants to be left alone, and the header that says so. `None` without a valid time in the next 31
/// days.
///
/// `Retry-After` counts for every response; a reset header only if `action` calls the response a rate limit or its
/// status is 429 or 503, and no header of the same family says that requests remain.
#[must_use]
pub fn server_hint(response: &Response, action: ResponseAction, now: Timestamp) -> Option<(Duration, &'static str)> {
    if let Some(delay) = retry_after(response, now) {
        return Some((delay, "Retry-After"));
    }
    if action != ResponseAction::RateLimited && response.status != 429 && response.status != 503 {
        return None;
    }
    FAMILIES
        .iter()
        .zip(RESETS)
        .find_map(|(family, name)| Some((reset_when_empty(response, &format!("{family}remaining"), name, now)?, name)))
}

/// The wait of `Retry-After`.
pub(super) fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    items(&response.headers, "retry-after").filter_map(|item| delay(item, now)).max()
}

/// The time to a reset that ends a refusal: not if requests remain, because then the refusal has another reason.
pub(super) fn reset_when_empty(response: &Response, remaining: &str, reset: &str, now: Timestamp) -> Option<Duration> {
    let counts = counts(response, remaining);
    if !counts.is_empty() && counts.iter().all(|count| *count > 0) {
        return None;
    }
    reset_of(response, reset, &counts, 0, now)
}

/// The numbers of requests in a header.
pub(super) fn counts(response: &Response, remaining: &str) -> Vec<u32> {
    items(&response.headers, remaining).filter_map(count).collect()
}

/// The time to the reset of the quotas with this many requests left: the longest. A header with as many resets as
/// counts has one for each.
pub(super) fn reset_of(
    response: &Response,
    reset: &str,
    counts: &[u32],
    left: u32,
    now: Timestamp,
) -> Option<Duration> {
    let resets: Vec<&str> = items(&response.headers, reset).collect();
    let is_meant = |at: usize| resets.len() != counts.len() || counts[at] == left;
    let meant = resets.iter().enumerate().filter(|(at, _)| is_meant(*at));
    meant.filter_map(|(_, item)| delay(item, now)).max()
}

/// A number of requests. A number that does not fit is as good as no limit.
fn count(value: &str) -> Option<u32> {
    value.parse::<u64>().ok().map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

/// A time to wait, given as seconds, as seconds or milliseconds since the epoch, or as a date; `None` if it is not in
/// the future, or too far ahead.
fn delay(value: &str, now: Timestamp) -> Option<Duration> {
    let seconds = match value.parse::<f64>() {
        Ok(milliseconds) if milliseconds >= MILLISECONDS_FROM => milliseconds / 1000.0 - epoch_seconds(now),
        Ok(seconds) if seconds >= EPOCH_FROM => seconds - epoch_seconds(now),
        Ok(seconds) => seconds,
        Err(_) => {
            let at = http_date::parse(value, now)?;
            epoch_seconds(at) - epoch_seconds(now)
        }
    };
    // Less than half a nanosecond counts as zero, though it is in the future.
    let delay = Duration::try_from_secs_f64(seconds).ok()?;
    (!delay.is_zero() && delay <= FURTHEST).then_some(delay)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit a double")]
fn epoch_seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response::tests::response;

    fn hint(headers: &[(&'static str, &str)]) -> Option<(f64, &'static str)> {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        server_hint(&response(429, headers, ""), ResponseAction::RateLimited, now)
            .map(|(delay, name)| (delay.as_secs_f64(), name))
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(hint(&[("retry-after", "7")]), Some((7.0, "Retry-After")));
        assert_eq!(hint(&[("retry-after", " 1.5 ")]), Some((1.5, "Retry-After")));
        // 1,800,000,000 is 08:00:00 on that day.
        for date in ["Fri, 15 Jan 2027 08:00:30 GMT", "Friday, 15-Jan-27 08:00:30 GMT", "Fri Jan 15 08:00:30 2027"] {
            assert_eq!(hint(&[("retry-after", date)]), Some((30.0, "Retry-After")), "{date}");
        }
    }

    #[test]
    fn of_several_values_the_longest_wait_counts() {
        assert_eq!(hint(&[("retry-after", "50, 53")]), Some((53.0, "Retry-After")));
        assert_eq!(hint(&[("retry-after", "53"), ("retry-after", "50")]), Some((53.0, "Retry-After")));
        assert_eq!(hint(&[("retry-after", "soon"), ("retry-after", "5")]), Some((5.0, "Retry-After")));
        assert_eq!(hint(&[("retry-after", "3, Friday, 15-Jan-27 08:00:30 GMT")]), Some((30.0, "Retry-After")));
        assert_eq!(hint(&[("ratelimit-reset", "9, 30;w=60")]), Some((30.0, "ratelimit-reset")));
        // Only the second quota is used up.
        let two = [("ratelimit-remaining", "3, 0"), ("ratelimit-reset", "3600, 7")];
        assert_eq!(hint(&two), Some((7.0, "ratelimit-reset")));
        let three = [("ratelimit-remaining", "3, 0"), ("ratelimit-reset", "3600")];
        assert_eq!(hint(&three), Some((3600.0, "ratelimit-reset")));
    }

    #[test]
    fn reset_headers_are_read_as_a_duration_and_as_a_point_in_time() {
        assert_eq!(hint(&[("ratelimit-reset", "30")]), Some((30.0, "ratelimit-reset")));
        assert_eq!(hint(&[("x-ratelimit-reset", "1800000012")]), Some((12.0, "x-ratelimit-reset")));
        assert_eq!(hint(&[("x-ratelimit-reset", "1800000012000")]), Some((12.0, "x-ratelimit-reset")));
        assert_eq!(hint(&[("ratelimit-reset", "30"), ("retry-after", "5")]), Some((5.0, "Retry-After")));
    }

    #[test]
    fn invalid_values_are_no_hint() {
        for value in [
            "0",
            "-1",
            "1e-15",
            "-0.0",
            "soon",
            "",
            "NaN",
            "inf",
            "1e300",
            "Fri, 15 Jan 2027 07:59:59 GMT",
            "1799999999",
            "99999999",
        ] {
            assert_eq!(hint(&[("retry-after", value)]), None, "{value}");
        }
    }

    #[test]
    fn a_reset_header_counts_only_when_the_server_refused_the_request() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let hint = |status, action| server_hint(&response(status, &[("ratelimit-reset", "30")], ""), action, now);
        assert_eq!(hint(500, ResponseAction::Retry), None);
        // A stream's rules may call any status a rate limit.
        assert!(hint(403, ResponseAction::RateLimited).is_some());
    }

    #[test]
    fn a_reset_header_does_not_count_when_its_own_family_says_that_requests_remain() {
        assert_eq!(hint(&[("ratelimit-remaining", "3"), ("ratelimit-reset", "30")]), None);
        assert_eq!(
            hint(&[("ratelimit-remaining", "3"), ("ratelimit-reset", "30"), ("x-ratelimit-reset", "9")]),
            Some((9.0, "x-ratelimit-reset"))
        );
        let empty = [("ratelimit-remaining", "0"), ("ratelimit-reset", "30")];
        assert_eq!(hint(&empty), Some((30.0, "ratelimit-reset")));
    }
}
