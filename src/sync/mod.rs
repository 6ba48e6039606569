//! One read of the chosen streams, each with its statuses, records and checkpoints, by up to N workers. A stream that
//! fails, or cannot be read, is reported; the others continue.

mod groups;
mod state;
mod stream;
mod tally;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::http::HttpClient;
use crate::locks;
use crate::memory::MemoryLimit;
use crate::panics;
use crate::protocol::{
    ConfiguredCatalog, ConfiguredStream, Failure, FailureKind, InputState, LogLevel, Output, RUN_AGAIN_LATER,
    StreamDescriptor, SyncMode,
};
use crate::stop::{RESUMES, Stop, StopReason};
use crate::streams::{Delegate, HttpStream, Sharing};

pub use state::file::StateFile;
pub use tally::Tally;
pub use tally::stream::{CurrentWait, StreamTally};
pub use tally::summary::{Numbers, StreamEnd, StreamSummary};

use crate::workers::{Worker, Workers};
use groups::Groups;
use stream::messages::StreamOutput;

/// The streams to read, and where to start.
pub struct ReadPlan<'a> {
    /// All streams of the source.
    pub streams: &'a [Arc<dyn HttpStream>],
    /// The chosen ones.
    pub catalog: &'a ConfiguredCatalog,
    /// The states of earlier reads.
    pub state: &'a InputState,
    /// The file that keeps states for the next read; `None` keeps none. With a file, a finished full refresh is read
    /// again, since the next run is for that. Without one, nothing is read, as Airbyte's platform expects.
    pub state_file: Option<&'a StateFile>,
    /// Each stream stops after this many records. `None` is no limit.
    pub limit: Option<u64>,
    /// Whether the user named these streams, and so wants each of them: then one skipped stream fails the read.
    /// Otherwise it fails only if all are skipped.
    pub by_name: bool,
    /// Slices read at the same time, over all streams; at least one. With one, streams are read in the order of the
    /// catalog, and slices in order.
    pub num_workers: usize,
    /// Where record files are kept.
    pub staging_directory: PathBuf,
}

/// Shared by all streams of a read.
struct Run<'a> {
    plan: &'a ReadPlan<'a>,
    client: &'a HttpClient,
    output: &'a Output,
    workers: &'a Workers,
    sharing: &'a Sharing,
    memory: &'a MemoryLimit,
    stop: &'a Stop,
}

/// Reads the chosen streams, beginning them in the order of the catalog. When the client's stop is requested, or
/// `memory` runs short, it writes finished work with its states and reads no more. `tally` counts the progress.
///
/// # Errors
/// A summarising [`Failure`] once all streams are done: if any of them failed, none could be read, or one that the user
/// named was skipped. The stop's failure as soon as all workers have noticed it.
pub fn read(
    plan: &ReadPlan<'_>,
    client: &HttpClient,
    output: &Output,
    memory: &MemoryLimit,
    tally: &Tally,
) -> anyhow::Result<()> {
    let stop = client.stop();
    let names = plan.catalog.streams.iter().map(|configured| configured.stream.name.as_str());
    let tallies = &*tally.begin(output.elapsed(), names);
    stop.check()?;
    warn_of_unused_states(plan, output)?;
    let (workers, sharing) = (Workers::new(plan.num_workers), sharing(plan));
    let run = &Run { plan, client, output, workers: &workers, sharing: &sharing, memory, stop };
    let (ends, groups) = (&Mutex::new(Vec::new()), &Groups::default());
    let group = |configured: &ConfiguredStream| find(plan.streams, &configured.descriptor()).ok()?.group();
    let all = plan.catalog.streams.iter().zip(tallies).enumerate();
    let mut queue: VecDeque<_> = all.map(|next| (group(next.1.0), next)).collect();
    thread::scope(|scope| {
        while !queue.is_empty() {
            let worker = run.workers.hire();
            if stop.is_requested() {
                break;
            }
            let Some((group, (n, (configured, tally)))) = groups.next(&mut queue) else {
                // The worker belongs to the streams that are being read.
                drop(worker);
                groups.wait(&queue);
                continue;
            };
            let read = move |worker| {
                let _held = groups.held(group);
                let end = run.read_stream(configured, tally, worker);
                locks::lock(ends).push((n, end));
            };
            if plan.num_workers <= 1 {
                read(worker);
            } else if thread::Builder::new().spawn_scoped(scope, move || read(worker)).is_err() {
                // The system has no more threads: this thread reads.
                read(run.workers.hire());
            }
        }
    });
    let mut ends = std::mem::take(&mut *locks::lock(ends));
    ends.sort_by_key(|(n, _)| *n);
    let all_begun = ends.len() == plan.catalog.streams.len();
    let (mut failures, mut skipped) = (Vec::new(), Vec::new());
    for (_, end) in ends {
        match end? {
            End::Complete => {}
            End::Skipped(failure) => skipped.push(failure),
            End::Failed(failure) => failures.push(failure),
        }
    }
    if let Some(reason) = stop.reason().filter(|_| !all_begun || !failures.is_empty()) {
        return Err(stopped(reason, &failures));
    }
    let streams = plan.catalog.streams.len();
    if let Some(failure) = summary(&failures, streams) {
        return Err(failure.into());
    }
    match nothing_read(&skipped, streams, plan.by_name) {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}

/// How a stream ended.
enum End {
    Complete,
    /// It was left out for this reason.
    Skipped(Failure),
    /// It is INCOMPLETE for this reason.
    Failed(Failure),
}

/// Whether an error means that the reader of stdout closed the pipe.
#[must_use]
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|io| io.kind() == io::ErrorKind::BrokenPipe)
}

