//! The config, with its defaults.

use jiff::Timestamp;
use serde_json::Value;

use crate::http::join_url;
use crate::protocol::Failure;
use crate::source::Config;

const API_URL: &str = "https://api.stripe.com/v1";
const START_DATE: &str = "2017-01-25T00:00:00Z";
const SLICE_RANGE_DAYS: i64 = 365;
const DAY: i64 = 86_400;

/// What a user set.
#[derive(Debug)]
pub(super) struct StripeConfig {
    pub(super) account_id: String,
    pub(super) client_secret: String,
    /// Seconds since the epoch.
    pub(super) start: i64,
    /// Seconds.
    pub(super) lookback: i64,
    /// Seconds.
    pub(super) slice_range: i64,
    pub(super) api_url: String,
}

impl StripeConfig {
    /// From a config that fits the specification.
    pub(super) fn new(config: &Config) -> Result<Self, Failure> {
        let text = |name: &str| config.get(name).and_then(Value::as_str);
        let days = |name: &str, default: i64| config.get(name).and_then(Value::as_i64).unwrap_or(default);
        let start_date = text("start_date").unwrap_or(START_DATE);
        let start: Timestamp = start_date.parse().map_err(|error| {
            Failure::config(format!("The config's `start_date` {start_date:?} is not a date and time: {error}."))
        })?;
        let api_url = text("api_url").unwrap_or(API_URL).to_owned();
        join_url(&api_url, "").map_err(|failure| Failure::config(format!("The config's `api_url`: {failure}")))?;
        Ok(Self {
            account_id: text("account_id").unwrap_or_default().to_owned(),
            client_secret: text("client_secret").unwrap_or_default().to_owned(),
            start: start.as_second(),
            lookback: days("lookback_window_days", 0).saturating_mul(DAY),
            slice_range: days("slice_range", SLICE_RANGE_DAYS).saturating_mul(DAY),
            api_url,
        })
    }
}
