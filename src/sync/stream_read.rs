//! Reading one stream: which slices, in which order, from where on. A state goes out only after the records it covers,
//! and only a slice that was read to its end moves the stream's own state.

use std::collections::HashSet;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::ReadPlan;
use super::checkpoint::{self, Checkpoint};
use super::record_shaper::RecordShaper;
use super::stream_output::StreamOutput;
use crate::http::HttpClient;
use crate::protocol::{ConfiguredStream, Failure, LogLevel, StreamState, SyncMode};
use crate::streams::{Fetcher, HttpStream, PerParentState, SchemaContext, Slice, SliceContext, partition_key};

/// Whether all was read, or `--limit` ended it.
pub(super) type Flow = ControlFlow<()>;

/// One stream being read.
pub(super) struct StreamRead<'a, 'o> {
    pub(super) stream: &'a dyn HttpStream,
    sync_mode: SyncMode,
    pub(super) cursor_field: Vec<String>,
    pub(super) limit: Option<u64>,
    pub(super) client: &'a HttpClient,
    pub(super) out: &'a mut StreamOutput<'o>,
    /// The state as it was given, or as the slice that was gone on with has left it.
    pub(super) input: StreamState,
    pub(super) progress: Progress,
    /// The stream's schema in the configured catalog.
    configured: &'a Map<String, Value>,
    pub(super) shaper: RecordShaper,
}

/// What the slices that were read to their end amount to.
pub(super) enum Progress {
    /// The state of a stream that is sliced by time, or not at all.
    Whole(StreamState),
    /// The states of a sub-stream.
    PerParent(PerParentState),
}

impl<'a, 'o> StreamRead<'a, 'o> {
    pub(super) fn new(
        stream: &'a dyn HttpStream,
        cursor_field: Vec<String>,
        plan: &'a ReadPlan<'_>,
        configured: &'a ConfiguredStream,
        client: &'a HttpClient,
        out: &'a mut StreamOutput<'o>,
    ) -> Self {
        Self {
            stream,
            sync_mode: configured.sync_mode,
            cursor_field,
            limit: plan.limit,
            client,
            out,
            input: StreamState::new(),
            progress: Progress::Whole(StreamState::new()),
            configured: &configured.stream.json_schema,
            shaper: RecordShaper::default(),
        }
    }

    pub(super) fn run(mut self, mut input: StreamState) -> anyhow::Result<()> {
        self.out.start()?;
        self.shaper = self.shaper()?;
        let begun = Checkpoint::take(&mut input)?;
        self.input = input;
        let flow = if self.cursor_field.is_empty() && checkpoint::is_complete(&self.input) {
            self.out.log(LogLevel::Info, "the state says that it was read to its end; nothing is read.")?;
            self.out.state(checkpoint::complete())?;
            Flow::Continue(())
        } else if self.stream.parent().is_some() {
            self.read_sub_stream(begun)?
        } else if self.cursor_field.is_empty() {
            self.read_without_cursor(begun)?
        } else {
            self.read_with_cursor(begun)?
        };
        if flow.is_break() {
            let limit = self.limit.unwrap_or_default();
            self.out.log(LogLevel::Info, &format!("stopped at the limit of {limit} records."))?;
        }
        Ok(self.out.complete()?)
    }

    fn shaper(&self) -> anyhow::Result<RecordShaper> {
        let waits = self.out.waits();
        let cx = SchemaContext { fetcher: &Fetcher::new(self.client, &waits) };
        RecordShaper::new(self.stream, self.configured, cx, self.out)
    }

