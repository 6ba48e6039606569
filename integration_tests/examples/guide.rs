//! `docs/write-a-source.md` shows lines of the example and of its tests. They are those that are built and run.

use std::fmt::Write;

const GUIDE: &str = include_str!("../../docs/write-a-source.md");
const SHOWN: [&str; 2] = [include_str!("../../examples/employees.rs"), include_str!("employees.rs")];

/// The text of each fenced block whose info string is this.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in GUIDE.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(info)) if info == language => block = Some(String::new()),
            (Some(_), Some(_)) => blocks.extend(block.take()),
            (Some(text), None) => writeln!(text, "{line}").unwrap(),
            (None, _) => {}
        }
    }
    blocks
}

#[test]
fn every_block_of_the_guide_that_is_no_test_of_its_own_is_in_the_example_or_its_tests_word_for_word() {
    let shown = blocks("rust,ignore");
    assert!(shown.len() >= 6, "{shown:?}");
    for block in shown {
        assert!(SHOWN.iter().any(|source| source.contains(&block)), "this is nowhere:\n{block}");
    }
}

#[test]
fn the_guide_shows_all_of_the_two_streams() {
    let example = SHOWN[0];
    let blocks = blocks("rust,ignore").concat();
    let streams = example.find("struct Employees").unwrap()..example.find("/// The connector:").unwrap();
    for line in example[streams].lines().filter(|line| !line.trim().is_empty()) {
        assert!(blocks.contains(line), "the guide does not show: {line}");
    }
}
