//! Reads one stream: which slices, by how many workers, from which state. The first worker's thread starts and ends the
//! stream; the others come and go while there are slices.

mod end;
pub(in crate::sync) mod failed_slices;
mod files;
mod given;
mod log;
pub(in crate::sync) mod messages;
mod prefetch;
mod queue;
mod shape;
mod slice;
mod writer;

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard};
use std::thread::{self, Scope};

use serde_json::{Map, Value};

use self::failed_slices::FailedSlices;
use self::files::StagedFiles;
use self::given::{Given, accept, recent};
use self::log::StreamLog;
use self::messages::StreamOutput;
use self::queue::{QueuedSlice, SliceQueue};
use self::shape::RecordShaper;
use self::writer::{End, StreamWriter};
use crate::http::budget::BudgetWait;
use crate::http::{Activity, HttpClient, LONGEST_SILENCE, RetryObserver, Wait};
use crate::locks;
use crate::panics;
use crate::protocol::{
    ConfiguredStream, Failure, KeptState, LogLevel, NO_CURSOR_STATE, RecordWriter, StreamState, SyncMode,
};
use crate::stop::StopReason;
use crate::streams::{
    CursorRead, Delegate, FetchContext, Fetcher, HttpStream, Recent, RecordFiles, SchemaContext, Sharing, Slice,
    SliceContext, WholeState,
};
use crate::sync::state::position::SlicePosition;
use crate::sync::state::progress::StreamProgress;
use crate::sync::{Run, is_always_whole, is_closed_pipe};
use crate::workers::{Worker, Workers};

/// One stream that is being read, shared by its workers.
pub(in crate::sync) struct StreamRead<'a, 'o> {
    pub(in crate::sync) stream: &'a dyn HttpStream,
    sync_mode: SyncMode,
    pub(in crate::sync) cursor_field: &'a [String],
    pub(in crate::sync) primary_key: Vec<Vec<String>>,
    /// Its schema in the catalog.
    configured: &'a Map<String, Value>,
    pub(in crate::sync) limit: Option<u64>,
    pub(in crate::sync) client: &'a HttpClient,
    pub(in crate::sync) sharing: &'a Sharing,
    pub(in crate::sync) log: StreamLog<'o>,
    pub(in crate::sync) shaper: RecordShaper,
    pub(in crate::sync) records: RecordWriter,
    /// Where record files are stored, if the stream has files and they are wanted.
    files: Option<(&'a dyn RecordFiles, StagedFiles)>,
    /// The records of earlier reads lately; `None` if the stream writes everything.
    pub(in crate::sync) recent: Option<Recent>,
    run: &'a Run<'a>,
    /// The places that the API refused earlier, until the progress has them.
    refused: Mutex<Vec<SlicePosition>>,
    /// Whether missing or odd cursor values were reported.
    pub(in crate::sync) odd_cursor_told: AtomicBool,
    /// Whether the state says that nothing of the stream was read before.
    is_first_read: bool,
    writer: Mutex<StreamWriter<'a, 'o>>,
}

/// The stream to read.
#[derive(Clone, Copy)]
pub(in crate::sync) struct Asked<'a> {
    pub(in crate::sync) stream: &'a dyn HttpStream,
    /// Whether it is read instead of another.
    pub(in crate::sync) delegate: Option<&'a Delegate<'a>>,
}

