//! All policies of an API, asked before each attempt and told of each response.

use std::time::Duration;

use jiff::Timestamp;

use super::policy::TooLong;
use super::quota_headers::ServerSays;
use super::{BudgetPolicy, BudgetWait};
use crate::clock::Clock;
use crate::http::{HttpRequest, Response, ResponseAction, Wait, Waits};
use crate::protocol::Failure;

/// The limits of an API, shared by everything that sends requests to it. The first policy that is for a request
/// applies; a request that none is for is free. A budget is handed out by
/// [`crate::streams::HttpStream::request_budget`]; the streams of a source share one, behind an `Arc`.
///
/// Requests are let through in the order they came. Each attempt counts, retries too; answers of the response cache
/// don't; the redirects of an attempt count as one with it. Default: no policies.
///
/// The headers of each response can tighten a policy and never loosen it. Status 429 leaves it empty until the time the
/// response names; if it names none, the wait is the retry's own. What was said to credentials that another of
/// several took the place of is forgotten.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use source_http::http::Method;
/// use source_http::http::budget::{BudgetPolicy, FixedWindow, MovingWindow, RequestBudget, RequestMatcher};
///
/// // Searches: 30 a minute. Everything else: 10 in any second.
/// let searches = RequestMatcher::path("/v2/*/search").method(Method::POST);
/// let budget = RequestBudget::new()
///     .policy(BudgetPolicy::new(FixedWindow::new(30, Duration::from_secs(60))).matching(searches))
///     .policy(BudgetPolicy::new(MovingWindow::new(10, Duration::from_secs(1))));
/// let shared = Arc::new(budget);
/// # drop(shared);
/// ```
#[derive(Debug, Default)]
pub struct RequestBudget {
    policies: Vec<BudgetPolicy>,
}

