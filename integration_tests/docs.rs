//! The documents beside the code say what is so, and the tests keep to what they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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

/// Where tests start processes, or write through an output of their own, and what of it is no output of a connector.
const OWN_OUTPUTS: [(&str, &str); 8] = [
    ("auth/mod.rs", "a client outside of any sync, whose output is checked when it is dropped"),
    ("cache/client.rs", "a client outside of any sync, which writes to nowhere"),
    ("cache/file.rs", "this very program, to be killed, with its output thrown away"),
    ("hostile/inputs.rs", "a run in the fuzz targets, too, which checks its own output"),
    ("memory.rs", "the binary under a cap of memory, whose output is parsed"),
    ("signals.rs", "the binary, to be sent signals, whose output is parsed as far as it came"),
    ("support/binary.rs", "the one place that runs the binary, and checks its output"),
    ("support/interruption.rs", "the program `kill`"),
];

#[test]
fn every_run_of_a_connector_passes_the_protocol_check() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration_tests");
    let mut found = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let name = entry.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&entry).unwrap_or_default();
            // Taken apart, so that this file has none of them.
            let ways =
                ["Command::", "Output::", "Ho"].iter().zip(["new(", "new(", "st {"]).map(|(a, b)| format!("{a}{b}"));
            let ways = ways.chain([format!("cargo_{}", "bin(")]);
            if ways.into_iter().any(|way| text.contains(&way)) {
                found.push(name);
            }
        }
    }
    found.sort();
    assert_eq!(found, OWN_OUTPUTS.map(|(file, _)| file));
}

/// The text of all tests and of all code.
fn code() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    let mut folders = vec![root.join("integration_tests"), root.join("src")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => code.push_str(&fs::read_to_string(entry).unwrap_or_default()),
            }
        }
    }
    code
}

/// The parts of the paths of tests that a page quotes, such as `docs::every_promise`, that are no function or module.
fn gone(page: &str) -> (usize, Vec<&str>) {
    let code = code();
    let quoted = page.split('`').skip(1).step_by(2).filter(|name| name.contains("::"));
    let names: BTreeSet<&str> = quoted.flat_map(|path| path.split(['{', '}', ',', ':'])).collect();
    let is_there = |name: &str| {
        ["fn ", "mod "]
            .iter()
            .any(|kind| code.contains(&format!("{kind}{name}(")) || code.contains(&format!("{kind}{name};")))
            || code.contains(&format!("mod {name} {{"))
    };
    let gone = names.iter().filter(|name| !matches!(**name, "" | "*") && !is_there(name)).copied().collect();
    (names.len(), gone)
}

/// Each row of the promises names the tests that keep it; a test that is renamed or gone must not be promised.
#[test]
fn every_test_that_a_promise_names_is_there() {
    let (count, gone) = gone(include_str!("../docs/promises.md"));
    assert!(count > 30, "{count}");
    assert!(gone.is_empty(), "no test or module is called {gone:?}");
}

/// Each rule of conformance has its test or a reason, and each test of conformance is that of a rule.
#[test]
fn every_rule_of_conformance_names_its_test_or_why_it_has_none() {
    let page = include_str!("../docs/conformance.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && !line.contains("| ---")).collect();
    let rows_alone = rows.join("\n");
    let (count, gone) = gone(&rows_alone);
    assert!(count > 40, "{count}");
    assert!(gone.is_empty(), "no test or module is called {gone:?}");
    for row in rows.iter().filter(|row| !row.ends_with("| outcome |")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, test, outcome] = cells[..] else { panic!("a row of another form: {row}") };
        let has_test = test.starts_with('`');
        assert!(has_test || test == "-", "neither a test nor none: {row}");
        assert!(["kept", "not applicable: ", "otherwise: "].iter().any(|word| outcome.starts_with(word)), "{row}");
        assert_eq!(has_test, !outcome.starts_with("not applicable: "), "{row}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration_tests/conformance");
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&entry).unwrap_or_default();
        for (_, after) in text.match_indices("#[test]\nfn ").map(|(at, found)| text.split_at(at + found.len())) {
            let name = after.split('(').next().unwrap_or_default();
            assert!(page.contains(&format!("::{name}`")), "{name} is no row of docs/conformance.md");
        }
    }
}
