//! Where an `api_budget` acts differently on purpose.

use super::shown::Shown;

/// A fixed window is used up, no header reports a reset, and the reference waits for ten days.
pub(super) fn fixed_window(shown: &Shown<'_>) -> bool {
    let waits = shown.case["error"]["internal_message"].as_str().is_some_and(|text| text.starts_with("would sleep"));
    !shown.components("FixedWindowCallRatePolicy").is_empty()
        && waits
        && shown.ran.errors.is_empty()
        && shown.ends_later()
}

/// A header about the quota is not a whole number, over which the reference fails.
pub(super) fn odd_quota(shown: &Shown<'_>) -> bool {
    let is_odd = |(name, value): &(String, String)| {
        let name = name.to_ascii_lowercase();
        (name.contains("remaining") || name.contains("reset")) && value.parse::<i64>().is_err()
    };
    !shown.components("HTTPAPIBudget").is_empty()
        && shown.fails_there_with("ValueError")
        && shown.headers().iter().any(is_odd)
        && shown.ran.errors.is_empty()
        && shown.ends_later()
}
