//! A parent that is read with a state of its own, for a child (an incremental dependency in the Python framework). The
//! child's slices are the parent's records, with markers in between that say how far the parent was read. So an
//! interrupted child resumes at the parent's page where it stopped, and an incremental child requests only the parents
//! that have changed. Memory holds a page of the parent, and its slices.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cursor::newer;
use super::paging::{Paging, WayBack};
use super::parent_stream::{parent_page, tell_of_refusal, tell_of_way_back};
use super::{
    CHANGED, CursorRead, CursorState, Fetcher, HttpStream, Page, PageToken, ParentStream, PartEnd, Record,
    RequestContext, Slice, SliceContext, Slices, WholeState, epoch_cursor, next_page_token, sorted_for, transform,
};
use crate::protocol::{Failure, LogLevel, Output, StreamState, SyncMode};

/// The place, in the parent's state.
const PLACE: &str = "place";
/// Remembers parents, so that several events about one do not request its children twice.
const REMEMBERED: usize = 100_000;

impl ParentStream {
    /// One slice for each record of the parent, made as they are read, with markers in between: see [`Slice::marker`].
    /// The parent is read in `cx`'s mode and from `progress`: that of an earlier read's last marker, a state of the
    /// parent, or nothing.
    ///
    /// The child's cursor stores the [`Slice::progress`] of a marker in its state: see [`super::ParentCursor`].
    ///
    /// # Errors
    /// If `progress` is damaged. The iterator returns failures to read a page.
    pub fn slices_from<'a>(&'a self, cx: &SliceContext<'a>, mut progress: StreamState) -> anyhow::Result<Slices<'a>> {
        let stream = self.stream();
        let begun = match progress.remove(PLACE) {
            None => None,
            Some(place) => Some(serde_json::from_value::<Place>(place).map_err(|error| {
                Failure::config(format!(
                    "The state has a damaged place within the parent {:?} ({error}). Remove the stream's state to read \
                     it from the beginning.",
                    stream.name()
                ))
            })?),
        };
        let begun = begun.map(|place| Place { slice: sorted_for(stream, place.slice), ..place });
        let mut parent = IncrementalParent {
            parent: self,
            sync_mode: cx.sync_mode,
            fetcher: cx.fetcher,
            output: cx.output,
            cursor_field: stream.cursor().cursor_field(),
            given: progress,
            known: None,
            current: None,
            slices: None,
            ready: VecDeque::new(),
            seen: HashSet::new(),
            refused: 0,
            is_done: false,
        };
        if let Some(place) = begun {
            parent.begin(Some(&place.slice))?;
            parent.current = parent.open(place);
        }
        Ok(Box::new(parent))
    }
}

/// A place within a slice of the parent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Place {
    slice: Slice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_page_token: Option<PageToken>,
    /// The newest cursor value on earlier pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Value>,
}

/// The current slice of the parent.
struct Current {
    /// The state for its requests.
    state: StreamState,
    slice: Slice,
    paging: Paging,
    newest: Option<Value>,
    way: WayBack<Option<Value>>,
}

struct IncrementalParent<'a> {
    parent: &'a ParentStream,
    sync_mode: SyncMode,
    fetcher: &'a Fetcher<'a>,
    output: &'a Output,
    cursor_field: Vec<String>,
    /// The parent's state, until its slices are known.
    given: StreamState,
    /// The parent's state, past every slice that was read to its end.
    known: Option<Box<dyn CursorState + 'a>>,
    current: Option<Current>,
    /// The parent's remaining slices, once they were requested.
    slices: Option<VecDeque<Slice>>,
    ready: VecDeque<Slice>,
    seen: HashSet<u64>,
    /// The refused slices of the parent. After the first, the markers stop: the next read must request them again.
    refused: u64,
    is_done: bool,
}

