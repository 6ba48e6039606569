//! What a shell and its jobs rely on: a run that fails where nobody watches says so on stderr, and a file that stdout is
//! appended to stays a file of whole lines, whatever ended the runs before.
#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "a shell that is left out is told of")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use source_http::testing::{Reply, StripeMock};

use crate::support::binary::{Binary, config};

/// What a call with stdout in a file came to: its exit status, stderr, and the file's text.
struct Told {
    status: Option<i32>,
    stderr: String,
    file: String,
}

/// A line of `sh` in which `"$@"` is the call. It runs in a directory that has the config.
fn shell(line: &str, args: &[&str], config: &Value, folder: &Path) -> Told {
    let (call, _directory) = Binary::new(args).command();
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", line, "sh"]).arg(call.get_program()).args(call.get_args()).current_dir(folder);
    for (name, value) in call.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    Told {
        status: output.status.code(),
        stderr: String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap(),
        file: fs::read_to_string(folder.join("out.jsonl")).unwrap_or_default(),
    }
}

const READ: [&str; 5] = ["read", "--config", "config.json", "--streams", "charges"];

#[test]
fn a_failed_run_that_nobody_watches_says_so_on_stderr_and_a_good_one_says_nothing() {
    let mock = StripeMock::builder().count("charges", 3).start();
    let (good, wrong) = (config(&mock), json!({"client_secret": 7, "account_id": "a"}));
    let jsonl = [&READ[..], &["--format", "jsonl"]].concat();
    let check = ["check", "--config", "config.json"];
    let discover = ["discover", "--config", "config.json"];
    for args in [&READ[..], &jsonl, &check, &discover] {
        for line in ["\"$@\" >> out.jsonl", "\"$@\" > out.jsonl", "\"$@\" > /dev/null"] {
            let folder = tempfile::tempdir().unwrap();
            let told = shell(line, args, &good, folder.path());
            assert_eq!((told.status, told.stderr.as_str()), (Some(0), ""), "{line} {args:?}");
            for quiet in [&[][..], &["--quiet"]] {
                let told = shell(line, &[args, quiet].concat(), &wrong, folder.path());
                assert_eq!(told.status == Some(0), args[0] == "check");
                let is_told = told.stderr.starts_with("error: The config in config.json does not fit");
                assert!(is_told && told.stderr.lines().count() == 1, "{line} {args:?}: {}", told.stderr);
            }
        }
    }
}

#[test]
fn the_failure_of_a_stream_is_told_once_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let mock = StripeMock::builder().count("charges", 3).start();
    mock.fault_next("/v1/charges", Reply::text("no").status(400));
    let told = shell("\"$@\" > out.jsonl", &READ, &config(&mock), folder.path());
    assert_eq!(told.status, Some(1));
    assert!(told.stderr.starts_with("error: charges: ") && told.stderr.lines().count() == 1, "{}", told.stderr);
}

#[test]
fn text_is_not_mixed_into_the_messages_where_stderr_is_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = json!({"client_secret": 7, "account_id": "a"});
    let told = shell("\"$@\" > out.jsonl 2>&1", &READ, &wrong, folder.path());
    assert_eq!(told.status, Some(1));
    assert!(told.file.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{}", told.file);
}

#[test]
fn behind_a_pipe_a_failure_shows_on_stderr_but_not_within_the_platform() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = json!({"client_secret": 7, "account_id": "a"});
    for (environment, is_told) in [("", true), ("AIRBYTE_ENTRYPOINT=/x", true), ("WORKER_JOB_ID=7", false)] {
        let line = format!("env {environment} \"$@\" | cat > out.jsonl");
        let told = shell(&line, &READ, &wrong, folder.path());
        assert_eq!(told.stderr.contains("error: The config in config.json"), is_told, "{environment}");
        assert!(told.file.contains("config_error"), "{}", told.file);
    }
}

