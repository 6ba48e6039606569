//! What a stream's methods are told: which part of the stream, which page of it, and what is known from before.

use serde_json::{Map, Value};

use super::Fetcher;
use crate::protocol::{Output, StreamState, SyncMode};

/// A part of a stream that is read by one chain of requests: a time window, a parent's record, a region. Made by
/// [`super::HttpStream::stream_slices`], never looked into by anything but the stream. It may be kept in a state, so
/// it should be small. An empty slice is the whole stream.
pub type Slice = Map<String, Value>;

/// What it takes to ask for the next page: a number, a text, an object; the stream's to choose. It is kept in states.
pub type PageToken = Value;

/// The slices of a stream, made while they are read.
pub type Slices<'a> = Box<dyn Iterator<Item = anyhow::Result<Slice>> + 'a>;

/// What every method that shapes a request is told.
#[derive(Debug, Clone, Copy)]
pub struct RequestContext<'a> {
    /// The stream's state when the sync began.
    pub state: &'a StreamState,
    /// The slice being read.
    pub slice: &'a Slice,
    /// The page of it; `None` is the first.
    pub page_token: Option<&'a PageToken>,
}

/// What [`super::HttpStream::stream_slices`] is told.
#[derive(Clone, Copy)]
pub struct SliceContext<'a> {
    /// How the stream is read.
    pub sync_mode: SyncMode,
    /// What is known from before; empty at the first sync.
    pub state: &'a StreamState,
    /// The slice an interrupted sync had begun and this one has just finished. The state covers it already.
    pub resumed: Option<&'a Slice>,
    /// Reads pages of other streams, for slices that come from them.
    pub fetcher: &'a Fetcher<'a>,
    /// Where to say why there are such slices and no others.
    pub output: &'a Output,
}

/// What [`super::HttpStream::json_schema`] is told.
#[derive(Clone, Copy)]
pub struct SchemaContext<'a> {
    /// Asks the API, for a schema that it knows better than the source: custom fields, tables of a user.
    pub fetcher: &'a Fetcher<'a>,
}
