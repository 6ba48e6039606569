//! `about`: the program, its build, and its streams.

use std::env::consts::{ARCH, OS};

use super::{Context, table};
use crate::cli::{AboutArgs, ConfigArgs};
use crate::protocol::{AirbyteStream, PROTOCOL_VERSION};
use crate::source::Config;
use crate::sources::Program;
use crate::streams::described;

pub(super) fn run(args: &AboutArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    let config = if let Some(file) = &args.config {
        Some(cx.config(&ConfigArgs { config: file.clone(), config_file_update: false, env: args.env })?)
    } else {
        cx.choose(None)?;
        cx.source.has_fixed_streams().then(Config::new)
    };
    let mut left_out = Vec::new();
    let streams: Option<Vec<AirbyteStream>> = match config {
        Some(config) => {
            let (listed, others): (Vec<_>, Vec<_>) = cx
                .streams(&config)?
                .into_iter()
                .partition(|stream| stream.refusal().is_none_or(|refusal| refusal.is_listed));
            left_out.extend(others.iter().map(|stream| stream.name().to_owned()));
            Some(listed.iter().map(|stream| described(&**stream)).collect())
        }
        None => None,
    };
    let count = match &streams {
        Some(streams) => streams.len().to_string(),
        None => "depend on the config; --config FILE shows them".to_owned(),
    };
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let called = |program: Program| format!("{} {}", program.name, program.version);
    let library = (cx.program != Program::LIBRARY).then(|| ("library", called(Program::LIBRARY)));
    let facts = [
        ("protocol", format!("Airbyte {PROTOCOL_VERSION}")),
        ("build", format!("{ARCH}-{OS}{}, {profile}", libc())),
        ("sources", cx.registry.names().join(", ")),
        ("source", cx.source.name().to_owned()),
        ("streams", count),
    ];
    let left_out = (!left_out.is_empty()).then(|| ("not run", format!("{}; discover says why", left_out.join(", "))));
    let facts = [("version", called(cx.program))].into_iter().chain(library).chain(facts).chain(left_out);
    let lines: Vec<String> = facts.map(|(name, fact)| format!("{name}\t{fact}\n")).collect();
    let mut answer = table::aligned(&lines.concat())?;
    if let Some(streams) = streams {
        answer.push(b'\n');
        answer.extend(table::without_fields(&streams)?);
    }
    cx.answer(&answer)
}

/// The linked C library: static builds usually use musl.
fn libc() -> &'static str {
    match (cfg!(target_env = "musl"), cfg!(target_env = "gnu"), cfg!(target_env = "msvc")) {
        (true, ..) => "-musl",
        (_, true, _) => "-gnu",
        (.., true) => "-msvc",
        _ => "",
    }
}
