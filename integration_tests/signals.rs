//! Real signals to the built binary, and real pipes that are closed.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use source_http::clock::{Clock, SystemClock};
use source_http::stop::Stop;
use source_http_testkit::{Messages, Reply, Request};
use stripe_mock::StripeMock;

use crate::support::binary::{Binary, config};

/// Far more than an end takes on a busy machine, and less than the shortest of our own timeouts.
const PROMPT: Duration = Duration::from_secs(25);
/// Longer than any test may take.
const FOR_EVER: Duration = Duration::from_secs(600);

/// A process whose stdout is read line by line.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    seen: String,
    _directory: tempfile::TempDir,
}

impl Running {
    fn start(binary: Binary) -> Self {
        let (mut command, directory) = binary.command();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout, seen: String::new(), _directory: directory }
    }

    /// Reads `charges` of a mock. All are in one slice, so requests come in the same order with any number of workers.
    fn reading_charges(mock: &StripeMock, workers: &str) -> Self {
        let mut config = config(mock);
        config["slice_range"] = 36_500.into();
        let args = ["read", "--config", "c.json", "--streams", "charges", "--workers", workers];
        Self::start(Binary::new(&args).file("c.json", config))
    }

    /// Reads lines until one contains a text.
    fn wait_for(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "{text:?} never came: {}", self.seen);
            self.seen.push_str(&line);
            if line.contains(text) {
                return;
            }
        }
    }

    /// Sends a signal, reads the rest, and returns the exit code, all of stdout and stderr.
    fn end(mut self, signal: &str) -> (Option<i32>, String, String) {
        let clock = SystemClock::new();
        send(&self.child, signal);
        self.stdout.read_to_string(&mut self.seen).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let took = clock.elapsed();
        assert!(took < PROMPT, "after SIG{signal} it went on for {took:?}: {} {output:?}", self.seen);
        (output.status.code(), self.seen, String::from_utf8(output.stderr).unwrap())
    }
}

fn send(child: &Child, signal: &str) {
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// A reply that never comes.
fn silence() -> Reply {
    Reply::empty(200).delay(FOR_EVER)
}

/// A mock that hangs once, after one page, and reports each request.
fn silent_after_one_page() -> (StripeMock, mpsc::Receiver<()>) {
    let (told, asked) = mpsc::channel();
    let tell = move |_: &Request| told.send(()).unwrap_or_default();
    let mock = StripeMock::builder().count("charges", 450).fault("/v1/charges", 2, silence()).on_request(tell).start();
    (mock, asked)
}

/// A run that has written its first page with a state, and waits for the second.
fn waiting(mock: &StripeMock, asked: &mpsc::Receiver<()>, workers: &str) -> Running {
    let mut running = Running::reading_charges(mock, workers);
    running.wait_for("\"STATE\"");
    for _ in 0..2 {
        asked.recv_timeout(PROMPT).unwrap();
    }
    running
}

fn ids(messages: &Messages) -> BTreeSet<String> {
    let id =
        |record: &str| serde_json::from_str::<serde_json::Value>(record).unwrap()["id"].as_str().unwrap().to_owned();
    messages.records("charges").into_iter().map(id).collect()
}

#[test]
fn a_signal_leaves_states_from_which_the_rest_is_read_and_the_exit_code_that_shells_expect() {
    // With more than one worker, the second page is requested before the first one is written.
    for (signal, code, workers) in [("TERM", 143, "1"), ("INT", 130, "1"), ("HUP", 129, "1"), ("TERM", 143, "4")] {
        if signal == "HUP" && ignores_hangups() {
            continue;
        }
        let (mock, asked) = silent_after_one_page();
        let (status, stdout, stderr) = waiting(&mock, &asked, workers).end(signal);
        let messages = Messages::parse(&stdout);
        assert_eq!(status, Some(code), "{signal}");
        assert!(stderr.starts_with("error: ") && stderr.contains(&format!("SIG{signal} ended this run")), "{stderr}");
        assert_eq!(messages.statuses("charges").last(), Some(&"INCOMPLETE"), "{signal}");
        let last = messages.errors().pop().unwrap();
        assert!(last.message.starts_with(&format!("SIG{signal} ended this run")), "{}", last.message);
        assert_eq!(last.failure_type.as_deref(), Some("transient_error"));

        let all: BTreeSet<String> = mock.ids("charges").iter().map(ToString::to_string).collect();
        let first = ids(&messages);
        assert!(first.len() < all.len(), "{signal}: nothing was left to be read");
        let args = ["read", "--config", "-", "--streams", "charges", "--state", "state.json"];
        let rest = Binary::new(&args).file("state.json", messages.state_file()).stdin(config(&mock)).run();
        let both: BTreeSet<String> = first.union(&ids(&rest.messages())).cloned().collect();
        assert_eq!(both, all, "{signal}");
    }
}

/// Whether `nohup` runs these tests, so that SIGHUP is ignored. The program inherits that, and keeps it.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 != 0
}