impl Run<'_> {
    /// Reads a stream to its end, and returns how it ended. A failure that keeps the stream from being read is part of
    /// the result; other streams are not affected.
    ///
    /// # Errors
    /// If stdout can no longer be written; then nothing else needs to be read.
    fn read_stream(
        &self,
        configured: &ConfiguredStream,
        tally: &StreamTally,
        worker: Worker<'_>,
    ) -> anyhow::Result<End> {
        let descriptor = configured.descriptor();
        let mut out = StreamOutput::new(self.output, descriptor.clone(), tally).kept_in(self.plan.state_file);
        let Err(error) = panics::caught(|| self.try_to_read(configured, &mut out, worker)) else {
            return Ok(End::Complete);
        };
        if is_closed_pipe(&error) {
            self.stop.request(StopReason::ClosedStdout);
            return Err(error);
        }
        let failure = Failure::from_error(&error).of_stream(&descriptor);
        if failure.skips_stream && out.is_untouched() {
            out.skipped(&failure).inspect_err(|_| self.stop.request(StopReason::ClosedStdout))?;
            return Ok(End::Skipped(failure));
        }
        out.incomplete(&failure).inspect_err(|_| self.stop.request(StopReason::ClosedStdout))?;
        Ok(End::Failed(failure))
    }

    fn try_to_read(
        &self,
        configured: &ConfiguredStream,
        out: &mut StreamOutput<'_>,
        worker: Worker<'_>,
    ) -> anyhow::Result<()> {
        let stream = find(self.plan.streams, &configured.descriptor())?;
        if let Some(refusal) = stream.refusal() {
            return Err(refusal.failure.clone().into());
        }
        let delegate = delegate(self.plan, stream, &configured.descriptor())?;
        let asked = delegate.as_ref().map_or(stream, |delegate| delegate.stream);
        let cursor_field = cursor_field(asked, configured)?;
        let delegate = delegate.as_ref();
        stream::read(self, stream::Asked { stream: asked, delegate }, configured, &cursor_field, out, worker)
    }
}

/// Plans which list each reader shares. A missing stream is reported when its turn comes.
fn sharing(plan: &ReadPlan<'_>) -> Sharing {
    let wanted = plan.catalog.streams.iter().map(ConfiguredStream::descriptor);
    let chosen = wanted.filter_map(|wanted| {
        let stream = find(plan.streams, &wanted).ok()?;
        let delegate = delegate(plan, stream, &wanted).ok().flatten();
        Some(delegate.map_or(stream, |delegate| delegate.stream))
    });
    Sharing::new(chosen, plan.streams.iter().map(|stream| &**stream))
}

/// The stream to read instead of another, with the state to begin from.
fn delegate<'a>(
    plan: &ReadPlan<'_>,
    stream: &'a dyn HttpStream,
    wanted: &StreamDescriptor,
) -> Result<Option<Delegate<'a>>, Failure> {
    stream.for_state(&plan.state.as_given(wanted))
}

fn find<'a>(streams: &'a [Arc<dyn HttpStream>], wanted: &StreamDescriptor) -> Result<&'a dyn HttpStream, Failure> {
    let named = || streams.iter().map(|stream| &**stream).filter(|stream| stream.name() == wanted.name);
    // A catalog may put a stream into a namespace that its source does not know.
    let found = named().find(|stream| stream.namespace() == wanted.namespace.as_deref());
    found.or_else(|| named().next().filter(|_| named().count() == 1)).ok_or_else(|| {
        Failure::config(format!(
            "The catalog asks for the stream {:?}, which this source does not have. Run discover and refresh the \
             catalog. The streams are: {}.",
            wanted.name,
            streams.iter().map(|stream| stream.name()).collect::<Vec<_>>().join(", ")
        ))
    })
}

