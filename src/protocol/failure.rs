//! Failures, classified by who can fix them. Every error ends as one of these: it becomes the protocol's error trace,
//! and decides the exit code.

use std::fmt;

use serde::Serialize;

use super::StreamDescriptor;
use crate::stop::StopReason;

/// The text between a request and the status of its response in messages.
pub(crate) const ANSWERED: &str = " answered ";

/// The start of the failure of a run with one stream. It repeats the stream's own failure.
pub(crate) const ONE_OF_ONE: &str = "1 of 1 streams failed.";

/// The start of the last line of a run's failure, if another run may succeed.
pub(crate) const RUN_AGAIN_LATER: &str = "Run it again later ";

/// Who can fix a failure, from mild to worst: the last trace of a sync has the worst kind of its streams, so that the
/// platform does not retry faults that only its user can fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub enum FailureKind {
    /// A retry may succeed: the network, a rate limit, a server with errors.
    #[serde(rename = "transient_error")]
    Transient,
    /// An unexpected fault of the API or this program: a bug on one of the two sides.
    #[serde(rename = "system_error")]
    System,
    /// The user can fix it: credentials, permissions, a config, catalog or state file.
    #[serde(rename = "config_error")]
    Config,
}

/// How a stream may change its request instead of repeating it: see [`crate::http::ResponseAction::AskOtherwise`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// Request the first page of the slice: the place of the next page is gone.
    FromStart,
    /// Request the same page with fewer records.
    SmallerPage,
    /// Request parts of the slice's span, one after the other.
    ShorterSpan,
}

/// An error in the protocol's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Who can fix it.
    pub kind: FailureKind,
    /// For the user: the fault, its place, and the fix.
    pub message: String,
    /// For a maintainer: the chain of causes. The platform does not show it to users.
    pub internal_message: Option<Box<str>>,
    /// The stream it belongs to, if it belongs to one.
    pub stream: Option<StreamDescriptor>,
    /// The status of the HTTP response behind it, if there is one.
    pub http_status: Option<u16>,
    /// The fix for the user, as a sentence, if known. The message contains it, too.
    pub hint: Option<Box<str>>,
    /// Whether nothing of the stream can be read with these credentials or on this account: it may be skipped.
    pub skips_stream: bool,
    /// The unsendable character in the config, if that is the cause.
    pub unsendable: Option<char>,
    /// Whether only one slice of the stream cannot be read, such as the children of one parent: it may be skipped.
    pub skips_slice: bool,
    /// How the stream may change its request, if that may help.
    pub otherwise: Option<Otherwise>,
}