/// As `nohup` and shells do for background jobs.
#[cfg(target_os = "linux")]
#[test]
fn a_hangup_that_is_ignored_at_the_start_stays_ignored() {
    let (mock, asked) = silent_after_one_page();
    let args = ["read", "--config", "c.json", "--streams", "charges", "--workers", "1"];
    let (command, directory) = Binary::new(&args).file("c.json", config(&mock)).command();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(directory.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut running = Running { child, stdout, seen: String::new(), _directory: directory };
    running.wait_for("\"STATE\"");
    for _ in 0..2 {
        asked.recv_timeout(PROMPT).unwrap();
    }
    send(&running.child, "HUP");
    let (status, ..) = running.end("TERM");
    assert_eq!(status, Some(143));
}

/// A run from a shell that changes the descriptors.
fn redirected(mock: &StripeMock, command: &str, line: &str) -> (std::process::Output, tempfile::TempDir) {
    let (binary, directory) = Binary::new(&[]).file("c.json", config(mock)).command();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("\"$0\" {command} --config c.json {line}")]).arg(binary.get_program());
    let output = shell.current_dir(directory.path()).stdin(Stdio::null()).output().unwrap();
    (output, directory)
}

#[test]
fn a_stdout_that_is_closed_is_an_error_before_anything_is_read() {
    let mock = StripeMock::builder().count("charges", 3).start();
    for command in ["read --streams charges --state-file s.json", "discover", "catalog"] {
        let (output, directory) = redirected(&mock, command, ">&-");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), mock.server().requests().len()), (Some(1), 0), "{command}: {said}");
        assert!(said.starts_with("error: Standard output cannot be written: it is closed."), "{said}");
        assert!(!directory.path().join("s.json").exists());
    }
    // The exit code is part of the answer.
    assert_eq!(redirected(&mock, "check --exit-status", ">&-").0.status.code(), Some(0));
    // `/dev/null` counts as a reader, and the states count.
    let (output, directory) = redirected(&mock, "read --streams charges --state-file s.json", "> /dev/null 2>&-");
    assert_eq!(output.status.code(), Some(0));
    assert!(std::fs::read_to_string(directory.path().join("s.json")).unwrap().contains("charges"));
}

#[test]
fn a_stdin_that_is_closed_is_no_empty_state() {
    let mock = StripeMock::builder().count("charges", 3).start();
    let (output, _directory) = redirected(&mock, "read --streams charges --state -", "<&-");
    let said = Messages::parse(&String::from_utf8(output.stdout).unwrap()).errors().swap_remove(0);
    assert_eq!((output.status.code(), said.failure_type.as_deref()), (Some(1), Some("config_error")));
    assert_eq!(said.message, "The state file - cannot be read: it is closed. Check --state.");
    assert_eq!(redirected(&mock, "read --streams charges --state -", "< /dev/null").0.status.code(), Some(0));
}

#[test]
fn a_signal_ends_the_wait_for_a_retry() {
    let mock = StripeMock::builder().count("charges", 5).rate_limit("/v1/charges", 1, 500).start();
    let mut running = Running::reading_charges(&mock, "1");
    running.wait_for("waiting 5");
    let (status, stdout, _) = running.end("TERM");
    assert_eq!(Messages::parse(&stdout).statuses("charges").last(), Some(&"INCOMPLETE"));
    assert_eq!((status, mock.server().requests().len()), (Some(143), 1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_a_run_that_waits_for_its_config() {
    let running = Running::start(Binary::new(&["check", "--config", "-"]));
    // From then on it handles its own signals: number 15 is the fifteenth bit.
    let is_ready = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << 14) != 0
    };
    while !is_ready() {
        Stop::default().wait(Duration::from_millis(5));
    }
    let (status, stdout, _) = running.end("INT");
    assert_eq!((status, Messages::parse(&stdout).errors().len()), (Some(130), 1));
}

#[test]
fn a_second_signal_ends_a_run_that_cannot_even_say_that_it_ends() {
    let (told, asked) = mpsc::channel();
    let tell = move |_: &Request| told.send(()).unwrap_or_default();
    let mock = StripeMock::builder().count("accounts", 1).on_request(tell).start();
    // Nobody reads this stdout, and it is full.
    let (mut full, _unread) = UnixStream::pair().unwrap();
    full.set_nonblocking(true).unwrap();
    while full.write(&[b'\n'; 4096]).is_ok() {}
    while full.write(b"\n").is_ok() {}
    full.set_nonblocking(false).unwrap();
    let (mut command, _directory) =
        Binary::new(&["check", "--config", "c.json"]).file("c.json", config(&mock)).command();
    let mut child = command.stdin(Stdio::null()).stdout(OwnedFd::from(full)).spawn().unwrap();
    asked.recv_timeout(PROMPT).unwrap();
    let clock = SystemClock::new();
    send(&child, "INT");
    send(&child, "TERM");
    let code = child.wait().unwrap().code().unwrap();
    // Whichever of them was second.
    assert!([130, 143].contains(&code) && clock.elapsed() < PROMPT, "{code} after {:?}", clock.elapsed());
}

#[test]
fn a_reader_that_closes_the_pipe_is_noticed_without_a_line_to_write() {
    let (mock, asked) = silent_after_one_page();
    let Running { child, stdout, _directory, .. } = waiting(&mock, &asked, "1");
    let clock = SystemClock::new();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
    assert_eq!(mock.server().requests().len(), 2);
    assert!(clock.elapsed() < PROMPT, "it went on for {:?}", clock.elapsed());
}
