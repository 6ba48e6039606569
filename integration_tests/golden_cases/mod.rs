//! Cases with the answers of airbyte-cdk 7.39.1, one file a part of the declarative language. `GOLDEN_CASES=DIR` has the
//! runner read the files of another folder. Where ours differs on purpose, a rule over what a case shows says so, never
//! the case's name.

mod templates;

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What became of a case.
pub(crate) enum Verdict {
    /// The answer of the reference.
    Equal,
    /// Another answer, by a rule of this name.
    Rule(&'static str),
    /// Neither, and how.
    Failed(String),
    /// The answer of the reference is another one each time.
    Skipped,
}

/// The lines of a file in the folder of golden cases.
pub(crate) fn lines(file: &str) -> Vec<String> {
    let folder = std::env::var_os("GOLDEN_CASES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("integration_tests/golden_cases"),
        PathBuf::from,
    );
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// Prints the counts, and fails with each case that failed, or if there was none at all.
#[expect(clippy::print_stdout, reason = "the counts are what a run over other cases is for")]
pub(crate) fn report(part: &str, verdicts: impl IntoIterator<Item = (String, Verdict)>) {
    let (mut equal, mut skipped, mut rules, mut failed) = (0, 0, BTreeMap::<&str, usize>::new(), Vec::new());
    for (case, verdict) in verdicts {
        match verdict {
            Verdict::Equal => equal += 1,
            Verdict::Rule(rule) => *rules.entry(rule).or_default() += 1,
            Verdict::Failed(how) => failed.push(format!("{case}\n    {how}")),
            Verdict::Skipped => skipped += 1,
        }
    }
    let by_rule: Vec<String> = rules.iter().map(|(rule, count)| format!(", {count} by rule {rule}")).collect();
    let by_rule = by_rule.concat();
    println!("{part}: {equal} equal{by_rule}, {skipped} skipped, {} failed", failed.len());
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(equal > 0, "no case was read");
}
