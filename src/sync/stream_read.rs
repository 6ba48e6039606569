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
use crate::streams::{
    Fetcher, HttpStream, PerPartitionState, SchemaContext, Sharing, Slice, SliceContext, Slices, partition_key,
};

/// Whether all was read, or `--limit` ended it.
pub(super) type Flow = ControlFlow<()>;

/// One stream being read.
pub(super) struct StreamRead<'a, 'o> {
    pub(super) stream: &'a dyn HttpStream,
    sync_mode: SyncMode,
    pub(super) cursor_field: Vec<String>,
    limit: Option<u64>,
    pub(super) client: &'a HttpClient,
    pub(super) sharing: &'a Sharing,
    pub(super) out: &'a mut StreamOutput<'o>,
    /// The state as it was given, or as the slice that was gone on with has left it.
    input: StreamState,
    pub(super) progress: Progress,
    /// The stream's schema in the configured catalog.
    configured: &'a Map<String, Value>,
    pub(super) shaper: RecordShaper,
}

/// What the slices that were read to their end amount to.
pub(super) enum Progress {
    /// One state for the stream: it has one slice, or slices in the order of its cursor.
    Whole(StreamState),
    /// A state for each slice, in whatever order they come.
    PerPartition(PerPartitionState),
}

impl<'a, 'o> StreamRead<'a, 'o> {
    pub(super) fn new(
        stream: &'a dyn HttpStream,
        cursor_field: Vec<String>,
        plan: &'a ReadPlan<'_>,
        configured: &'a ConfiguredStream,
        client: &'a HttpClient,
        sharing: &'a Sharing,
        out: &'a mut StreamOutput<'o>,
    ) -> Self {
        Self {
            stream,
            sync_mode: configured.sync_mode,
            cursor_field,
            limit: plan.limit,
            client,
            sharing,
            out,
            input: StreamState::new(),
            progress: Progress::Whole(StreamState::new()),
            configured: &configured.stream.json_schema,
            shaper: RecordShaper::default(),
        }
    }

    pub(super) fn run(mut self, state: StreamState) -> anyhow::Result<()> {
        self.out.start()?;
        let waits = self.out.waits();
        let fetcher = Fetcher::new(self.client, &waits).sharing(self.sharing);
        self.shaper = RecordShaper::new(self.stream, self.configured, SchemaContext { fetcher: &fetcher }, self.out)?;
        let is_full_refresh = self.sync_mode == SyncMode::FullRefresh || !self.has_cursor();
        if is_full_refresh && checkpoint::is_complete(&state) {
            self.out.log(LogLevel::Info, "the state says that it was read to its end; nothing is read.")?;
            self.out.state(state)?;
            return Ok(self.out.complete()?);
        }
        let begun = self.accept(state)?;
        if self.read(begun, &fetcher)?.is_break() {
            let limit = self.limit.unwrap_or_default();
            self.out.log(LogLevel::Info, &format!("stopped at the limit of {limit} records."))?;
        } else if is_full_refresh {
            let state = if self.has_cursor() { self.state() } else { StreamState::new() };
            self.out.state(checkpoint::complete(state))?;
        } else if self.out.since_state() > 0
            || !self.out.has_state()
            || matches!(self.progress, Progress::PerPartition(_))
        {
            self.out.state(self.state())?;
        }
        Ok(self.out.complete()?)
    }

    /// Takes over the state that was given, as far as it is for a read of this kind, and the place within a slice.
    fn accept(&mut self, mut state: StreamState) -> anyhow::Result<Option<Checkpoint>> {
        let begun = Checkpoint::take(&mut state)?;
        let of_full_refresh = checkpoint::take_full_refresh(&mut state);
        if self.has_cursor() && self.sync_mode == SyncMode::FullRefresh && !of_full_refresh {
            if !state.is_empty() || begun.is_some() {
                let text = "the state is of incremental reads, and a full refresh reads everything again.";
                self.out.log(LogLevel::Info, text)?;
            }
            return Ok(None);
        }
        self.input = self.stream.migrate_state(state)?;
        Ok(begun)
    }

    fn read(&mut self, begun: Option<Checkpoint>, fetcher: &Fetcher<'_>) -> anyhow::Result<Flow> {
        if self.stream.slices_in_order() {
            return self.read_in_order(begun, fetcher);
        }
        let (stream, state) = (self.stream, self.input.clone());
        let mut slices = stream.stream_slices(&self.slice_context(&state, fetcher))?;
        let Some(first) = slices.next().transpose()? else {
            self.progress = Progress::Whole(state.clone());
            return Ok(Flow::Continue(()));
        };
        if first.is_empty() {
            if !self.has_cursor() && !state.is_empty() {
                return Err(self.unknown_state().into());
            }
            self.progress = Progress::Whole(state.clone());
            return self.read_slice(begun.filter(|begun| begun.slice.is_empty()).unwrap_or_default());
        }
        self.progress = Progress::PerPartition(PerPartitionState::parse(stream.name(), state.clone())?);
        self.read_partitions(begun, Box::new(std::iter::once(Ok(first)).chain(slices)))
    }

