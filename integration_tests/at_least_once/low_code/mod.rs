//! The same promise for the streams of a manifest: each kind of paginator, parent, cursor and decoder, cut after every
//! line and every response, and resumed from the last states. `api` is what they read, `corpus` the manifest. `windows` has
//! what a cursor requests again, and `killed` the built binary.

mod api;
mod corpus;
mod jobs;
mod killed;
mod windows;

use std::collections::HashMap;

use serde_json::{Value, json};
use source_http_testkit::{Finished, Messages};

use super::Interrupted;
use super::corpus::states;
use crate::support::up_to_every_line;
use api::Trouble;
use corpus::{Corpus, Union};

fn whole(corpus: &Corpus, workers: usize, state: &Value) -> Finished {
    corpus.api.trouble(Trouble::None);
    let done = corpus.read(workers, state).run("read");
    assert_eq!(done.status, 0, "{:?}", done.messages().errors());
    done
}

/// Resumes from each interruption of a read that began with `known` after `before` was written. The next read gives
/// everything that is missing, including later changes: it reads each unfinished slice again from its start.
/// Interruptions with the same states are resumed once. Returns the number of different ones.
fn go_on_from_each(corpus: &Corpus, before: &Union, known: &Value, interrupted: &[Interrupted]) -> usize {
    let mut rests: HashMap<String, Messages> = HashMap::new();
    for Interrupted { place, stdout } in interrupted {
        let cut = Messages::parse_cut(stdout);
        let state = states(known, &cut);
        let rest = rests.entry(state.to_string()).or_insert_with(|| whole(corpus, 1, &state).messages());
        let mut written = before.clone();
        written.add(&cut);
        written.add(rest);
        let missing = corpus.missing(&written, true);
        assert_eq!(missing, Vec::<String>::new(), "{place}, resumed from {state}");
    }
    rests.len()
}

/// These checks notice a lost record and an old one.
#[test]
fn all_streams_are_whole_and_what_is_missing_is_noticed() {
    let mut corpus = Corpus::new();
    let mut written = Union::default();
    written.add(&whole(&corpus, 1, &json!([])).messages());
    assert_eq!(corpus.missing(&written, true), Vec::<String>::new());
    for stream in Corpus::streams() {
        let mut less = written.clone();
        let lost = less.0.keys().find(|(name, _)| *name == stream).unwrap().clone();
        less.0.remove(&lost);
        assert_eq!(corpus.missing(&less, false), [format!("{lost:?}")]);
    }
    corpus.change();
    let missing = corpus.missing(&written, true);
    let count = |stream: &str| missing.iter().filter(|text| text.contains(&format!("(\"{stream}\""))).count();
    // A new object and a changed one; one of them has a new parent, too.
    let counts = Corpus::streams().map(|stream| (stream, count(stream))).filter(|(_, count)| *count > 0);
    let expected =
        [("lines", 2), ("events", 2), ("news", 2), ("visits", 3), ("letters", 2), ("counted", 1), ("kinds", 2)];
    assert_eq!(counts.collect::<Vec<_>>(), expected);
}

#[test]
fn one_worker_writes_the_same_twice() {
    let corpus = Corpus::new();
    let first = whole(&corpus, 1, &json!([]));
    assert_eq!(whole(&corpus, 1, &json!([])).stdout, first.stdout);
    let state: Value = serde_json::from_str(&first.messages().state_file()).unwrap();
    assert_eq!(whole(&corpus, 1, &state).stdout, whole(&corpus, 1, &state).stdout);
}

#[test]
fn a_sync_cut_after_any_line_is_completed_by_the_next() {
    for workers in [1, 8] {
        let mut corpus = Corpus::new();
        let (mut before, mut known) = (Union::default(), json!([]));
        for sync in ["first", "later"] {
            let done = whole(&corpus, workers, &known);
            let cuts = up_to_every_line(&done.stdout).enumerate().map(|(line, stdout)| Interrupted {
                place: format!("{workers} workers, {sync} sync, line {}", line + 1),
                stdout: stdout.to_owned(),
            });
            corpus.change();
            let different = go_on_from_each(&corpus, &before, &known, &cuts.collect::<Vec<_>>());
            assert!(different > 15, "{different} different states only");
            let messages = done.messages();
            before.add(&messages);
            known = states(&known, &messages);
        }
    }
}

