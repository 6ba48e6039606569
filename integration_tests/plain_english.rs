//! Words to avoid: each is an idiom of another language, or a word that nobody searches for. The glossary in
//! `CONTRIBUTING.md` has the words to use. The test searches docs, comments, texts and scripts, also across the ends of lines.

use std::fs;
use std::path::Path;

use crate::docs::{files, root};

/// Phrases to avoid, each with better words.
const PHRASES: [(&str, &str); 81] = [
    ("gone on with", "resumed"),
    ("gone on from", "resumed from"),
    ("goes on from", "resumes from"),
    ("go on from", "resume from"),
    ("going on from", "resuming from"),
    ("goes on where", "resumes where"),
    ("is told", "gets, or: is reported"),
    ("are told", "get, or: are reported"),
    ("was told", "got, or: was reported"),
    ("were told", "got, or: were reported"),
    ("be told", "be reported"),
    ("been told", "been reported"),
    ("told of", "notified of, or: reported"),
    ("told by", "reported by"),
    ("tells of", "reports"),
    ("tell of", "report"),
    ("whoever", "the one who does it: the reader, the user, the caller"),
    ("so many", "N, or: this many"),
    ("so-manieth", "nth"),
    ("all the same", "anyway"),
    ("leads elsewhere", "is wrong"),
    ("lies elsewhere", "is in another place"),
    ("may not be read", "cannot be read"),
    ("may not read", "cannot read"),
    ("gets nowhere", "fails"),
    ("makes no sense", "is invalid"),
    ("in the place of", "instead of"),
    ("within each other", "nested"),
    ("as shells have it", "as in shells"),
    ("as cargo has it", "as in Cargo"),
    ("not any more", "no longer"),
    ("in one go", "at once"),
    ("anew", "again"),
    ("for ever", "forever"),
    ("passed over", "ignored"),
    ("passes over", "ignores"),
    ("leave it away", "omit it"),
    ("left away", "omitted"),
    ("can mend", "can fix"),
    ("to mend", "to fix"),
    ("mends", "fixes"),
    ("stands in the", "is in the"),
    ("went away", "closed the pipe"),
    ("without a word", "silently"),
    ("any more", "no longer, or: more"),
    ("is no json", "is not JSON"),
    ("is no number", "is not a number"),
    ("is no object", "is not an object"),
    ("is no string", "is not a string"),
    ("is no text", "is not a text"),
    ("is no array", "is not an array"),
    ("is no list", "is not a list"),
    ("is no date", "is not a date"),
    ("is no url", "is not a URL"),
    ("is no integer", "is not an integer"),
    ("is no boolean", "is not a boolean"),
    ("is no secret", "is not a secret"),
    ("that is none", "invalid, or: that is not one"),
    ("what becomes of", "the result of"),
    ("what became of", "the result of"),
    ("what came of", "the result of"),
    ("what comes of", "the result of"),
    ("what is said", "the message"),
    ("looked at", "read, checked, or: searched"),
    ("of one's own", "own"),
    ("of whom", "a sentence of its own"),
    ("in trouble", "with errors"),
    ("but for", "except"),
    ("for what", "for, and a noun"),
    ("is asked for", "is requested"),
    ("are asked for", "are requested"),
    ("was asked for", "was requested"),
    ("asked for again", "requested again"),
    ("good for nothing", "invalid"),
    ("to the letter", "exactly"),
    ("all is well", "there are no faults"),
    ("on the spot", "at once, or: by the test"),
    ("stands in for", "replaces"),
    ("held against", "compared with"),
    ("pulls in", "depends on"),
    ("lies beside", "is beside"),
];

/// The folders of texts that people read.
const FOLDERS: [&str; 9] =
    ["docs", "src", "integration_tests", "examples", "testkit/src", "stripe_mock/src", "demo", "benches", ".ci"];

/// The endings of files in these folders.
const ENDINGS: [&str; 4] = [".md", ".rs", ".py", ".sh"];

/// Other files that people read.
const FILES: [&str; 13] = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "src/sources/stripe/spec.json",
    "integration_tests/golden/faults.txt",
    ".ci/run",
    "Cargo.toml",
    "Dockerfile",
    "clippy.toml",
    "deny.toml",
    "deploy/compose.yaml",
    "deploy/kubernetes/cronjob.yaml",
    "metadata.yaml",
];

/// Generated pages, and this list.
const LEFT_OUT: [&str; 2] = ["docs/compatibility-connectors.md", "integration_tests/plain_english.rs"];

/// Each phrase in a text, with its line. Marks of comments and of texts over several lines count as blanks.
fn found(text: &str) -> Vec<(usize, &'static str, &'static str)> {
    let mut flat = String::new();
    let mut starts = Vec::new();
    for line in text.lines() {
        starts.push(flat.len());
        let line = line.trim().trim_start_matches(['/', '!', '#']).trim_end_matches('\\');
        flat.extend([line.trim().to_lowercase().as_str(), " "]);
    }
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut all = Vec::new();
    for (phrase, better) in PHRASES {
        for (at, _) in flat.match_indices(phrase) {
            let (before, after) = (flat[..at].chars().next_back(), flat[at + phrase.len()..].chars().next());
            if !is_letter(before) && !is_letter(after) {
                all.push((starts.partition_point(|start| *start <= at), phrase, better));
            }
        }
    }
    all
}

#[test]
fn no_page_comment_or_message_has_a_phrase_of_the_list() {
    let mut texts = FILES.map(|name| root().join(name)).to_vec();
    for folder in FOLDERS {
        texts.extend(ENDINGS.iter().flat_map(|ending| files(&root().join(folder), ending)));
    }
    let mut bad = Vec::new();
    for file in &texts {
        let name = file.strip_prefix(root()).unwrap_or(Path::new("")).display().to_string();
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        for (line, phrase, better) in found(&fs::read_to_string(file).unwrap()) {
            bad.push(format!("{name}:{line}: {phrase:?}. Write: {better}"));
        }
    }
    assert!(texts.len() > 500, "{}", texts.len());
    assert!(bad.is_empty(), "\n{}", bad.join("\n"));
}

#[test]
fn every_phrase_of_the_list_is_found_with_its_line() {
    for (phrase, _) in PHRASES {
        let broken = phrase.replacen(' ', "\n    /// ", 1);
        for text in
            [format!("a\nb {phrase}, c"), format!("a\n/// {}.", phrase.to_uppercase()), format!("a\n//! {broken}")]
        {
            assert!(found(&text).iter().any(|(line, known, _)| (*line, *known) == (2, phrase)), "{text:?}");
        }
        assert!(!found(&format!("x{phrase} {phrase}_y")).iter().any(|(_, known, _)| *known == phrase));
    }
}
