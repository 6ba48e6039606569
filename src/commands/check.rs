//! `check`: whether a config works. The answer is exactly one `CONNECTION_STATUS`, unless the run is ended before it is
//! known.

use super::{Context, LoggedWaits};
use crate::bug;
use crate::cli::CheckArgs;
use crate::protocol::{CheckStatus, ConnectionStatus, Failure};
use crate::source::CheckContext;
use crate::streams::Fetcher;
use crate::sync::is_closed_pipe;

/// False if the config does not work and the exit status is to say so.
pub(super) fn run(args: &CheckArgs, cx: &mut Context<'_>) -> anyhow::Result<bool> {
    let (status, message) = match bug::caught(|| check(args, cx)) {
        Ok(message) => (CheckStatus::Succeeded, message),
        // A run that was ended says nothing about the config.
        Err(error) if is_closed_pipe(&error) || cx.stop.is_requested() => return Err(error),
        Err(error) => (CheckStatus::Failed, Some(Failure::from_error(error).message)),
    };
    cx.output.connection_status(ConnectionStatus { status, message })?;
    Ok(status == CheckStatus::Succeeded || !args.exit_status)
}

fn check(args: &CheckArgs, cx: &mut Context<'_>) -> anyhow::Result<Option<String>> {
    let config = cx.config(&args.config)?;
    let streams = cx.streams(&config)?;
    let (client, waits) = (cx.client(), LoggedWaits(cx.output));
    let fetcher = Fetcher::new(&client, &waits);
    cx.source.check(&streams, &CheckContext { config: &config, fetcher: &fetcher, output: cx.output })
}
