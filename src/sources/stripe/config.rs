//! The config, with its defaults.

use jiff::Timestamp;
use serde_json::Value;

use crate::http::{check_header_setting, join_url};
use crate::protocol::{Failure, MASK};
use crate::source::Config;
use crate::streams::date;

const API_URL: &str = "https://api.stripe.com/v1";
const START_DATE: &str = "2017-01-25T00:00:00Z";
const SLICE_RANGE_DAYS: i64 = 365;
const NUM_WORKERS: usize = 10;
/// How long before the end of the last read each read begins, in seconds, because Stripe shows some objects later than
/// their timestamps. singer-io/tap-stripe uses five minutes, too; estuary's connector stays a minute behind the
/// present.
pub(super) const OVERLAP: i64 = 300;
/// How far a `start_date` may be ahead of this machine's clock, in seconds.
const CLOCK_SKEW: i64 = 600;
const DAY: i64 = 86_400;
/// Stripe's limit of calls a second in test mode and in live mode. <https://docs.stripe.com/rate-limits>
const TEST_RATE: u32 = 25;
const LIVE_RATE: u32 = 100;

/// The user's settings.
#[derive(Debug)]
pub(super) struct StripeConfig {
    pub(super) account_id: String,
    pub(super) client_secret: String,
    /// Seconds since the epoch.
    pub(super) start: i64,
    /// How long before the end of the last read each read begins, in seconds.
    pub(super) lookback: i64,
    /// Seconds.
    pub(super) slice_range: i64,
    pub(super) api_url: String,
    /// Calls a second.
    pub(super) call_rate_limit: u32,
    pub(super) changed_objects: ChangedObjects,
}

/// The source of a changed object's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangedObjects {
    /// The event, if its version equals that of a list; otherwise a request.
    Auto,
    /// The event, always.
    Events,
    /// A request, always.
    Fetch,
}

impl StripeConfig {
    /// Reads a config that fits the specification. `now` is in seconds since the epoch.
    pub(super) fn new(config: &Config, now: i64) -> Result<Self, Failure> {
        let text = |name: &str| config.get(name).and_then(Value::as_str);
        let days = |name: &str, default: i64| config.get(name).and_then(whole).unwrap_or(default);
        let start_date = text("start_date").unwrap_or(START_DATE);
        let start: Timestamp = start_date.parse().map_err(|error| {
            Failure::config(format!("The config's `start_date` {start_date:?} is not a date and time: {error}."))
        })?;
        if start.as_second() > now.saturating_add(CLOCK_SKEW) {
            return Err(Failure::config(format!(
                "The config's `start_date` {start_date} is in the future: it is {} now. Nothing would be read, and \
                 older objects would never come. Correct it, or this machine's \
                 clock.",
                date(now)
            )));
        }
        let changed_objects = match text("changed_objects") {
            Some("events") => ChangedObjects::Events,
            Some("fetch") => ChangedObjects::Fetch,
            _ => ChangedObjects::Auto,
        };
        let api_url = text("api_url").unwrap_or(API_URL).to_owned();
        join_url(&api_url, "").map_err(|failure| {
            Failure::config(format!("The config's `api_url`: {failure} Write the full URL, as in {API_URL}."))
        })?;
        let client_secret = text("client_secret").unwrap_or_default().to_owned();
        for setting in ["client_secret", "account_id"] {
            check_header_setting(setting, text(setting).unwrap_or_default())?;
        }
        let call_rate_limit = config.get("call_rate_limit").and_then(whole);
        Ok(Self {
            call_rate_limit: call_rate(call_rate_limit, &client_secret),
            account_id: text("account_id").unwrap_or_default().to_owned(),
            client_secret,
            start: start.as_second(),
            lookback: days("lookback_window_days", 0).saturating_mul(DAY).max(OVERLAP),
            changed_objects,
            slice_range: days("slice_range", SLICE_RANGE_DAYS).saturating_mul(DAY),
            api_url,
        })
    }
}

/// Slices that are read at the same time.
pub(super) fn num_workers(config: &Config) -> usize {
    config.get("num_workers").and_then(whole).and_then(|number| usize::try_from(number).ok()).unwrap_or(NUM_WORKERS)
}

/// The key for display: its prefix shows the kind and mode, and nothing else.
pub(super) fn shown_key(config: &Config) -> String {
    let key = config.get("client_secret").and_then(Value::as_str).unwrap_or_default();
    let kind = ["sk_test_", "sk_live_", "rk_test_", "rk_live_"].into_iter().find(|kind| key.starts_with(kind));
    format!("the key {}{MASK}", kind.unwrap_or_default())
}

/// A whole number; `7.0` counts, as it is an integer in JSON Schema.
fn whole(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates, and what is out of range is out of sense")]
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64))
}

/// The user's rate, or that of the key's mode. Zero and less were never refused, and mean: not set.
fn call_rate(set: Option<i64>, key: &str) -> u32 {
    let is_test = ["sk_test_", "rk_test_"].iter().any(|start| key.starts_with(start));
    let default = if is_test { TEST_RATE } else { LIVE_RATE };
    set.filter(|rate| *rate > 0).map_or(default, |rate| u32::try_from(rate).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_rate_is_the_users_or_the_key_modes() {
        for (set, key, rate) in [
            (None, "sk_test_1", 25),
            (None, "rk_test_1", 25),
            (None, "sk_live_1", 100),
            (None, "rk_live_test_1", 100),
            (Some(7), "sk_test_1", 7),
            (Some(0), "sk_test_1", 25),
            (Some(-3), "sk_live_1", 100),
            (Some(i64::MAX), "sk_live_1", u32::MAX),
        ] {
            assert_eq!(call_rate(set, key), rate, "{set:?} {key}");
        }
    }

    #[test]
    fn a_setting_that_cannot_be_sent_is_named_with_the_character() {
        for (setting, value, told) in [
            ("client_secret", "sk_live_abc\u{2026}", "`client_secret` has U+2026 (an ellipsis) at position 12"),
            ("client_secret", " sk_live_abc", "`client_secret` has U+0020 (a blank) at position 1"),
            ("account_id", "acct_\u{200b}1", "`account_id` has U+200B (a zero-width space) at position 6"),
            ("api_url", "https://a.com/v1\u{a0}", "has U+00A0 (a non-breaking space) at position 17"),
        ] {
            let mut config = serde_json::json!({"client_secret": "sk_test_1", "account_id": "acct_1"});
            config[setting] = value.into();
            let failure = StripeConfig::new(config.as_object().unwrap(), 1_793_491_200).unwrap_err();
            assert!(failure.message.contains(told) && failure.message.contains(setting), "{failure}");
        }
    }

    #[test]
    fn only_the_kind_of_a_key_is_shown() {
        for (key, shown) in [("rk_live_abc", "the key rk_live_****"), ("s3cret", "the key ****"), ("", "the key ****")]
        {
            let config = serde_json::json!({"client_secret": key});
            assert_eq!(shown_key(config.as_object().unwrap()), shown);
        }
    }
}