#[test]
fn a_sync_whose_reader_closes_the_pipe_after_any_line_ends_silently_and_is_completed_by_the_next() {
    let mut corpus = Corpus::new();
    let lines = whole(&corpus, 1, &json!([])).stdout.lines().count();
    let mut interrupted = Vec::new();
    for line in 0..lines {
        let done = corpus.read(1, &json!([])).reader_leaves_after(line).run("read");
        let place = format!("the reader left after line {line}");
        assert_eq!((done.status, done.stderr.as_str()), (0, ""), "{place}");
        interrupted.push(Interrupted { place, stdout: done.stdout });
    }
    corpus.change();
    go_on_from_each(&corpus, &Union::default(), &json!([]), &interrupted);
}

/// Reads with a fault, which has to be reported, and returns the streams that failed.
fn in_trouble(corpus: &Corpus, workers: usize, known: &Value, trouble: &Trouble) -> Interrupted {
    let place = format!("{workers} workers, {trouble:?}");
    corpus.api.trouble(trouble.clone());
    let done = corpus.read(workers, known).run("read");
    let messages = done.messages();
    let failed: Vec<String> = messages.errors().into_iter().filter_map(|error| error.stream).collect();
    assert!(done.status == 1 && !failed.is_empty(), "{place}: {}", done.stdout);
    for error in messages.errors() {
        assert_eq!(error.failure_type.as_deref(), Some("transient_error"), "{place}: {}", error.message);
    }
    for stream in Corpus::streams() {
        let is_failed = failed.iter().any(|failed| failed == stream);
        let end = if is_failed { "INCOMPLETE" } else { "COMPLETE" };
        assert_eq!(messages.statuses(stream).last(), Some(&end), "{place}: {stream}");
        if let Some(state) = messages.states(stream).last().filter(|_| is_failed) {
            assert_eq!(state.get("__ab_full_refresh_sync_complete"), None, "{place}: {stream}");
        }
    }
    Interrupted { place, stdout: done.stdout }
}

#[test]
fn a_sync_whose_server_dies_after_any_response_is_completed_by_the_next() {
    for workers in [1, 8] {
        let mut corpus = Corpus::new();
        let (mut before, mut known) = (Union::default(), json!([]));
        for _sync in ["first", "later"] {
            corpus.api.server.take_requests();
            let messages = whole(&corpus, workers, &known).messages();
            let responses = corpus.api.server.take_requests().len();
            // Many workers often reach the same state: some of the places are enough.
            let places = (0..responses).step_by(if workers == 1 { 1 } else { 4 });
            let interrupted = places.map(|n| {
                // Either way, the same lines are written.
                let troubles = [Trouble::DiesAfter(n), Trouble::ClosesAfter(n), Trouble::FailsAfter(n)];
                in_trouble(&corpus, workers, &known, &troubles[n % 3])
            });
            let interrupted: Vec<Interrupted> = interrupted.collect();
            corpus.change();
            go_on_from_each(&corpus, &before, &known, &interrupted);
            before.add(&messages);
            known = states(&known, &messages);
        }
    }
}

#[test]
fn a_stream_that_fails_at_any_request_is_completed_by_the_next_and_the_others_are_whole() {
    let mut corpus = Corpus::new();
    whole(&corpus, 1, &json!([]));
    let mut targets: Vec<String> =
        corpus.api.server.take_requests().into_iter().map(|request| request.target).collect();
    targets.sort_unstable();
    targets.dedup();
    assert!(targets.len() > 60, "{} requests only", targets.len());
    let mut interrupted = Vec::new();
    for (n, target) in targets.into_iter().enumerate() {
        let workers = if n % 2 == 0 { 1 } else { 8 };
        let failed = in_trouble(&corpus, workers, &json!([]), &Trouble::FailsAt(target));
        let messages = Messages::parse_cut(&failed.stdout);
        let mut written = Union::default();
        written.add(&messages);
        // Streams that did not fail are complete.
        let failures: Vec<String> = messages.errors().into_iter().filter_map(|error| error.stream).collect();
        let missing = corpus.missing(&written, true);
        let lost = missing.iter().filter(|text| !failures.iter().any(|name| text.contains(&format!("(\"{name}\""))));
        assert_eq!(lost.collect::<Vec<_>>(), Vec::<&String>::new(), "{}", failed.place);
        interrupted.push(failed);
    }
    corpus.change();
    go_on_from_each(&corpus, &Union::default(), &json!([]), &interrupted);
}
