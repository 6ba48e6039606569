//! Reading one slice: page after page, from its beginning or from where an earlier read stopped. Pages are fetched,
//! and their records made into lines, without the stream's writer; only to write them it is waited for. If a worker is
//! free, it fetches the next page meanwhile.

use std::thread;

use serde_json::Value;

use super::progress::Job;
use super::slice_pages::{SlicePages, Turn};
use super::stream_read::StreamRead;
use super::stream_writer::{Flow, StreamWriter};
use crate::protocol::LogLevel;
use crate::streams::paging::{Paging, is_stale_token};
use crate::streams::{Fetcher, Page, PageToken, RequestContext, cursor};

/// Bytes of records gathered before they are handed on: about a page. Of one as long as a disk no more than this is in
/// memory.
const BATCH: usize = 256 * 1024;

/// What is known of a slice while it is read.
struct Reading {
    /// The newest cursor value so far.
    newest: Option<Value>,
    /// Records between two states within the slice; none once the records turn out not to be in order.
    interval: Option<u64>,
    /// The lines of records that are not written yet, and their number.
    lines: Vec<u8>,
    records: u64,
}

impl StreamRead<'_, '_> {
    /// Reads a slice to its end, or to that of the stream.
    pub(super) fn read_slice(&self, mut job: Job) -> anyhow::Result<()> {
        let token = job.next_page_token.take();
        let interval = self.stream.state_checkpoint_interval();
        let reading = Reading { newest: job.newest.take(), interval, lines: Vec::new(), records: 0 };
        let is_resuming = token.is_some();
        let fetch_page = |paging: &mut Paging| self.fetch_page(&job, paging);
        thread::scope(|scope| {
            let pages = SlicePages::new(scope, &fetch_page, self.workers(), token);
            self.read_pages(&job, reading, pages, is_resuming)
        })
    }

    fn read_pages(
        &self,
        job: &Job,
        mut reading: Reading,
        mut pages: SlicePages<'_, '_>,
        mut is_resuming: bool,
    ) -> anyhow::Result<()> {
        loop {
            if self.writer().is_none() {
                return Ok(());
            }
            let turn = match pages.next() {
                // A page token is not good for ever. The API may say so with an error, or with one that is ignored.
                Ok(Turn { page: None, .. }) if is_resuming => None,
                Err(error) if is_resuming && is_stale_token(&error) => {
                    self.log.log(LogLevel::Warn, &error.to_string())?;
                    None
                }
                turn => Some(turn?),
            };
            is_resuming = false;
            let Some(Turn { token, page, next }) = turn else {
                let text = "the page where the last read stopped is gone; its slice is read again.";
                self.log.log(LogLevel::Warn, text)?;
                pages.restart();
                reading.newest = None;
                continue;
            };
            let Some(page) = page else { break };
            if matches!(next, Ok(Some(_))) && self.limit.is_none() {
                pages.go_ahead();
            }
            // A page that leads nowhere is written all the same.
            if self.write_page(&page, &job.context(token.as_ref()), job, &mut reading)?.is_break() {
                return Ok(());
            }
            let Some(next) = next? else { break };
            // Before the next page is waited for: what is finished is out, and its state says so.
            if self.turn_page(job, next, &reading)?.is_break() {
                return Ok(());
            }
        }
        if let Some(mut writer) = self.writer() {
            writer.close(job, reading.newest)?;
        }
        Ok(())
    }

    /// The records of a page are out. Breaks off at the end of the stream.
    fn turn_page(&self, job: &Job, next: PageToken, reading: &Reading) -> anyhow::Result<Flow> {
        let Some(mut writer) = self.writer() else { return Ok(Flow::Break(())) };
        Ok(writer.turn_page(job.ticket, Some(next), reading.newest.clone())?)
    }

    /// Fetches the page at a place, and goes on to the place after it.
    fn fetch_page(&self, job: &Job, paging: &mut Paging) -> anyhow::Result<Turn> {
        let token = paging.token.clone();
        let cx = job.context(token.as_ref());
        let page = Fetcher::new(self.client, self).sharing(self.sharing).page(self.stream, &cx)?;
        let next = match &page {
            Some(page) => {
                let next = self.stream.next_page_token(page, &cx);
                next.and_then(|next| paging.advance(self.stream, page, next))
            }
            None => Ok(false),
        };
        let next = next.map(|has_next| paging.token.clone().filter(|_| has_next));
        Ok(Turn { token, page, next })
    }

    /// Writes the records of a page. Breaks off at the end of the stream.
    fn write_page(
        &self,
        page: &Page,
        cx: &RequestContext<'_>,
        job: &Job,
        reading: &mut Reading,
    ) -> anyhow::Result<Flow> {
        let lines = self.records.at(self.log.output.now_ms());
        let flow = page.for_each(&mut |record| {
            let Some(record) = self.stream.transform(record, cx) else { return Ok(Flow::Continue(())) };
            let seen = record.field_at(self.cursor_field);
            let seen = seen.and_then(|text| serde_json::from_str(text).ok());
            let record = self.shaper.shape(record, &self.log)?;
            lines.write_with(&mut reading.lines, |out| record.write_one_line(out));
            reading.records += 1;
            let (has_cursor, is_behind) = (seen.is_some(), reading.is_behind(seen.as_ref()));
            reading.newest = seen.into_iter().fold(reading.newest.take(), cursor::newer);
            match reading.interval {
                Some(interval) if has_cursor => self.write_record_in_order(interval, is_behind, job, reading),
                None if self.limit.is_none() && reading.lines.len() < BATCH => Ok(Flow::Continue(())),
                _ => self.write_lines(reading),
            }
        })?;
        if flow.is_break() || reading.records == 0 {
            return Ok(flow);
        }
        self.write_lines(reading)
    }

    /// Writes what was gathered.
    fn write_lines(&self, reading: &mut Reading) -> anyhow::Result<Flow> {
        let Some(mut writer) = self.writer() else { return Ok(Flow::Break(())) };
        reading.write(&mut writer)
    }

    /// Writes a record of a slice whose records are said to be in the order of the cursor, and a state if there were
    /// `interval` records since the last one.
    fn write_record_in_order(
        &self,
        interval: u64,
        is_behind: bool,
        job: &Job,
        reading: &mut Reading,
    ) -> anyhow::Result<Flow> {
        let Some(mut writer) = self.writer() else { return Ok(Flow::Break(())) };
        if reading.write(&mut writer)?.is_break() {
            return Ok(Flow::Break(()));
        }
        if is_behind {
            reading.interval = None;
            let text = "the stream declares state_checkpoint_interval, and its records are not in ascending order of \
                        the cursor. No state is written within this slice.";
            self.log.log(LogLevel::Warn, text)?;
            // States that are out may be ahead of this record: the one of whole pages takes their place.
            let state = writer.progress.state_with_begun();
            writer.write_state(state)?;
        } else if writer.out.since_state() >= interval
            && let Some(state) = writer.progress.state_within(job.ticket, reading.newest.as_ref())
        {
            writer.write_state(state)?;
        }
        Ok(Flow::Continue(()))
    }
}

impl Reading {
    /// Whether a cursor value is older than one before it.
    fn is_behind(&self, seen: Option<&Value>) -> bool {
        matches!((seen, &self.newest), (Some(seen), Some(newest)) if cursor::is_newer(newest, seen))
    }

    fn write(&mut self, writer: &mut StreamWriter<'_, '_>) -> anyhow::Result<Flow> {
        let flow = writer.write(&self.lines, self.records)?;
        self.lines.clear();
        self.records = 0;
        Ok(flow)
    }
}
