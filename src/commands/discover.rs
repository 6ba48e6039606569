//! `discover`: the streams of a config, with their schemas.

use super::{Context, LoggedWaits};
use crate::cli::ConfigArgs;
use crate::protocol::{Catalog, Message};
use crate::streams::{Fetcher, SchemaContext, discovered};
use crate::sync::StreamTally;

pub(super) fn run(args: &ConfigArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    let config = cx.config(&args.config)?;
    let streams = cx.streams(&config)?;
    let (client, waits) = (cx.client(), LoggedWaits { output: cx.output, tally: &StreamTally::default() });
    let schemas = SchemaContext { fetcher: &Fetcher::new(&client, &waits) };
    let streams = streams.iter().map(|stream| discovered(&**stream, &schemas)).collect::<Result<_, _>>()?;
    Ok(cx.output.message(&Message::Catalog { catalog: Catalog { streams } })?)
}
