use std::sync::Mutex;

use super::super::{FixedWindow, MovingWindow, RequestMatcher, Window};
use super::*;
use crate::clock::SystemClock;
use crate::clock::VirtualClock;
use crate::http::RetryObserver;
use crate::http::response::tests::response;
use crate::locks;
use crate::stop::Stop;

/// Records its calls.
#[derive(Default)]
struct Told(Mutex<Vec<BudgetWait>>);

impl RetryObserver for Told {
    fn waiting(&self, wait: &Wait) -> anyhow::Result<()> {
        assert!(wait.too_long && wait.quota_reset.is_some(), "{wait:?}");
        Ok(())
    }

    fn throttled(&self, wait: &BudgetWait) -> anyhow::Result<()> {
        locks::lock(&self.0).push(wait.clone());
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

    /// Sends a request when it may go, and returns the time, in whole seconds.
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
fn the_first_policy_that_covers_a_request_applies_and_uncovered_requests_are_free() {
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
fn each_wait_is_reported_with_its_rule_and_only_long_ones_are_worth_a_line() {
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
fn a_wait_for_the_servers_reset_is_reported_in_the_servers_words() {
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
fn an_end_that_the_server_did_not_name_is_waited_for_like_an_own_limit() {
    let bench = Bench::new([BudgetPolicy::new(moving_hour(5))]);
    bench.answer("/x", 200, &[("ratelimit-remaining", "0")]);
    assert_eq!(bench.send("/x"), 3_600);
}

#[test]
fn a_forgotten_quota_blocks_nobody() {
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
    let failure = Failure::from_error(&error);
    assert_eq!(failure.kind, crate::protocol::FailureKind::Transient);
    assert_eq!(
        failure.message,
        "GET http://a.com/x would have to wait 7200 s, past the 600 s that it may still take: the server \
         answered 429, for 7200 s from then."
    );
}

/// A server's quota that arrives during the first wait, and the waits already reported.
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
fn a_waiting_request_waits_on_when_the_server_says_so() {
    let bench = Bench::new([BudgetPolicy::new(MovingWindow::new(1, Duration::from_secs(5)))]);
    bench.send("/x");
    let observer = Meanwhile(&bench, "20", Mutex::default());
    let own = bench.acquire("/x", &observer).unwrap();
    assert_eq!((own.as_secs(), bench.clock.elapsed().as_secs()), (5, 20));
    assert_eq!(observer.2.into_inner().unwrap(), [false, true]);
}

#[test]
fn a_revoked_turn_costs_nothing_of_the_window() {
    let bench = Bench::new([BudgetPolicy::new(moving_hour(1))]);
    bench.send("/x");
    let observer = Meanwhile(&bench, "3610", Mutex::default());
    bench.acquire("/x", &observer).unwrap();
    assert_eq!(bench.clock.elapsed().as_secs(), 3_610);
    assert_eq!(bench.send("/x"), 7_210);
}

#[test]
fn a_first_wait_that_is_too_short_to_report_does_not_silence_the_second() {
    let bench = Bench::new([BudgetPolicy::new(MovingWindow::new(1, Duration::from_secs(1)))]);
    bench.send("/x");
    let observer = Meanwhile(&bench, "20", Mutex::default());
    bench.acquire("/x", &observer).unwrap();
    assert_eq!(observer.2.into_inner().unwrap(), [false, false]);
}

#[test]
fn patience_covers_all_waits_that_the_server_imposes_together() {
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
