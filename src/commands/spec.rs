//! `spec`: what a config may contain.

use super::Context;
use crate::protocol::Message;

pub(super) fn run(cx: &Context<'_>) -> anyhow::Result<()> {
    Ok(cx.output.message(&Message::Spec { spec: cx.source.spec() })?)
}
