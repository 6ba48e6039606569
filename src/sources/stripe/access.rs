//! The permissions of a key. A restricted key may not have permission for every list, and not every account has every
//! product, so a check names the streams that a read will skip.

use std::sync::Arc;

use super::api::EVENTS;
use super::api_error::LACKS;
use crate::protocol::{Failure, LogLevel, Output};
use crate::streams::HttpStream;

/// A stream that cannot be read, and the reason.
struct Refused<'a> {
    stream: &'a str,
    failure: Failure,
}

impl Refused<'_> {
    /// `charges (lacks rak_charge_read)`.
    fn describe(&self) -> String {
        let why = self.failure.hint.as_deref().unwrap_or(&self.failure.message);
        let why = why.strip_prefix(LACKS).map_or_else(|| why.to_owned(), |permission| format!("lacks {permission}"));
        format!("{} ({})", self.stream, why.trim_end_matches('.'))
    }
}

/// Summarises probes of the streams: a message about those that the key cannot read, if there are any.
///
/// # Errors
/// The first fault other than a refusal; or, if no stream can be read, a config failure that names the missing
/// permissions.
pub(super) fn check(
    streams: &[Arc<dyn HttpStream>],
    probes: Vec<anyhow::Result<bool>>,
    output: &Output,
) -> anyhow::Result<Option<String>> {
    let mut refused = Vec::new();
    let mut can_read = false;
    for (stream, probe) in streams.iter().zip(probes) {
        match probe.map_err(anyhow::Error::downcast::<Failure>) {
            Ok(asked) => can_read |= asked,
            Err(Ok(failure)) if failure.skips_stream => refused.push(Refused { stream: stream.name(), failure }),
            Err(Ok(failure)) => return Err(failure.into()),
            Err(Err(other)) => return Err(other),
        }
    }
    if refused.is_empty() {
        return Ok(None);
    }
    let reasons = refused.iter().map(Refused::describe).collect::<Vec<_>>().join(", ");
    if !can_read {
        let text = format!(
            "The key in `client_secret` can read none of the streams. Give it read permission for the streams you \
             want, \
             or check `account_id`: {reasons}."
        );
        return Err(Failure::config(text).into());
    }
    let without_events = match refused.iter().any(|refused| refused.stream == EVENTS) {
        true => {
            " Incremental reads take changes from events: without that permission the streams are skipped after the \
             first \
             read."
        }
        false => "",
    };
    let (count, all) = (refused.len(), streams.len());
    let text = format!(
        "The key in `client_secret` cannot read {count} of {all} streams. They will be skipped: {reasons}.{without_events}"
    );
    output.log(LogLevel::Warn, &text)?;
    let names = refused.iter().map(|refused| refused.stream).collect::<Vec<_>>().join(", ");
    Ok(Some(format!("The key cannot read: {names}. They will be skipped.{without_events}")))
}
