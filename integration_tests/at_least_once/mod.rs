//! At least once, and nothing lost: whenever and however a read ends, the next one, given the last state of each stream,
//! completes it. `cuts` ends reads in virtual time, after every line and every response; `kills` ends the built binary;
//! `failed_streams` has one of many streams fail. `corpus` is what they read. `low_code` has the same of a manifest.

mod corpus;
mod cuts;
mod failed_streams;
mod kills;
mod low_code;

use std::collections::HashMap;

use serde_json::Value;
use source_http_testkit::Messages;

use corpus::{Corpus, Promise, Union, states};

/// What was written by the time of an interruption.
struct Interrupted {
    /// What was interrupted, and where, for the report.
    place: String,
    stdout: String,
}

/// Resumes from each interruption of a read that was begun with `known`. What was there when it began is complete with
/// the next read, and what has changed since with the one after that at the latest: a list that is resumed is read
/// as of the moment when it was begun. Interruptions that left the same states have the same rest. Returns how many
/// different ones there were.
fn go_on_from_each(corpus: &Corpus, before: &Union, known: &Value, interrupted: &[Interrupted]) -> usize {
    let mut rests: HashMap<String, [Messages; 2]> = HashMap::new();
    for Interrupted { place, stdout } in interrupted {
        let cut = Messages::parse_cut(stdout);
        let state = states(known, &cut);
        let read = |state: &Value| {
            let done = corpus.in_process(1, state).run("read");
            assert_eq!(done.status, 0, "{place}: {:?}", done.messages().errors());
            done.messages()
        };
        let [rest, later] = rests.entry(state.to_string()).or_insert_with(|| {
            let rest = read(&state);
            let later = read(&states(&state, &rest));
            [rest, later]
        });
        let mut written = before.clone();
        written.add(&cut);
        for (next, promise) in [(rest, Promise::AllOfTheFirst), (later, Promise::Newest)] {
            written.add(next);
            let missing = corpus.missing(&written, promise);
            assert_eq!(missing, Vec::<String>::new(), "{place}, resumed from {state}");
        }
    }
    rests.len()
}
