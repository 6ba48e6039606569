//! Cases with the answers of Airbyte's Python runtime (airbyte-cdk 7.39.1), one file per subject, one JSON per line. A
//! case is equal, or differs on purpose by a rule over its contents, or has failed. `GOLDEN_CASES=FOLDER` reads the
//! files that another folder has.

mod auth_rules;
mod budget_rules;
mod decoder_rules;
mod incremental;
mod incremental_rules;
mod logins;
mod property_rules;
mod record_rules;
mod records;
mod request_rules;
mod requests;
mod resolve;
mod shown;
mod templates;
mod values;
mod whole;

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The files that a folder may have.
const FILES: [&str; 5] = ["incremental.jsonl", "records.jsonl", "requests.jsonl", "resolve.jsonl", "templates.jsonl"];

/// The result of a case.
pub(crate) enum Verdict {
    /// The answer is the reference's.
    Equal,
    /// It differs on purpose; the rule says how.
    Rule(&'static str),
    /// It needs a component that does not run here yet.
    NotYet(String),
    /// It differs.
    Failed(String),
    /// The reference gives another answer each time, or JSON cannot express the case: half a surrogate pair.
    Skipped,
}

/// Runs all cases of a file, prints the counts, and fails if a case has failed or there is none.
#[allow(clippy::print_stdout, reason = "the counts are the output")]
pub(crate) fn run(file: &str, check: impl Fn(&str) -> Verdict) {
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/integration_tests/golden_cases"));
    let given = std::env::var_os("GOLDEN_CASES").map(PathBuf::from);
    let path = given.clone().unwrap_or(own).join(file);
    if given.is_some_and(|folder| !path.exists() && FILES.iter().any(|other| folder.join(other).exists())) {
        println!("{file}: left out, {} is not there", path.display());
        return;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut cases, mut equal, mut skipped) = (0, 0, 0);
    let (mut rules, mut failed) = (BTreeMap::new(), Vec::new());
    let mut not_yet: BTreeMap<String, u32> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        cases += 1;
        match check(line) {
            Verdict::Equal => equal += 1,
            Verdict::Rule(rule) => *rules.entry(rule).or_insert(0) += 1,
            Verdict::Failed(why) => failed.push(format!("{file}:{}: {why}\n    {line}", number + 1)),
            Verdict::NotYet(what) => *not_yet.entry(what).or_default() += 1,
            Verdict::Skipped => skipped += 1,
        }
    }
    let rules: Vec<String> = rules.iter().map(|(rule, count)| format!(", {count} by rule {rule:?}")).collect();
    let counts = format!(
        "{file}: {equal} equal{}, {skipped} skipped, {} not run yet, {} failed",
        rules.concat(),
        not_yet.values().sum::<u32>(),
        failed.len()
    );
    println!("{counts}");
    for (what, count) in not_yet {
        println!("    {count} not run yet: {what}");
    }
    assert!(cases > 0, "{} has no case", path.display());
    assert!(failed.is_empty(), "{counts}\n{}", failed.join("\n"));
}
