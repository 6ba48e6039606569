//! `read --state-file`: a repeated job is one line, and however one of its runs ends, the next one reads the rest.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use source_http::Registry;
use source_http::clock::{Clock, SystemClock};
use source_http::protocol::{InputState, StreamDescriptor};
use source_http_testkit::{InProcess, Messages, Reply};
use stripe_mock::StripeMock;

use crate::support::Interruption;
use crate::support::binary::{Binary, Output, config};

/// A folder with a config for a mock, and with room for a state file.
struct Job {
    mock: StripeMock,
    folder: tempfile::TempDir,
}

impl Job {
    fn new(mock: StripeMock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config(&mock).to_string()).unwrap();
        Self { mock, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state_file(&self) -> PathBuf {
        self.path("state.json")
    }

    /// The job's line. Its arguments alone choose the streams.
    fn binary(&self, args: &[&str]) -> Binary {
        let (config, state) = (self.path("config.json"), self.state_file());
        let own = ["read", "--config", config.to_str().unwrap(), "--state-file", state.to_str().unwrap()];
        Binary::new(&[&own[..], args].concat())
    }

    fn run(&self, args: &[&str]) -> Output {
        self.binary(args).run()
    }

    fn state(&self, stream: &str) -> Value {
        state_in(&self.state_file(), stream)
    }

    /// A charge made now: the connector's clock is the system's.
    fn create_charge(&self) -> String {
        self.mock.set_now(SystemClock::new().now().as_second());
        self.mock.create("charges")
    }

    fn all(&self, stream: &str) -> BTreeSet<String> {
        self.mock.ids(stream).iter().map(ToString::to_string).collect()
    }
}

fn state_in(file: &Path, stream: &str) -> Value {
    let text = fs::read(file).unwrap();
    Value::Object(InputState::parse(&text, "the state file").unwrap().of(&StreamDescriptor::named(stream)))
}

fn ids(messages: &Messages, stream: &str) -> BTreeSet<String> {
    let id = |record: &str| serde_json::from_str::<Value>(record).unwrap()["id"].as_str().unwrap().to_owned();
    messages.records(stream).into_iter().map(id).collect()
}

#[test]
fn the_second_run_reads_what_is_new_and_streams_that_are_not_read_keep_their_states() {
    let job = Job::new(StripeMock::builder().late_by(0).count("charges", 5).count("balance_transactions", 3).start());
    let first = job.run(&["--streams", "charges,balance_transactions"]);
    assert_eq!((first.status, first.stderr.as_str()), (Some(0), ""));
    let messages = first.messages();
    assert_eq!((ids(&messages, "charges"), messages.records("balance_transactions").len()), (job.all("charges"), 3));
    for stream in ["charges", "balance_transactions"] {
        assert_eq!(job.state(stream), **messages.states(stream).last().unwrap(), "the last state of {stream}");
    }
    let kept = job.state("balance_transactions");

    let new = BTreeSet::from([job.create_charge()]);
    let second = job.run(&["--streams", "charges"]);
    let messages = second.messages();
    assert_eq!((second.status, &ids(&messages, "charges")), (Some(0), &new));
    assert!(messages.logs().iter().all(|(level, _)| *level != "WARN"), "{:?}", messages.logs());
    assert_eq!(job.state("balance_transactions"), kept);
    assert_eq!(job.state("charges"), **messages.states("charges").last().unwrap());
    let names: BTreeSet<String> = fs::read_dir(job.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, BTreeSet::from(["config.json".to_owned(), "state.json".to_owned()]), "nothing is left behind");

    // `--state` reads the file.
    let (config, state) = (job.path("config.json"), job.state_file());
    let args = ["read", "--config", config.to_str().unwrap(), "--state", state.to_str().unwrap()];
    let third = Binary::new(&[&args[..], &["--streams", "charges,balance_transactions"]].concat()).run();
    let messages = third.messages();
    // The API may have had more records in the last second of each stream.
    assert_eq!((third.status, ids(&messages, "charges").is_subset(&new)), (Some(0), true));
    assert!(messages.records("balance_transactions").len() <= 1);
}

#[test]
fn a_finished_full_refresh_is_read_again_and_an_unfinished_one_is_resumed() {
    let catalog = |mode: &str| json!({"streams": [{"stream": {"name": "charges"}, "sync_mode": mode}]});
    let job = Job::new(StripeMock::builder().late_by(0).count("charges", 250).start());
    for mode in ["full_refresh", "incremental"] {
        fs::write(job.path(mode), catalog(mode).to_string()).unwrap();
    }
    let (full, incremental) = (job.path("full_refresh"), job.path("incremental"));
    let full = ["--catalog", full.to_str().unwrap()];
    for _ in 0..2 {
        let messages = job.run(&full).messages();
        assert_eq!(ids(&messages, "charges"), job.all("charges"));
    }
    let begun = job.run(&[&full[..], &["--limit", "150"]].concat()).messages();
    let rest = job.run(&full).messages();
    assert!(begun.records("charges").len() == 150 && rest.records("charges").len() < 250);
    assert_eq!(&ids(&begun, "charges") | &ids(&rest, "charges"), job.all("charges"));
    // A change of the mode resumes from there.
    let new = job.create_charge();
    let messages = job.run(&["--catalog", incremental.to_str().unwrap()]).messages();
    assert_eq!(ids(&messages, "charges"), BTreeSet::from([new]));
}

#[test]
fn a_run_that_is_ended_by_sigterm_or_sigkill_is_resumed() {
    for how in [Interruption::Terminate, Interruption::Kill] {
        let job = Job::new(StripeMock::builder().count("charges", 2_000).page_size(50).start());
        let args = ["--streams", "charges"];
        let ended = job.binary(&args).ended_after(120, how);
        let first = Messages::parse_cut(&ended.all);
        if how == Interruption::Terminate {
            assert_eq!(ended.status, Some(143));
            assert!(ended.stderr.contains("SIGTERM ended this run"), "{}", ended.stderr);
            assert_eq!(job.state("charges"), **first.states("charges").last().unwrap(), "up to the last state");
        }
        assert!(ids(&first, "charges").len() < 2_000, "nothing was left to be read");
        let rest = job.run(&args).messages();
        assert_eq!(&ids(&first, "charges") | &ids(&rest, "charges"), job.all("charges"), "{how:?}");
        if how == Interruption::Terminate {
            assert!(rest.records("charges").len() < 2_000, "it started again");
        }
    }
}

#[test]
fn a_failed_stream_keeps_the_state_it_had_and_the_others_get_theirs() {
    let job = Job::new(StripeMock::builder().count("charges", 5).count("refunds", 3).start());
    job.mock.fault_next("/v1/charges", Reply::json(json!({"error": {"message": "No."}})).status(401));
    let failed = job.run(&["--streams", "charges,refunds"]);
    assert_eq!((failed.status, job.state("charges")), (Some(1), json!({})));
    assert_eq!(job.state("refunds"), **failed.messages().states("refunds").last().unwrap());
    let messages = job.run(&["--streams", "charges,refunds"]).messages();
    assert_eq!((messages.records("charges").len(), messages.records("refunds").len()), (5, 0));
}

#[test]
fn nothing_is_noted_of_what_nobody_has_read_when_the_reader_goes_away() {
    // A page is larger than a pipe's buffer, so the first one is never written at once.
    let job = Job::new(StripeMock::builder().count("charges", 1_000).start());
    let ended = job.binary(&["--streams", "charges"]).ended_after(1, Interruption::ClosedPipe);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(job.state_file()).unwrap(), "");

