//! The documents beside the code are true, and the tests follow them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The crates in the sections of a manifest whose names end like this.
fn dependencies(manifest: &str, ending: &str) -> BTreeSet<String> {
    let lists =
        |section: &&str| section.lines().next().is_some_and(|header| header.trim_matches(['[', ']']).ends_with(ending));
    let named = |line: &str| {
        let (name, _) = line.split_once(" = ")?;
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_').then(|| name.to_owned())
    };
    manifest.split("\n[").filter(lists).flat_map(str::lines).filter_map(named).collect()
}

/// The manifest of another package of the workspace, which is not published.
fn manifest_of(package: &str) -> String {
    fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap()
}

/// The packages of the workspace.
const OWN: [&str; 3] = ["source-http", "source-http-testkit", "stripe-mock"];

#[test]
fn every_direct_dependency_has_its_reason_and_every_reason_a_dependency() {
    let own = include_str!("../Cargo.toml");
    let of_all = [own, &manifest_of("testkit"), &manifest_of("stripe_mock")];
    let mut dependencies: BTreeSet<String> =
        of_all.into_iter().flat_map(|manifest| dependencies(manifest, "dependencies")).collect();
    assert!(OWN.into_iter().all(|package| dependencies.remove(package)), "{dependencies:?}");
    let page = include_str!("../docs/dependencies.md");
    let rows = page.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let reasons: BTreeSet<String> =
        rows.flat_map(|names| names.split(',')).map(|name| name.trim().trim_matches('`').to_owned()).collect();
    assert_eq!(dependencies, reasons);
}

/// A newcomer's first build compiles only the binary's dependencies, and none of those for tests and benches.
#[test]
fn the_demo_and_the_mock_need_no_crate_that_the_binary_does_not() {
    let (demo, binary) = (manifest_of("demo"), include_str!("../Cargo.toml"));
    for example in ["demo", "mock_stripe"] {
        let target = format!("[[example]]\nname = \"{example}\"\n");
        assert!(
            demo.contains(&target) && !binary.contains(&target),
            "{example} would bring the dev-dependencies along"
        );
    }
    let mut needed = dependencies(&demo, "dependencies");
    for package in ["testkit", "stripe_mock"] {
        let manifest = manifest_of(package).replace("\n[dev-dependencies]", "\n[dev]");
        needed.extend(dependencies(&manifest, "dependencies"));
    }
    assert!(OWN.into_iter().all(|package| needed.remove(package)), "{needed:?}");
    // A scripted server's dependencies, and nothing else.
    assert!(["httparse", "socket2"].into_iter().all(|name| needed.remove(name)), "{needed:?}");
    let without_dev = binary.replace("\n[dev-dependencies]", "\n[dev]");
    assert_eq!(needed.difference(&dependencies(&without_dev, "dependencies")).collect::<Vec<_>>(), [""; 0]);
}

/// People who try the mock by hand find here what they can change while it runs.
#[test]
fn the_help_of_the_mock_has_every_command_that_it_understands() {
    let example = include_str!("../examples/mock_stripe.rs");
    let help = example.split("const COMMANDS").nth(1).unwrap().split("\";").next().unwrap();
    let table = include_str!("../stripe_mock/src/script.rs").lines();
    let rows = table.filter_map(|line| line.trim().strip_prefix("/// | `")?.split(" | ").next());
    let commands: Vec<&str> = rows.flat_map(|row| row.split("`, `")).map(|row| row.trim_end_matches('`')).collect();
    assert!(commands.len() > 8, "{commands:?}");
    for command in commands {
        let words = command.replace("RESOURCE", "KIND");
        assert!(help.contains(&words), "{words} is not in the help of mock_stripe");
    }
}

#[test]
fn the_rust_version_is_the_same_in_every_place() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    for (file, text) in
        [("README.md", include_str!("../README.md")), ("the guide", include_str!("../docs/write-a-source.md"))]
    {
        assert!(text.contains(&format!("You need Rust {version} or newer")), "{file}");
    }
    for package in ["demo", "stripe_mock", "testkit"] {
        assert!(manifest_of(package).contains(&format!("rust-version = \"{version}\"")), "{package}");
    }
}