impl RequestBudget {
    /// A budget without limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a policy, for the requests that no earlier one is for.
    #[must_use]
    pub fn policy(mut self, policy: BudgetPolicy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Waits until a request may be sent, and counts it. The observer of `waits` is told of each wait before it begins. Returns the
    /// time waited for the policies' own limits, however long that took; `patience` bounds the waits that the server's
    /// word imposes, all together.
    ///
    /// # Errors
    /// A transient [`Failure`] inside if the server's word means a wait longer than `patience`, which the observer is
    /// told of as a rate limit; that of [`Waits::wait`]; or an error of the observer.
    pub fn acquire(&self, request: &HttpRequest, patience: Duration, waits: &Waits<'_>) -> anyhow::Result<Duration> {
        let Waits { clock, observer, .. } = *waits;
        let Some((policy, weight)) = self.find(request) else { return Ok(Duration::ZERO) };
        let (mut own, mut patience, mut told) = (Duration::ZERO, patience, false);
        loop {
            let turn = match policy.turn(weight, clock.elapsed(), patience) {
                Ok(turn) => turn,
                Err(too_long) => {
                    let wait = rate_limited(request, &too_long, clock);
                    observer.waiting(&wait)?;
                    let text = format!(
                        "{} would have to wait {:.0} s, past the {} s that it may still take: {}.",
                        wait.request,
                        wait.delay.as_secs_f64(),
                        patience.as_secs(),
                        wait.rule
                    );
                    return Err(Failure::transient(text).into());
                }
            };
            let delay = turn.at.saturating_sub(clock.elapsed());
            if delay.is_zero() {
                return Ok(own);
            }
            let wait = BudgetWait { request: request.describe(), delay, rule: turn.rule.clone(), again: told };
            observer.throttled(&wait)?;
            told |= wait.is_worth_telling();
            waits.wait(delay)?;
            if turn.by_server {
                patience = patience.saturating_sub(delay);
            } else {
                own += delay;
            }
            if !policy.revokes(&turn, weight) {
                return Ok(own);
            }
        }
    }

    /// What a response says about the quota, if a policy is for its request.
    pub(in crate::http) fn read(
        &self,
        request: &HttpRequest,
        response: &Response,
        action: ResponseAction,
        now: Timestamp,
    ) -> Option<ServerSays> {
        self.find(request)?.0.read(response, action, now)
    }

    /// Takes the server at its word.
    pub(in crate::http) fn book(&self, request: &HttpRequest, says: &ServerSays, clock: &dyn Clock) {
        if let Some((policy, _)) = self.find(request) {
            policy.book(says, clock.elapsed());
        }
    }

    /// Forgets the server's word: it was about credentials that others have taken the place of.
    pub(in crate::http) fn forget(&self, request: &HttpRequest) {
        if let Some((policy, _)) = self.find(request) {
            policy.forget();
        }
    }

    fn find(&self, request: &HttpRequest) -> Option<(&BudgetPolicy, u32)> {
        self.policies.iter().find_map(|policy| Some((policy, policy.weight_of(request)?)))
    }
}

/// A wait past all patience, as those are told of it who tell the platform.
fn rate_limited(request: &HttpRequest, too_long: &TooLong, clock: &dyn Clock) -> Wait {
    Wait {
        request: request.describe(),
        reason: too_long.rule.clone(),
        delay: too_long.delay,
        rule: too_long.rule.clone(),
        retry: 0,
        max_retries: 0,
        quota_reset: clock.now().checked_add(too_long.delay).ok(),
        too_long: true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::super::{FixedWindow, MovingWindow, RequestMatcher, Window};
    use super::*;
    use crate::clock::SystemClock;
    use crate::http::RetryObserver;
    use crate::http::response::tests::response;
    use crate::stop::Stop;
    use crate::testing::VirtualClock;

    /// Notes what it is told.
    #[derive(Default)]
    struct Told(Mutex<Vec<BudgetWait>>);

    impl RetryObserver for Told {
        fn waiting(&self, wait: &Wait) -> anyhow::Result<()> {
            assert!(wait.too_long && wait.quota_reset.is_some(), "{wait:?}");
            Ok(())
        }

        fn throttled(&self, wait: &BudgetWait) -> anyhow::Result<()> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(wait.clone());
            Ok(())
        }
    }

    const PATIENCE: Duration = Duration::from_secs(600);

    struct Bench {
        clock: VirtualClock,
        told: Told,
        budget: RequestBudget,
    }

    impl Bench {
        fn new(policies: impl IntoIterator<Item = BudgetPolicy>) -> Self {
            let budget = policies.into_iter().fold(RequestBudget::new(), RequestBudget::policy);
            Self { clock: VirtualClock::at(1_800_000_000), told: Told::default(), budget }
        }

        /// Sends a request when it may go, and returns when that was, in whole seconds.
        fn send(&self, path: &str) -> u64 {
            self.acquire(path, &self.told).unwrap();
            assert_eq!(self.clock.elapsed().subsec_nanos(), 0);
            self.clock.elapsed().as_secs()
        }

        fn acquire(&self, path: &str, observer: &dyn RetryObserver) -> anyhow::Result<Duration> {
            let waits = Waits { clock: &self.clock, stop: &Stop::default(), observer };
            self.budget.acquire(&get(path), PATIENCE, &waits)
        }

        fn answer(&self, path: &str, status: u16, headers: &[(&'static str, &str)]) {
            let response = response(status, headers, "");
            let action = ResponseAction::for_status(response.status);
            if let Some(says) = self.budget.read(&get(path), &response, action, self.clock.now()) {
                self.budget.book(&get(path), &says, &self.clock);
            }
        }

        fn told(&self) -> Vec<BudgetWait> {
            self.told.0.lock().unwrap().clone()
        }
    }

    fn get(path: &str) -> HttpRequest {
        HttpRequest::get(format!("http://a.com{path}").parse().unwrap())
    }

    fn moving(limit: u32) -> MovingWindow {
        MovingWindow::new(limit, Duration::from_secs(1))
    }

    #[test]
    fn the_first_policy_that_is_for_a_request_applies_and_what_none_is_for_is_free() {
        let bench = Bench::new([
            BudgetPolicy::new(moving(1)).matching(RequestMatcher::path("/slow")),
            BudgetPolicy::new(moving(3)).matching(RequestMatcher::path_prefix("/v1").weight(3)),
        ]);
        assert_eq!([(); 5].map(|()| bench.send("/free")), [0; 5]);
        assert_eq!([(); 3].map(|()| bench.send("/slow")), [0, 1, 2]);
        assert_eq!([(); 3].map(|()| bench.send("/v1/x")), [2, 3, 4]);
        assert_eq!(bench.send("/slow"), 4);
    }

    #[test]
    fn each_wait_is_told_with_its_rule_and_only_long_ones_are_worth_a_line() {
        let bench = Bench::new([BudgetPolicy::new(MovingWindow::new(2, Duration::from_secs(5)))]);
        bench.send("/x");
        bench.clock.advance(Duration::from_secs(4));
        let times = [(); 3].map(|()| bench.send("/x?y=1"));
        assert_eq!(times, [4, 5, 9]);
        let told = bench.told();
        assert_eq!(told.iter().map(BudgetWait::is_worth_telling).collect::<Vec<_>>(), [false, true]);
        assert_eq!(
            told[1].to_string(),
            "waiting 4.0 s before GET http://a.com/x?y=1: the request budget allows 2 in any 5 s."
        );
    }

    #[test]
    fn headers_tighten_until_a_relative_or_absolute_reset_and_never_loosen() {
        for reset in ["30", "1800000030"] {
            let bench = Bench::new([BudgetPolicy::new(moving(2))]);
            assert_eq!(bench.send("/x"), 0);
            bench.answer("/x", 200, &[("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", reset)]);
            assert_eq!([(); 4].map(|()| bench.send("/x")), [0, 1, 1, 30], "{reset}");
            bench.answer("/x", 200, &[("ratelimit-remaining", "1000"), ("ratelimit-reset", "1")]);
            assert_eq!([(); 3].map(|()| bench.send("/x")), [30, 31, 31], "{reset}");
        }
    }

    #[test]
    fn a_wait_for_the_servers_reset_is_told_in_the_servers_words() {
        let bench = Bench::new([BudgetPolicy::new(Window::Unlimited)]);
        bench.answer("/x", 200, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "30")]);
        assert_eq!(bench.send("/x"), 30);
        let text = bench.told()[0].to_string();
        assert_eq!(
            text,
            "waiting 30.0 s before GET http://a.com/x: the server says ratelimit-remaining: 0, for 30 s from then."
        );
    }

    #[test]
    fn status_429_empties_the_window_for_all_until_its_reset_and_without_one_leaves_the_wait_to_the_retry() {
        let bench = Bench::new([BudgetPolicy::new(moving(5))]);
        bench.answer("/x", 429, &[("retry-after", "7")]);
        assert_eq!([(); 2].map(|()| bench.send("/x")), [7, 7]);
        for window in [Window::from(FixedWindow::new(5, Duration::from_secs(3600))), moving_hour(5).into()] {
            let bench = Bench::new([BudgetPolicy::new(window)]);
            assert_eq!(bench.send("/x"), 0);
            bench.answer("/x", 429, &[]);
            assert_eq!(bench.send("/x"), 0);
        }
    }

    #[test]
    fn an_end_that_the_server_did_not_name_is_waited_for_like_a_limit_of_ones_own() {
        let bench = Bench::new([BudgetPolicy::new(moving_hour(5))]);
        bench.answer("/x", 200, &[("ratelimit-remaining", "0")]);
        assert_eq!(bench.send("/x"), 3_600);
    }

    #[test]
    fn what_is_forgotten_blocks_nobody() {
        let bench = Bench::new([BudgetPolicy::new(moving(5))]);
        bench.answer("/x", 429, &[("retry-after", "7")]);
        bench.budget.forget(&get("/x"));
        assert_eq!(bench.send("/x"), 0);
    }

    fn moving_hour(limit: u32) -> MovingWindow {
        MovingWindow::new(limit, Duration::from_secs(3_600))
    }

    #[test]
    fn a_servers_reset_past_all_patience_is_a_transient_failure_and_an_own_limit_is_waited_for() {
        let bench = Bench::new([BudgetPolicy::new(MovingWindow::new(1, Duration::from_secs(3_600)))]);
        assert_eq!([(); 2].map(|()| bench.send("/x")), [0, 3_600]);
        bench.answer("/x", 429, &[("retry-after", "7200")]);
        let error = bench.acquire("/x", &bench.told).unwrap_err();
        let failure = Failure::from_error(error);
        assert_eq!(failure.kind, crate::protocol::FailureKind::Transient);
        assert_eq!(
            failure.message,
            "GET http://a.com/x would have to wait 7200 s, past the 600 s that it may still take: the server \
             answered 429, for 7200 s from then."
        );
    }

    /// A server's word that comes during the first wait, and what of the waits was told before.
    struct Meanwhile<'a>(&'a Bench, &'a str, Mutex<Vec<bool>>);

    impl RetryObserver for Meanwhile<'_> {
        fn waiting(&self, _: &Wait) -> anyhow::Result<()> {
            Ok(())
        }
        fn throttled(&self, wait: &BudgetWait) -> anyhow::Result<()> {
            let mut again = self.2.lock().unwrap();
            if again.is_empty() {
                self.0.answer("/x", 429, &[("retry-after", self.1)]);
            }
            again.push(wait.again);
            Ok(())
        }
    }

