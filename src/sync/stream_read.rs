//! Reading one stream: slice by slice, page by page. A state goes out only after the records it covers, and only a
//! slice that was read to its end moves the stream's own state.

use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::checkpoint::{self, Checkpoint};
use super::loop_guard::LoopGuard;
use super::page_guard::PageGuard;
use super::record_shaper::RecordShaper;
use super::stream_output::StreamOutput;
use crate::http::HttpClient;
use crate::protocol::{Failure, LogLevel, StreamState, SyncMode};
use crate::streams::{
    Fetcher, HttpStream, Page, PageToken, RequestContext, SchemaContext, Slice, SliceContext, cursor,
};

/// Empty pages in a row after which an API that promises more is not believed.
const MAX_EMPTY_PAGES: u32 = 1_000;

/// One stream being read.
pub(super) struct StreamRead<'a, 'o> {
    stream: &'a dyn HttpStream,
    sync_mode: SyncMode,
    cursor_field: Vec<String>,
    limit: Option<u64>,
    client: &'a HttpClient,
    out: &'a mut StreamOutput<'o>,
    /// What the records written so far amount to, in whole slices.
    state: StreamState,
    /// The state as it was given.
    input: StreamState,
    /// The stream's schema in the configured catalog.
    configured: Option<&'a Map<String, Value>>,
    shaper: RecordShaper,
}

/// Whether a slice was read to its end, or `--limit` ended it.
type Flow = ControlFlow<()>;

impl<'a, 'o> StreamRead<'a, 'o> {
    pub(super) fn new(
        stream: &'a dyn HttpStream,
        sync_mode: SyncMode,
        cursor_field: Vec<String>,
        limit: Option<u64>,
        client: &'a HttpClient,
        out: &'a mut StreamOutput<'o>,
    ) -> Self {
        let (state, input, configured, shaper) = Default::default();
        Self { stream, sync_mode, cursor_field, limit, client, out, state, input, configured, shaper }
    }

    /// With the columns the user chose: the stream's schema in the configured catalog.
    pub(super) fn with_columns(self, schema: &'a Map<String, Value>) -> Self {
        Self { configured: Some(schema), ..self }
    }

    pub(super) fn run(mut self, mut input: StreamState) -> anyhow::Result<()> {
        self.out.start()?;
        self.shaper = self.shaper()?;
        let checkpoint = Checkpoint::take(&mut input)?;
        self.state = input.clone();
        self.input = input;
        let flow = match self.cursor_field.is_empty() {
            true => self.read_without_cursor(checkpoint)?,
            false => self.read_with_cursor(checkpoint)?,
        };
        if flow.is_break() {
            let limit = self.limit.unwrap_or_default();
            self.out.log(LogLevel::Info, &format!("stopped at the limit of {limit} records."))?;
        }
        Ok(self.out.complete()?)
    }

    fn shaper(&self) -> anyhow::Result<RecordShaper> {
        let waits = self.out.waits();
        let cx = SchemaContext { fetcher: &Fetcher::new(self.client, &waits) };
        RecordShaper::new(self.stream, self.configured.unwrap_or(&Map::new()), cx, self.out)
    }

