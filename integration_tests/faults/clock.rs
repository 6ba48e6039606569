//! This machine's clock is set while a stream is read.

use source_http_testkit::Reply;

use super::matrix::{Outcome, Row, run};

#[test]
fn a_clock_that_jumps_changes_nothing() {
    run(rows());
}

pub(super) fn rows() -> Vec<Row> {
    const DAYS: i64 = 86_400;
    vec![
        Row::reply(
            "the clock goes backwards",
            |good, scene| {
                scene.clock.set(-400 * DAYS);
                good
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "the clock goes back to 2004",
            |good, scene| {
                scene.clock.set(-8_000 * DAYS);
                good
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "the clock jumps ahead",
            |good, scene| {
                scene.clock.set(400 * DAYS);
                good
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "the clock jumps to its end",
            |good, scene| {
                scene.clock.set(i64::MAX);
                good
            },
            Outcome::Harmless,
        ),
        Row::reply(
            "the clock goes backwards before a wait until a moment",
            |_, scene| {
                scene.clock.set(-DAYS);
                Reply::empty(503).header("Retry-After", "Sun, 01 Nov 2026 00:00:30 GMT")
            },
            Outcome::Final(
                "transient_error",
                &["REQUEST answered 503 Service Unavailable (no content type) with an empty body. Gave up because \
                     the next attempt would be in 90752 s (the server's Retry-After), past the 600 s limit per request."],
            ),
        ),
    ]
}
