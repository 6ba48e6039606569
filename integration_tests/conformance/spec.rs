//! The specification, from which the platform makes a form.

use source_http_testkit::conformance::SPEC_RULES;

use super::{STRIPE, assert_kept};

#[track_caller]
fn keeps(rule: &str) {
    assert_kept(SPEC_RULES, rule, STRIPE.connector.spec());
}

#[test]
fn the_specification_is_a_json_schema_of_an_object() {
    keeps("the_specification_is_a_json_schema_of_an_object");
}

#[test]
fn enum_values_are_distinct() {
    keeps("enum_values_are_distinct");
}

#[test]
fn alternatives_are_distinguished_by_one_constant() {
    keeps("alternatives_are_distinguished_by_one_constant");
}

#[test]
fn secrets_are_marked() {
    keeps("secrets_are_marked");
}

#[test]
fn a_secret_is_a_single_value() {
    keeps("a_secret_is_a_single_value");
}

#[test]
fn a_setting_has_one_type() {
    keeps("a_setting_has_one_type");
}

#[test]
fn objects_have_settings() {
    keeps("objects_have_settings");
}

#[test]
fn lists_have_items_of_one_type() {
    keeps("lists_have_items_of_one_type");
}

#[test]
fn forms_can_show_every_keyword() {
    keeps("forms_can_show_every_keyword");
}

#[test]
fn dates_have_a_pattern_and_a_format() {
    keeps("dates_have_a_pattern_and_a_format");
}

#[test]
fn nothing_is_a_reference() {
    keeps("nothing_is_a_reference");
}

#[test]
fn unknown_settings_are_accepted() {
    keeps("unknown_settings_are_accepted");
}

#[test]
fn defaults_and_examples_fit() {
    keeps("defaults_and_examples_fit");
}

#[test]
fn the_paths_of_oauth_are_there() {
    keeps("the_paths_of_oauth_are_there");
}