    /// The slice that was begun is finished as it was begun; then the stream is asked what is left.
    fn read_with_cursor(&mut self, checkpoint: Option<Checkpoint>) -> anyhow::Result<Flow> {
        let resumed = match checkpoint {
            Some(checkpoint) => {
                let slice = checkpoint.slice.clone();
                if self.read_slice(checkpoint)?.is_break() {
                    return Ok(Flow::Break(()));
                }
                Some(slice)
            }
            None => None,
        };
        let (stream, client, state) = (self.stream, self.client, self.state.clone());
        let (waits, output) = (self.out.waits(), self.out.output());
        let fetcher = Fetcher::new(client, &waits);
        let resumed = resumed.as_ref();
        let cx = SliceContext { sync_mode: self.sync_mode, state: &state, resumed, fetcher: &fetcher, output };
        let mut any = resumed.is_some();
        for slice in stream.stream_slices(&cx)? {
            any = true;
            if self.read_slice(Checkpoint::at(slice?))?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        if !any {
            let state = Value::Object(self.state.clone());
            self.out.log(LogLevel::Info, &format!("there is nothing to read from the state {state}."))?;
            self.out.state(self.state.clone())?;
        }
        Ok(Flow::Continue(()))
    }

    /// Without a cursor the state knows one thing: the slice and page to go on with. Slices before it are skipped.
    fn read_without_cursor(&mut self, checkpoint: Option<Checkpoint>) -> anyhow::Result<Flow> {
        if checkpoint::is_complete(&self.input) {
            self.out.log(LogLevel::Info, "the state says that it was read to its end; nothing is read.")?;
            self.out.state(checkpoint::complete())?;
            return Ok(Flow::Continue(()));
        }
        if !self.input.is_empty() {
            let state = Value::Object(self.input.clone());
            return Err(Failure::config(format!(
                "{:?} has no cursor, and its state {state} is not one of this source. Remove it from the state file, \
                 or reset the stream, to read all of it.",
                self.stream.name()
            ))
            .into());
        }
        let (stream, client, state) = (self.stream, self.client, StreamState::new());
        let (waits, output) = (self.out.waits(), self.out.output());
        let fetcher = Fetcher::new(client, &waits);
        let cx = SliceContext { sync_mode: self.sync_mode, state: &state, resumed: None, fetcher: &fetcher, output };
        let mut slices = stream.stream_slices(&cx)?.peekable();
        if let Some(checkpoint) = checkpoint {
            let mut found = None;
            while found.is_none()
                && let Some(slice) = slices.next()
            {
                found = (slice? == checkpoint.slice).then_some(());
            }
            if found.is_some() {
                if self.read_slice(checkpoint)?.is_break() {
                    return Ok(Flow::Break(()));
                }
                self.point_to(slices.peek())?;
            } else {
                self.out.log(LogLevel::Warn, "the slice where the last read stopped is gone; all are read again.")?;
                slices = stream.stream_slices(&cx)?.peekable();
            }
        }
        while let Some(slice) = slices.next() {
            if self.read_slice(Checkpoint::at(slice?))?.is_break() {
                return Ok(Flow::Break(()));
            }
            self.point_to(slices.peek())?;
        }
        self.out.state(checkpoint::complete())?;
        Ok(Flow::Continue(()))
    }

    /// A state that says: the slices before this one are done.
    fn point_to(&mut self, next: Option<&anyhow::Result<Slice>>) -> anyhow::Result<()> {
        if let Some(Ok(next)) = next {
            self.out.state(Checkpoint::at(next.clone()).put(&StreamState::new()))?;
        }
        Ok(())
    }

    /// Reads a slice from the given place to its end.
    fn read_slice(&mut self, begin: Checkpoint) -> anyhow::Result<Flow> {
        let Checkpoint { slice, next_page_token: mut token, mut newest } = begin;
        let waits = self.out.waits();
        let fetcher = Fetcher::new(self.client, &waits);
        let (mut guard, mut page_guard) = (LoopGuard::default(), PageGuard::default());
        let (mut empty_pages, mut resuming) = (0, token.is_some());
        loop {
            let input = self.input.clone();
            let cx = RequestContext { state: &input, slice: &slice, page_token: token.as_ref() };
            let page = match fetcher.page(self.stream, &cx) {
                Err(error) if resuming && is_stale_token(&error) => {
                    let text =
                        format!("the page where the last read stopped is gone; its slice is read again. {error}");
                    self.out.log(LogLevel::Warn, &text)?;
                    (token, newest, resuming) = (None, None, false);
                    continue;
                }
                page => page?,
            };
            resuming = false;
            let Some(page) = page else { break };
            let before = newest.clone();
            if self.write_page(&page, &cx, &mut newest)?.is_break() {
                // The page was begun and not finished: it is the one to go on with.
                self.pause(&slice, token, before)?;
                return Ok(Flow::Break(()));
            }
            empty_pages = if page.is_empty() { empty_pages + 1 } else { 0 };
            let next = self.stream.next_page_token(&page, &cx)?;
            let Some(next) = next else { break };
            self.check_progress(&mut guard, &next, empty_pages, &page)?;
            page_guard.check(self.stream, &page)?;
            token = Some(next);
            let at_limit = self.at_limit();
            if at_limit || self.stream.is_resumable() {
                self.pause(&slice, token.clone(), newest.clone())?;
            }
            if at_limit {
                return Ok(Flow::Break(()));
            }
        }
        if !self.cursor_field.is_empty() {
            self.stream.get_updated_state(&mut self.state, &slice, newest.as_ref(), &self.cursor_field);
            self.out.state(self.state.clone())?;
        }
        Ok(Flow::Continue(()))
    }

    /// A state within a slice: to be gone on with at a page, or, if the stream's pages cannot be asked for later, at
    /// the slice's beginning.
    fn pause(&mut self, slice: &Slice, token: Option<PageToken>, newest: Option<Value>) -> anyhow::Result<()> {
        let mut place = Checkpoint::at(slice.clone());
        if self.stream.is_resumable() {
            (place.next_page_token, place.newest) = (token, newest);
        }
        Ok(self.out.state(place.put(&self.state))?)
    }

    /// Writes the records of a page. Breaks off at the limit.
    fn write_page(&mut self, page: &Page, cx: &RequestContext<'_>, newest: &mut Option<Value>) -> anyhow::Result<Flow> {
        self.out.begin_page();
        let flow = page.for_each(&mut |record| {
            if self.at_limit() {
                return Ok(Flow::Break(()));
            }
            let Some(record) = self.stream.transform(record, cx) else { return Ok(Flow::Continue(())) };
            if let Some(seen) = record.field_at(&self.cursor_field) {
                let seen = serde_json::from_str(seen.get()).unwrap_or_default();
                *newest = cursor::newer(newest.take(), seen);
            }
            let record = self.shaper.shape(record, self.out)?;
            self.out.record(record.text())?;
            Ok(Flow::Continue(()))
        })?;
        self.out.end_page()?;
        Ok(flow)
    }

    fn at_limit(&self) -> bool {
        self.limit.is_some_and(|limit| self.out.total() >= limit)
    }

    fn check_progress(
        &self,
        guard: &mut LoopGuard,
        next: &PageToken,
        empty_pages: u32,
        page: &Page,
    ) -> Result<(), Failure> {
        let why = if guard.repeats(next) {
            format!("the page token {next} came back, so the same pages would be read for ever")
        } else if empty_pages >= MAX_EMPTY_PAGES {
            format!("{empty_pages} pages in a row were empty and each promised another one")
        } else {
            return Ok(());
        };
        Err(Failure::system(format!(
            "The paging of {:?} does not end: {why}. The last answer was to {}. This is a fault of the API, or of the \
             stream's next_page_token.",
            self.stream.name(),
            page.response.request
        )))
    }
}

/// Whether an error may come from a page token that is no longer good, rather than from the network or credentials.
fn is_stale_token(error: &anyhow::Error) -> bool {
    let status = error.downcast_ref::<Failure>().and_then(|failure| failure.http_status);
    matches!(status, Some(400 | 404 | 410 | 422))
}
