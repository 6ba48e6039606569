//! A stream's messages for people and the platform while it writes records. It needs no lock: lines of different
//! threads never mix.

use std::io;
use std::time::Duration;

use crate::http::budget::BudgetWait;
use crate::http::{Activity, RetryObserver, Telling, Wait};
use crate::protocol::{LogLevel, Output, RateLimited, Status, StatusReason, StreamDescriptor};
use crate::sync::tally::stream::StreamTally;

/// Reports why a stream waits, and anything unusual about it.
#[derive(Debug, Clone)]
pub(in crate::sync) struct StreamLog<'o> {
    pub(in crate::sync) output: &'o Output,
    pub(in crate::sync) stream: StreamDescriptor,
    pub(in crate::sync) tally: &'o StreamTally,
}

impl StreamLog<'_> {
    /// A line for people, with the stream's name.
    pub(in crate::sync) fn log(&self, level: LogLevel, text: &str) -> io::Result<()> {
        self.output.log(level, &format!("{}: {text}", self.stream.name))
    }

    /// A warning about something for the user to fix, with the stream's name.
    pub(in crate::sync) fn notice(&self, text: &str) -> io::Result<()> {
        self.output.notice(&format!("{}: {text}", self.stream.name))
    }

    /// Shows observers the current wait.
    fn note_wait(&self, reason: &str, delay: Duration) {
        self.tally.wait(self.output.redactor().redact(reason), self.output.elapsed() + delay);
    }
}

impl RetryObserver for StreamLog<'_> {
    fn waiting(&self, wait: &Wait) -> anyhow::Result<()> {
        if let Some(reset) = wait.quota_reset {
            let rate_limited = RateLimited { quota_reset: reset.as_millisecond() };
            let reason = StatusReason::RateLimited { rate_limited: Some(rate_limited) };
            self.output.status(&self.stream, Status::Running, Some(reason))?;
        }
        if wait.too_long {
            return Ok(());
        }
        self.note_wait(&wait.why(), wait.delay);
        if wait.telling != Telling::Silent {
            self.log(LogLevel::Info, &wait.to_string())?;
        }
        // The log line may have been left out, and nothing may stay in the buffer during a wait.
        Ok(self.output.flush()?)
    }

    fn throttled(&self, wait: &BudgetWait) -> anyhow::Result<()> {
        // Shorter waits come and go with every few requests.
        if wait.is_long() {
            self.note_wait(&wait.rule, wait.delay);
        }
        if wait.is_worth_telling() {
            self.log(LogLevel::Info, &wait.to_string())?;
        }
        Ok(self.output.flush()?)
    }

    fn asking(&self, host: Option<&str>) {
        self.tally.ask(host, self.output.elapsed());
    }

    fn active(&self, activity: Activity) {
        self.tally.note(activity);
    }
}
