//! One of many streams fails, at each of its lists, on the first page, in the middle and on the last: it is INCOMPLETE,
//! no state says that it is complete, and the other streams are read as usual.

use std::collections::BTreeMap;

use serde_json::json;
use source_http_testkit::Reply;
use stripe_mock::DEFAULT_NOW;

use super::*;

/// Paths of lists, and which of their requests are refused: the first, one in the middle, the last.
fn places() -> Vec<(String, u64)> {
    let corpus = Corpus::new(DEFAULT_NOW);
    corpus.in_process(1, &json!([])).run("read");
    let mut hits: BTreeMap<String, u64> = BTreeMap::new();
    for request in corpus.mock.server().requests() {
        *hits.entry(request.path).or_default() += 1;
    }
    let mut places = Vec::new();
    for (path, hits) in hits {
        let mut of_path = vec![1, hits.div_ceil(2), hits];
        of_path.dedup();
        places.extend(of_path.into_iter().map(|hit| (path.clone(), hit)));
    }
    places
}

#[test]
fn a_stream_that_fails_anywhere_leaves_no_final_state_and_the_others_alone() {
    let mut failures: BTreeMap<String, usize> = BTreeMap::new();
    for (n, (path, hit)) in places().into_iter().enumerate() {
        for (workers, status) in [(1, if n % 3 == 0 { 500 } else { 401 }), (8, 401)] {
            let place = format!("{workers} workers, {status} at {path} #{hit}");
            let reply = || Reply::json_text(r#"{"error":{"message":"Not now."}}"#).status(status);
            let attempts = if status == 500 { 6 } else { 1 };
            let corpus = Corpus::with(DEFAULT_NOW, |mock| {
                (0..attempts).fold(mock, |mock, attempt| mock.fault(&path, hit + attempt, reply()))
            });
            let done = corpus.in_process(workers, &json!([])).run("read");
            let messages = done.messages();
            let failed: Vec<String> = messages.errors().into_iter().filter_map(|error| error.stream).collect();
            assert!(done.status == 1 && !failed.is_empty(), "{place}");
            for stream in Corpus::streams() {
                let is_failed = failed.iter().any(|failed| failed == stream);
                let end = if is_failed { "INCOMPLETE" } else { "COMPLETE" };
                assert_eq!(messages.statuses(stream).last(), Some(&end), "{place}: {stream}");
                // No other stream requests the refused path.
                let read = corpus.read_whole(stream, &messages);
                assert!(is_failed || read, "{place}: {stream} is not whole");
                if let Some(state) = messages.states(stream).last().filter(|_| is_failed) {
                    assert_eq!(state.get("__ab_full_refresh_sync_complete"), None, "{place}: {stream}");
                }
                *failures.entry(stream.to_owned()).or_default() += usize::from(is_failed);
            }
            corpus.change();
            let interrupted = [Interrupted { place, stdout: done.stdout }];
            go_on_from_each(&corpus, &Union::default(), &json!([]), &interrupted);
        }
    }
    for stream in Corpus::streams() {
        assert!(failures[stream] >= 4, "{stream} has failed {} times only", failures[stream]);
    }
}
