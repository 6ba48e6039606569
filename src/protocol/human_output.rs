//! A person who reads along. In the protocol everything is a message for a platform; people get lines of text.

use super::{Failure, LogLevel};

/// Somebody who reads what is for people, next to stdout or instead of its messages. What is reported holds no secret.
/// There is nobody to inform if it cannot be shown.
pub trait HumanOutput: Send + Sync {
    /// A line of the log, or a stream's status.
    fn log(&self, level: LogLevel, text: &str);

    /// A warning of something that the user has to fix, of a run that is well otherwise: it is shown also where
    /// failures alone are. Default: a line of the log.
    fn notice(&self, text: &str) {
        self.log(LogLevel::Warn, text);
    }

    /// The failure of a stream, or of the run.
    fn failure(&self, failure: &Failure);
}
