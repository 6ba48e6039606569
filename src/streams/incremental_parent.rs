//! A parent that is read with a state of its own, for a child: what the Python framework calls an incremental
//! dependency. The child's slices are the parent's records, and between them stand markers that say how far the parent
//! was read, so that a child that is interrupted goes on at the parent's page where it stopped, and an incremental child
//! is asked for the parents that have changed, and for no others. What is kept in memory is a page of the parent, and its
//! slices.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::paging::{Paging, WayBack};
use super::parent_stream::{tell_of_refusal, tell_of_way_back};
use super::{
    Fetcher, HttpStream, Page, PageToken, ParentStream, Record, RequestContext, Slice, SliceContext, Slices, cursor,
    epoch_cursor, next_page_token, transform,
};
use crate::protocol::{Failure, Output, StreamState, SyncMode};

/// The only member of a marker: the parent's state, and its place within a slice.
const MARKER: &str = "parent_progress";
/// In a slice: when the parent changed, in seconds since the epoch. It goes along and is no part of what the slice is.
pub(crate) const CHANGED: &str = "__changed";
/// The place, in the parent's state.
const PLACE: &str = "place";
/// Parents that are remembered, so that none is asked twice for its children because there are several events about it.
const REMEMBERED: usize = 100_000;

impl ParentStream {
    /// One slice a parent's record, made while they are read, and markers between them, for
    /// [`HttpStream::is_marker`]. The parent is read in `cx`'s mode and from `progress`, which the last marker of an earlier read
    /// gave, or a state of the parent, or nothing.
    ///
    /// The child has its slices in order, and says in its state what [`ParentStream::progress`] finds in a marker.
    ///
    /// # Errors
    /// If `progress` is damaged. What keeps a page from being read comes out of the iterator.
    pub fn slices_from<'a>(&'a self, cx: &SliceContext<'a>, mut progress: StreamState) -> anyhow::Result<Slices<'a>> {
        let begun = match progress.remove(PLACE) {
            None => None,
            Some(place) => Some(serde_json::from_value::<Place>(place).map_err(|error| {
                Failure::config(format!(
                    "The state has a damaged place within the parent {:?} ({error}). Remove the stream's state to read \
                     it from the beginning.",
                    self.stream().name()
                ))
            })?),
        };
        Ok(Box::new(IncrementalParent {
            parent: self,
            sync_mode: cx.sync_mode,
            fetcher: cx.fetcher,
            output: cx.output,
            state: progress,
            current: begun.map(Current::at),
            slices: None,
            ready: VecDeque::new(),
            seen: HashSet::new(),
            refused: 0,
            is_done: false,
        }))
    }

    /// How far the parent was read when the slices before a marker were made; `None` if the slice is no marker.
    #[must_use]
    pub fn progress(slice: &Slice) -> Option<&StreamState> {
        slice.get(MARKER)?.as_object()
    }
}

/// A place within a slice of the parent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Place {
    slice: Slice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_page_token: Option<PageToken>,
    /// The newest cursor value of the pages before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Value>,
}

/// The slice of the parent that is being read.
struct Current {
    slice: Slice,
    paging: Paging,
    newest: Option<Value>,
    way: WayBack<Option<Value>>,
}

impl Current {
    fn at(place: Place) -> Self {
        let paging = Paging::at(place.next_page_token);
        Self { slice: place.slice, paging, newest: place.newest, way: WayBack::default() }
    }
}

struct IncrementalParent<'a> {
    parent: &'a ParentStream,
    sync_mode: SyncMode,
    fetcher: &'a Fetcher<'a>,
    output: &'a Output,
    /// The parent's state, past every slice that was read to its end.
    state: StreamState,
    current: Option<Current>,
    /// The parent's slices that are left, once they were asked for.
    slices: Option<VecDeque<Slice>>,
    ready: VecDeque<Slice>,
    seen: HashSet<u64>,
    /// The parent's slices that were refused. From the first on, the markers say no more: the next read is to ask for
    /// them again.
    refused: u64,
    is_done: bool,
}

