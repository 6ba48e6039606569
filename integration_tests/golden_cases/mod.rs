//! Cases whose answers Airbyte's Python runtime (airbyte-cdk 7.39.1) gave, one file a subject, one JSON a line. A case
//! is equal, or differs on purpose by a rule, or has failed. `GOLDEN_CASES=FOLDER` reads the files of another folder.

mod resolve;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// What became of a case.
pub(crate) enum Outcome {
    /// The answer is the reference's.
    Equal,
    /// It differs on purpose; the rule says how.
    ByRule(&'static str),
    /// It differs.
    Failed(String),
}

/// Runs all cases of `NAME.jsonl`, prints the counts, and fails if a case has failed or there is none.
#[allow(clippy::print_stdout, reason = "the counts are what is asked for")]
pub(crate) fn run(name: &str, check: impl Fn(&Value) -> Outcome) {
    let folder = std::env::var_os("GOLDEN_CASES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/integration_tests/golden_cases")),
        PathBuf::from,
    );
    let path = folder.join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut equal, mut by_rule, mut failed) = (0, BTreeMap::new(), Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let case: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("line {}: {error}", number + 1));
        match check(&case) {
            Outcome::Equal => equal += 1,
            Outcome::ByRule(rule) => *by_rule.entry(rule).or_insert(0) += 1,
            Outcome::Failed(why) => failed.push(format!("{name}.jsonl:{}: {why}\n    {line}", number + 1)),
        }
    }
    let rules: Vec<String> = by_rule.iter().map(|(rule, count)| format!(", {count} by rule {rule:?}")).collect();
    let counts = format!("{name}: {equal} equal{}, {} failed", rules.concat(), failed.len());
    println!("{counts}");
    assert!(equal + by_rule.len() + failed.len() > 0, "{} has no case", path.display());
    assert!(failed.is_empty(), "{counts}\n{}", failed.join("\n"));
}
