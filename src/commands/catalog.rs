//! `catalog`: a configured catalog to start from, for `read --catalog` and for a destination.

use super::{Context, LoggedWaits, configured};
use crate::cli::CatalogArgs;
use crate::streams::{Fetcher, SchemaContext, schema_of};
use crate::sync::StreamTally;

pub(super) fn run(args: &CatalogArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    let config = cx.config(&args.config)?;
    let streams = configured::listed(&cx.streams(&config)?, cx.output)?;
    let mut catalog = configured::pick(configured::everything(&streams, args.incremental), &args.streams)?;
    let (client, waits) = (cx.client(), LoggedWaits { output: cx.output, tally: &StreamTally::default() });
    let schemas = SchemaContext { fetcher: &Fetcher::new(client, &waits) };
    for entry in &mut catalog.streams {
        if let Some(stream) = configured::find(&streams, &entry.descriptor()) {
            entry.stream.json_schema = schema_of(stream, &schemas)?.into_tree();
        }
    }
    // For editing: one line a stream, beginning with the choices. Nobody edits a schema.
    let lines = catalog.streams.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    cx.answer(format!("{{\"streams\": [\n{}\n]}}\n", lines.join(",\n")).as_bytes())
}
