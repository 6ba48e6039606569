//! `read`: records and states of the chosen streams.

use std::sync::Arc;

use super::{Context, Report, name};
use crate::cli::{Format, ReadArgs};
use crate::protocol::{AirbyteStream, ConfiguredCatalog, ConfiguredStream, Failure, InputState, SyncMode};
use crate::streams::HttpStream;
use crate::sync::{self, ReadPlan};
use crate::terminal::{Progress, ReadView};

pub(super) fn run(args: &ReadArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    let tally = cx.report.insert(Report::open(args.summary.as_deref())?).tally.clone();
    let config = cx.config(&args.config.config)?;
    let streams = cx.streams(&config)?;
    let catalog = match &args.catalog {
        Some(file) => ConfiguredCatalog::parse(&cx.read_file(file, "catalog", "--catalog")?, &name(file))?,
        None => everything(&streams),
    };
    let catalog = pick(catalog, &args.streams)?;
    if args.format == Format::Jsonl {
        only_one(&catalog)?;
    }
    let state = match &args.state {
        Some(file) => InputState::parse(&cx.read_file(file, "state", "--state")?, &name(file))?,
        None => InputState::default(),
    };
    let num_workers = args.workers.map_or_else(|| cx.source.num_workers(&config), usize::from);
    let plan = ReadPlan { streams: &streams, catalog: &catalog, state: &state, limit: args.limit, num_workers };
    let _progress = Progress::start(cx.screen, ReadView::new(&tally, &cx.clock));
    sync::read(&plan, &cx.client(), cx.output, cx.memory, &tally)
}

/// Bare records do not say whose they are.
fn only_one(catalog: &ConfiguredCatalog) -> Result<(), Failure> {
    let names: Vec<&str> = catalog.streams.iter().map(|configured| configured.stream.name.as_str()).collect();
    match &*names {
        [_] => Ok(()),
        [] => Err(Failure::config(
            "--format jsonl writes the records of one stream, and the catalog has none. Put one into it.",
        )),
        names => Err(Failure::config(format!(
            "--format jsonl writes the records of one stream, and {} are chosen. Name one of them with --streams: {}.",
            names.len(),
            names.join(", ")
        ))),
    }
}

/// The catalog of someone who gave none: every stream, incrementally where possible.
fn everything(streams: &[Arc<dyn HttpStream>]) -> ConfiguredCatalog {
    let configured = streams.iter().map(|stream| {
        let modes = stream.sync_modes();
        let incremental = modes.contains(&SyncMode::Incremental) && !stream.cursor_field().is_empty();
        ConfiguredStream {
            stream: AirbyteStream {
                name: stream.name().to_owned(),
                namespace: stream.namespace().map(str::to_owned),
                json_schema: serde_json::Map::new(),
                supported_sync_modes: modes,
                source_defined_cursor: None,
                default_cursor_field: None,
                source_defined_primary_key: None,
                is_resumable: stream.is_resumable(),
                is_file_based: None,
            },
            sync_mode: if incremental { SyncMode::Incremental } else { SyncMode::FullRefresh },
            cursor_field: Vec::new(),
        }
    });
    ConfiguredCatalog { streams: configured.collect() }
}

/// Only the named streams of a catalog, in the order they are named. No name picks all.
fn pick(catalog: ConfiguredCatalog, names: &[String]) -> Result<ConfiguredCatalog, Failure> {
    if names.is_empty() {
        return Ok(catalog);
    }
    let mut left = catalog.streams;
    let mut picked = Vec::new();
    for name in names {
        let Some(at) = left.iter().position(|configured| configured.stream.name == *name) else {
            let known = left.iter().map(|configured| configured.stream.name.as_str()).collect::<Vec<_>>();
            return Err(Failure::config(format!(
                "--streams names {name:?}, which is not there, or named twice. The streams left to pick are: {}.",
                known.join(", ")
            )));
        };
        picked.push(left.remove(at));
    }
    Ok(ConfiguredCatalog { streams: picked })
}
