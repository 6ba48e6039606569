//! The built binary as its users run it: arguments, files, pipes, exit status.

use std::io::Write;
use std::process::{Command, Stdio};

use assert_cmd::prelude::*;
use serde_json::{Value, json};
use source_http::testing::{Messages, StripeMock};

/// A call of the binary in a directory of its own.
pub(crate) struct Binary {
    command: Command,
    directory: tempfile::TempDir,
    stdin: Option<String>,
}

/// What a call came to.
pub(crate) struct Output {
    /// The exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

impl Binary {
    /// A call with these arguments, in an environment without any setting of ours.
    pub(crate) fn new(args: &[&str]) -> Self {
        Self::of(Command::cargo_bin("source-http").unwrap(), args)
    }

    /// A call of an example. `cargo test` builds them beside the tests unless it is told which targets to build.
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
        for name in ["AIRBYTE_SOURCE", "LOG_LEVEL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(name);
        }
        Self { command, directory, stdin: None }
    }

    /// A file in the call's directory, where relative names are looked up.
    pub(crate) fn file(self, name: &str, content: impl ToString) -> Self {
        std::fs::write(self.directory.path().join(name), content.to_string()).unwrap();
        self
    }

    /// What is fed to standard input.
    pub(crate) fn stdin(mut self, text: impl ToString) -> Self {
        self.stdin = Some(text.to_string());
        self
    }

    /// An environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The command, for tests that do their own waiting.
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
        Output {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Output {
    /// Stdout as messages, checked against the rules of the protocol.
    pub(crate) fn messages(&self) -> Messages {
        Messages::parse(&self.stdout)
    }
}

/// A config for a mock Stripe. With one worker, so that requests and records come in their order.
pub(crate) fn config(mock: &StripeMock) -> Value {
    json!({
        "client_secret": mock.key(),
        "account_id": "acct_test",
        "api_url": format!("{}/v1", mock.url()),
        "call_rate_limit": 1_000_000,
        "num_workers": 1,
    })
}
