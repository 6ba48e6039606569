//! What a shell and its jobs rely on: a run that fails in the background says so on stderr, and a file to which stdout
//! is appended keeps whole lines, however the earlier runs ended.
#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "a shell that is left out is reported")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use source_http_testkit::Reply;
use stripe_mock::StripeMock;

use crate::support::binary::{Binary, config};

/// The result of a call with stdout in a file: its exit status, stderr, and the file's text.
struct Told {
    status: Option<i32>,
    stderr: String,
    file: String,
}

/// A line of `sh` in which `"$@"` is the call. Its directory has the config.
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
fn the_failure_of_a_stream_is_reported_once_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let mock = StripeMock::builder().count("charges", 3).start();
    mock.fault_next("/v1/charges", Reply::text("no").status(400));
    let told = shell("\"$@\" > out.jsonl", &READ, &config(&mock), folder.path());
    assert_eq!(told.status, Some(1));
    assert!(told.stderr.starts_with("error: charges: ") && told.stderr.lines().count() == 1, "{}", told.stderr);
}

#[test]
fn a_key_that_is_refused_is_reported_once_for_all_streams_and_how_many_there_are() {
    let mock = StripeMock::builder().start();
    let mut wrong = config(&mock);
    wrong["client_secret"] = json!("sk_test_wrong");
    let read = ["read", "--config", "config.json"];
    let folder = tempfile::tempdir().unwrap();
    let told = shell("\"$@\" > out.jsonl", &read, &wrong, folder.path());
    let lines: Vec<&str> = told.stderr.lines().collect();
    let [first, count, others] = lines[..] else { panic!("{}", told.stderr) };
    assert!(first.contains(" answered 401 Unauthorized") && first.contains("Check `client_secret`"), "{first}");
    assert_eq!(count, "error: 48 of 48 streams failed.");
    assert!(others.contains(": the same as ") && others.split(", ").count() == 47, "{others}");
    let last: Value = serde_json::from_str(told.file.lines().last().unwrap()).unwrap();
    let message = last["trace"]["error"]["message"].as_str().unwrap();
    assert!(message.lines().count() == 3 && message.matches(" answered 401 ").count() == 1, "{message}");
}

#[test]
fn where_a_later_run_may_do_stderr_says_how_many_streams_failed_and_to_run_it_again() {
    let mock = StripeMock::builder().count("charges", 3).count("customers", 3).start();
    mock.fault_next("/v1/charges", Reply::empty(500).header("stripe-should-retry", "false"));
    let read = ["read", "--config", "config.json", "--streams", "charges,customers"];
    let folder = tempfile::tempdir().unwrap();
    let told = shell("\"$@\" > out.jsonl", &read, &config(&mock), folder.path());
    let lines: Vec<&str> = told.stderr.lines().collect();
    let [first, count, again] = lines[..] else { panic!("{}", told.stderr) };
    assert!(first.starts_with("error: charges: ") && first.contains("500"), "{first}");
    assert_eq!((count, again), ("error: 1 of 2 streams failed.", "Run it again later to resume from the last states."));
}

#[test]
fn a_stream_that_is_skipped_and_a_setting_that_is_not_known_are_reported_where_nobody_watches() {
    let mock = StripeMock::builder().count("charges", 3).count("refunds", 3).start();
    mock.forbid("/v1/refunds");
    let mut config = config(&mock);
    config["start_dat"] = json!("2024-01-01T00:00:00Z");
    let folder = tempfile::tempdir().unwrap();
    let entries = ["charges", "refunds"].map(
        |name| json!({"stream": {"name": name}, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}),
    );
    let catalog = json!({"streams": entries});
    fs::write(folder.path().join("catalog.json"), catalog.to_string()).unwrap();
    let read = ["read", "--config", "config.json", "--catalog", "catalog.json"];
    for line in ["\"$@\" > out.jsonl", "\"$@\" > /dev/null", "\"$@\" | cat > out.jsonl"] {
        let told = shell(line, &read, &config, folder.path());
        let lines: Vec<&str> = told.stderr.lines().collect();
        let [unknown, skipped] = lines[..] else { panic!("{line}: {}", told.stderr) };
        assert!(unknown.starts_with("warning: ") && unknown.contains("did you mean `start_date`?"), "{unknown}");
        assert!(skipped.starts_with("warning: refunds: skipped, and its state stays as it is: GET "), "{skipped}");
        assert_eq!(told.status, Some(0));
        let quiet = shell(line, &[&read[..], &["--quiet"]].concat(), &config, folder.path());
        assert_eq!((quiet.status, quiet.stderr.as_str()), (Some(0), ""));
    }
    // The platform's log already has it.
    let told = shell("WORKER_JOB_ID=7 \"$@\" | cat > out.jsonl", &read, &config, folder.path());
    assert_eq!((told.status, told.stderr.as_str()), (Some(0), ""));
    assert!(told.file.contains("did you mean `start_date`?"), "{}", told.file);
}

