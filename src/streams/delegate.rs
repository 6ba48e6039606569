//! A stream that another one is read for, where an API has two ways to the same records: a list of all of them, and a list
//! of what has changed. Which one it is depends on the state, so it is known when a read begins and not before.

use super::HttpStream;

/// The stream that a read asks instead of another: see [`HttpStream::for_state`].
pub struct Delegate<'s> {
    /// The stream that is asked. It has the same name.
    pub stream: &'s dyn HttpStream,
    /// Why the state is of no use, as a sentence. An empty state is written before anything is requested, and the
    /// stream is read from its beginning. `None`: the state is used.
    pub drops_state: Option<String>,
    /// States are empty until the stream was read to its end. For a stream whose states lead to another stream, which does
    /// not have the rest.
    pub is_all_or_nothing: bool,
}

impl<'s> Delegate<'s> {
    /// A stream that is read from the state that was given.
    #[must_use]
    pub fn new(stream: &'s dyn HttpStream) -> Self {
        Self { stream, drops_state: None, is_all_or_nothing: false }
    }

    /// A stream whose states say nothing before it was read to its end.
    #[must_use]
    pub fn all_or_nothing(stream: &'s dyn HttpStream) -> Self {
        Self { is_all_or_nothing: true, ..Self::new(stream) }
    }
}
