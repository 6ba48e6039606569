//! Reads one stream through another, for an API with two ways to the same records: a list of all of them, and a list of
//! changes. The state decides, so the choice is made when a read begins.

use super::HttpStream;

/// The stream to read instead of another: see [`HttpStream::for_state`].
pub struct Delegate<'s> {
    /// The stream to read. It has the same name.
    pub stream: &'s dyn HttpStream,
    /// Why the state is unusable, as a sentence. An empty state is written before any request, and the stream is read
    /// from its beginning. `None`: the state is used.
    pub drops_state: Option<String>,
    /// Whether states stay empty until the stream was read to its end: for a stream whose states lead to another
    /// stream, which does not have the rest.
    pub is_all_or_nothing: bool,
}

impl<'s> Delegate<'s> {
    /// A stream that is read from the given state.
    #[must_use]
    pub fn new(stream: &'s dyn HttpStream) -> Self {
        Self { stream, drops_state: None, is_all_or_nothing: false }
    }

    /// A stream whose states stay empty until it was read to its end.
    #[must_use]
    pub fn all_or_nothing(stream: &'s dyn HttpStream) -> Self {
        Self { is_all_or_nothing: true, ..Self::new(stream) }
    }
}
