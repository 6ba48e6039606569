//! The slices of a child: the records of its parent, page by page as the child is read.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use serde_json::Value;

use super::super::cursor::newer;
use super::super::paging::{Paging, WayBack};
use super::super::{
    Fetcher, HttpStream, Page, PartEnd, Record, RequestContext, Slice, SliceContext, Slices, next_page_token, transform,
};
use super::{ParentStream, parent_page, tell_of_refusal, tell_of_way_back};
use crate::protocol::{Failure, Output, StreamState};

/// Turns a parent's pages into slices, one page at a time.
pub(in crate::streams) struct ParentSlices<'a> {
    parent: &'a ParentStream,
    /// The stream to read: the parent, or one that replaces it.
    stream: &'a dyn HttpStream,
    /// What its requests get.
    pub(in crate::streams) state: StreamState,
    /// The newest cursor value of its records.
    pub(in crate::streams) newest: Option<Value>,
    fetcher: &'a Fetcher<'a>,
    output: &'a Output,
    slices: Slices<'a>,
    /// The current slice of the parent, and the position in it.
    current: Option<(Slice, Paging, WayBack<()>)>,
    ready: VecDeque<Slice>,
    /// The refused slices of the parent.
    pub(in crate::streams) refused: u64,
}

impl<'a> ParentSlices<'a> {
    /// The children of these slices of the parent, or of the stream that replaces it.
    pub(in crate::streams) fn new(
        parent: &'a ParentStream,
        stream: &'a dyn HttpStream,
        slices: Slices<'a>,
        cx: &SliceContext<'a>,
    ) -> Self {
        let (state, newest, current, ready) = (StreamState::new(), None, None, VecDeque::new());
        let (fetcher, output) = (cx.fetcher, cx.output);
        Self { parent, stream, state, newest, fetcher, output, slices, current, ready, refused: 0 }
    }

    /// Reads one more page. False if there is none.
    fn advance(&mut self) -> anyhow::Result<bool> {
        let stream = self.stream;
        let (slice, mut paging, mut way) = match self.current.take() {
            Some(current) => current,
            None => match self.slices.next() {
                Some(slice) => (slice?, Paging::default(), WayBack::default()),
                None => return Ok(false),
            },
        };
        let (token, state) = (paging.token.clone(), self.state.clone());
        let cx = RequestContext::new(&state, &slice, token.as_ref());
        let (page, error) = parent_page(stream, &cx, &self.fetcher.fresh(paging.is_fresh), self.output);
        let Some(page) = page else {
            if let Some((back, ())) = way.back(stream, token.as_ref(), error.as_ref()) {
                tell_of_way_back(self.output, stream, error.as_ref())?;
                self.current = Some((slice, Paging::back_at(back), way));
            } else if let Some(error) = error {
                let failure = Failure::of_slice(error)?;
                tell_of_refusal(self.output, stream, &failure, self.refused)?;
                self.refused += 1;
                let next = stream.next_part(PartEnd::Refused, &cx).next;
                self.current = next.map(|next| (slice, Paging::at(Some(next)), way));
            }
            return Ok(true);
        };
        self.collect(&page, &cx)?;
        let next = next_page_token(stream, &page, &cx, &stream.cursor().cursor_field())?;
        if paging.advance(stream, &page, next)? {
            way.note(token, ());
            self.current = Some((slice, paging, way));
        }
        Ok(true)
    }

    fn collect(&mut self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<()> {
        let (parent, ready) = (self.parent, &mut self.ready);
        let (stream, cursor) = (self.stream, self.stream.cursor());
        let cursor_field = cursor.cursor_field();
        let newest = parent.kept.is_some().then_some(&mut self.newest);
        let mut note = newest.map(|newest| {
            |record: &Record<'_>| {
                let seen = record.field_at(&cursor_field).and_then(|text| serde_json::from_str(text).ok());
                *newest = seen.into_iter().fold(newest.take(), |known, seen| newer(cursor, known, seen));
            }
        });
        let _ = page.for_each(&mut |record| {
            for record in transform(stream, record, cx, &cursor_field)? {
                if let Some(note) = &mut note {
                    note(&record);
                }
                ready.extend(parent.slice_of(&record, Some(cx.slice))?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(())
    }
}

impl Iterator for ParentSlices<'_> {
    type Item = anyhow::Result<Slice>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(slice) = self.ready.pop_front() {
                return Some(Ok(slice));
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