    #[test]
    fn who_was_waiting_already_waits_on_when_the_server_says_so() {
        let bench = Bench::new([BudgetPolicy::new(MovingWindow::new(1, Duration::from_secs(5)))]);
        bench.send("/x");
        let observer = Meanwhile(&bench, "20", Mutex::default());
        let own = bench.acquire("/x", &observer).unwrap();
        assert_eq!((own.as_secs(), bench.clock.elapsed().as_secs()), (5, 20));
        assert_eq!(observer.2.into_inner().unwrap(), [false, true]);
    }

    #[test]
    fn a_turn_that_was_revoked_costs_nothing_of_the_window() {
        let bench = Bench::new([BudgetPolicy::new(moving_hour(1))]);
        bench.send("/x");
        let observer = Meanwhile(&bench, "3610", Mutex::default());
        bench.acquire("/x", &observer).unwrap();
        assert_eq!(bench.clock.elapsed().as_secs(), 3_610);
        assert_eq!(bench.send("/x"), 7_210);
    }

    #[test]
    fn a_first_wait_that_was_too_short_to_tell_does_not_silence_the_second() {
        let bench = Bench::new([BudgetPolicy::new(MovingWindow::new(1, Duration::from_secs(1)))]);
        bench.send("/x");
        let observer = Meanwhile(&bench, "20", Mutex::default());
        bench.acquire("/x", &observer).unwrap();
        assert_eq!(observer.2.into_inner().unwrap(), [false, false]);
    }