#[test]
fn every_flag_and_exit_code_of_the_cli_page_is_one_of_the_binary_and_the_other_way_round() {
    let help = |args: &[&str]| crate::support::binary::Binary::new(args).run().stdout;
    let flags = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
    };
    let page = include_str!("../docs/cli.md");
    let table: String = page.lines().filter(|line| line.starts_with("| `--")).collect();
    let mut all: String =
        ["check", "discover", "read", "catalog", "about"].map(|command| help(&[command, "--help"])).concat();
    all.push_str(&help(&["--help"]));
    let mut known = flags(&all);
    known.remove("--help");
    known.remove("--version");
    assert_eq!(flags(&table), known);

    let codes = |lines: &mut dyn Iterator<Item = &str>| -> BTreeSet<u8> {
        lines.flat_map(|line| line.split(", ").filter_map(|code| code.trim().parse().ok())).collect()
    };
    let rows = page.split("## Exit codes").nth(1).unwrap().split("\n## ").next().unwrap().lines();
    let explained = codes(&mut rows.filter_map(|row| row.split('|').nth(1)));
    let help = help(&["--help"]);
    let listed = help.split("Exit codes:").nth(1).unwrap().lines();
    assert_eq!(explained, codes(&mut listed.filter_map(|line| line.split_whitespace().next())));
    assert!(explained.len() > 4, "{explained:?}");
}

