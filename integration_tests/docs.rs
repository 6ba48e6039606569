//! The documents beside the code say what is so.

use std::collections::BTreeSet;

#[test]
fn every_direct_dependency_has_its_reason_and_every_reason_a_dependency() {
    let manifest = include_str!("../Cargo.toml");
    let lists = |section: &&str| section.lines().next().is_some_and(|header| header.ends_with("dependencies]"));
    let sections = manifest.split("\n[").filter(lists);
    let named = |line: &str| {
        let (name, _) = line.split_once(" = ")?;
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_').then(|| name.to_owned())
    };
    let mut dependencies: BTreeSet<String> = sections.flat_map(str::lines).filter_map(named).collect();
    assert!(dependencies.remove("source-http"), "the kit is this crate's own");
    let page = include_str!("../docs/dependencies.md");
    let rows = page.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let reasons: BTreeSet<String> =
        rows.flat_map(|names| names.split(',')).map(|name| name.trim().trim_matches('`').to_owned()).collect();
    assert_eq!(dependencies, reasons);
}

#[test]
fn every_flag_and_exit_code_of_the_readme_is_one_of_the_binary_and_the_other_way_round() {
    let help = |args: &[&str]| crate::support::binary::Binary::new(args).run().stdout;
    let flags = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
    };
    let table: String = include_str!("../README.md").lines().filter(|line| line.starts_with("| `--")).collect();
    let mut all: String = ["check", "discover", "read"].map(|command| help(&[command, "--help"])).concat();
    all.push_str(&help(&["--help"]));
    let mut known = flags(&all);
    known.remove("--help");
    known.remove("--version");
    assert_eq!(flags(&table), known);
}
