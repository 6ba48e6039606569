//! `docs/write-a-source.md` builds a connector block by block. Its blocks are the files of the example, so a reader
//! gets code that builds, and the output it shows is the output of a run.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;
use source_http_testkit::{InProcess, Server};

use super::employees::example::Company;

#[allow(dead_code, reason = "its main is not called here")]
#[path = "../../examples/employees_api.rs"]
mod employees_api;

const GUIDE: &str = include_str!("../../docs/write-a-source.md");

/// The text of each fenced block with this info string.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in GUIDE.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(info)) => block = Some(info.to_owned() + "\n"),
            (Some(_), Some(_)) => blocks.extend(block.take()),
            (Some(text), None) => writeln!(text, "{line}").unwrap(),
            (None, None) => {}
        }
    }
    let wanted = format!("{language}\n");
    blocks.iter().filter_map(|block| block.strip_prefix(&wanted)).map(str::to_owned).collect()
}

/// Rust without the parts that the guide omits: empty lines, and the file's own comment.
fn lines(source: &str) -> Vec<&str> {
    source.lines().filter(|line| !line.is_empty() && !line.starts_with("//!")).collect()
}

/// The blocks of `src/main.rs`, and that of `examples/api.rs`.
fn files() -> (String, String) {
    let (api, main): (Vec<String>, _) =
        blocks("rust,ignore").into_iter().partition(|block| block.contains("start_at("));
    (main.concat(), api.concat())
}

/// Compares line by line, so that a failure names the first that differs.
fn assert_same(shown: &str, built: &str) {
    let (shown, built) = (lines(shown), lines(built));
    for (shown, built) in shown.iter().zip(&built) {
        assert_eq!(shown, built);
    }
    assert_eq!(shown.len(), built.len());
}

#[test]
fn the_blocks_of_the_guide_one_after_the_other_are_the_example() {
    // In the reader's own crate, the files are in other places.
    let example = include_str!("../../examples/employees.rs")
        .replace("$CARGO_MANIFEST_DIR/examples/employees/schemas", "$CARGO_MANIFEST_DIR/schemas")
        .replace("employees/spec.json", "../spec.json");
    let (main, api) = files();
    assert_same(&main, &example);
    assert_same(&api, include_str!("../../examples/employees_api.rs"));
}

#[test]
fn the_dependencies_of_the_guide_are_those_that_its_code_uses() {
    let named: BTreeSet<String> = blocks("toml")[0]
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.replace('-', "_"))
        .collect();
    let (main, api) = files();
    let code = main + &api;
    // The part before the first `::` of a path.
    let words = code.split(|c: char| !(c.is_alphanumeric() || "_:.".contains(c)));
    let roots = words.filter_map(|word| word.split_once("::")).map(|(root, _)| root);
    // A method, such as `text.parse::<u64>()`, is not a path.
    let is_crate = |root: &&str| root.starts_with(|c: char| c.is_ascii_lowercase()) && !root.contains('.');
    let used: BTreeSet<String> = roots
        .filter(is_crate)
        .filter(|root| !matches!(*root, "std" | "super" | "self" | "crate"))
        .map(str::to_owned)
        .collect();
    assert_eq!(named, used);
}

#[test]
fn the_files_that_the_guide_shows_are_those_of_the_example() {
    let shown = blocks("json");
    let files = [
        include_str!("../../examples/employees/spec.json"),
        include_str!("../../examples/employees/schemas/employees.json"),
        include_str!("../../examples/employees/schemas/employee_details.json"),
    ];
    assert_eq!(shown[..3], files);
}

#[test]
fn the_config_of_the_guide_reads_its_api_and_prints_what_it_says() {
    let server = Server::start(employees_api::api);
    let config = blocks("json")[3].replace("http://127.0.0.1:8080", &server.url());
    let config: Value = serde_json::from_str(&config).unwrap();
    let connector = || InProcess::new(Company).config(&config);
    let two = connector().arg("--streams").arg("employees").arg("--limit").arg("2").run("read");
    assert_eq!(two.stdout.replace(&server.url(), "http://127.0.0.1:8080"), blocks("text")[0]);
    let all = connector().run("read").messages();
    assert_eq!((all.records("employees").len(), all.records("employee_details").len()), (250, 249));
    assert!(GUIDE.contains("counts 250 employees and 249 details"));
}