/// The tests that start processes or write through their own output, and which output is not a connector's.
const OWN_OUTPUTS: [(&str, &str); 9] = [
    ("auth/mod.rs", "a client outside of any sync, whose output is checked when it is dropped"),
    ("cache/client.rs", "a client outside of any sync, which writes to nowhere"),
    ("cache/file.rs", "this very program, to be killed, with its output thrown away"),
    ("hostile/inputs.rs", "a run in the fuzz targets, too, which checks its own output"),
    ("memory.rs", "the binary under a cap of memory, whose output is parsed"),
    ("shell.rs", "shells, whose own output is checked, and the binary in them, whose lines are parsed"),
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
            // Split, so this file contains none of them.
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
    let mut folders =
        ["integration_tests", "src", "stripe_mock/src", "testkit/src"].map(|folder| root.join(folder)).to_vec();
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

/// The parts of the paths of tests on a page, such as `docs::every_promise`, that are not a function or module.
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

/// Each row of the promises names its tests; a promise must not name a renamed or deleted test.
#[test]
fn every_test_that_a_promise_names_is_there() {
    let (count, gone) = gone(include_str!("../docs/promises.md"));
    assert!(count > 30, "{count}");
    assert!(gone.is_empty(), "no test or module is called {gone:?}");
}

/// The last column of a row of differences has its test.
#[test]
fn every_test_that_a_difference_names_is_there() {
    let rows = include_str!("../docs/compatibility.md").lines().filter(|line| line.starts_with('|'));
    let named: String =
        rows.filter_map(|row| row.trim_end_matches('|').rsplit_once('|')).map(|(_, tests)| tests).collect();
    let (count, gone) = gone(&named);
    assert!(count > 60, "{count}");
    assert!(gone.is_empty(), "no test or module is called {gone:?}");
}

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder that git may know of, with this ending.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap_or_default();
            match entry.is_dir() {
                true if name == ".git" || name == "target" => {}
                true => folders.push(entry),
                false if name.ends_with(ending) => found.push(entry),
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// A page without its fenced blocks, which are code.
fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = prose(page);
    let titles = prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    titles.map(|title| title.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// The targets of a page's links: the text in the parentheses of `[text](target)`.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// The problem of a link on a page, if any.
fn broken(page: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { page.to_owned() } else { page.parent()?.join(file) };
    let said = format!("{}: {target}", page.strip_prefix(root()).unwrap_or(page).display());
    if !path.exists() {
        return Some(said);
    }
    let is_there = anchor.is_empty() || anchors(&fs::read_to_string(path).unwrap_or_default()).contains(anchor);
    (!is_there).then_some(said)
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading_that_are_there() {
    let pages = files(root(), ".md");
    let mut count = 0;
    let mut wrong = Vec::new();
    for page in &pages {
        for target in links(&fs::read_to_string(page).unwrap()) {
            count += 1;
            wrong.extend(broken(page, &target));
        }
    }
    assert!(count > 80 && pages.len() > 25, "{count} links on {} pages", pages.len());
    assert_eq!(wrong, [""; 0]);

    let readme = root().join("README.md");
    assert_eq!(broken(&readme, "docs/no-such-page.md").unwrap(), "README.md: docs/no-such-page.md");
    assert!(broken(&readme, "#no-such-heading").is_some() && broken(&readme, "docs/stripe.md#no-such").is_some());
    assert!(broken(&readme, "docs/stripe.md#known-limits").is_none());
}

/// Names on pages that look like paths of this project but are not: files of the reader's own crate, and results of a
/// run.
const NOT_OURS: [&str; 5] =
    ["examples/api.rs", "schemas/employees.json", "schemas/employee_details.json", "fuzz/artifacts", "deploy/data"];

#[test]
fn every_path_that_a_page_names_is_there() {
    let tops: BTreeSet<String> =
        fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut count = 0;
    let mut gone = Vec::new();
    for page in files(root(), ".md") {
        let text = fs::read_to_string(&page).unwrap();
        let prose = prose(&text);
        for name in prose.split('`').skip(1).step_by(2) {
            // Capitals are placeholders; a name that begins with no folder of ours is a URL, or relative.
            let is_path = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
            let Some((top, _)) = name.split_once('/') else { continue };
            if !name.chars().all(is_path) || !tops.contains(top) || top == "target" || NOT_OURS.contains(&name) {
                continue;
            }
            count += 1;
            if !root().join(name).exists() {
                gone.push(format!("{}: {name}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(count > 100, "{count}");
    assert_eq!(gone, [""; 0]);
}

/// `docs/how-it-works.md` names the functions that do each step.
#[test]
fn every_file_and_function_of_how_it_works_is_there_under_its_name() {
    let page = include_str!("../docs/how-it-works.md");
    let sources: Vec<PathBuf> = files(&root().join("src"), ".rs");
    let code: String = sources.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let words = || {
        page.split(|c: char| !(c.is_ascii_alphanumeric() || "/._:-".contains(c))).map(|w| w.trim_matches(['.', ':']))
    };
    let named: BTreeSet<&str> =
        words().filter(|word| Path::new(word).extension().is_some_and(|ending| ending == "rs")).collect();
    let known = |file: &&str| sources.iter().any(|source| source.ends_with(file.trim_start_matches("src/")));
    let gone: Vec<&&str> = named.iter().filter(|file| !known(file)).collect();
    assert!(named.len() > 20 && gone.is_empty(), "{gone:?} of {named:?}");

    let functions: BTreeSet<&str> = words().filter(|word| word.contains("::")).collect();
    let is_there = |path: &str| {
        let (of, name) = path.rsplit_once("::").unwrap_or_default();
        let of = of.rsplit("::").next().unwrap_or_default();
        code.contains(&format!("fn {name}")) && [" ", "mod "].iter().any(|kind| code.contains(&format!("{kind}{of}")))
    };
    let gone: Vec<&&str> = functions.iter().filter(|path| !is_there(path)).collect();
    assert!(functions.len() > 20 && gone.is_empty(), "{gone:?} of {functions:?}");
}

#[test]
fn every_page_of_the_cookbook_is_run_and_is_in_its_index() {
    let run = include_str!("../src/cookbook.rs");
    let index = links(include_str!("../docs/cookbook/README.md"));
    for page in files(&root().join("docs/cookbook"), ".md") {
        let name = page.file_name().unwrap().to_str().unwrap();
        if name != "README.md" {
            assert!(run.contains(&format!("../docs/cookbook/{name}")), "src/cookbook.rs does not run {name}");
            assert!(index.iter().any(|target| target == name), "the index does not name {name}");
            let text = fs::read_to_string(&page).unwrap();
            assert!(
                !text.contains("```rust,ignore") && text.contains("```rust\n"),
                "{name} has a block that is not run"
            );
        }
    }
}

/// The manifest has the version; an image, a registry and manifests of others cannot read it from there.
#[test]
fn the_version_is_the_same_in_every_place() {
    let version = env!("CARGO_PKG_VERSION");
    for (file, text, marks) in [
        ("Dockerfile", include_str!("../Dockerfile"), &["io.airbyte.version=", "image.version="][..]),
        ("metadata.yaml", include_str!("../metadata.yaml"), &["dockerImageTag: "]),
        ("cronjob.yaml", include_str!("../deploy/kubernetes/cronjob.yaml"), &["/source-stripe:"]),
        ("compose.yaml", include_str!("../deploy/compose.yaml"), &["}/source-stripe:"]),
        (
            "airbyte.md",
            include_str!("../docs/airbyte.md"),
            &["build -t REGISTRY/source-stripe:", "--rm REGISTRY/source-stripe:", "push REGISTRY/source-stripe:"],
        ),
    ] {
        for mark in marks {
            let written: Vec<&str> =
                text.split(mark).skip(1).filter_map(|rest| rest.split([' ', '\n']).next()).collect();
            assert_eq!(written, [version], "{mark} in {file}");
        }
    }
}

/// Each rule of conformance has its test or a reason, and each test of conformance has its rule.
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