/// Reads a stream from the given state, with further workers while there are free ones.
///
/// # Errors
/// The first fault of any worker, once all are done.
pub(in crate::sync) fn read<'a>(
    run: &'a Run<'a>,
    asked: Asked<'a>,
    configured: &ConfiguredStream,
    cursor_field: &'a [String],
    out: &mut StreamOutput<'_>,
    worker: Worker<'_>,
) -> anyhow::Result<()> {
    let Asked { stream, delegate } = asked;
    out.start()?;
    let mut state = state_of(run, asked, configured);
    let log = out.stream_log();
    let is_always_whole = is_always_whole(stream, configured);
    if let Some(why) = delegate.and_then(|delegate| delegate.drops_state.as_ref()) {
        log.log(LogLevel::Warn, &format!("{why} Its state is dropped, and the whole stream is read."))?;
        out.state(StreamState::new())?;
    }
    if is_always_whole && delegate.is_none() {
        log.log(
            LogLevel::Warn,
            "the catalog asks for incremental mode, which the stream does not support; the whole \
             stream is read.",
        )?;
    }
    let sync_mode = if is_always_whole { SyncMode::FullRefresh } else { configured.sync_mode };
    let is_full_refresh = sync_mode == SyncMode::FullRefresh || cursor_field.is_empty();
    let schema = SchemaContext { fetcher: &Fetcher::new(run.client, &log) };
    let shaper = RecordShaper::new(stream, &configured.stream.json_schema, schema, &log)?;
    let is_finished = is_full_refresh && !is_always_whole && stream.cursor().is_complete(&state);
    if is_finished && run.plan.state_file.is_some() {
        log.log(LogLevel::Info, "the last full refresh was finished, so this one reads everything again.")?;
        state = StreamState::new();
    } else if is_finished {
        log.log(LogLevel::Info, "the state says that the full refresh is finished; nothing is read.")?;
        out.state(state)?;
        return Ok(out.complete()?);
    }
    let before = KeptState::of(&state);
    let recent = recent(stream, is_full_refresh, &mut state, log.output.now_ms() / 1_000);
    let Given { state, begun, refused, is_first_read } = accept(stream, sync_mode, cursor_field, state, &log)?;
    let writer = StreamWriter {
        out,
        progress: nothing_yet(stream)?,
        is_begun: false,
        before: Some(before),
        has_parent: !stream.parents().is_empty(),
        recent: recent.clone(),
        marks_full_refresh: is_full_refresh && !cursor_field.is_empty() && stream.cursor().keeps_places(),
        has_cursor: !cursor_field.is_empty(),
        failed_slices: FailedSlices::default(),
        is_all_or_nothing: delegate.is_some_and(|delegate| delegate.is_all_or_nothing),
        limit: run.plan.limit,
        memory: run.memory,
        stop: run.stop,
        end: None,
    };
    let read = StreamRead {
        stream,
        sync_mode,
        cursor_field,
        primary_key: stream.primary_key(),
        configured: &configured.stream.json_schema,
        limit: run.plan.limit,
        client: run.client,
        sharing: run.sharing,
        log: log.clone(),
        shaper,
        records: run.output.record_writer(&configured.descriptor()),
        files: stream
            .files()
            .filter(|_| configured.include_files != Some(false))
            .map(|files| (files, StagedFiles::of(&run.plan.staging_directory, stream.name()))),
        recent,
        run,
        refused: Mutex::new(refused),
        odd_cursor_told: AtomicBool::new(false),
        is_first_read,
        writer: Mutex::new(writer),
    };
    let fetcher = Fetcher::new(run.client, &read).sharing(run.sharing);
    let slices = match stream.cursor().slices_in_order() {
        true => read.read_in_order(&state, begun, &fetcher, worker),
        false => read.read_in_any_order(&state, begun, &fetcher, worker),
    };
    slices.unwrap_or_else(|error| read.fail(error));
    stream.clean_up(&read.fetch_context(&fetcher)).unwrap_or_else(|error| read.fail(error));
    read.finish(is_full_refresh)
}

/// The state that the stream begins from.
fn state_of(run: &Run<'_>, asked: Asked<'_>, configured: &ConfiguredStream) -> StreamState {
    match asked.delegate {
        None => run.plan.state.of(&configured.descriptor()),
        Some(delegate) if delegate.drops_state.is_some() => StreamState::new(),
        Some(_) => {
            // A whole read of the other stream makes no difference to the one that is read now.
            let mut state = run.plan.state.as_given(&configured.descriptor());
            state.remove(NO_CURSOR_STATE);
            state
        }
    }
}

