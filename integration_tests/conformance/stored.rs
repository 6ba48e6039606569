//! The specification and the catalog as last reviewed, in `stored/`: each change shows in the review of its commit.
//! `UPDATE_STORED=1 cargo test conformance::stored` rewrites them, unless that breaks configs or tables of users:
//! `UPDATE_STORED=breaking` does so anyway, and belongs in a major version.

use std::path::PathBuf;

use serde_json::Value;
use source_http::Registry;
use source_http_testkit::InProcess;
use source_http_testkit::conformance::{catalog_changes, outline, sample_configs, spec_changes};

use super::STRIPE;

const SPEC: &str = include_str!("stored/spec.json");
const CATALOG: &str = include_str!("stored/catalog.txt");

/// Asserts that the stored text is the current one, or stores the current one.
#[track_caller]
fn assert_stored(file: &str, stored: &str, now: &str, breaking: &[String]) {
    let wish = std::env::var("UPDATE_STORED").unwrap_or_default();
    if wish == "breaking" || (wish == "1" && breaking.is_empty()) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("integration_tests/conformance/stored").join(file);
        std::fs::write(path, now).unwrap();
        return;
    }
    let changed: Vec<&str> = now.lines().filter(|line| !stored.lines().any(|known| known == *line)).collect();
    assert!(
        stored == now,
        "{file} is not what is stored. New or changed:\n{}\nOf this, it breaks what users have:\n{}\nIf that is meant, \
         run UPDATE_STORED=1 cargo test conformance::stored, or UPDATE_STORED=breaking.",
        changed.join("\n"),
        breaking.join("\n")
    );
}

#[test]
fn the_specification_is_the_stored_one_and_takes_the_configs_that_users_have() {
    let spec = STRIPE.connector.spec();
    let stored: Value = serde_json::from_str(SPEC).unwrap_or_default();
    let now = format!("{}\n", serde_json::to_string_pretty(spec).unwrap());
    assert_stored("spec.json", SPEC, &now, &spec_changes(&stored, spec));
}

#[test]
fn the_catalog_is_the_stored_one_and_keeps_the_tables_that_users_have() {
    let now = outline(STRIPE.connector.catalog());
    assert_stored("catalog.txt", CATALOG, &now, &catalog_changes(CATALOG, &now));
}

#[test]
fn a_hundred_configs_made_for_the_stored_specification_are_taken() {
    for config in sample_configs(&serde_json::from_str(SPEC).unwrap(), 100) {
        let done = InProcess::with_registry(Registry::built_in()).config(&config).run("discover");
        // Not only the schema refuses these: an invalid URL, a date in the future, and a key that no header can
        // contain.
        let refusals = done.messages().errors();
        let is_url = |message: &str| message.contains("`api_url`") && message.contains("is not a URL");
        let is_future = |message: &str| message.contains("`start_date`") && message.contains("is in the future");
        let is_unsendable = |message: &str| message.contains("which cannot be sent");
        let is_meant = |message: &str| is_url(message) || is_future(message) || is_unsendable(message);
        assert!(refusals.iter().all(|error| is_meant(&error.message)), "{config}: {refusals:?}");
    }
}