impl<'a> IncrementalParent<'a> {
    fn stream(&self) -> &'a dyn HttpStream {
        self.parent.stream()
    }

    /// Reads one more page of the parent, or ends.
    fn advance(&mut self) -> anyhow::Result<()> {
        let Some(mut current) = self.current.take() else { return self.begin_slice() };
        let stream = self.stream();
        let state = self.state.clone();
        let token = current.paging.token.clone();
        let cx = RequestContext::new(&state, &current.slice, token.as_ref());
        let (page, error) = match self.fetcher.fresh(current.paging.is_fresh).page(stream, &cx) {
            Ok(page) => (page, None),
            Err(error) => (None, Some(error)),
        };
        let mut has_more = false;
        if let Some(page) = page {
            current.way.note(token.clone(), current.newest.clone());
            current.newest = self.collect(&page, &cx, current.newest)?;
            let next = next_page_token(stream, &page, &cx)?;
            has_more = current.paging.advance(stream, &page, next)?;
        } else if let Some((back, newest)) = current.way.back(stream, token.as_ref(), error.as_ref()) {
            tell_of_way_back(self.output, stream, error.as_ref())?;
            (current.paging, current.newest) = (Paging::back_at(back), newest);
            self.current = Some(current);
            return Ok(());
        } else if let Some(error) = error {
            tell_of_refusal(self.output, stream, &Failure::of_slice(error)?, self.refused)?;
            self.refused += 1;
            let next = stream.refused_page(token.as_ref()).next;
            has_more = next.is_some();
            current.paging = Paging::at(next);
        }
        if has_more {
            let Current { slice, paging, newest, .. } = &current;
            let (next_page_token, newest) = (paging.token.clone(), newest.clone());
            self.mark(stream.is_resumable().then(|| Place { slice: slice.clone(), next_page_token, newest }));
            self.current = Some(current);
        } else {
            stream.get_updated_state(&mut self.state, &current.slice, current.newest.as_ref(), &stream.cursor_field());
            self.mark(None);
        }
        Ok(())
    }

    fn begin_slice(&mut self) -> anyhow::Result<()> {
        let stream = self.stream();
        if self.slices.is_none() {
            let (sync_mode, fetcher, output) = (self.sync_mode, self.fetcher, self.output);
            let cx = SliceContext { sync_mode, state: &self.state, fetcher, output };
            let slices = stream.stream_slices(&cx)?.collect::<anyhow::Result<_>>()?;
            self.slices = Some(slices);
        }
        match self.slices.as_mut().and_then(VecDeque::pop_front) {
            Some(marker) if stream.is_marker(&marker) => {
                stream.get_updated_state(&mut self.state, &marker, None, &stream.cursor_field());
            }
            Some(slice) => self.current = Some(Current::at(Place { slice, ..Place::default() })),
            None => {
                self.is_done = true;
                self.mark(None);
            }
        }
        Ok(())
    }

    /// The children's slices of a page. Returns the newest cursor value so far.
    fn collect(
        &mut self,
        page: &Page,
        cx: &RequestContext<'_>,
        mut newest: Option<Value>,
    ) -> anyhow::Result<Option<Value>> {
        let stream = self.stream();
        let cursor_field = stream.cursor_field();
        let _ = page.for_each(&mut |record| {
            for record in transform(stream, record, cx)? {
                let seen: Option<Value> =
                    record.field_at(&cursor_field).and_then(|text| serde_json::from_str(text).ok());
                if self.is_new(&record) {
                    let mut slice = self.parent.slice_of(&record, None)?;
                    if let Some(changed) = seen.as_ref().and_then(epoch_cursor::seconds) {
                        slice.insert(CHANGED.to_owned(), changed.into());
                    }
                    self.ready.push_back(slice);
                }
                newest = seen.into_iter().fold(newest.take(), cursor::newer);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(newest)
    }

    /// Whether a parent was not seen before, as far as is remembered.
    fn is_new(&mut self, record: &Record<'_>) -> bool {
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        let mut hasher = DefaultHasher::new();
        for name in self.parent.keys() {
            record.field(name).hash(&mut hasher);
        }
        self.seen.insert(hasher.finish())
    }

    /// Says how far the parent was read.
    fn mark(&mut self, place: Option<Place>) {
        if self.refused > 0 {
            return;
        }
        let mut progress = self.state.clone();
        // A place is JSON values only: this cannot fail.
        if let Some(place) = place.and_then(|place| serde_json::to_value(place).ok()) {
            progress.insert(PLACE.to_owned(), place);
        }
        self.ready.push_back(std::iter::once((MARKER.to_owned(), Value::Object(progress))).collect());
    }
}

impl Iterator for IncrementalParent<'_> {
    type Item = anyhow::Result<Slice>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(slice) = self.ready.pop_front() {
                return Some(Ok(slice));
            }
            if self.is_done {
                return None;
            }
            if let Err(error) = self.advance() {
                self.is_done = true;
                return Some(Err(error));
            }
        }
    }
}
