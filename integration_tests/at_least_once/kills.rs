//! The built binary, ended from outside after every line that the test reads.

use serde_json::json;
use source_http::clock::{Clock, SystemClock};

use super::*;
use crate::support::Interruption;

/// Interrupts a first sync after every `step`-th line, and resumes it.
fn interrupt_after_lines(how: Interruption, step: usize) {
    for workers in [1, 8] {
        let now = SystemClock::new().now().as_second();
        let corpus = Corpus::new(now);
        let whole = corpus.binary(workers, &json!([])).run();
        assert_eq!(whole.status, Some(0), "{}", whole.stdout);
        let mut interrupted = Vec::new();
        for lines in (0..=whole.stdout.lines().count()).step_by(step) {
            let ended = corpus.binary(workers, &json!([])).ended_after(lines, how);
            let place = format!("{how:?}, {workers} workers, after line {lines}");
            let is_told = how == Interruption::Terminate && ended.stderr.contains("SIGTERM ended this run");
            assert!(ended.stderr.is_empty() || is_told, "{place}: {}", ended.stderr);
            if how == Interruption::ClosedPipe {
                assert_eq!(ended.status, Some(0), "{place}");
            }
            for stdout in [ended.before, ended.all] {
                interrupted.push(Interrupted { place: place.clone(), stdout });
            }
        }
        corpus.change();
        go_on_from_each(&corpus, &Union::default(), &json!([]), &interrupted);
    }
}

#[test]
fn a_process_that_is_killed_after_any_line_has_its_sync_completed_by_the_next() {
    interrupt_after_lines(Interruption::Kill, 1);
}

#[test]
fn a_process_that_is_stopped_after_any_line_has_its_sync_completed_by_the_next() {
    interrupt_after_lines(Interruption::Terminate, 7);
}

#[test]
fn a_process_that_nobody_reads_after_any_line_ends_silently_and_has_its_sync_completed_by_the_next() {
    interrupt_after_lines(Interruption::ClosedPipe, 7);
}
