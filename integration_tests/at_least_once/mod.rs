//! At least once, and nothing lost: whenever and however a read ends, the next one, with the last state of each stream,
//! completes it. `cuts` ends reads in virtual time, after every line and every response; `kills` ends the built binary;
//! in `failed_streams`, one of many streams fails. `corpus` has the streams. `low_code` does the same for a manifest.

mod corpus;
mod cuts;
mod failed_streams;
mod kills;
mod low_code;

use std::collections::HashMap;

use serde_json::Value;
use source_http_testkit::Messages;

use corpus::{Corpus, Promise, Union, states};

/// The lines written before the interruption.
struct Interrupted {
    /// What was interrupted, and where, for messages.
    place: String,
    stdout: String,
}

/// Resumes from each interruption of a read that began with `known`. The next read completes the objects that existed
/// when it began, and the one after that also has all later changes: a resumed list is read as of its beginning.
/// Interruptions with the same states are resumed once. Returns the number of different ones.
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
