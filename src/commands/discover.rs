//! `discover`: the streams of a config, with their schemas; or a table of them, for people.

use super::{Context, LoggedWaits, table};
use crate::cli::{CatalogFormat, DiscoverArgs};
use crate::protocol::{AirbyteStream, Catalog, Message};
use crate::streams::{Fetcher, SchemaContext, discovered};
use crate::sync::StreamTally;

pub(super) fn run(args: &DiscoverArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    let config = cx.config(&args.config)?;
    let streams = cx.streams(&config)?;
    let (client, waits) = (cx.client(), LoggedWaits { output: cx.output, tally: &StreamTally::default() });
    let schemas = SchemaContext { fetcher: &Fetcher::new(&client, &waits) };
    let streams: Vec<AirbyteStream> =
        streams.iter().map(|stream| discovered(&**stream, &schemas)).collect::<Result<_, _>>()?;
    match args.format {
        CatalogFormat::Json => Ok(cx.output.message(&Message::Catalog { catalog: Catalog { streams } })?),
        CatalogFormat::Table => cx.answer(&table::with_fields(&streams)?),
    }
}
