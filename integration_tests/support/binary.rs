//! The built binary as its users run it: arguments, files, pipes, exit status. The protocol check checks every output
//! of a command, whether or not the test uses it.

use std::io::Write;
use std::process::{Command, Stdio};

use assert_cmd::prelude::*;
use serde_json::{Value, json};
use source_http_testkit::Messages;
use stripe_mock::StripeMock;

/// A call of the binary in a directory of its own.
pub(crate) struct Binary {
    command: Command,
    directory: tempfile::TempDir,
    stdin: Option<String>,
}

/// The result of a call.
pub(crate) struct Output {
    /// The exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
    /// The messages on stdout; `None` if the arguments were not a command.
    messages: Option<Messages>,
}

impl Binary {
    /// A call with these arguments, in an environment without our settings.
    pub(crate) fn new(args: &[&str]) -> Self {
        Self::of(Command::cargo_bin("source-http").unwrap(), args)
    }

    /// A call of an example. `cargo test` builds them with the tests unless a flag chooses the targets.
    pub(crate) fn example(name: &str, args: &[&str]) -> Self {
        // The tests' own program is in the profile's folder, below `deps`.
        let tests = std::env::current_exe().unwrap();
        let path = tests.parent().unwrap().with_file_name("examples").join(name);
        assert!(path.exists(), "{} is not built: run `cargo build --example {name}` first", path.display());
        Self::of(Command::new(path), args)
    }

    fn of(mut command: Command, args: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        command.args(args).current_dir(&directory);
        for name in ["LOG_LEVEL", "DEPLOYMENT_MODE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_COLOR"] {
            command.env_remove(name);
        }
        let starts = ["AIRBYTE_", "WORKER_", "SOURCE_HTTP_", "SSL_CERT_"];
        let is_ours = |name: &str| {
            starts.iter().any(|start| name.starts_with(start)) || name.to_ascii_uppercase().ends_with("_PROXY")
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_ours)) {
            command.env_remove(name);
        }
        Self { command, directory, stdin: None }
    }

    /// A file in the call's directory, from which relative names start.
    pub(crate) fn file(self, name: &str, content: impl ToString) -> Self {
        std::fs::write(self.directory.path().join(name), content.to_string()).unwrap();
        self
    }

    /// The text for standard input.
    pub(crate) fn stdin(mut self, text: impl ToString) -> Self {
        self.stdin = Some(text.to_string());
        self
    }

    /// An environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The command, for tests that wait for it and check its output themselves.
    pub(crate) fn command(self) -> (Command, tempfile::TempDir) {
        (self.command, self.directory)
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Output {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        if let Some(text) = self.stdin {
            let _ = stdin.write_all(text.as_bytes());
        }
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let command = self.command.get_args().next().unwrap_or_default().to_string_lossy();
        let status = output.status.code();
        let is_usage = status == Some(2) && stdout.is_empty() || self.command.get_args().any(|arg| arg == "--help");
        // Tables are for people, and bare records are not messages.
        let is_text = self.command.get_args().any(|arg| arg == "table" || arg == "jsonl");
        let is_command = ["spec", "check", "discover", "read"].contains(&&*command) && !is_usage && !is_text;
        let messages = is_command.then(|| Messages::parse_answer(&stdout, &command, status.unwrap()));
        Output { status, stdout, stderr, messages }
    }
}

impl Output {
    /// Stdout as messages, checked against the rules of the protocol.
    pub(crate) fn messages(&self) -> Messages {
        self.messages.clone().expect("the arguments are a command")
    }
}

/// A config for a mock Stripe. With one worker, so requests and records come in their order.
pub(crate) fn config(mock: &StripeMock) -> Value {
    json!({
        "client_secret": mock.key(),
        "account_id": "acct_test",
        "api_url": format!("{}/v1", mock.url()),
        "call_rate_limit": 1_000_000,
        "num_workers": 1,
    })
}
