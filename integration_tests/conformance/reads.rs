//! Runs of the binary, side by side.

use source_http_testkit::conformance::READ_RULES;

use super::{STRIPE, assert_kept};

#[track_caller]
fn keeps(rule: &str) {
    assert_kept(READ_RULES, rule, &STRIPE.connector);
}

#[test]
fn the_config_fits_the_specification() {
    keeps("the_config_fits_the_specification");
}

#[test]
fn a_config_that_works_succeeds() {
    keeps("a_config_that_works_succeeds");
}

#[test]
fn a_config_without_a_required_setting_is_refused() {
    keeps("a_config_without_a_required_setting_is_refused");
}

#[test]
fn every_stream_completes() {
    keeps("every_stream_completes");
}

#[test]
fn two_full_refreshes_give_the_same() {
    keeps("two_full_refreshes_give_the_same");
}

#[test]
fn a_second_incremental_read_resumes_from_the_first() {
    keeps("a_second_incremental_read_resumes_from_the_first");
}

#[test]
fn every_state_can_be_resumed_from() {
    keeps("every_state_can_be_resumed_from");
}

#[test]
fn a_stream_that_is_not_there_gives_an_error_trace() {
    keeps("a_stream_that_is_not_there_gives_an_error_trace");
}

#[test]
fn a_mode_that_is_not_there_gives_an_error_trace() {
    keeps("a_mode_that_is_not_there_gives_an_error_trace");
}