    /// The slice that was begun is finished as it was begun; then the stream is asked what is left.
    fn read_with_cursor(&mut self, begun: Option<Checkpoint>) -> anyhow::Result<Flow> {
        self.progress = Progress::Whole(self.input.clone());
        let resumed = begun.as_ref().map(|begun| begun.slice.clone());
        if let Some(begun) = begun
            && self.read_slice(begun)?.is_break()
        {
            return Ok(Flow::Break(()));
        }
        self.input = self.state();
        let (stream, client, state) = (self.stream, self.client, self.state());
        let (waits, output) = (self.out.waits(), self.out.output());
        let fetcher = Fetcher::new(client, &waits);
        let resumed = resumed.as_ref();
        let cx = SliceContext { sync_mode: self.sync_mode, state: &state, resumed, fetcher: &fetcher, output };
        let mut any = resumed.is_some();
        for slice in stream.stream_slices(&cx)? {
            any = true;
            if self.read_slice(Checkpoint::at(slice?))?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        if !any {
            let state = Value::Object(self.state());
            self.out.log(LogLevel::Info, &format!("there is nothing to read from the state {state}."))?;
            self.out.state(self.state())?;
        }
        Ok(Flow::Continue(()))
    }

    /// Without a cursor the state knows one thing: the slice and page to go on with. Slices before it are skipped.
    fn read_without_cursor(&mut self, begun: Option<Checkpoint>) -> anyhow::Result<Flow> {
        if !self.input.is_empty() {
            let state = Value::Object(self.input.clone());
            return Err(Failure::config(format!(
                "{:?} has no cursor, and its state {state} is not one of this source. Remove it from the state file, \
                 or reset the stream, to read all of it.",
                self.stream.name()
            ))
            .into());
        }
        let (stream, client, state) = (self.stream, self.client, StreamState::new());
        let (waits, output) = (self.out.waits(), self.out.output());
        let fetcher = Fetcher::new(client, &waits);
        let cx = SliceContext { sync_mode: self.sync_mode, state: &state, resumed: None, fetcher: &fetcher, output };
        let mut slices = stream.stream_slices(&cx)?.peekable();
        if let Some(begun) = begun {
            let mut found = false;
            while !found && let Some(slice) = slices.next() {
                found = slice? == begun.slice;
            }
            if found {
                if self.read_slice(begun)?.is_break() {
                    return Ok(Flow::Break(()));
                }
                self.point_to(slices.peek())?;
            } else {
                self.out.log(LogLevel::Warn, "the slice where the last read stopped is gone; all are read again.")?;
                slices = stream.stream_slices(&cx)?.peekable();
            }
        }
        while let Some(slice) = slices.next() {
            if self.read_slice(Checkpoint::at(slice?))?.is_break() {
                return Ok(Flow::Break(()));
            }
            self.point_to(slices.peek())?;
        }
        self.out.state(checkpoint::complete())?;
        Ok(Flow::Continue(()))
    }

    /// A state that says: the slices before this one are done.
    fn point_to(&mut self, next: Option<&anyhow::Result<Slice>>) -> anyhow::Result<()> {
        if let Some(Ok(next)) = next {
            self.out.state(Checkpoint::at(next.clone()).put(&StreamState::new()))?;
        }
        Ok(())
    }

    /// Each parent has a state of its own, so their order makes no difference, and neither do new ones among them.
    fn read_sub_stream(&mut self, begun: Option<Checkpoint>) -> anyhow::Result<Flow> {
        self.progress = Progress::PerParent(PerParentState::parse(self.stream.name(), self.input.clone())?);
        let mut seen = HashSet::new();
        if let Some(begun) = begun {
            seen.insert(partition_key(&begun.slice));
            if self.read_slice(begun)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        let (stream, client, state) = (self.stream, self.client, self.input.clone());
        let (waits, output) = (self.out.waits(), self.out.output());
        let fetcher = Fetcher::new(client, &waits);
        let cx = SliceContext { sync_mode: self.sync_mode, state: &state, resumed: None, fetcher: &fetcher, output };
        for slice in stream.stream_slices(&cx)? {
            let slice = slice?;
            if !seen.insert(partition_key(&slice)) || self.is_done(&slice) {
                continue;
            }
            if self.read_slice(Checkpoint::at(slice))?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        if let Progress::PerParent(states) = &mut self.progress {
            states.retain(|partition| seen.contains(&partition_key(partition)));
        }
        let state = if self.cursor_field.is_empty() { checkpoint::complete() } else { self.state() };
        self.out.state(state)?;
        Ok(Flow::Continue(()))
    }

    fn is_done(&self, partition: &Slice) -> bool {
        matches!(&self.progress, Progress::PerParent(states) if states.is_complete(partition))
    }

    /// What the records written so far amount to, in whole slices.
    pub(super) fn state(&self) -> StreamState {
        match &self.progress {
            Progress::Whole(state) => state.clone(),
            Progress::PerParent(states) => states.state(),
        }
    }

    /// What is known of a slice from before: the stream's state, or that of the slice's parent.
    pub(super) fn state_of(&self, slice: &Slice) -> StreamState {
        match &self.progress {
            Progress::Whole(_) => self.input.clone(),
            Progress::PerParent(states) => states.cursor(slice),
        }
    }

    /// Notes that a slice was read to its end, and writes the state that says so.
    pub(super) fn close(&mut self, slice: &Slice, newest: Option<&Value>) -> anyhow::Result<()> {
        let has_cursor = !self.cursor_field.is_empty();
        match &mut self.progress {
            Progress::Whole(_) if !has_cursor => {}
            Progress::Whole(state) => {
                self.stream.get_updated_state(state, slice, newest, &self.cursor_field);
                self.out.state(self.state())?;
            }
            Progress::PerParent(states) => {
                if has_cursor {
                    let mut state = states.cursor(slice);
                    self.stream.get_updated_state(&mut state, slice, newest, &self.cursor_field);
                    states.set(slice, state);
                } else {
                    states.set_complete(slice);
                }
                // This state grows with the parents: written after each of them, it would outweigh the records.
                if self.out.state_is_due(states.bytes()) {
                    self.out.state(self.state())?;
                }
            }
        }
        Ok(())
    }
}