    #[test]
    fn patience_is_for_all_waits_that_the_server_imposes_together() {
        let bench = Bench::new([BudgetPolicy::new(Window::Unlimited)]);
        bench.answer("/x", 429, &[("retry-after", "400")]);
        let observer = Meanwhile(&bench, "900", Mutex::default());
        let error = bench.acquire("/x", &observer).unwrap_err();
        assert_eq!(bench.clock.elapsed().as_secs(), 400);
        assert!(error.to_string().contains("wait 500 s, past the 200 s"), "{error}");
    }

    #[test]
    fn threads_share_one_window() {
        let budget = RequestBudget::new().policy(BudgetPolicy::new(MovingWindow::new(4, Duration::from_millis(200))));
        let (clock, told) = (SystemClock::new(), Told::default());
        let sent = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        budget
                            .acquire(
                                &get("/x"),
                                PATIENCE,
                                &Waits { clock: &clock, stop: &Stop::default(), observer: &told },
                            )
                            .unwrap();
                        sent.lock().unwrap().push(clock.elapsed());
                    }
                });
            }
        });
        let mut sent = sent.into_inner().unwrap();
        sent.sort();
        // Twelve in groups of four: the last four cannot have gone before two intervals had passed.
        assert_eq!(sent.len(), 12);
        assert!(sent[4] >= Duration::from_millis(200) && sent[8] >= Duration::from_millis(400), "{sent:?}");
    }
}
