//! All records of all streams, validated against the schemas that `discover` gives.

use source_http_testkit::conformance::RECORD_RULES;

use super::{STRIPE, assert_kept};

#[track_caller]
fn keeps(rule: &str) {
    assert_kept(RECORD_RULES, rule, &STRIPE.connector.records());
}

#[test]
fn every_stream_gives_records() {
    keeps("every_stream_gives_records");
}

#[test]
fn records_fit_their_schemas() {
    keeps("records_fit_their_schemas");
}

#[test]
fn records_share_fields_with_their_schemas() {
    keeps("records_share_fields_with_their_schemas");
}

#[test]
fn fields_of_records_are_declared() {
    keeps("fields_of_records_are_declared");
}

#[test]
fn primary_keys_are_not_null() {
    keeps("primary_keys_are_not_null");
}

#[test]
fn primary_keys_are_distinct() {
    keeps("primary_keys_are_distinct");
}

#[test]
fn cursors_are_not_null() {
    keeps("cursors_are_not_null");
}
