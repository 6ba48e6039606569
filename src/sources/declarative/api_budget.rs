//! `api_budget`: how many requests the API allows one client, shared by all streams of a manifest.

use std::sync::Arc;
use std::time::Duration;

use super::options::whole_number;
use super::part::{Builder, Part};
use super::request_matcher::request_matcher;
use super::template::datetime::fixed_duration;
use crate::http::budget::{
    BudgetPolicy, FixedWindow, MovingWindow, QuotaHeaders, RequestBudget, RequestMatcher, Window,
};

/// The budget of a manifest. `None` if it has none, or it is faulty; the faults are noted.
pub(super) fn budget(builder: &Builder<'_>, manifest: &Part<'_>) -> Option<Arc<RequestBudget>> {
    let part = manifest.field("api_budget")?;
    if part.kind() != "HTTPAPIBudget" {
        builder.refuse(&part, &format!("the budget `{}`", part.kind()));
        return None;
    }
    let text = |name: &str, default: &str| part.text(name).unwrap_or(default).to_owned();
    let mut headers = QuotaHeaders::new(
        &text("ratelimit_remaining_header", "ratelimit-remaining"),
        &text("ratelimit_reset_header", "ratelimit-reset"),
    );
    if part.field("status_codes_for_ratelimit_hit").is_some() {
        headers.limited = part.statuses("status_codes_for_ratelimit_hit");
    }
    let mut budget = RequestBudget::new();
    for one in part.field("policies")?.items() {
        if let Some(policy) = policy(builder, &one) {
            budget = budget.policy(policy.headers(headers.clone()));
        }
    }
    Some(Arc::new(budget))
}

fn policy(builder: &Builder<'_>, part: &Part<'_>) -> Option<BudgetPolicy> {
    let (window, limit): (Window, Option<u32>) = match part.kind() {
        "UnlimitedCallRatePolicy" => (Window::Unlimited, None),
        "FixedWindowCallRatePolicy" => {
            let limit = count(builder, &part.field("call_limit")?)?;
            (FixedWindow::new(limit, period(builder, &part.field("period")?)?).into(), Some(limit))
        }
        "MovingWindowCallRatePolicy" => {
            let mut window: Option<MovingWindow> = None;
            let mut least = u32::MAX;
            let rates = part.field("rates")?;
            for rate in rates.items() {
                let limit = count(builder, &rate.field("limit")?)?;
                let interval = period(builder, &rate.field("interval")?)?;
                least = least.min(limit);
                window = Some(match window {
                    Some(window) => window.and(limit, interval),
                    None => MovingWindow::new(limit, interval),
                });
            }
            let Some(window) = window else {
                builder.error(&rates, "a MovingWindowCallRatePolicy needs at least one rate");
                return None;
            };
            (window.into(), Some(least))
        }
        kind => {
            builder.refuse(part, &format!("the policy `{kind}` of an api_budget"));
            return None;
        }
    };
    let mut policy = BudgetPolicy::new(window);
    let matchers = part.field("matchers");
    for one in matchers.iter().flat_map(Part::items) {
        policy = policy.matching(matcher(builder, &one, limit)?);
    }
    Some(policy)
}

/// The requests that a policy covers, and their weights.
fn matcher(builder: &Builder<'_>, part: &Part<'_>, limit: Option<u32>) -> Option<RequestMatcher> {
    let mut matcher = request_matcher(builder, part)?;
    if let Some(weight) = part.field("weight") {
        let count = count(builder, &weight)?;
        if limit.is_some_and(|limit| count > limit) {
            builder
                .error(&weight, "the weight is above the limit of its policy, so that no such request could be sent");
            return None;
        }
        matcher = matcher.weight(count);
    }
    Some(matcher)
}

/// A number from 1 on; the config may supply it.
fn count(builder: &Builder<'_>, part: &Part<'_>) -> Option<u32> {
    let count = whole_number(builder, part)?;
    let count = u32::try_from(count).ok().filter(|count| *count > 0);
    if count.is_none() {
        builder.error(part, "it has to be a whole number from 1 on");
    }
    count
}

fn period(builder: &Builder<'_>, part: &Part<'_>) -> Option<Duration> {
    let text = builder.text(part, &[])?;
    let text = builder.noted_failure(part, text.text(&[]))?;
    let length = fixed_duration(text.trim()).filter(|length| !length.is_zero());
    if length.is_none() {
        builder.error(part, "it has to be an ISO 8601 duration of a fixed length above zero, such as PT1M");
    }
    length
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::built;
    use super::*;

    fn told(budget_of: &str) -> (Vec<String>, Vec<String>) {
        let snippet = format!("api_budget: {{type: HTTPAPIBudget, policies: [{budget_of}]}}");
        let made = built(&snippet, json!({"n": 3}), budget);
        (made.errors, made.warnings)
    }

    #[test]
    fn policies_are_built_and_faults_are_reported() {
        let good = "{type: UnlimitedCallRatePolicy, matchers: [{url_path_pattern: '^/free'}]}, \
                    {type: FixedWindowCallRatePolicy, period: PT1M, call_limit: 9, matchers: []}, \
                    {type: MovingWindowCallRatePolicy, rates: [{limit: \"{{ config['n'] }}\", interval: PT1S}], \
                     matchers: [{method: get, weight: 3, params: {a: 1}, headers: {b: c}, url_base: https://a.example}]}";
        assert_eq!(told(good), (vec![], vec![]));
        for (policy, words) in [
            ("{type: FixedWindowCallRatePolicy, period: P1M, call_limit: 9}", "fixed length"),
            ("{type: FixedWindowCallRatePolicy, period: PT1S, call_limit: 0}", "from 1 on"),
            ("{type: MovingWindowCallRatePolicy, rates: []}", "at least one rate"),
            ("{type: UnlimitedCallRatePolicy, matchers: [{url_path_pattern: '('}]}", "not a regular expression"),
            (
                "{type: FixedWindowCallRatePolicy, period: PT1S, call_limit: 1, matchers: [{weight: 2}]}",
                "above the limit",
            ),
        ] {
            let (errors, _) = told(policy);
            assert!(errors.len() == 1 && errors[0].contains(words), "{policy}: {errors:?}");
        }
        let path = "{type: UnlimitedCallRatePolicy, matchers: [{url_base: https://a.example/v1}]}";
        assert!(told(path).1[0].contains("has a path"));
    }
}
