//! Reads in virtual time, ended after every line and after every response.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use source_http_testkit::{Fault, Reply};
use stripe_mock::DEFAULT_NOW;

use super::*;
use crate::support::up_to_every_line;

fn cut(stdout: &str, workers: usize) -> Vec<Interrupted> {
    let lines = up_to_every_line(stdout).enumerate();
    lines
        .map(|(n, cut)| Interrupted { place: format!("{workers} workers, line {}", n + 1), stdout: cut.to_owned() })
        .collect()
}

#[test]
fn a_first_sync_cut_after_any_line_is_completed_by_the_next() {
    for workers in [1, 8] {
        let corpus = Corpus::new(DEFAULT_NOW);
        let whole = corpus.in_process(workers, &json!([])).run("read").stdout;
        corpus.change();
        let different = go_on_from_each(&corpus, &Union::default(), &json!([]), &cut(&whole, workers));
        assert!(different > 12, "{different} different states only");
    }
}

#[test]
fn a_later_sync_cut_after_any_line_is_completed_by_the_next() {
    for workers in [1, 8] {
        let corpus = Corpus::new(DEFAULT_NOW);
        let first = corpus.in_process(workers, &json!([])).run("read").messages();
        let (mut before, known) = (Union::default(), states(&json!([]), &first));
        before.add(&first);
        corpus.change();
        let whole = corpus.in_process(workers, &known).run("read").stdout;
        corpus.change();
        let different = go_on_from_each(&corpus, &before, &known, &cut(&whole, workers));
        assert!(different > 6, "{different} different states only");
    }
}

#[test]
fn a_sync_whose_reader_closes_the_pipe_after_any_line_ends_silently_and_is_completed_by_the_next() {
    for workers in [1, 8] {
        let corpus = Corpus::new(DEFAULT_NOW);
        let lines = corpus.in_process(workers, &json!([])).run("read").stdout.lines().count();
        let interrupted: Vec<Interrupted> = (0..lines)
            .map(|line| {
                let done = corpus.in_process(workers, &json!([])).reader_leaves_after(line).run("read");
                let place = format!("{workers} workers, the reader left after line {line}");
                assert_eq!((done.status, done.stderr.as_str()), (0, ""), "{place}");
                // Records come in groups: a read may be complete before it notices that the reader has left.
                assert!(done.stdout.lines().count() <= line, "{place}");
                Interrupted { place, stdout: done.stdout }
            })
            .collect();
        corpus.change();
        go_on_from_each(&corpus, &Union::default(), &json!([]), &interrupted);
    }
}

#[test]
fn a_sync_whose_server_dies_after_any_response_is_completed_by_the_next() {
    for workers in [1, 8] {
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        let of_server = left.clone();
        let corpus = Corpus::with(DEFAULT_NOW, |mock| {
            mock.on_reply(move |_, reply: Reply| {
                let one_less = |left: usize| left.checked_sub(1);
                match of_server.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
                    Ok(_) => reply,
                    Err(_) => reply.fault(Fault::ResetBeforeHead),
                }
            })
        });
        corpus.in_process(workers, &json!([])).run("read");
        let responses = corpus.mock.server().take_requests().len();
        let mut interrupted = Vec::new();
        for response in 0..responses {
            left.store(response, Ordering::SeqCst);
            let done = corpus.in_process(workers, &json!([])).run("read");
            let place = format!("{workers} workers, the server died after {response} responses");
            assert_eq!((done.status, done.messages().errors().is_empty()), (1, false), "{place}");
            interrupted.push(Interrupted { place, stdout: done.stdout });
        }
        left.store(usize::MAX, Ordering::SeqCst);
        corpus.change();
        go_on_from_each(&corpus, &Union::default(), &json!([]), &interrupted);
    }
}
