//! The checked messages of one output, with accessors for tests.

use std::sync::Arc;

use serde_json::Value;

use super::answer;
use super::envelope::{self, Message};
use super::lifecycle::Lifecycle;

/// How much of a bad line a report shows, in characters.
const SHOWN: usize = 300;

/// The checked messages of one run's stdout.
///
/// Streams are found by name; only the check uses namespaces.
#[derive(Debug, Clone)]
pub struct Messages {
    lines: Arc<Vec<(String, Message)>>,
}

/// A TRACE of type ERROR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorTrace {
    /// For the user.
    pub message: String,
    /// For a maintainer.
    pub internal_message: Option<String>,
    /// `system_error`, `config_error` or `transient_error`.
    pub failure_type: Option<String>,
    /// The stream that failed; `None` if the whole run did.
    pub stream: Option<String>,
}

impl Messages {
    /// The messages of a run that ended by itself.
    ///
    /// # Panics
    /// With the broken rule and the offending line.
    #[track_caller]
    pub fn parse(stdout: &str) -> Self {
        Self::try_parse(stdout).unwrap_or_else(|broken| panic!("{broken}"))
    }

    /// Like [`Messages::parse`], with the broken rule as an error.
    pub fn try_parse(stdout: &str) -> Result<Self, String> {
        if !stdout.is_empty() && !stdout.ends_with('\n') {
            return Err("the output does not end with a newline".to_owned());
        }
        let (messages, lifecycle) = Self::check_lines(stdout)?;
        lifecycle.finish()?;
        Ok(messages)
    }

    /// The messages of a run of `command` that ended by itself with this exit code. They must answer it and agree with
    /// the exit code.
    ///
    /// # Panics
    /// Like [`Messages::parse`].
    #[track_caller]
    pub fn parse_answer(stdout: &str, command: &str, exit_code: i32) -> Self {
        let messages = Self::parse(stdout);
        if let Err(broken) = answer::check(&messages, command, exit_code) {
            panic!("{command} ended with {exit_code}: {broken}\n{}", messages.outline().join("\n"));
        }
        messages
    }

    /// The messages of a killed run: its last line may be truncated and its streams need not have ended. All other
    /// rules hold.
    ///
    /// # Panics
    /// Like [`Messages::parse`].
    pub fn parse_cut(stdout: &str) -> Self {
        Self::try_parse_cut(stdout).unwrap_or_else(|broken| panic!("{broken}"))
    }

    /// Like [`Messages::parse_cut`], with the broken rule as an error.
    pub fn try_parse_cut(stdout: &str) -> Result<Self, String> {
        let whole = stdout.rfind('\n').map_or("", |end| &stdout[..=end]);
        Ok(Self::check_lines(whole)?.0)
    }

    fn check_lines(stdout: &str) -> Result<(Self, Lifecycle), String> {
        let mut lifecycle = Lifecycle::default();
        let mut lines = Vec::new();
        for (index, line) in stdout.split_terminator('\n').enumerate() {
            let parsed = envelope::parse(line).and_then(|message| {
                lifecycle.take(&message)?;
                Ok(message)
            });
            match parsed {
                Ok(message) => lines.push((line.to_owned(), message)),
                Err(broken) => {
                    let shown: String = line.chars().take(SHOWN).collect();
                    return Err(format!("line {}: {broken}\n  {shown}", index + 1));
                }
            }
        }
        Ok((Self { lines: lines.into() }, lifecycle))
    }