    // Wherever the reader closes the pipe: its records and those of the next run are complete.
    let mock = StripeMock::builder().count("charges", 30).page_size(5).start();
    let all: BTreeSet<String> = mock.ids("charges").iter().map(ToString::to_string).collect();
    for lines in (0..45).step_by(3) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.json");
        let read = || {
            let connector = InProcess::with_registry(Registry::built_in()).now(mock.now()).config(&config(&mock));
            connector.arg("--streams").arg("charges").arg("--state-file").arg(&file)
        };
        let first = read().reader_leaves_after(lines).run("read").messages();
        let rest = read().run("read").messages();
        assert_eq!(&ids(&first, "charges") | &ids(&rest, "charges"), all, "after {lines} lines");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_noted_of_what_could_not_be_written() {
    let job = Job::new(StripeMock::builder().count("charges", 20).start());
    let (mut command, _directory) = job.binary(&["--streams", "charges"]).command();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()),
        (
            Some(1),
            "error: Standard output cannot be written: No space left on device (os error 28). Free space there or redirect \
             it, then run again to resume from the last states.\n"
        )
    );
    assert_eq!(fs::read_to_string(job.state_file()).unwrap(), "");
    assert_eq!(ids(&job.run(&["--streams", "charges"]).messages(), "charges"), job.all("charges"));
}

