//! Output for people: lines of text instead of the protocol's messages, which are for a platform.

use super::{Failure, LogLevel};

/// Receives output for people, beside stdout or instead of its messages. It contains no secret. Failures to show it are
/// ignored.
pub trait HumanOutput: Send + Sync {
    /// A line of the log, or a stream's status.
    fn log(&self, level: LogLevel, text: &str);

    /// A warning about something for the user to fix, in an otherwise successful run: shown even where only failures
    /// are. Default: a line of the log.
    fn notice(&self, text: &str) {
        self.log(LogLevel::Warn, text);
    }

    /// The failure of a stream, or of the run.
    fn failure(&self, failure: &Failure);
}