/// The ids of the records in a file of messages, all of whose lines are JSON.
fn ids(file: &str) -> BTreeSet<String> {
    let lines =
        file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    let records = lines.filter(|message| message["type"] == "RECORD");
    records.map(|message| message["record"]["data"]["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn after_a_full_disk_every_line_parses_and_the_next_run_completes_the_records() {
    let mock = StripeMock::builder().count("charges", 250).start();
    let all: BTreeSet<String> = mock.ids("charges").iter().map(ToString::to_string).collect();
    let args = [&READ[..], &["--state-file", "state.json"]].concat();
    // In blocks of half a kilobyte, or of one.
    for blocks in [9, 150, 301] {
        let folder = tempfile::tempdir().unwrap();
        let full = format!("ulimit -f {blocks}; exec \"$@\" >> out.jsonl");
        for _ in 0..2 {
            let told = shell(&full, &args, &config(&mock), folder.path());
            assert_eq!(told.status, Some(1), "{}", told.stderr);
            assert!(told.stderr.contains("Standard output cannot be written: File too large"), "{}", told.stderr);
            assert!(told.file.is_empty() || told.file.ends_with('\n'), "half a line is left");
            ids(&told.file);
        }
        let told = shell("exec \"$@\" >> out.jsonl", &args, &config(&mock), folder.path());
        assert_eq!((told.status, ids(&told.file)), (Some(0), all.clone()), "{}", told.stderr);
    }
}

#[test]
fn half_a_line_that_was_there_before_stays_and_spoils_no_line_of_the_run() {
    let mock = StripeMock::builder().count("charges", 3).start();
    for (before, line) in
        [("{\"type\":\"REC", "\"$@\" >> out.jsonl"), ("", "{ printf '{\"type\":\"REC'; \"$@\"; } > out.jsonl")]
    {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("out.jsonl"), before).unwrap();
        let told = shell(line, &READ, &config(&mock), folder.path());
        assert_eq!(told.status, Some(0), "{}", told.stderr);
        let (half, rest) = told.file.split_once('\n').unwrap();
        assert_eq!((half, ids(rest).len()), ("{\"type\":\"REC", 3));
    }
    // A file that ends with a whole line gets no empty one.
    let folder = tempfile::tempdir().unwrap();
    for lines in 1..3 {
        let told = shell("\"$@\" >> out.jsonl", &["spec"], &json!({}), folder.path());
        assert_eq!(told.file.lines().filter(|line| !line.is_empty()).count(), lines);
        assert_eq!(told.file.lines().count(), lines);
    }
}

/// Runs a shell that is there; otherwise says that it is left out.
fn completions_in(shell: &str, args: &[&str], script: impl FnOnce(&str) -> String) -> Option<String> {
    if Command::new(shell).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        eprintln!("left out: there is no {shell}");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("_source-http");
    let (mut call, _directory) = Binary::new(&["completions", shell]).command();
    assert!(call.stdout(File::create(&file).unwrap()).status().unwrap().success());
    let script = script(file.to_str().unwrap());
    let output = Command::new(shell).args(args).arg(script).current_dir(&folder).env("HOME", folder.path()).output();
    let output = output.unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn completions_complete_in_bash_for_a_name_with_a_hyphen() {
    let complete = |line: &str| {
        completions_in("bash", &["--norc", "-c"], |file| {
            format!(
                "source {file}; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
                 complete -p source-http > /dev/null || exit 1; \
                 f=$(complete -p source-http); f=${{f##*-F }}; f=${{f%% *}}; \
                 $f source-http \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\""
            )
        })
    };
    let Some(flags) = complete("source-http read --fo") else { return };
    assert_eq!(flags, "--format\n");
    assert_eq!(complete("source-http read --format js").unwrap(), "jsonl\n");
    assert_eq!(complete("source-http comp").unwrap(), "completions\n");
    assert_eq!(complete("source-http read --log").unwrap(), "\n", "a hidden flag is listed");
}

#[test]
fn completions_complete_in_fish_for_a_name_with_a_hyphen() {
    let complete = |line: &str| {
        completions_in("fish", &["--no-config", "-c"], |file| format!("source {file}; complete -C '{line}'"))
    };
    let Some(flags) = complete("source-http read --fo") else { return };
    assert!(flags.starts_with("--format"), "{flags}");
    assert!(complete("source-http read --format js").unwrap().contains("jsonl"));
    assert!(complete("source-http comp").unwrap().starts_with("completions"));
    assert!(!complete("source-http read --log").unwrap().contains("--log-level"));
}