    /// The slice that was begun is finished as it was begun; then the stream is asked what is left.
    fn read_in_order(&mut self, begun: Option<Checkpoint>, fetcher: &Fetcher<'_>) -> anyhow::Result<Flow> {
        self.progress = Progress::Whole(self.input.clone());
        if let Some(begun) = begun
            && self.read_slice(begun)?.is_break()
        {
            return Ok(Flow::Break(()));
        }
        self.input = self.state();
        let (stream, state) = (self.stream, self.state());
        for slice in stream.stream_slices(&self.slice_context(&state, fetcher))? {
            let slice = slice?;
            if stream.is_marker(&slice) {
                self.close(&slice, None)?;
            } else if self.read_slice(Checkpoint::at(slice))?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        if !self.out.has_state() {
            let state = Value::Object(state);
            self.out.log(LogLevel::Info, &format!("there is nothing to read from the state {state}."))?;
        }
        Ok(Flow::Continue(()))
    }

    /// Each slice has a state of its own, so their order makes no difference, and neither do those that come and go.
    fn read_partitions(&mut self, mut begun: Option<Checkpoint>, slices: Slices<'_>) -> anyhow::Result<Flow> {
        let mut seen = HashSet::new();
        let mut has_markers = false;
        for slice in slices {
            let slice = slice?;
            if self.stream.is_marker(&slice) {
                has_markers = true;
                self.close(&slice, None)?;
                continue;
            }
            if !seen.insert(partition_key(&slice)) || self.is_done(&slice) {
                continue;
            }
            // What an earlier read had begun is gone on with when its turn comes, if it is still there.
            let place = begun.take_if(|begun| begun.slice == slice).unwrap_or_else(|| Checkpoint::at(slice));
            if self.read_slice(place)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        // Where markers tell how far the slices go, those that did not come are unchanged, not gone.
        if let Progress::PerPartition(states) = &mut self.progress
            && !has_markers
        {
            states.retain(|partition| seen.contains(&partition_key(partition)));
        }
        Ok(Flow::Continue(()))
    }

    fn slice_context<'c>(&self, state: &'c StreamState, fetcher: &'c Fetcher<'c>) -> SliceContext<'c>
    where
        'o: 'c,
    {
        SliceContext { sync_mode: self.sync_mode, state, fetcher, output: self.out.output() }
    }

    fn has_cursor(&self) -> bool {
        !self.cursor_field.is_empty()
    }

    fn is_done(&self, partition: &Slice) -> bool {
        matches!(&self.progress, Progress::PerPartition(states) if !self.has_cursor() && states.is_complete(partition))
    }

    fn unknown_state(&self) -> Failure {
        Failure::config(format!(
            "{:?} has no cursor, and its state {} is not one of this source. Remove it from the state file, or reset \
             the stream, to read all of it.",
            self.stream.name(),
            Value::Object(self.input.clone())
        ))
    }

    pub(super) fn at_limit(&self) -> bool {
        self.limit.is_some_and(|limit| self.out.total() >= limit)
    }

    /// What the records written so far amount to, in whole slices.
    pub(super) fn state(&self) -> StreamState {
        match &self.progress {
            Progress::Whole(state) => state.clone(),
            Progress::PerPartition(states) => states.state(),
        }
    }

    /// What is known of a slice from before: the stream's state, or the slice's own.
    pub(super) fn state_of(&self, slice: &Slice) -> StreamState {
        match &self.progress {
            Progress::Whole(_) => self.input.clone(),
            Progress::PerPartition(states) => states.cursor(slice),
        }
    }

    /// Writes a state that is not the last one.
    pub(super) fn write_state(&mut self, mut state: StreamState) -> anyhow::Result<()> {
        if self.has_cursor() && self.sync_mode == SyncMode::FullRefresh {
            checkpoint::mark_full_refresh(&mut state);
        }
        Ok(self.out.state(state)?)
    }

    /// Whether it is time for a state within or after a slice. One for each slice grows with them: written each time,
    /// it would outweigh the records.
    pub(super) fn state_is_due(&self) -> bool {
        match &self.progress {
            Progress::Whole(_) => true,
            Progress::PerPartition(states) => self.out.state_is_due(states.bytes()),
        }
    }

    /// Notes that a slice was read to its end, and writes the state that says so.
    pub(super) fn close(&mut self, slice: &Slice, newest: Option<&Value>) -> anyhow::Result<()> {
        let has_cursor = self.has_cursor();
        match &mut self.progress {
            Progress::Whole(_) if !has_cursor && !self.stream.slices_in_order() => return Ok(()),
            Progress::Whole(state) => self.stream.get_updated_state(state, slice, newest, &self.cursor_field),
            Progress::PerPartition(states) if self.stream.is_marker(slice) => {
                self.stream.get_updated_state(states.others(), slice, newest, &self.cursor_field);
            }
            Progress::PerPartition(states) if has_cursor => {
                let mut state = states.cursor(slice);
                self.stream.get_updated_state(&mut state, slice, newest, &self.cursor_field);
                states.set(slice, state);
            }
            Progress::PerPartition(states) => states.set_complete(slice),
        }
        if self.state_is_due() { self.write_state(self.state()) } else { Ok(()) }
    }
}
