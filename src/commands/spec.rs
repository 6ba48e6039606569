//! `spec`: the settings of a config.

use super::Context;
use crate::protocol::Message;

pub(super) fn run(cx: &mut Context<'_>) -> anyhow::Result<()> {
    cx.choose(None)?;
    Ok(cx.output.message(&Message::Spec { spec: cx.source.spec() })?)
}
