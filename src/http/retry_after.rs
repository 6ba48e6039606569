//! What a server says about when to come back: `Retry-After` (RFC 9110, section 10.2.3) and the rate-limit reset
//! headers in common use. Values that make no sense are no hint.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::Response;

/// Headers that tell when a rate limit ends, as seconds from now or seconds since the epoch.
const RESET_HEADERS: [&str; 3] = ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"];

/// Seconds above this are a point in time, below it a duration: no API asks for a wait of thirty years.
const EPOCH_FROM: f64 = 1e9;

/// How long the server wants to be left alone, and the header that says so. `None` if it says nothing, or nothing
/// that lies in the future.
#[must_use]
pub fn server_hint(response: &Response, now: Timestamp) -> Option<(Duration, &'static str)> {
    let retry_after = response.header("retry-after").and_then(|value| delay(value, now));
    if let Some(delay) = retry_after {
        return Some((delay, "Retry-After"));
    }
    if response.status != 429 && response.status != 503 {
        return None;
    }
    RESET_HEADERS.iter().find_map(|name| Some((delay(response.header(name)?, now)?, *name)))
}

/// A time to wait, given as seconds, seconds since the epoch, or a date; `None` if it does not lie in the future.
pub(super) fn delay(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let seconds = match value.parse::<f64>() {
        Ok(seconds) if seconds >= EPOCH_FROM => seconds - epoch_seconds(now),
        Ok(seconds) => seconds,
        Err(_) => {
            let at = DateTimeParser::new().parse_timestamp(value).ok()?;
            epoch_seconds(at) - epoch_seconds(now)
        }
    };
    (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
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
        server_hint(&response(429, headers, ""), now).map(|(delay, name)| (delay.as_secs_f64(), name))
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(hint(&[("retry-after", "7")]), Some((7.0, "Retry-After")));
        assert_eq!(hint(&[("retry-after", " 1.5 ")]), Some((1.5, "Retry-After")));
        // 1,800,000,000 is 08:00:00 on that day.
        assert_eq!(hint(&[("retry-after", "Fri, 15 Jan 2027 08:00:30 GMT")]), Some((30.0, "Retry-After")));
    }

    #[test]
    fn reset_headers_are_read_as_a_duration_and_as_a_point_in_time() {
        assert_eq!(hint(&[("ratelimit-reset", "30")]), Some((30.0, "ratelimit-reset")));
        assert_eq!(hint(&[("x-ratelimit-reset", "1800000012")]), Some((12.0, "x-ratelimit-reset")));
        assert_eq!(hint(&[("ratelimit-reset", "30"), ("retry-after", "5")]), Some((5.0, "Retry-After")));
    }

    #[test]
    fn what_makes_no_sense_is_no_hint() {
        for value in ["0", "-1", "soon", "", "NaN", "inf", "1e300", "Fri, 15 Jan 2027 07:59:59 GMT", "1799999999"] {
            assert_eq!(hint(&[("retry-after", value)]), None, "{value}");
        }
    }

    #[test]
    fn a_reset_header_counts_only_when_the_server_turned_the_request_away() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(server_hint(&response(500, &[("ratelimit-reset", "30")], ""), now), None);
    }
}