#[test]
fn a_check_in_a_script_reports_a_mistyped_setting() {
    let mock = StripeMock::builder().start();
    let mut config = config(&mock);
    config["start_dat"] = json!("2024-01-01T00:00:00Z");
    let folder = tempfile::tempdir().unwrap();
    let check = ["check", "--config", "config.json", "--exit-status"];
    let told = shell("answer=$(\"$@\")", &check, &config, folder.path());
    assert!(told.stderr.starts_with("warning: ") && told.stderr.contains("`start_date`"), "{}", told.stderr);
    assert_eq!((told.status, told.stderr.lines().count()), (Some(0), 1));
}

/// The size limit counts for every file, wherever stdout goes.
#[test]
fn a_state_file_that_may_not_grow_is_a_failure_and_leaves_nothing_behind() {
    let mock = StripeMock::builder().count("charges", 3).everything(2, 1).start();
    let read = ["read", "--config", "config.json", "--state-file", "state.json"];
    let folder = tempfile::tempdir().unwrap();
    let line = "ulimit -f 0; { \"$@\"; echo \"exit $?\" >&2; } | cat > /dev/null";
    let told = shell(line, &read, &config(&mock), folder.path());
    let failed = "The state file state.json cannot be written: File too large";
    assert!(told.stderr.contains(failed) && told.stderr.ends_with("exit 1\n"), "{}", told.stderr);
    let names: BTreeSet<String> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["config.json".to_owned(), "state.json".to_owned()]));
    assert_eq!(fs::read_to_string(folder.path().join("state.json")).unwrap(), "");
}

#[test]
fn bare_records_without_a_state_file_promise_no_resumption() {
    let mock = StripeMock::builder().count("charges", 250).start();
    let args = [&READ[..], &["--format", "jsonl"]].concat();
    let folder = tempfile::tempdir().unwrap();
    let full = "ulimit -f 9; exec \"$@\" >> out.jsonl";
    let told = shell(full, &args, &config(&mock), folder.path());
    let advice =
        "run again from the start: no state of this run is kept. With --state-file FILE, the next run resumes.\n";
    assert!(told.status == Some(1) && told.stderr.ends_with(advice), "{}", told.stderr);
    let kept = [&args[..], &["--state-file", "state.json"]].concat();
    let told = shell(full, &kept, &config(&mock), folder.path());
    assert!(told.stderr.ends_with("run again to resume from the last states.\n"), "{}", told.stderr);
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

/// Runs an installed shell; otherwise reports that it is left out.
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
                 $f source-http \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\" 2> /dev/null; echo \"${{COMPREPLY[@]}}\""
            )
        })
    };
    let Some(flags) = complete("source-http read --fo") else { return };
    assert_eq!(flags, "--format\n");
    assert_eq!(complete("source-http read --format js").unwrap(), "jsonl\n");
    assert_eq!(complete("source-http comp").unwrap(), "completions\n");
    assert_eq!(complete("source-http read --log").unwrap(), "\n", "a hidden flag is listed");
    assert_eq!(complete("source-http read --source ''").unwrap(), "stripe declarative\n");
    assert_eq!(complete("source-http read --config-env o").unwrap(), "on off\n");
    assert_eq!(complete("source-http catalog --streams _").unwrap(), "_\n", "a file is no stream");
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
    assert!(complete("source-http read --source ").unwrap().contains("stripe"));
    assert!(complete("source-http read --config-env o").unwrap().starts_with("off"));
    assert_eq!(complete("source-http catalog --streams ").unwrap(), "", "a file is no stream");
}
