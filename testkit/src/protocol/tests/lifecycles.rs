//! The order of a stream's messages, and counts.

use super::*;

#[test]
fn counts_that_are_no_float_or_do_not_add_up_are_caught() {
    let with = |count: &str| opened("a") + &record("a", "{}") + &state("a", json!({}), count);
    assert_broken(&with("1"), "no decimal point");
    assert_broken(&with("1.5"), "is not a count");
    assert_broken(&with("2.0"), "counts 2 records, 1 came");
    assert_broken(&with("0.0"), "counts 0 records, 1 came");
    let without = with("1.0").replace(r#","sourceStats":{"recordCount":1.0}"#, "");
    assert_broken(&without, "without sourceStats.recordCount");
    let again = with("1.0") + &state("a", json!({}), "1.0");
    assert_broken(&again, "line 5: a state of stream a counts 1 records, 0 came");
}

#[test]
fn counts_are_kept_apart_by_namespace() {
    let other = |text: String| {
        text.replace(r#"{"name":"a"}"#, r#"{"name":"a","namespace":"n"}"#)
            .replace(r#""stream":"a""#, r#""stream":"a","namespace":"n""#)
    };
    let one = [opened("a"), record("a", "{}"), state("a", json!({}), "1.0")].concat();
    let end = status("a", "COMPLETE");
    let both = [one.clone(), other(one.clone()), end.clone(), other(end.clone())].concat();
    assert_eq!(Messages::parse(&both).records("a").len(), 2);
    let mixed = other(opened("a")) + &opened("a") + &other(record("a", "{}"));
    assert_broken(&(mixed + &state("a", json!({}), "1.0")), "counts 1 records, 0 came");
}

#[test]
fn statuses_out_of_order_are_caught() {
    let start = status("a", "STARTED");
    assert_broken(&status("a", "RUNNING"), "RUNNING after no status");
    assert_broken(&status("a", "COMPLETE"), "COMPLETE after no status");
    assert_broken(&(start.clone() + &start), "STARTED after STARTED");
    assert_broken(&start, "no COMPLETE or INCOMPLETE");
    assert_broken(&opened("a"), "no COMPLETE or INCOMPLETE");
    let done = start + &state("a", json!({}), "0.0") + &status("a", "COMPLETE");
    for next in ["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"] {
        let rule = format!("{next} after COMPLETE");
        assert_broken(&(done.clone() + &status("a", next)), &rule);
    }
    assert_bad_line(serde_json::from_str(&status("a", "DONE")).unwrap(), "status is DONE");
}

#[test]
fn records_and_states_outside_their_stream_are_caught() {
    assert_broken(&record("a", "{}"), "record of stream a before STARTED");
    assert_broken(&state("a", json!({}), "0.0"), "state of stream a before STARTED");
    let done = status("a", "STARTED") + &state("a", json!({}), "0.0") + &status("a", "COMPLETE");
    assert_broken(&(done.clone() + &record("a", "{}")), "record of stream a after COMPLETE");
    let late = state("a", json!({}), "0.0");
    assert_broken(&(done + &late), "state of stream a after COMPLETE");
    let failed = status("a", "STARTED") + &status("a", "INCOMPLETE");
    assert_broken(&(failed.clone() + &late), "state of stream a after INCOMPLETE");
    assert_broken(&(failed + &record("a", "{}")), "record of stream a after INCOMPLETE");
}

#[test]
fn a_complete_stream_without_a_last_state_is_caught() {
    let start = opened("a");
    assert_broken(&(start.clone() + &status("a", "COMPLETE")), "COMPLETE without a state");
    let uncovered = [start, state("a", json!({}), "0.0"), record("a", "{}"), status("a", "COMPLETE")];
    assert_broken(&uncovered.concat(), "its last 1 records have no state");
}

#[test]
fn a_stream_may_be_complete_without_a_state_only_if_a_warning_says_that_it_is_skipped() {
    let (start, end) = (status("a", "STARTED"), status("a", "COMPLETE"));
    let skipped = log_at("WARN", "a: skipped, for this reason");
    Messages::parse(&[start.clone(), skipped.clone(), end.clone()].concat());
    for told in [
        log_at("INFO", "a: skipped"),
        log_at("WARN", "b: skipped"),
        log_at("WARN", "aa: skipped"),
        log_at("WARN", "a: slow"),
    ] {
        assert_broken(&[start.clone(), told, end.clone()].concat(), "COMPLETE without a state");
    }
    assert_broken(&[skipped.clone(), start.clone(), end.clone()].concat(), "COMPLETE without a state");
    let with_record = [opened("a"), record("a", "{}"), skipped.clone()];
    assert_broken(&with_record.concat(), "skipped, but has records or a state");
    let with_state = [start.clone(), state("a", json!({}), "0.0"), skipped.clone()];
    assert_broken(&with_state.concat(), "skipped, but has records or a state");
    for late in [record("a", "{}"), state("a", json!({}), "0.0")] {
        assert_broken(&[start.clone(), skipped.clone(), late].concat(), "after it was skipped");
    }
    assert_broken(
        &[start.clone(), skipped.clone(), status("a", "INCOMPLETE")].concat(),
        "INCOMPLETE after it was skipped",
    );
    assert_broken(&[start.clone(), skipped.clone()].concat(), "no COMPLETE or INCOMPLETE");
    let failed = [start, error("a"), skipped, end];
    assert_broken(&failed.concat(), "COMPLETE after its error trace");
}

#[test]
fn error_traces_of_a_stream_have_their_place() {
    let failed = [status("a", "STARTED"), error("a"), status("a", "INCOMPLETE"), error("a")];
    let messages = Messages::parse(&failed.concat());
    assert_eq!(messages.errors().len(), 2);
    assert_eq!(messages.errors()[0].stream.as_deref(), Some("a"));
    assert_eq!(messages.errors()[0].failure_type.as_deref(), Some("system_error"));
    let done = status("a", "STARTED") + &state("a", json!({}), "0.0");
    let complete = status("a", "COMPLETE");
    assert_broken(&(done.clone() + &complete + &error("a")), "after COMPLETE");
    assert_broken(&(done + &error("a") + &complete), "COMPLETE after its error trace");
    assert_broken(&(error("a") + &status("a", "STARTED")), "before STARTED");
    let other = status("b", "STARTED") + &status("b", "INCOMPLETE");
    assert_broken(&(error("a") + &other), "stream a has an error trace but no status");
    assert_eq!(Messages::parse(&error("a")).errors().len(), 1, "no read, no life cycle");
}

#[test]
fn a_stream_that_never_started_needs_an_error() {
    let incomplete = status("a", "INCOMPLETE");
    assert_broken(&incomplete, "INCOMPLETE without STARTED and without an error trace");
    Messages::parse(&(error("a") + &incomplete));
    Messages::parse(&(incomplete + &error("a")));
}

#[test]
fn something_after_the_last_trace_is_caught() {
    assert_broken(&(good() + &log("bye")), "something follows the last trace");
    Messages::parse(&(good() + &trace("ANALYTICS", "analytics", json!({"type": "t"}))));
}
