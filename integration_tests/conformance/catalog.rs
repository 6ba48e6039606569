//! The catalog, from which destinations make tables.

use source_http_testkit::conformance::CATALOG_RULES;

use super::{STRIPE, assert_kept};

#[track_caller]
fn keeps(rule: &str) {
    assert_kept(CATALOG_RULES, rule, STRIPE.connector.catalog());
}

#[test]
fn there_are_streams() {
    keeps("there_are_streams");
}

#[test]
fn schemas_are_json_schemas_of_objects() {
    keeps("schemas_are_json_schemas_of_objects");
}

#[test]
fn cursors_are_in_the_schema() {
    keeps("cursors_are_in_the_schema");
}

#[test]
fn primary_keys_are_in_the_schema() {
    keeps("primary_keys_are_in_the_schema");
}

#[test]
fn destinations_know_every_keyword() {
    keeps("destinations_know_every_keyword");
}

#[test]
fn unknown_fields_are_accepted() {
    keeps("unknown_fields_are_accepted");
}

#[test]
fn types_and_formats_are_airbytes() {
    keeps("types_and_formats_are_airbytes");
}
