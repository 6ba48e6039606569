//! `StateDelegatingStream`: two streams of one name, a list of everything and a list of changes. A read without a state
//! uses the former, any other the latter, unless the state is older than the changes that the API keeps.

use std::sync::Arc;

use crate::clock::Clock;
use crate::protocol::{NO_CURSOR_STATE, StreamState};
use crate::streams::cursor::{Moment, TimeSpan};
use crate::streams::{Delegate, HttpStream};

/// The stream of changes.
pub(super) struct Delegation<S> {
    pub(super) incremental: Box<S>,
    pub(super) retention: Option<Retention>,
}

/// How long the API keeps changes.
pub(super) struct Retention {
    pub(super) period: TimeSpan,
    pub(super) clock: Arc<dyn Clock>,
}

/// The value that a stream's cursor finds in a state.
pub(super) type ValueIn<S> = fn(&S, &StreamState) -> Option<Moment>;

impl<S: HttpStream> Delegation<S> {
    /// The stream to read for a state; `full` is the one of everything.
    pub(super) fn choose<'s>(&'s self, full: &'s S, state: &StreamState, value_in: ValueIn<S>) -> Delegate<'s> {
        if state.is_empty() {
            return Delegate::all_or_nothing(full);
        }
        match &self.retention {
            Some(retention) if self.is_too_old(full, state, value_in, retention) => {
                let text =
                    "The state is older than the API keeps changes (`api_retention_period`), or its age is unknown.";
                Delegate { drops_state: Some(text.to_owned()), ..Delegate::all_or_nothing(full) }
            }
            _ => Delegate::new(&*self.incremental),
        }
    }

    fn is_too_old(&self, full: &S, state: &StreamState, value_in: ValueIn<S>, retention: &Retention) -> bool {
        let streams = [full, &*self.incremental];
        let value = streams.iter().find_map(|stream| value_in(stream, state));
        let oldest = Moment::utc(retention.clock.now().as_microsecond()).minus(retention.period);
        match (value, oldest) {
            (Some(value), Some(oldest)) => value < oldest,
            (Some(_), None) => false,
            // The last read was one of everything.
            (None, _) => !full.cursor().cursor_field().is_empty() || !state.contains_key(NO_CURSOR_STATE),
        }
    }
}

#[cfg(test)]
mod tests;