    /// The lines, without their newlines.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|(line, _)| line.as_str())
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.lines.iter().map(|(_, message)| message)
    }

    /// The text of the `data` of each record of the stream, as written.
    pub fn records(&self, stream: &str) -> Vec<&str> {
        self.messages()
            .filter_map(|message| match message {
                Message::Record { stream: id, data } if id.name == stream => Some(data.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The number of records of all streams.
    pub fn record_count(&self) -> usize {
        self.messages().filter(|m| matches!(m, Message::Record { .. })).count()
    }

    /// Each `stream_state` of the stream; JSON null where the message has none.
    pub fn states(&self, stream: &str) -> Vec<&Value> {
        self.messages()
            .filter_map(|message| match message {
                Message::State { streams, .. } => Some(streams),
                _ => None,
            })
            .flatten()
            .filter(|state| state.stream.name == stream)
            .map(|state| &state.state)
            .collect()
    }

    /// The `n`-th state of the stream, counted from 0, and the `data` of its records before it.
    pub fn state_at(&self, stream: &str, n: usize) -> Option<(Vec<&str>, &Value)> {
        let (mut records, mut states) = (Vec::new(), 0);
        for message in self.messages() {
            match message {
                Message::Record { stream: id, data } if id.name == stream => records.push(data.as_str()),
                Message::State { streams, .. } => {
                    for state in streams.iter().filter(|state| state.stream.name == stream) {
                        if states == n {
                            return Some((records, &state.state));
                        }
                        states += 1;
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The last STATE line of each stream, in the order in which the streams got their first.
    pub fn last_state_lines(&self) -> Vec<&str> {
        self.last_states().into_iter().map(|(line, _)| line).collect()
    }

    /// The state that the platform would pass to `--state` after this run: a JSON array of the last state of each
    /// stream.
    pub fn state_file(&self) -> String {
        let states: Vec<&str> = self.last_states().into_iter().map(|(_, text)| text).collect();
        format!("[{}]", states.join(","))
    }

    fn last_states(&self) -> Vec<(&str, &str)> {
        let mut last: Vec<(Option<&envelope::StreamId>, (&str, &str))> = Vec::new();
        for (line, message) in &*self.lines {
            let Message::State { streams, text, .. } = message else {
                continue;
            };
            // Global and legacy states belong to no single stream and replace each other.
            let id = streams.first().filter(|_| streams.len() == 1).map(|state| &state.stream);
            let found = (line.as_str(), text.as_str());
            match last.iter_mut().find(|(earlier, _)| *earlier == id) {
                Some((_, place)) => *place = found,
                None => last.push((id, found)),
            }
        }
        last.into_iter().map(|(_, found)| found).collect()
    }

    /// The statuses of the stream, in order.
    pub fn statuses(&self, stream: &str) -> Vec<&str> {
        self.messages()
            .filter_map(|message| match message {
                Message::Status { stream: id, status, .. } if id.name == stream => Some(status.as_str()),
                _ => None,
            })
            .collect()
    }

    /// How often the stream was reported as `RATE_LIMITED`.
    pub fn rate_limited(&self, stream: &str) -> usize {
        self.messages()
            .filter(|message| {
                matches!(message, Message::Status { stream: id, rate_limited: true, .. }
                    if id.name == stream)
            })
            .count()
    }

    /// The error traces, in order.
    pub fn errors(&self) -> Vec<ErrorTrace> {
        self.messages()
            .filter_map(|message| match message {
                Message::Error { stream, error } => {
                    let text = |name: &str| error[name].as_str().map(str::to_owned);
                    Some(ErrorTrace {
                        message: text("message").unwrap_or_default(),
                        internal_message: text("internal_message"),
                        failure_type: text("failure_type"),
                        stream: stream.as_ref().map(|id| id.name.clone()),
                    })
                }
                _ => None,
            })
            .collect()
    }

    /// Level and text of each log message, in order.
    pub fn logs(&self) -> Vec<(&str, &str)> {
        self.messages()
            .filter_map(|message| match message {
                Message::Log { level, message } => Some((level.as_str(), message.as_str())),
                _ => None,
            })
            .collect()
    }

    /// The new configs of the CONTROL messages, in order.
    pub fn configs(&self) -> Vec<&Value> {
        self.messages()
            .filter_map(|message| match message {
                Message::Control(control) => Some(&control["connectorConfig"]["config"]),
                _ => None,
            })
            .collect()
    }

    /// The catalog.
    ///
    /// # Panics
    /// If there is not exactly one.
    pub fn catalog(&self) -> &Value {
        self.only("CATALOG", |message| match message {
            Message::Catalog(catalog) => Some(catalog),
            _ => None,
        })
    }

    /// The spec.
    ///
    /// # Panics
    /// If there is not exactly one.
    pub fn spec(&self) -> &Value {
        self.only("SPEC", |message| match message {
            Message::Spec(spec) => Some(spec),
            _ => None,
        })
    }

    /// Status and message of the check.
    ///
    /// # Panics
    /// If there is not exactly one `CONNECTION_STATUS`.
    pub fn connection_status(&self) -> (&str, Option<&str>) {
        let status = self.only("CONNECTION_STATUS", |message| match message {
            Message::ConnectionStatus(status) => Some(status),
            _ => None,
        });
        (status["status"].as_str().unwrap_or_default(), status["message"].as_str())
    }

    fn only<'a>(&'a self, kind: &str, of: impl Fn(&'a Message) -> Option<&'a Value>) -> &'a Value {
        let found: Vec<&Value> = self.messages().filter_map(of).collect();
        match found[..] {
            [one] => one,
            _ => panic!("{} messages of type {kind}:\n{}", found.len(), self.outline().join("\n")),
        }
    }
}
