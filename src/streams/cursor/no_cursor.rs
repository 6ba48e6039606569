//! Streams without a cursor: their final state, and the states they accept.

use serde_json::Value;

use super::{Cursor, CursorRead, CursorState, PerPartitionState, WholeState, completed, says_complete};
use crate::protocol::{Failure, NO_CURSOR_STATE, StreamState};

/// The cursor of a stream without its own.
pub(crate) static READ_WHOLE: NoCursor = NoCursor::resumable();

/// No cursor: the stream is read whole each time.
#[derive(Debug, Clone, Copy)]
pub struct NoCursor {
    is_resumable: bool,
}

impl NoCursor {
    /// An interrupted read resumes where it stopped, and the last state says that all was read. Any state that is not
    /// this source's is refused.
    #[must_use]
    pub const fn resumable() -> Self {
        Self { is_resumable: true }
    }

    /// The behaviour of Airbyte's low-code runtime: any state is ignored, and the last state is
    /// `{"__ab_no_cursor_state_message": true}`, without content. An interrupted read starts again.
    #[must_use]
    pub const fn stateless() -> Self {
        Self { is_resumable: false }
    }
}

impl Cursor for NoCursor {
    fn cursor_field(&self) -> Vec<String> {
        Vec::new()
    }

    fn migrate_state(&self, state: StreamState) -> Result<StreamState, Failure> {
        Ok(if self.is_resumable { state } else { StreamState::new() })
    }

    fn is_complete(&self, state: &StreamState) -> bool {
        self.is_resumable && says_complete(state)
    }

    fn complete(&self, state: StreamState) -> StreamState {
        match self.is_resumable {
            true => completed(state),
            false => std::iter::once((NO_CURSOR_STATE.to_owned(), Value::Bool(true))).collect(),
        }
    }

    /// Without states, a repeated partition is read twice, and none needs to be remembered.
    fn begin<'a>(&'a self, read: CursorRead<'_>) -> Result<Box<dyn CursorState + 'a>, Failure> {
        match read.first.filter(|_| self.is_resumable) {
            Some(first) if !first.partition().is_empty() || first.is_marker() => {
                Ok(Box::new(PerPartitionState::new(self, read)?))
            }
            _ => Ok(Box::new(WholeState::new(self, read)?)),
        }
    }

    fn keeps_places(&self) -> bool {
        self.is_resumable
    }

    /// Without states, no slice waits for another.
    fn reads_on_after_failure(&self) -> bool {
        !self.is_resumable
    }
}
