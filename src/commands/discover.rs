//! `discover`: the streams of a config, with their schemas.

use super::Context;
use crate::cli::ConfigArgs;
use crate::protocol::{Catalog, Message};
use crate::streams::discovered;

pub(super) fn run(args: &ConfigArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    let config = cx.config(&args.config)?;
    let streams = cx.streams(&config)?;
    let streams = streams.iter().map(|stream| discovered(&**stream)).collect::<Result<_, _>>()?;
    Ok(cx.output.message(&Message::Catalog { catalog: Catalog { streams } })?)
}
