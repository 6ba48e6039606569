//! Stripe's call limits, enforced on this side: one for all calls of a key, and a lower one for files.

use std::time::Duration;

use super::config::StripeConfig;
use crate::http::budget::{BudgetPolicy, MovingWindow, RequestBudget, RequestMatcher};
use crate::http::join_url;

const SECOND: Duration = Duration::from_secs(1);
/// Calls a second to the paths below. <https://docs.stripe.com/rate-limits>
const FILES_RATE: u32 = 20;
const FILES_PATHS: [&str; 2] = ["files", "file_links"];

/// The budget of a config. Files have a limit of their own, unless the limit of all calls is as low and already covers
/// them.
pub(super) fn request_budget(config: &StripeConfig) -> RequestBudget {
    let all = BudgetPolicy::new(MovingWindow::new(config.call_rate_limit, SECOND));
    if config.call_rate_limit <= FILES_RATE {
        return RequestBudget::new().policy(all);
    }
    // The paths are below the path of `api_url`.
    let urls = FILES_PATHS.iter().filter_map(|path| join_url(&config.api_url, path).ok());
    let files = BudgetPolicy::new(MovingWindow::new(FILES_RATE, SECOND));
    let files = urls.fold(files, |files, url| files.matching(RequestMatcher::path(url.path())));
    RequestBudget::new().policy(files).policy(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Clock;
    use crate::clock::VirtualClock;
    use crate::http::HttpRequest;
    use crate::http::budget::BudgetWait;
    use crate::http::{RetryObserver, Wait, Waits};
    use crate::stop::Stop;

    struct Silent;

    impl RetryObserver for Silent {
        fn waiting(&self, _: &Wait) -> anyhow::Result<()> {
            Ok(())
        }
        fn throttled(&self, _: &BudgetWait) -> anyhow::Result<()> {
            Ok(())
        }
    }

    /// Whole seconds for this many calls of each path, one after another.
    fn seconds(config: &serde_json::Value, calls: usize, paths: &[&str]) -> u64 {
        let config = StripeConfig::new(config.as_object().unwrap(), i64::MAX).unwrap();
        let (budget, clock) = (request_budget(&config), VirtualClock::at(0));
        for n in 0..calls {
            let url = format!("https://stripe.example.com/v1/{}", paths[n % paths.len()]);
            let request = HttpRequest::get(url.parse().unwrap());
            let waits = Waits { clock: &clock, stop: &Stop::default(), observer: &Silent };
            budget.acquire(&request, SECOND, &waits).unwrap();
        }
        clock.elapsed().as_secs()
    }

    #[test]
    fn files_and_file_links_share_a_lower_limit_and_all_other_calls_the_keys() {
        let live = json!({"client_secret": "sk_live_1"});
        assert_eq!(seconds(&live, 101, &["files", "file_links"]), 5);
        assert_eq!(seconds(&live, 101, &["charges", "files/file_1"]), 1);
        let test = json!({"client_secret": "rk_test_1"});
        assert_eq!(seconds(&test, 101, &["charges", "invoices"]), 4);
    }

    #[test]
    fn a_low_limit_of_the_user_holds_for_files_too() {
        let config = json!({"client_secret": "sk_live_1", "call_rate_limit": 10});
        assert_eq!(seconds(&config, 101, &["charges", "files"]), 10);
    }
}