#[test]
fn a_state_file_that_cannot_be_used_is_reported_before_anything_is_requested() {
    let job = Job::new(StripeMock::builder().count("charges", 2).start());
    let config = job.path("config.json");
    fs::write(job.path("damaged.json"), "[{\"type\":\"STREAM\"").unwrap();
    fs::write(job.path("other.json"), "7").unwrap();
    let mut files = vec![
        (job.path("none/state.json"), "its directory does not exist"),
        (job.folder.path().to_owned(), "it is a directory"),
        (job.path("damaged.json"), "is not valid JSON"),
        (job.path("other.json"), "a number is neither a list nor an object"),
    ];
    if cfg!(target_os = "linux") {
        // Nobody can create files there, not even root.
        files.push((PathBuf::from("/sys/state.json"), "cannot create files beside it"));
    }
    for (file, why) in files {
        let args = ["read", "--config", config.to_str().unwrap(), "--state-file", file.to_str().unwrap()];
        let output = Binary::new(&args).run();
        let error = &output.messages().errors()[0];
        assert_eq!(
            (output.status, error.failure_type.as_deref()),
            (Some(1), Some("config_error")),
            "{}",
            error.message
        );
        assert!(error.message.contains(why) && error.message.contains(file.to_str().unwrap()), "{}", error.message);
    }
    assert!(job.mock.server().requests().is_empty());
    assert_eq!(fs::read_to_string(job.path("damaged.json")).unwrap(), "[{\"type\":\"STREAM\"");
}

#[test]
fn two_runs_do_not_share_a_state_file() {
    let job = Job::new(StripeMock::builder().count("charges", 2).start());
    let held = File::create(job.state_file()).unwrap();
    held.try_lock().unwrap();
    let refused = job.run(&["--streams", "charges"]);
    let error = &refused.messages().errors()[0];
    assert_eq!((refused.status, error.failure_type.as_deref()), (Some(1), Some("transient_error")));
    let file = job.state_file();
    assert_eq!(
        error.message,
        format!(
            "The state file {} is in use by another run. Wait until that run ends, or give each run a state file of \
             its own.",
            file.display()
        )
    );
    assert!(job.mock.server().requests().is_empty());
    drop(held);
    assert_eq!(job.run(&["--streams", "charges"]).messages().records("charges").len(), 2);
}

#[test]
fn a_state_file_does_not_go_with_a_state_and_is_no_pipe() {
    for (args, why) in [
        (&["--state-file", "a", "--state", "b"][..], "cannot be used with"),
        (&["--state-file", "-"], "--state-file cannot be -"),
    ] {
        let output = Binary::new(&[&["read", "--config", "c"], args].concat()).run();
        assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""));
        assert!(output.stderr.contains(why), "{}", output.stderr);
    }
}