impl<'a, 'o> StreamRead<'a, 'o> {
    /// Finishes begun slices as they were begun, then asks the stream for the rest.
    fn read_in_order(
        &self,
        state: &StreamState,
        begun: Vec<SlicePosition>,
        fetcher: &Fetcher<'_>,
        worker: Worker<'_>,
    ) -> anyhow::Result<()> {
        let is_begun = !begun.is_empty();
        self.begin(self.progress(state, None, begun)?);
        if is_begun {
            self.read_slices(&SliceQueue::new(Box::new(std::iter::empty()), state), None);
        }
        let Some(writer) = self.writer() else { return Ok(()) };
        let state = writer.progress.state();
        drop(writer);
        let slices = self.stream.stream_slices(&self.slice_context(&state, fetcher))?;
        self.read_slices(&SliceQueue::new(slices, &state), Some(worker));
        if self.writer().is_some_and(|writer| writer.progress.is_unused()) {
            let state = Value::Object(state);
            self.log.log(LogLevel::Info, &format!("there is nothing to read from the state {state}."))?;
        }
        Ok(())
    }

    /// Each partition has a state of its own, so order, additions and removals make no difference; except where there
    /// are no partitions, and the stream is one slice.
    fn read_in_any_order(
        &self,
        state: &StreamState,
        mut begun: Vec<SlicePosition>,
        fetcher: &Fetcher<'_>,
        worker: Worker<'_>,
    ) -> anyhow::Result<()> {
        let mut slices = self.stream.stream_slices(&self.slice_context(state, fetcher))?;
        let mut first = match slices.next().transpose() {
            Err(error) if self.reads_on() => {
                // What the state says is known anyway.
                self.begin(self.progress(state, None, Vec::new())?);
                return Err(error);
            }
            first => first?,
        };
        let is_whole = first.as_ref().is_some_and(Slice::is_whole);
        if first.as_ref().is_none_or(|first| first.partition().is_empty() && !first.is_marker()) {
            begun.retain(|begun| is_whole && begun.slice.is_whole() && !begun.done);
            begun.truncate(1);
        }
        let is_begun = is_whole && !begun.is_empty();
        self.begin(self.progress(state, first.as_ref(), begun)?);
        if is_begun {
            // This is that one slice.
            first = None;
        }
        self.read_slices(&SliceQueue::new(Box::new(first.map(Ok).into_iter().chain(slices)), state), Some(worker));
        Ok(())
    }

    /// Begins the read: its slices and start are known.
    fn begin(&self, progress: StreamProgress<'a>) {
        let refused = std::mem::take(&mut *locks::lock(&self.refused));
        let mut writer = self.any_writer();
        (writer.progress, writer.is_begun) = (progress.refused_before(refused), true);
    }

