//! Retrievers within a component: a list that is read beside a stream's own pages, such as the names of all properties.

use std::ops::ControlFlow;

use crate::protocol::StreamState;
use crate::streams::paging::Paging;
use crate::streams::{FetchContext, HttpStream, Record, RequestContext, Slice, next_page_token};

/// Hands out the records that a retriever gives for one slice, page after page.
///
/// # Errors
/// What keeps a page from being read, and the errors of `on_record`.
pub(super) fn read_all(
    stream: &dyn HttpStream,
    slice: &Slice,
    fetch: &FetchContext<'_>,
    on_record: &mut dyn FnMut(&Record<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let state = StreamState::new();
    let mut paging = Paging::default();
    loop {
        let token = paging.token.clone();
        let cx = RequestContext::new(&state, slice, token.as_ref());
        let Some(page) = stream.fetch_page(&cx, fetch)? else { return Ok(()) };
        let _ = page.for_each(&mut |record| {
            on_record(&record)?;
            Ok(ControlFlow::Continue(()))
        })?;
        let next = next_page_token(stream, &page, &cx, &[])?;
        if !paging.advance(stream, &page, next)? {
            return Ok(());
        }
    }
}
