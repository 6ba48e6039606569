//! The lifetime of an access token, in the forms of different APIs, and the time of its renewal.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use serde_json::Value;

/// A token is renewed this long before it expires, if it lives long enough: a request must not outlive its token.
pub(super) const MARGIN: SignedDuration = SignedDuration::from_secs(30);
/// The lifetime of a token whose response does not state it.
const UNKNOWN_LIFE: Duration = Duration::from_secs(3600);
/// Larger numbers of seconds are a point in time, smaller ones a duration: no token lives thirty years.
const EPOCH_FROM: f64 = 1e9;

/// When a token issued now expires: `expires_in` (RFC 6749, section 5.1) as seconds, or as a time, which some APIs
/// send. A missing or past value counts as an hour.
pub(super) fn expires_at(expires_in: Option<&Value>, now: Timestamp) -> Timestamp {
    let after = |life: Duration| now.checked_add(life).unwrap_or(Timestamp::MAX);
    let told = expires_in.and_then(|value| {
        let life = number(value).filter(|seconds| *seconds < EPOCH_FROM);
        date(value).or_else(|| Duration::try_from_secs_f64(life?).ok().map(after))
    });
    told.filter(|end| *end > now).unwrap_or_else(|| after(UNKNOWN_LIFE))
}

/// A point in time, as RFC 3339, without an offset (then in UTC), or as seconds since the epoch.
pub(in crate::http) fn date(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = number(value) {
        let since_epoch = SignedDuration::try_from_secs_f64(seconds).ok().filter(|_| seconds >= EPOCH_FROM)?;
        return Timestamp::from_duration(since_epoch).ok();
    }
    let text = value.as_str()?.trim();
    text.parse().ok().or_else(|| {
        let without_offset: civil::DateTime = text.parse().ok()?;
        Some(without_offset.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
    })
}

/// When a token issued now is renewed: after three quarters of its life or [`MARGIN`] before its end, whichever is
/// first; but not before half of its life, or a short-lived one would be renewed for each request.
pub(super) fn renew_at(now: Timestamp, expires_at: Timestamp) -> Timestamp {
    let life = expires_at.duration_since(now);
    let ahead = (life / 4).max(MARGIN).min(life / 2);
    expires_at.checked_sub(ahead).unwrap_or(now)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn a_life_is_read_as_seconds_and_as_a_time() {
        for (expires_in, life) in [
            (json!(7200), 7200),
            (json!(7200.0), 7200),
            (json!("7200"), 7200),
            (json!(1_800_000_600), 600),
            (json!("1800000600"), 600),
            // 1,800,000,000 is 2027-01-15T08:00:00Z.
            (json!("2027-01-15T08:10:00Z"), 600),
            (json!("2027-01-15T10:10:00.000000+02:00"), 600),
            (json!("2027-01-15 08:10:00"), 600),
        ] {
            assert_eq!(expires_at(Some(&expires_in), at(NOW)), at(NOW + life), "{expires_in}");
        }
    }

    #[test]
    fn an_unusable_lifetime_is_an_hour() {
        assert_eq!(expires_at(None, at(NOW)), at(NOW + 3600));
        for expires_in in [json!(0), json!(-5), json!("soon"), json!(""), json!("NaN"), json!(1e300), json!(NOW)] {
            assert_eq!(expires_at(Some(&expires_in), at(NOW)), at(NOW + 3600), "{expires_in}");
        }
    }

    #[test]
    fn a_stored_date_is_never_a_number_of_seconds_from_now() {
        assert_eq!(date(&json!(3600)), None);
        assert_eq!(date(&json!("3600")), None);
        assert_eq!(date(&json!("")), None);
        assert_eq!(date(&Value::Null), None);
        assert_eq!(date(&json!("1800000000")), Some(at(NOW)));
    }

    #[test]
    fn a_token_is_renewed_in_time_whatever_its_life() {
        for (life, used) in [(7200, 5400), (3600, 2700), (120, 90), (100, 70), (60, 30), (40, 20), (2, 1)] {
            assert_eq!(renew_at(at(NOW), at(NOW + life)), at(NOW + used), "{life}");
        }
    }
}
