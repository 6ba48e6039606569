//! `StateDelegatingStream`: two streams of one name, a list of everything and a list of what has changed. A read without
//! a state asks for the former, any other for the latter, unless the state is older than what the API keeps of changes.

use std::sync::Arc;

use super::build::Streams;
use super::incremental::{config_value, span};
use super::part::Part;
use super::stream::DeclarativeStream;
use crate::clock::Clock;
use crate::protocol::{NO_CURSOR_STATE, StreamState};
use crate::streams::Delegate;
use crate::streams::cursor::{Moment, TimeSpan};

/// What the stream of everything hands over to.
pub(super) struct Delegation {
    incremental: Box<DeclarativeStream>,
    retention: Option<Retention>,
}

/// How long the API keeps changes.
struct Retention {
    period: TimeSpan,
    clock: Arc<dyn Clock>,
}

impl Delegation {
    /// The stream that is asked for a state; `full` is the one of everything.
    pub(super) fn choose<'s>(&'s self, full: &'s DeclarativeStream, state: &StreamState) -> Delegate<'s> {
        if state.is_empty() {
            return Delegate::all_or_nothing(full);
        }
        match &self.retention {
            Some(retention) if self.is_too_old(full, state, retention) => {
                let text =
                    "The state is older than the API keeps changes (`api_retention_period`), or it cannot be told.";
                Delegate { drops_state: Some(text.to_owned()), ..Delegate::all_or_nothing(full) }
            }
            _ => Delegate::new(&*self.incremental),
        }
    }

    fn is_too_old(&self, full: &DeclarativeStream, state: &StreamState, retention: &Retention) -> bool {
        let streams = [full, &*self.incremental];
        let value = streams.iter().find_map(|stream| stream.incremental.as_ref()?.value_in(state));
        let oldest = Moment::utc(retention.clock.now().as_microsecond()).minus(retention.period);
        match (value, oldest) {
            (Some(value), Some(oldest)) => value < oldest,
            (Some(_), None) => false,
            // The last read was one of everything.
            (None, _) => full.incremental.is_some() || !state.contains_key(NO_CURSOR_STATE),
        }
    }
}

impl Streams<'_, '_> {
    /// The stream of everything, with the one that it hands over to. None if something is wrong with either of them.
    pub(super) fn delegating(&mut self, part: &Part<'_>, is_parent: bool) -> Option<DeclarativeStream> {
        let builder = self.builder;
        let (full, incremental) = (part.field("full_refresh_stream")?, part.field("incremental_stream")?);
        if [&full, &incremental].iter().any(|stream| stream.text("name") != part.text("name")) {
            builder.error(
                part,
                "`full_refresh_stream` and `incremental_stream` are two ways to read one stream. Give both of them its name",
            );
            return None;
        }
        let period = match part.field("api_retention_period").filter(|period| period.node.is_truthy()) {
            None => None,
            Some(period) => match config_value(builder, &period)? {
                value if value.truth() => Some(span(builder, &period, &value.to_text())?),
                _ => None,
            },
        };
        let mut is_right = true;
        if period.is_some() {
            for cursor in [&full, &incremental].iter().filter_map(|stream| stream.field("incremental_sync")) {
                if cursor.kind() == "IncrementingCountCursor" {
                    builder.error(
                        &cursor,
                        "a count has no age. Remove `api_retention_period`, or use a DatetimeBasedCursor",
                    );
                    is_right = false;
                }
            }
        }
        let retention = period.map(|period| Retention { period, clock: Arc::clone(&builder.env.clock) });
        let (stream, incremental) = (self.build(&full, is_parent), self.build(&incremental, is_parent));
        let delegation = Delegation { incremental: Box::new(incremental?), retention };
        is_right.then_some(DeclarativeStream { delegation: Some(delegation), ..stream? })
    }
}

#[cfg(test)]
mod tests;