impl<'a> IncrementalParent<'a> {
    fn stream(&self) -> &'a dyn HttpStream {
        self.parent.stream()
    }

    fn state(&self) -> StreamState {
        self.known.as_ref().map_or_else(|| self.given.clone(), |known| known.state())
    }

    /// The slices are known.
    fn begin(&mut self, first: Option<&Slice>) -> anyhow::Result<()> {
        let (stream, cursor) = (self.stream(), self.stream().cursor());
        let from = |state: &StreamState, first| CursorRead {
            stream,
            cursor_field: self.cursor_field.clone(),
            state: state.clone(),
            first,
        };
        let known: Box<dyn CursorState + 'a> = if self.cursor_field.is_empty() {
            Box::new(WholeState::new(cursor, from(&self.given, None))?)
        } else {
            match cursor.begin(from(&self.given, first)) {
                Ok(known) => known,
                // Version 0.1.0 had one state for all partitions of a parent, which does not say how far each was read.
                Err(failure) => {
                    let text = format!("{}: {failure} As a parent it is read from the beginning.", stream.name());
                    self.output.log(LogLevel::Warn, &text)?;
                    cursor.begin(from(&StreamState::new(), first))?
                }
            }
        };
        self.known = Some(known);
        Ok(())
    }

    /// A slice of the parent, from a place on. `None` if there is nothing to read.
    fn open(&mut self, place: Place) -> Option<Current> {
        let Place { slice, next_page_token, newest } = place;
        let made_from = self.state();
        let state = self.known.as_mut()?.open(&slice, &made_from)?;
        Some(Current { state, slice, paging: Paging::at(next_page_token), newest, way: WayBack::default() })
    }

    /// A slice of the parent was read to its end, or is a marker.
    fn close(&mut self, slice: &Slice, newest: Option<&Value>) {
        let Some(known) = &mut self.known else { return };
        if !slice.is_marker() {
            known.close(slice, newest);
        }
        known.count(slice, newest);
    }

    /// Reads one more page of the parent, or ends.
    fn advance(&mut self) -> anyhow::Result<()> {
        let Some(mut current) = self.current.take() else { return self.begin_slice() };
        let stream = self.stream();
        let token = current.paging.token.clone();
        let cx = RequestContext::new(&current.state, &current.slice, token.as_ref());
        let (page, error) = parent_page(stream, &cx, &self.fetcher.fresh(current.paging.is_fresh), self.output);
        let mut has_more = false;
        if let Some(page) = page {
            current.way.note(token.clone(), current.newest.clone());
            current.newest = self.collect(&page, &cx, current.newest)?;
            let next = next_page_token(stream, &page, &cx, &self.cursor_field)?;
            has_more = current.paging.advance(stream, &page, next)?;
        } else if let Some((back, newest)) = current.way.back(stream, token.as_ref(), error.as_ref()) {
            tell_of_way_back(self.output, stream, error.as_ref())?;
            (current.paging, current.newest) = (Paging::back_at(back), newest);
            self.current = Some(current);
            return Ok(());
        } else if let Some(error) = error {
            tell_of_refusal(self.output, stream, &Failure::of_slice(error)?, self.refused)?;
            self.refused += 1;
            let next = stream.next_part(PartEnd::Refused, &cx).next;
            has_more = next.is_some();
            current.paging = Paging::at(next);
        }
        if has_more {
            let Current { slice, paging, newest, .. } = &current;
            let (next_page_token, newest) = (paging.token.clone(), newest.clone());
            self.mark(stream.is_resumable().then(|| Place { slice: slice.clone(), next_page_token, newest }));
            self.current = Some(current);
        } else {
            self.close(&current.slice, current.newest.as_ref());
            self.mark(None);
        }
        Ok(())
    }

    fn begin_slice(&mut self) -> anyhow::Result<()> {
        let stream = self.stream();
        if self.slices.is_none() {
            let (sync_mode, fetcher, output, state) = (self.sync_mode, self.fetcher, self.output, self.state());
            let cx = SliceContext { sync_mode, state: &state, cursor_field: &[], fetcher, output };
            let slices = stream.stream_slices(&cx)?.collect::<anyhow::Result<VecDeque<_>>>()?;
            if self.known.is_none() {
                self.begin(slices.front())?;
            }
            self.slices = Some(slices);
        }
        match self.slices.as_mut().and_then(VecDeque::pop_front) {
            Some(marker) if marker.is_marker() => self.close(&marker, None),
            Some(slice) => self.current = self.open(Place { slice, ..Place::default() }),
            None => {
                self.is_done = true;
                if let Some(known) = &mut self.known {
                    known.end();
                }
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
        let (cursor, cursor_field) = (stream.cursor(), self.cursor_field.clone());
        let _ = page.for_each(&mut |record| {
            for record in transform(stream, record, cx, &cursor_field)? {
                let seen: Option<Value> =
                    record.field_at(&cursor_field).and_then(|text| serde_json::from_str(text).ok());
                if self.is_new(&record) {
                    let changed = seen.as_ref().and_then(epoch_cursor::seconds);
                    let slice = self.parent.slice_of(&record, None)?;
                    let changed = changed.map(|changed| (CHANGED, changed));
                    self.ready.extend(slice.map(|slice| slice.with_extra(changed)));
                }
                newest = seen.into_iter().fold(newest.take(), |known, seen| newer(cursor, known, seen));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(newest)
    }

    /// Whether a parent is new, as far as remembered.
    fn is_new(&mut self, record: &Record<'_>) -> bool {
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        let mut hasher = DefaultHasher::new();
        for name in self.parent.keys() {
            record.field_at(name).hash(&mut hasher);
        }
        self.seen.insert(hasher.finish())
    }

    /// Makes a marker: how far the parent was read.
    fn mark(&mut self, place: Option<Place>) {
        if self.refused > 0 {
            return;
        }
        let mut progress = self.state();
        // A place consists of JSON values: this cannot fail.
        if let Some(place) = place.and_then(|place| serde_json::to_value(place).ok()) {
            progress.insert(PLACE.to_owned(), place);
        }
        self.ready.push_back(Slice::marker(progress));
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
