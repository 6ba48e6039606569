//! Retrievers inside a component: a list that is read beside a stream's own pages, such as the names of all properties.

use std::ops::ControlFlow;

use crate::streams::{FetchContext, HttpStream, Record, Slice, for_each_record_of};

/// Hands out the records of a retriever for one slice, page by page.
///
/// # Errors
/// A failure to read a page, and the errors of `on_record`.
pub(super) fn read_all(
    stream: &dyn HttpStream,
    slice: &Slice,
    fetch: &FetchContext<'_>,
    on_record: &mut dyn FnMut(&Record<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let _ = for_each_record_of(stream, slice, fetch, &mut |_, record| {
        on_record(record)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}
