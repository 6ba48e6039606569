//! One read: the chosen streams, one after the other, each with its statuses, its records and its checkpoints. A
//! stream that fails, or that may not be read, is told of and the others go on.

mod checkpoint;
mod record_shaper;
mod slice_read;
mod stream_output;
mod stream_read;

use std::io;
use std::sync::Arc;

use crate::bug;
use crate::http::HttpClient;
use crate::protocol::{
    ConfiguredCatalog, ConfiguredStream, Failure, InputState, LogLevel, Output, StreamDescriptor, SyncMode,
};
use crate::streams::{HttpStream, Sharing};

use stream_output::StreamOutput;
use stream_read::StreamRead;

/// What is to be read, and from where on.
pub struct ReadPlan<'a> {
    /// All streams of the source.
    pub streams: &'a [Arc<dyn HttpStream>],
    /// The chosen ones.
    pub catalog: &'a ConfiguredCatalog,
    /// The states of earlier reads.
    pub state: &'a InputState,
    /// Records after which each stream stops. `None` is no limit.
    pub limit: Option<u64>,
}

/// Reads the chosen streams in the order of the catalog.
///
/// # Errors
/// A [`Failure`] inside that sums up, once all streams are done, if any of them failed; at once, if stdout is closed.
pub fn read(plan: &ReadPlan<'_>, client: &HttpClient, output: &Output) -> anyhow::Result<()> {
    warn_of_unused_states(plan, output)?;
    let sharing = sharing(plan);
    let mut failures = Vec::new();
    for configured in &plan.catalog.streams {
        let descriptor = configured.descriptor();
        let mut out = StreamOutput::new(output, descriptor.clone());
        if let Err(error) = bug::caught(|| read_stream(plan, configured, client, &sharing, &mut out)) {
            if is_closed_pipe(&error) {
                return Err(error);
            }
            let failure = Failure::from_error(error).of_stream(&descriptor);
            if failure.skips_stream && out.is_untouched() {
                out.skipped(&failure)?;
                continue;
            }
            out.incomplete(&failure)?;
            failures.push(failure);
        }
    }
    match summary(&failures, plan.catalog.streams.len()) {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}

/// Whether an error means that nobody reads stdout any more.
#[must_use]
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|io| io.kind() == io::ErrorKind::BrokenPipe)
}

fn read_stream(
    plan: &ReadPlan<'_>,
    configured: &ConfiguredStream,
    client: &HttpClient,
    sharing: &Sharing,
    out: &mut StreamOutput<'_>,
) -> anyhow::Result<()> {
    let stream = find(plan.streams, &configured.descriptor())?;
    let cursor_field = cursor_field(stream, configured)?;
    let state = plan.state.of(&configured.descriptor());
    StreamRead::new(stream, cursor_field, plan, configured, client, sharing, out).run(state)
}

/// Who reads which list. A stream that is not there is told of when its turn comes.
fn sharing(plan: &ReadPlan<'_>) -> Sharing {
    let wanted = plan.catalog.streams.iter().map(ConfiguredStream::descriptor);
    let chosen = wanted.filter_map(|wanted| find(plan.streams, &wanted).ok());
    Sharing::new(chosen, plan.streams.iter().map(|stream| &**stream))
}

fn find<'a>(streams: &'a [Arc<dyn HttpStream>], wanted: &StreamDescriptor) -> Result<&'a dyn HttpStream, Failure> {
    let named = || streams.iter().map(|stream| &**stream).filter(|stream| stream.name() == wanted.name);
    // A catalog may have put a stream in a namespace that its source knows nothing of.
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

/// The cursor in force: the stream's own, or the one the catalog chose, or the stream's suggestion.
fn cursor_field(stream: &dyn HttpStream, configured: &ConfiguredStream) -> Result<Vec<String>, Failure> {
    let modes = stream.sync_modes();
    if !modes.contains(&configured.sync_mode) {
        return Err(Failure::config(format!(
            "The catalog asks to read {:?} in the mode {}, which it does not support. Choose one of: {}.",
            stream.name(),
            configured.sync_mode.as_str(),
            modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>().join(", ")
        )));
    }
    let own = stream.cursor_field();
    let chosen = match stream.source_defined_cursor() || configured.cursor_field.is_empty() {
        true => own,
        false => configured.cursor_field.clone(),
    };
    if configured.sync_mode == SyncMode::Incremental && chosen.is_empty() {
        return Err(Failure::config(format!(
            "The catalog asks to read {:?} incrementally and names no cursor. Set `cursor_field` in its entry.",
            stream.name()
        )));
    }
    Ok(chosen)
}

/// A state that nothing uses is no fault (its stream may have been deselected), but it is never passed over silently.
fn warn_of_unused_states(plan: &ReadPlan<'_>, output: &Output) -> anyhow::Result<()> {
    let read: Vec<StreamDescriptor> = plan.catalog.streams.iter().map(ConfiguredStream::descriptor).collect();
    let unused = plan.state.unused(&read)?;
    if unused.is_empty() {
        return Ok(());
    }
    let names = unused.join(", ");
    let text = format!("The state has entries for streams that are not read, and they are not used: {names}.");
    Ok(output.log(LogLevel::Warn, &text)?)
}

/// One failure for the whole sync, of the worst kind there was.
fn summary(failures: &[Failure], streams: usize) -> Option<Failure> {
    let worst = failures.iter().map(|failure| failure.kind).max()?;
    let mut text = format!("{} of {streams} streams failed.", failures.len());
    for failure in failures {
        let name = failure.stream.as_ref().map_or("", |stream| stream.name.as_str());
        text.extend(["\n", name, ": ", &failure.message]);
    }
    Some(Failure::new(worst, text))
}
