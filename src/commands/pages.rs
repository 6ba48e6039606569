//! `completions` and `man`: what clap makes of the flags.

use super::Context;
use crate::cli::{self, CompletionsArgs, ManArgs};
use crate::protocol::Failure;

pub(super) fn completions(args: &CompletionsArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    cx.answer(&cli::completions(args.shell, cx.program, &cx.registry.names()))
}

pub(super) fn man(args: &ManArgs, cx: &mut Context<'_>) -> anyhow::Result<()> {
    let Some(page) = cli::man(args.command.as_deref(), cx.program, &cx.registry.names()) else {
        let name = args.command.as_deref().unwrap_or_default();
        return Err(Failure::config(format!("There is no command {name:?}. --help lists them.")).into());
    };
    cx.answer(&page?)
}
