//! `discover`: the streams of a config, with their schemas; or a table of them, for people.

use super::{Context, LoggedWaits, configured, table};
use crate::cli::{CatalogFormat, DiscoverArgs};
use crate::protocol::Failure;
use crate::streams::{Fetcher, SchemaContext, described, discovered, schema_of};
use crate::sync::StreamTally;

pub(super) fn run(args: &DiscoverArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    let config = cx.config(&args.config)?;
    cx.keep_migrated()?;
    let streams = configured::listed(&cx.streams(&config)?, cx.output)?;
    let (client, waits) = (cx.client(), LoggedWaits { output: cx.output, tally: &StreamTally::default() });
    let schemas = SchemaContext { fetcher: &Fetcher::new(client, &waits) };
    match args.format {
        CatalogFormat::Json => {
            let streams: Vec<_> = streams
                .iter()
                .map(|stream| Ok((described(&**stream), schema_of(&**stream, &schemas)?)))
                .collect::<Result<_, Failure>>()?;
            Ok(cx.output.catalog(&streams)?)
        }
        CatalogFormat::Table => {
            let streams: Vec<_> =
                streams.iter().map(|stream| discovered(&**stream, &schemas)).collect::<Result<_, _>>()?;
            cx.answer(&table::with_fields(&streams)?)
        }
    }
}