    /// The cursor's reading of the state.
    fn progress(
        &self,
        state: &StreamState,
        first: Option<&Slice>,
        begun: Vec<SlicePosition>,
    ) -> anyhow::Result<StreamProgress<'a>> {
        let (stream, cursor_field, state) = (self.stream, self.cursor_field.to_vec(), state.clone());
        let known = stream.cursor().begin(CursorRead { stream, cursor_field, state, first })?;
        Ok(StreamProgress::new(stream, known, begun))
    }

    /// Reads all slices of a queue. `worker` becomes free for others when the queue has no slice left; without it, the
    /// caller remains one.
    fn read_slices(&self, queue: &SliceQueue<'_>, worker: Option<Worker<'_>>) {
        thread::scope(|scope| self.work(scope, queue, worker));
    }

    /// The loop of each worker. With each slice it takes, it hires another worker for the next one.
    fn work<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        queue: &'scope SliceQueue<'_>,
        worker: Option<Worker<'_>>,
    ) {
        let result = panics::caught(|| {
            while let Some(QueuedSlice { job, is_last }) = self.take(queue)? {
                if let Some(worker) = self.run.workers.try_hire().filter(|_| !is_last) {
                    // If the system has no more threads, the existing ones read everything.
                    let _ = thread::Builder::new().spawn_scoped(scope, move || self.work(scope, queue, Some(worker)));
                }
                if let Err(error) = self.read_slice(job) {
                    self.fail_slice(error)?;
                }
            }
            Ok(())
        });
        if let Err(error) = result {
            self.fail(error);
        }
        drop(worker);
    }

    /// The next slice. If there is none left, workers finish the slices they have.
    fn take(&self, queue: &SliceQueue<'_>) -> anyhow::Result<Option<QueuedSlice>> {
        match queue.take(|| self.writer()) {
            Err(error) if self.reads_on() => self.fail_slice(error).map(|()| None),
            taken => taken,
        }
    }

    fn reads_on(&self) -> bool {
        self.stream.cursor().reads_on_after_failure()
    }

    /// Records that a slice has failed, if the others are read anyway.
    ///
    /// # Errors
    /// The failure, if it concerns the stream, or if slice after slice fails.
    fn fail_slice(&self, error: anyhow::Error) -> anyhow::Result<()> {
        let Some(failure) = error.downcast_ref::<Failure>().filter(|_| self.reads_on()) else { return Err(error) };
        if failure.skips_stream || self.run.stop.is_requested() {
            return Err(error);
        }
        let Some(mut writer) = self.writer() else { return Err(error) };
        let is_hopeless = writer.failed_slices.note(failure);
        if writer.failed_slices.is_first() {
            let text = format!("a slice has failed, and so will its stream after the other slices: {failure}");
            writer.out.log(LogLevel::Warn, &text)?;
        } else if !is_hopeless {
            // The stream ends with the failure of the first.
            writer.out.slice_failed(failure)?;
        }
        drop(writer);
        if is_hopeless { Err(error) } else { Ok(()) }
    }

    /// Ends the stream with a fault. The other workers finish their requests, and write nothing more of them. A failure
    /// caused by the stop of the run is no fault.
    fn fail(&self, error: anyhow::Error) {
        if is_closed_pipe(&error) {
            self.run.stop.request(StopReason::ClosedStdout);
        }
        if self.run.stop.is_requested() {
            return;
        }
        self.any_writer().end.get_or_insert(End::Failed(error));
    }

    /// The workers of the run.
    pub(in crate::sync) fn workers(&self) -> &'a Workers {
        self.run.workers
    }

    /// The writer, once it is free. `None` if the stream is at its end, or another worker panicked while writing: its
    /// progress may be half updated.
    pub(in crate::sync) fn writer(&self) -> Option<MutexGuard<'_, StreamWriter<'a, 'o>>> {
        let writer = self.writer.lock().ok()?;
        (writer.end.is_none() && !self.run.stop.is_requested()).then_some(writer)
    }

    /// The writer, in whatever state the stream is.
    fn any_writer(&self) -> MutexGuard<'_, StreamWriter<'a, 'o>> {
        locks::lock(&self.writer)
    }

    /// The context for fetching a page.
    pub(in crate::sync) fn fetch_context<'c>(&'c self, fetcher: &'c Fetcher<'c>) -> FetchContext<'c> {
        FetchContext {
            fetcher,
            recent: self.recent.as_ref(),
            output: self.log.output,
            configured: Some(self.configured),
            for_children: false,
        }
    }

    fn slice_context<'c>(&'c self, state: &'c StreamState, fetcher: &'c Fetcher<'c>) -> SliceContext<'c> {
        let (sync_mode, cursor_field, output) = (self.sync_mode, self.cursor_field, self.log.output);
        SliceContext { sync_mode, state, cursor_field, fetcher, output }
    }
}

/// The thread that waits for a page of the stream speaks for it: in the log, and now and then with the known state,
/// which the platform takes as a sign of life.
impl RetryObserver for StreamRead<'_, '_> {
    fn waiting(&self, wait: &Wait) -> anyhow::Result<()> {
        self.log.waiting(wait)
    }

    fn throttled(&self, wait: &BudgetWait) -> anyhow::Result<()> {
        self.log.throttled(wait)
    }

    fn active(&self, activity: Activity) {
        self.log.active(activity);
    }

    fn asking(&self, host: Option<&str>) {
        self.log.asking(host);
    }

    fn alive(&self) -> anyhow::Result<()> {
        if self.log.output.silence() < LONGEST_SILENCE {
            return Ok(());
        }
        // The thread that holds the writer writes.
        let Ok(mut writer) = self.writer.try_lock() else { return Ok(()) };
        if writer.end.is_none() && !self.run.stop.is_requested() {
            writer.write_known_state()?;
        }
        Ok(())
    }
}

/// The progress of a stream whose slices are not known yet.
fn nothing_yet(stream: &dyn HttpStream) -> anyhow::Result<StreamProgress<'_>> {
    let read = CursorRead { stream, cursor_field: Vec::new(), state: StreamState::new(), first: None };
    Ok(StreamProgress::new(stream, Box::new(WholeState::new(stream.cursor(), read)?), Vec::new()))
}
