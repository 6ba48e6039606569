//! Reading one slice: page after page, from its beginning or from where an earlier read stopped.

use serde_json::Value;

use super::checkpoint::Checkpoint;
use super::stream_read::{Flow, Progress, StreamRead};
use crate::protocol::LogLevel;
use crate::streams::paging::{Paging, is_stale_token};
use crate::streams::{Fetcher, Page, PageToken, RequestContext, Slice, cursor};

/// What is known of a slice while it is read.
struct Reading {
    /// The newest cursor value so far.
    newest: Option<Value>,
    /// Records between two states within the slice; none once the records turn out not to be in order.
    interval: Option<u64>,
}

impl StreamRead<'_, '_> {
    /// Reads a slice from the given place to its end.
    pub(super) fn read_slice(&mut self, begin: Checkpoint) -> anyhow::Result<Flow> {
        let Checkpoint { slice, next_page_token, newest } = begin;
        if self.at_limit() {
            self.pause(&slice, next_page_token, newest)?;
            return Ok(Flow::Break(()));
        }
        let mut resuming = next_page_token.is_some();
        let mut paging = Paging::at(next_page_token);
        let mut reading = Reading { newest, interval: self.stream.state_checkpoint_interval() };
        let waits = self.out.waits();
        let fetcher = Fetcher::new(self.client, &waits).sharing(self.sharing);
        let state = self.state_of(&slice);
        loop {
            let token = paging.token.clone();
            let cx = RequestContext { state: &state, slice: &slice, page_token: token.as_ref() };
            let page = match fetcher.page(self.stream, &cx) {
                // A page token is not good for ever. The API may say so with an error, or with one that is ignored.
                Ok(None) if resuming => None,
                Err(error) if resuming && is_stale_token(&error) => {
                    self.out.log(LogLevel::Warn, &error.to_string())?;
                    None
                }
                page => match page? {
                    Some(page) => Some(page),
                    None => break,
                },
            };
            resuming = false;
            let Some(page) = page else {
                let text = "the page where the last read stopped is gone; its slice is read again.";
                self.out.log(LogLevel::Warn, text)?;
                (paging, reading.newest) = (Paging::default(), None);
                continue;
            };
            let before = reading.newest.clone();
            if self.write_page(&page, &cx, &mut reading)?.is_break() {
                // The page was begun and not finished: it is the one to go on with.
                self.pause(&slice, token, before)?;
                return Ok(Flow::Break(()));
            }
            let next = self.stream.next_page_token(&page, &cx)?;
            if !paging.advance(self.stream, &page, next)? {
                break;
            }
            if self.at_limit() {
                self.pause(&slice, paging.token, reading.newest)?;
                return Ok(Flow::Break(()));
            }
            if self.stream.is_resumable() && self.state_is_due() {
                self.pause(&slice, paging.token.clone(), reading.newest.clone())?;
            }
        }
        self.close(&slice, reading.newest.as_ref())?;
        Ok(Flow::Continue(()))
    }

    /// A state within a slice: to be gone on with at a page, or, if the stream's pages cannot be asked for later, at
    /// the slice's beginning.
    fn pause(&mut self, slice: &Slice, token: Option<PageToken>, newest: Option<Value>) -> anyhow::Result<()> {
        let mut place = Checkpoint::at(slice.clone());
        if self.stream.is_resumable() {
            (place.next_page_token, place.newest) = (token, newest);
        }
        self.write_state(place.put(&self.state()))
    }

    /// Writes the records of a page. Breaks off at the limit.
    fn write_page(&mut self, page: &Page, cx: &RequestContext<'_>, reading: &mut Reading) -> anyhow::Result<Flow> {
        self.out.begin_page();
        let flow = page.for_each(&mut |record| {
            if self.at_limit() {
                return Ok(Flow::Break(()));
            }
            let Some(record) = self.stream.transform(record, cx) else { return Ok(Flow::Continue(())) };
            let seen = record.field_at(&self.cursor_field);
            let seen = seen.and_then(|text| serde_json::from_str(text.get()).ok());
            let record = self.shaper.shape(record, self.out)?;
            self.out.record(record.text())?;
            if let Some(seen) = seen {
                self.observe(seen, reading)?;
            }
            Ok(Flow::Continue(()))
        })?;
        self.out.end_page()?;
        Ok(flow)
    }

    /// Takes note of a record's cursor value, and writes a state if it is time for one.
    fn observe(&mut self, seen: Value, reading: &mut Reading) -> anyhow::Result<()> {
        if reading.interval.is_some() && reading.newest.as_ref().is_some_and(|newest| cursor::is_newer(newest, &seen)) {
            reading.interval = None;
            let text = "the stream declares state_checkpoint_interval, and its records are not in ascending order of \
                        the cursor. No state is written within this slice.";
            self.out.log(LogLevel::Warn, text)?;
            // States that are out may be ahead of this record: the one of whole slices takes their place.
            self.write_state(self.state())?;
        }
        reading.newest = cursor::newer(reading.newest.take(), seen);
        if let (Some(interval), Progress::Whole(state)) = (reading.interval, &self.progress)
            && self.out.since_state() >= interval
        {
            let mut state = state.clone();
            cursor::advance(&mut state, reading.newest.as_ref(), &self.cursor_field);
            self.write_state(state)?;
        }
        Ok(())
    }
}