/// The cursor in force: the stream's own, the catalog's choice, or the stream's suggestion.
fn cursor_field(stream: &dyn HttpStream, configured: &ConfiguredStream) -> Result<Vec<String>, Failure> {
    let modes = stream.sync_modes();
    if !modes.contains(&configured.sync_mode) && !is_always_whole(stream, configured) {
        return Err(Failure::config(format!(
            "The catalog asks to read {:?} in the mode {}, which it does not support. Choose one of: {}.",
            stream.name(),
            configured.sync_mode.as_str(),
            modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>().join(", ")
        )));
    }
    let own = stream.cursor().cursor_field();
    // Some clients write an empty name for an undefined cursor.
    let is_chosen = configured.cursor_field.iter().any(|name| !name.is_empty());
    let chosen = match stream.cursor().source_defined_cursor() || !is_chosen {
        true => own,
        false => configured.cursor_field.clone(),
    };
    if configured.sync_mode == SyncMode::Incremental && chosen.is_empty() && !is_always_whole(stream, configured) {
        return Err(Failure::config(format!(
            "The catalog asks to read {:?} incrementally and names no cursor. Set `cursor_field` in its entry.",
            stream.name()
        )));
    }
    Ok(chosen)
}

/// Whether the catalog asks for an incremental read of a stream that supports only full refresh. Some clients, such as
/// `PyAirbyte`, ask for it on every stream. As in connectors of airbyte-cdk, the stream is then read whole each time.
fn is_always_whole(stream: &dyn HttpStream, configured: &ConfiguredStream) -> bool {
    configured.sync_mode == SyncMode::Incremental && stream.sync_modes() == [SyncMode::FullRefresh]
}

/// An unused state is no fault (its stream may have been deselected), but it is never ignored silently.
fn warn_of_unused_states(plan: &ReadPlan<'_>, output: &Output) -> anyhow::Result<()> {
    let read: Vec<StreamDescriptor> = plan.catalog.streams.iter().map(ConfiguredStream::descriptor).collect();
    let unused = plan.state.unused(&read)?;
    // A state file keeps the states of streams that are not read this time.
    if unused.is_empty() || plan.state_file.is_some() {
        return Ok(());
    }
    let names = unused.join(", ");
    let text = format!("The state has entries for streams that this read does not include. They are ignored: {names}.");
    Ok(output.log(LogLevel::Warn, &text)?)
}

/// The stream that failed.
fn name(failure: &Failure) -> &str {
    failure.stream.as_ref().map_or("", |stream| stream.name.as_str())
}

/// One failure for the whole sync, of the worst kind that occurred. Streams that ended for the same fault, such as a
/// lost network or a refused key, are named together.
fn summary(failures: &[Failure], streams: usize) -> Option<Failure> {
    let worst = failures.iter().map(|failure| failure.kind).max()?;
    let mut text = format!("{} of {streams} streams failed.", failures.len());
    for (n, failure) in failures.iter().enumerate() {
        let is_same = |other: &&Failure| other.has_cause_of(failure);
        if failures[..n].iter().any(|other| is_same(&other)) {
            continue;
        }
        text.extend(["\n", name(failure), ": ", &failure.message]);
        let others: Vec<&str> = failures[n + 1..].iter().filter(is_same).map(name).collect();
        if !others.is_empty() {
            text.extend(["\nThe same for: ", &others.join(", "), "."]);
        }
    }
    if worst == FailureKind::Transient {
        text.extend(["\n", RUN_AGAIN_LATER, RESUMES]);
    }
    Some(Failure::new(worst, text))
}

/// The failure of a sync whose streams were skipped: otherwise it would look fine and bring nothing.
fn nothing_read(skipped: &[Failure], streams: usize, by_name: bool) -> Option<Failure> {
    let all = skipped.len() == streams;
    if skipped.is_empty() || !all && !by_name {
        return None;
    }
    let mut text = match all {
        true => "Nothing could be read: all chosen streams were skipped.".to_owned(),
        false => format!("{} of the {streams} streams that --streams names were skipped.", skipped.len()),
    };
    for failure in skipped {
        text.extend(["\n", name(failure), ": ", &failure.message]);
    }
    Some(Failure::config(text))
}

/// The reason a sync ended early, and the faults of its streams, of the worst kind that occurred.
fn stopped(reason: &StopReason, failures: &[Failure]) -> anyhow::Error {
    let error = reason.error();
    if is_closed_pipe(&error) {
        return error;
    }
    let mut whole = Failure::from_error(&error);
    let stop = whole.message.clone();
    for failure in failures.iter().filter(|failure| failure.message != stop) {
        whole.message.extend(["\n", name(failure), ": ", &failure.message]);
        whole.kind = whole.kind.max(failure.kind);
    }
    whole.into()
}
