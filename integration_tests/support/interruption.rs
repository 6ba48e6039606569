//! Reads that end early: the built binary, ended from outside, and truncated outputs.

use std::io::{BufRead, BufReader, Read as _};
use std::process::{Command, Stdio};

use source_http_testkit::Messages;

use super::binary::Binary;

/// How a process is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// SIGKILL: the process can write nothing more.
    Kill,
    /// SIGTERM: lines written after it count, too.
    Terminate,
    /// The reader closes the pipe.
    ClosedPipe,
}

/// The result of a process that was ended.
pub(crate) struct Ended {
    /// The exit status; `None` if a signal ended it.
    pub(crate) status: Option<i32>,
    /// All of stderr.
    pub(crate) stderr: String,
    /// The lines up to the interruption.
    pub(crate) before: String,
    /// Everything, as far as the test read on.
    pub(crate) all: String,
}

impl Binary {
    /// Reads this many lines of a run, and then ends it. The lines pass the protocol check.
    pub(crate) fn ended_after(self, lines: usize, how: Interruption) -> Ended {
        let mut left = lines + 1;
        let is_enough = |_: &str| {
            left -= 1;
            left == 0
        };
        self.ended_once(is_enough, how)
    }

    /// Reads lines until one is enough, and then ends the run. It is asked before the first one, too.
    pub(crate) fn ended_once(self, mut is_enough: impl FnMut(&str) -> bool, how: Interruption) -> Ended {
        let (mut command, _directory) = self.command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (mut before, mut line) = (String::new(), String::new());
        while !is_enough(&line) {
            line.clear();
            if stdout.read_line(&mut line).unwrap() == 0 {
                break;
            }
            before.push_str(&line);
        }
        let mut all = before.clone();
        match how {
            Interruption::Kill => child.kill().unwrap(),
            Interruption::Terminate => {
                // It may be done already.
                signal(child.id(), "-TERM");
            }
            Interruption::ClosedPipe => {}
        }
        if how != Interruption::ClosedPipe {
            stdout.read_to_string(&mut all).unwrap();
        }
        drop(stdout);
        let ended = child.wait_with_output().unwrap();
        Messages::parse_cut(&all);
        Ended { status: ended.status.code(), stderr: String::from_utf8(ended.stderr).unwrap(), before, all }
    }
}

/// Sends a process a signal, such as `-KILL`.
pub(crate) fn signal(process: u32, signal: &str) {
    Command::new("kill").args([signal, &process.to_string()]).stderr(Stdio::null()).status().unwrap();
}

/// An output up to each of its lines. The platform only accepts whole lines.
pub(crate) fn up_to_every_line(stdout: &str) -> impl Iterator<Item = &str> {
    stdout.match_indices('\n').map(|(end, _)| &stdout[..=end])
}

/// An output up to each of its states: with the fewest lines for that state.
pub(crate) fn up_to_every_state(stdout: &str) -> impl Iterator<Item = &str> {
    let is_state = |cut: &&str| cut.lines().last().is_some_and(|line| line.starts_with(r#"{"type":"STATE""#));
    up_to_every_line(stdout).filter(is_state)
}
