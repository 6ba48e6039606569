//! Where incremental syncs differ on purpose. Each rule is a row of `docs/compatibility.md`, by its name; it decides by
//! the contents of a case, and names the parts that may differ.

use serde_json::Value;

use super::incremental::Seen;
use super::shown::each;

struct Rule {
    name: &'static str,
    /// The parts that may differ. All others have to be equal.
    may_differ: &'static [&'static str],
    holds: fn(&Seen<'_>) -> bool,
}

const STATES: &[&str] = &["states"];
const ALL: &[&str] = &["requests", "records", "states", "sequence", "error", "status"];
const READS: &[&str] = &["requests", "records", "states", "sequence"];

const RULES: &[Rule] = &[
    Rule { name: "a_full_read_counts_once_it_is_whole", may_differ: STATES, holds: full_read },
    Rule { name: "parents_beside_other_routers_keep_their_states", may_differ: READS, holds: beside_others },
    Rule { name: "keys_of_other_states_are_dropped", may_differ: STATES, holds: other_keys },
    Rule { name: "an_empty_list_of_intervals_is_no_state", may_differ: ALL, holds: no_intervals },
    Rule { name: "a_state_of_another_namespace_is_refused", may_differ: ALL, holds: other_namespace },
    Rule { name: "state_files_of_any_form_are_read", may_differ: ALL, holds: other_file },
    Rule { name: "local_time_is_not_written_as_utc", may_differ: STATES, holds: local_time },
    Rule { name: "a_state_never_passes_what_was_read", may_differ: STATES, holds: earlier_state },
    Rule { name: "windows_begin_at_a_boundary", may_differ: READS, holds: boundary },
    Rule { name: "newer_records_do_not_end_a_feed", may_differ: READS, holds: feed },
    Rule { name: "a_count_is_a_number", may_differ: READS, holds: odd_count },
    Rule { name: "a_count_is_read_in_one", may_differ: ALL, holds: count_in_one },
    Rule { name: "dates_have_to_be_read_again", may_differ: READS, holds: short_year },
    Rule { name: "older_states_of_partitions_are_used", may_differ: READS, holds: older_states },
    Rule { name: "a_partition_is_read_once", may_differ: &["requests", "states"], holds: partition_once },
    Rule { name: "partitions_are_read_as_they_come", may_differ: READS, holds: as_they_come },
];

