//! `read`: records and states of the chosen streams.

use super::{Context, Report, configured, name};
use crate::cli::{Format, ReadArgs};
use crate::panics;
use crate::platform;
use crate::protocol::{ConfiguredCatalog, Failure, InputState, LogLevel};
use crate::stop::StopReason;
use crate::sync::{self, ReadPlan, StateFile, is_closed_pipe};
use crate::terminal::{LiveView, ReadView};

pub(super) fn run(args: &ReadArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    let tally = cx.report.insert(Report::open(args.summary.as_deref())?).tally.clone();
    platform::check_data_channel(cx.environment)?;
    let config = cx.config(&args.config)?;
    cx.keep_migrated()?;
    let streams = cx.streams(&config)?;
    let catalog = match &args.catalog {
        Some(file) => ConfiguredCatalog::parse(&cx.read_file(file, "catalog", "--catalog")?, &name(file))?,
        None => configured::everything(&configured::listed(&streams, cx.output)?, true),
    };
    let catalog = configured::pick(catalog, &args.streams)?;
    if args.format == Format::Jsonl {
        only_one(&catalog)?;
    }
    let state_file = args.state_file.as_deref().map(StateFile::open).transpose()?;
    let state = match (&state_file, &args.state) {
        (Some(file), _) => file.states(),
        (None, Some(file)) => InputState::parse(&cx.read_file(file, "state", "--state")?, &name(file))?,
        (None, None) => InputState::default(),
    };
    let from = args.state_file.as_deref().or(args.state.as_deref()).map(name).unwrap_or_default();
    state.refuse_strangers(&streams.iter().map(|stream| stream.name()).collect::<Vec<_>>(), &from)?;
    let num_workers = args.workers.map_or_else(|| cx.source.num_workers(&config), usize::from);
    let plan = ReadPlan {
        streams: &streams,
        catalog: &catalog,
        state: &state,
        state_file: state_file.as_ref(),
        limit: args.limit,
        by_name: !args.streams.is_empty(),
        num_workers,
        staging_directory: platform::staging_directory(cx.environment),
    };
    let _progress = LiveView::start(cx.screen, ReadView::new(&tally, &cx.clock));
    let read = panics::caught(|| sync::read(&plan, cx.client(), cx.output, cx.memory, &tally));
    match &state_file {
        Some(file) => keep(file, read, cx),
        None => read,
    }
}

/// Ensures that the states of a read are in their file, however it ended.
fn keep(file: &StateFile, read: anyhow::Result<()>, cx: &Context<'_>) -> anyhow::Result<()> {
    let is_closed = match &read {
        Ok(()) => cx.stop.reason() == Some(&StopReason::ClosedStdout),
        Err(error) => is_closed_pipe(error),
    };
    if is_closed {
        // How much the reader took before it closed the pipe is unknown: saving less loses less.
        return read;
    }
    match (read, file.finish()) {
        (read, Ok(())) => read,
        (Ok(()), Err(failure)) => Err(failure.into()),
        (Err(error), Err(Failure { message, .. })) => {
            cx.output.log(LogLevel::Error, &message)?;
            Err(error)
        }
    }
}

/// Bare records do not name their stream.
fn only_one(catalog: &ConfiguredCatalog) -> Result<(), Failure> {
    let names: Vec<&str> = catalog.streams.iter().map(|configured| configured.stream.name.as_str()).collect();
    match &*names {
        [_] => Ok(()),
        [] => {
            Err(Failure::config("--format jsonl writes the records of one stream, and the catalog has none. Add one."))
        }
        names => Err(Failure::config(format!(
            "--format jsonl writes the records of one stream, and {} are chosen. Name one of them with --streams: {}.",
            names.len(),
            names.join(", ")
        ))),
    }
}
