//! The parts of the given state that a stream takes over.

use super::log::StreamLog;
use crate::protocol::{LogLevel, StreamState, SyncMode};
use crate::streams::{HttpStream, Recent};
use crate::sync::state::position::{self, SlicePosition};
use crate::sync::state::stale;

/// The records of earlier reads lately, if the stream reads some time again.
pub(super) fn recent(
    stream: &dyn HttpStream,
    is_full_refresh: bool,
    state: &mut StreamState,
    now: i64,
) -> Option<Recent> {
    let known = position::take_recent(state);
    let overlap = i64::try_from(stream.cursor().overlap().as_secs()).unwrap_or(i64::MAX);
    (overlap > 0 && !is_full_refresh && !stream.primary_key().is_empty())
        .then(|| Recent::parse(known.as_ref(), overlap, now))
}

/// The parts of the given state that are taken over.
pub(super) struct Given {
    /// Whether the state says that nothing of the stream was read before.
    pub(super) is_first_read: bool,
    pub(super) state: StreamState,
    /// The slices that were begun.
    pub(super) begun: Vec<SlicePosition>,
    /// The places that the API refused by themselves.
    pub(super) refused: Vec<SlicePosition>,
}

/// Takes over the given state, as far as it fits this kind of read.
pub(super) fn accept(
    stream: &dyn HttpStream,
    sync_mode: SyncMode,
    cursor_field: &[String],
    mut state: StreamState,
    log: &StreamLog<'_>,
) -> anyhow::Result<Given> {
    let is_kept = stream.cursor().keeps_places();
    if is_kept && stale::forget_stale(&mut state) {
        let text = "the state has moved since a page was begun, so the page is not resumed: its slice is read again.";
        log.log(LogLevel::Info, text)?;
    }
    if !is_kept {
        // Its states have no places: whatever they are of, another source has left them.
        position::forget(&mut state);
    }
    let (mut begun, refused) = (position::take(&mut state, stream)?, position::take_refused(&mut state, stream)?);
    // A stream that resumes no page has not written one: its records are read from the first page.
    begun.retain(|place| place.next_page_token.is_none() || stream.is_resumable());
    let of_full_refresh = position::take_full_refresh(&mut state) || !is_kept;
    if !cursor_field.is_empty() && sync_mode == SyncMode::FullRefresh && !of_full_refresh {
        if !state.is_empty() || !begun.is_empty() {
            let text = "the state is from incremental reads, and a full refresh reads everything again.";
            log.log(LogLevel::Info, text)?;
        }
        let (state, begun, refused) = Default::default();
        return Ok(Given { is_first_read: true, state, begun, refused });
    }
    let is_first_read = state.is_empty() && begun.is_empty();
    Ok(Given { is_first_read, state: stream.cursor().migrate_state(state)?, begun, refused })
}
