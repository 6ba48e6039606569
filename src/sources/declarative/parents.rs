//! The partitions that the records of a parent stream make, read page by page.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use super::options::RequestOption;
use super::router::{ParentConfig, Partition};
use crate::protocol::StreamState;
use crate::streams::paging::Paging;
use crate::streams::{Fetcher, HttpStream, RequestContext, Scope, Slice, SliceContext, Slices, next_page_token};

static NO_STATE: LazyLock<StreamState> = LazyLock::new(StreamState::new);

/// The partitions of one parent, in the order of its records.
pub(super) struct ParentPartitions<'a> {
    config: &'a ParentConfig<RequestOption>,
    stream: &'a dyn HttpStream,
    fetcher: &'a Fetcher<'a>,
    slices: Slices<'a>,
    current: Option<(Slice, Paging)>,
    ready: VecDeque<Partition>,
}

impl<'a> ParentPartitions<'a> {
    /// Begins to read a parent.
    pub(super) fn new(
        config: &'a ParentConfig<RequestOption>,
        stream: &'a dyn HttpStream,
        cx: &SliceContext<'a>,
    ) -> anyhow::Result<Self> {
        // A parent is read from its beginning, whatever is known of its children.
        let slices = stream.stream_slices(&SliceContext { state: &NO_STATE, cursor_field: &[], ..*cx })?;
        Ok(Self { config, stream, fetcher: cx.fetcher, slices, current: None, ready: VecDeque::new() })
    }

    /// Reads one more page. False if there is none.
    fn advance(&mut self) -> anyhow::Result<bool> {
        let (slice, mut paging) = match self.current.take() {
            Some(current) => current,
            None => match self.slices.next() {
                Some(slice) => (slice?, Paging::default()),
                None => return Ok(false),
            },
        };
        let (state, token) = (StreamState::new(), paging.token.clone());
        let cx = RequestContext::new(&state, &slice, token.as_ref());
        let Some(page) = self.fetcher.page(self.stream, &cx)? else { return Ok(true) };
        let own = slice.partition().clone();
        let ready = &mut self.ready;
        let cursor = self.stream.cursor();
        let _ = page.for_each(&mut |record| {
            if cursor.has_scope() && cursor.scope(&record, &cx, &[]) != Scope::In {
                return Ok(ControlFlow::Continue(()));
            }
            ready.extend(self.config.partition(&record.text(), &own)?);
            Ok(ControlFlow::Continue(()))
        })?;
        let next = next_page_token(self.stream, &page, &cx, &[])?;
        if paging.advance(self.stream, &page, next)? {
            self.current = Some((slice, paging));
        }
        Ok(true)
    }
}

impl Iterator for ParentPartitions<'_> {
    type Item = anyhow::Result<Partition>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(partition) = self.ready.pop_front() {
                return Some(Ok(partition));
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