/// The rule by which these parts differ on purpose.
pub(super) fn rule(seen: &Seen<'_>, wrong: &[&str]) -> Option<&'static str> {
    let may = |rule: &&Rule| wrong.iter().all(|part| rule.may_differ.contains(part));
    RULES.iter().filter(may).find(|rule| (rule.holds)(seen)).map(|rule| rule.name)
}

fn golden<'s>(seen: &'s Seen<'_>, name: &str) -> &'s [Value] {
    seen.case[name].as_array().map_or(&[], Vec::as_slice)
}

/// The values of a field, wherever the manifest has it.
fn fields<'s>(seen: &'s Seen<'_>, name: &str) -> Vec<&'s Value> {
    let mut found = Vec::new();
    each(&seen.case["manifest"], &mut |value| found.extend(value.get(name)));
    found
}

fn has(seen: &Seen<'_>, name: &str) -> bool {
    fields(seen, name).into_iter().any(|value| !value.is_null() && *value != false)
}

fn kinds<'s>(seen: &'s Seen<'_>) -> Vec<&'s str> {
    fields(seen, "type").into_iter().filter_map(Value::as_str).collect()
}

/// The initial states of the case.
fn blobs<'s>(seen: &'s Seen<'_>) -> Vec<&'s Value> {
    let items = seen.case["state_in"].as_array().into_iter().flatten();
    items.map(|item| &item["stream"]["stream_state"]).collect()
}

fn fails_with(seen: &Seen<'_>, words: &str) -> bool {
    seen.ran.error().is_some_and(|error| error.contains(words))
}

/// Whether all of the reference's requests were made.
fn requests_no_less(seen: &Seen<'_>) -> bool {
    let canonical: Vec<String> = seen.requests.iter().map(|request| super::incremental::canonical(request)).collect();
    golden(seen, "requests").iter().filter_map(Value::as_str).all(|request| {
        let request = super::incremental::canonical(request);
        canonical.contains(&request)
    })
}

/// Whether all of the reference's records were written.
fn gives_no_less(seen: &Seen<'_>) -> bool {
    golden(seen, "records").iter().all(|record| seen.records.contains(record))
}

/// The states of a full read are empty until it is complete.
fn full_read(seen: &Seen<'_>) -> bool {
    let states = golden(seen, "states");
    kinds(seen).contains(&"StateDelegatingStream")
        && states.len() == seen.states.len()
        && states.iter().zip(&seen.states).enumerate().all(|(at, (golden, mine))| {
            let is_last = at + 1 == states.len();
            let is_same = super::requests::numbers(golden) == super::requests::numbers(mine);
            is_same || mine["state"] == serde_json::json!({}) && (!is_last || !seen.ran.errors.is_empty())
        })
}

/// The reference writes no states of parents that are combined with other routers.
fn beside_others(seen: &Seen<'_>) -> bool {
    let is_list = |router: &&Value| router.as_array().is_some_and(|routers| routers.len() > 1);
    let has_parents = |states: &[Value]| states.last().is_some_and(|last| last["state"].get("parent_state").is_some());
    has(seen, "incremental_dependency")
        && fields(seen, "partition_router").iter().any(is_list)
        && !has_parents(golden(seen, "states"))
        && has_parents(&seen.states)
        && gives_no_less(seen)
}

/// The reference keeps unknown members of the state forever.
fn other_keys(seen: &Seen<'_>) -> bool {
    let states = golden(seen, "states");
    states.len() == seen.states.len()
        && states.iter().zip(&seen.states).all(|(golden, mine)| {
            let (Some(golden_state), Some(state)) = (golden["state"].as_object(), mine["state"].as_object()) else {
                return false;
            };
            super::requests::numbers(&golden["count"]) == super::requests::numbers(&mine["count"])
                && is_within(&mine["state"], &golden["state"])
                && state.len() <= golden_state.len()
        })
}

/// Whether one value is the other without some members.
fn is_within(mine: &Value, golden: &Value) -> bool {
    match (mine, golden) {
        (Value::Object(mine), Value::Object(golden)) => {
            mine.iter().all(|(key, value)| golden.get(key).is_some_and(|golden| is_within(value, golden)))
        }
        (Value::Array(mine), Value::Array(golden)) => {
            mine.len() == golden.len() && mine.iter().zip(golden).all(|(mine, golden)| is_within(mine, golden))
        }
        (mine, golden) => super::requests::numbers(mine) == super::requests::numbers(golden),
    }
}

/// `slices: []`, with which the reference crashes.
fn no_intervals(seen: &Seen<'_>) -> bool {
    let is_empty = |slices: &Value| slices.as_array().is_none_or(Vec::is_empty);
    blobs(seen).into_iter().any(|blob| blob.get("state_type").is_some() && is_empty(&blob["slices"]))
        && seen.ran.errors.is_empty()
}

fn other_namespace(seen: &Seen<'_>) -> bool {
    fails_with(seen, "in the namespace")
}

/// The reference accepts only a list of states.
fn other_file(seen: &Seen<'_>) -> bool {
    let has_to_be_list = |trace: &Value| trace["before_start"] == true;
    seen.case["error"]["traces"].as_array().is_some_and(|traces| traces.iter().any(has_to_be_list))
}

/// A cursor with an offset is written in a format without one.
fn local_time(seen: &Seen<'_>) -> bool {
    let writes_none = |format: &Value| format.as_str().is_some_and(|format| !format.contains("%z"));
    let reads_one = fields(seen, "cursor_datetime_formats").iter().any(|formats| formats.to_string().contains("%z"));
    reads_one && fields(seen, "datetime_format").into_iter().any(writes_none)
}

/// The reference takes the newest value that it has seen, wherever it is.
fn earlier_state(seen: &Seen<'_>) -> bool {
    let states = golden(seen, "states");
    states.len() == seen.states.len()
        && states.iter().zip(&seen.states).all(|(golden, mine)| {
            super::requests::numbers(&golden["count"]) == super::requests::numbers(&mine["count"])
                && is_no_later(&mine["state"], &golden["state"])
        })
}

fn is_no_later(mine: &Value, golden: &Value) -> bool {
    let (mine, golden) = (mine.to_string(), golden.to_string());
    mine <= golden
}

/// The reference begins at the first boundary after the state, and never reads anything before it.
fn boundary(seen: &Seen<'_>) -> bool {
    has(seen, "clamping")
        && gives_no_less(seen)
        && (requests_no_less(seen) || seen.requests.len() == golden(seen, "requests").len())
}

/// A record with a cursor in the future ends the paging of the reference.
fn feed(seen: &Seen<'_>) -> bool {
    has(seen, "is_data_feed") && gives_no_less(seen) && requests_no_less(seen)
}

fn odd_count(seen: &Seen<'_>) -> bool {
    kinds(seen).contains(&"IncrementingCountCursor") && fails_with(seen, "is not a number, so it cannot be counted")
}

/// The reference reads what is before and after a list of intervals, and fails.
fn count_in_one(seen: &Seen<'_>) -> bool {
    kinds(seen).contains(&"IncrementingCountCursor")
        && blobs(seen).into_iter().any(|blob| blob.get("slices").is_some())
        && seen.ran.errors.is_empty()
}

fn short_year(seen: &Seen<'_>) -> bool {
    fails_with(seen, "writes a date that it cannot read again")
}

/// The reference reads parents ahead, and loses those when a page of them fails.
fn as_they_come(seen: &Seen<'_>) -> bool {
    kinds(seen).contains(&"SubstreamPartitionRouter")
        && (!has(seen, "incremental_sync") || !seen.case["error"].is_null())
        && gives_no_less(seen)
        && requests_no_less(seen)
}

/// The reference makes entries of an older state that no partition has, and reads everything again.
fn older_states(seen: &Seen<'_>) -> bool {
    kinds(seen).contains(&"LegacyToPerPartitionStateMigration")
}

/// The reference reads a duplicate partition again if the first was finished by then.
fn partition_once(seen: &Seen<'_>) -> bool {
    seen.case["requests_order"] != "exact"
        && kinds(seen).contains(&"SubstreamPartitionRouter")
        && seen.requests.iter().all(|request| golden(seen, "requests").contains(&Value::from(request.as_str())))
}