impl Failure {
    /// A failure of the given kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            internal_message: None,
            stream: None,
            http_status: None,
            hint: None,
            skips_stream: false,
            unsendable: None,
            skips_slice: false,
            otherwise: None,
        }
    }

    /// A failure the user can fix.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Config, message)
    }

    /// A failure that may pass.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Transient, message)
    }

    /// An unexpected failure.
    pub fn system(message: impl Into<String>) -> Self {
        Self::new(FailureKind::System, message)
    }

    /// Adds details for a maintainer.
    #[must_use]
    pub fn with_internal(mut self, internal: impl Into<Box<str>>) -> Self {
        self.internal_message = Some(internal.into());
        self
    }

    /// Sets the HTTP status behind it.
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// Whether the same fault is behind both, whatever the requests: a lost network, refused credentials. Those that
    /// the user can fix are the same if the same host gave the same answer with the same words and the same fix: two
    /// missing permissions are two faults. A system failure is always separate.
    #[must_use]
    pub fn has_cause_of(&self, other: &Self) -> bool {
        let has_same_internal = self.internal_message.is_some() && self.internal_message == other.internal_message;
        let is_same = has_same_internal || self.message == other.message;
        match (self.kind, other.kind) {
            (FailureKind::Transient, FailureKind::Transient) => is_same,
            (FailureKind::Config, FailureKind::Config) => {
                let answer = self.answer();
                is_same || answer.is_some() && answer == other.answer() && self.hint == other.hint
            }
            _ => false,
        }
    }

    /// The host of an HTTP response, and its status, without the request.
    fn answer(&self) -> Option<(&str, &str)> {
        self.http_status?;
        let (request, answer) = self.message.split_once(ANSWERED)?;
        let (_, url) = request.rsplit_once(' ')?;
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?']).next().unwrap_or(rest);
        Some((&url[..scheme.len() + "://".len() + host.len()], answer))
    }

    /// Sets the stream, unless it is already set.
    #[must_use]
    pub fn of_stream(mut self, stream: &StreamDescriptor) -> Self {
        self.stream.get_or_insert_with(|| stream.clone());
        self
    }

    /// The refusal of one slice, after all `slices` requested ones were refused: then the stream cannot be read.
    #[must_use]
    pub fn of_every_slice(mut self, slices: u64) -> Self {
        (self.skips_slice, self.skips_stream) = (false, true);
        if slices > 1 {
            self.message = format!("{} All {slices} slices that were requested were refused.", self.message);
        }
        self
    }

    /// Extracts a failure that skips one slice from an error.
    ///
    /// # Errors
    /// The error, if it is another one.
    pub fn of_slice(error: anyhow::Error) -> anyhow::Result<Self> {
        match error.downcast::<Self>() {
            Ok(failure) if failure.skips_slice => Ok(failure),
            Ok(failure) => Err(failure.into()),
            Err(error) => Err(error),
        }
    }

    /// Finds the failure inside an error. A [`StopReason`] is transient. Any other error is unclassified: a system
    /// failure, with its causes.
    #[must_use]
    pub fn from_error(error: &anyhow::Error) -> Self {
        if let Some(failure) = error.downcast_ref::<Self>() {
            return failure.clone();
        }
        match error.downcast_ref::<StopReason>() {
            Some(reason) => Self::transient(reason.to_string()),
            None => Self::system(format!("{error:#}")).with_internal(format!("{error:?}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// As [`Failure::from_error`], for `?`.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        error.downcast().unwrap_or_else(|error| Self::from_error(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_failure_is_the_worst_and_a_transient_one_the_mildest() {
        assert!(FailureKind::Config > FailureKind::System);
        assert!(FailureKind::System > FailureKind::Transient);
    }

    #[test]
    fn a_failure_is_found_under_its_context() {
        let error = anyhow::Error::new(Failure::config("no such file")).context("reading the config");
        assert_eq!(Failure::from_error(&error).kind, FailureKind::Config);
    }

    #[test]
    fn a_stopped_run_is_transient() {
        let failure = Failure::from_error(&StopReason::Terminated.error());
        assert_eq!(failure.kind, FailureKind::Transient);
        assert!(failure.message.starts_with("SIGTERM ended this run"), "{failure}");
    }

    #[test]
    fn refused_credentials_are_one_fault_and_two_permissions_are_two() {
        let refused = |list: &str, answer: &str, hint: &str| {
            let failure = Failure::config(format!("GET https://a.com:8/v1/{list}?limit=1 answered {answer}. {hint}"));
            Failure { hint: Some(hint.into()), ..failure.with_http_status(401).with_internal(list) }
        };
        let first = refused("a", "401 Unauthorized: no such key", "Check the key.");
        assert!(first.has_cause_of(&refused("b", "401 Unauthorized: no such key", "Check the key.")));
        for other in [
            refused("b", "401 Unauthorized: expired", "Check the key."),
            refused("b", "401 Unauthorized: no such key", "The key lacks b."),
            Failure { kind: FailureKind::System, ..refused("b", "401 Unauthorized: no such key", "Check the key.") },
            Failure { message: first.message.replace("a.com", "b.com"), ..refused("b", "", "Check the key.") },
            Failure { http_status: None, ..refused("b", "401 Unauthorized: no such key", "Check the key.") },
        ] {
            assert!(!first.has_cause_of(&other), "{other}");
        }
        assert!(Failure::config("a proxy").has_cause_of(&Failure::config("a proxy")));
        assert!(!Failure::system("a").has_cause_of(&Failure::system("a")));
    }

    #[test]
    fn an_unclassified_error_is_a_system_failure_that_keeps_its_causes() {
        let failure = Failure::from_error(&anyhow::anyhow!("inner").context("outer"));
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::System, "outer: inner"));
    }
}
