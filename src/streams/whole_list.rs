//! Reads a whole list beside a sync: the streams of an account, the fields of a table, the names of all properties.

use std::ops::ControlFlow;

use super::paging::Paging;
use super::{FetchContext, Fetcher, HttpStream, Record, RequestContext, Slice, SliceContext, next_page_token};
use crate::protocol::{StreamState, SyncMode};

/// Handles a record, in its slice. It says whether to continue.
pub type OnRecord<'r> = dyn FnMut(&Slice, &Record<'_>) -> anyhow::Result<ControlFlow<()>> + 'r;

/// Hands out the records of all slices of a stream, page by page, as they are in the responses: without
/// [`HttpStream::transform`].
///
/// # Errors
/// A failure to read a slice or page, and the errors of `on_record`.
pub fn for_each_record(
    stream: &dyn HttpStream,
    fetcher: &Fetcher<'_>,
    on_record: &mut OnRecord<'_>,
) -> anyhow::Result<()> {
    let (state, output) = (StreamState::new(), fetcher.output());
    let cx = SliceContext { sync_mode: SyncMode::FullRefresh, state: &state, cursor_field: &[], fetcher, output };
    let fetch = FetchContext::new(fetcher, output);
    for slice in stream.stream_slices(&cx)? {
        let slice = slice?;
        // It says how far a parent was read, and has no records.
        if !slice.is_marker() && for_each_record_of(stream, &slice, &fetch, on_record)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// As [`for_each_record`], for one slice.
///
/// # Errors
/// The same errors.
pub(crate) fn for_each_record_of(
    stream: &dyn HttpStream,
    slice: &Slice,
    fetch: &FetchContext<'_>,
    on_record: &mut OnRecord<'_>,
) -> anyhow::Result<ControlFlow<()>> {
    let state = StreamState::new();
    let mut paging = Paging::default();
    loop {
        let token = paging.token.clone();
        let cx = RequestContext::new(&state, slice, token.as_ref());
        let Some(page) = stream.fetch_page(&cx, fetch)? else { return Ok(ControlFlow::Continue(())) };
        if page.for_each(&mut |record| on_record(slice, &record))?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let next = next_page_token(stream, &page, &cx, &[])?;
        if !paging.advance(stream, &page, next)? {
            return Ok(ControlFlow::Continue(()));
        }
    }
}
