//! Reads one slice: page after page, from its beginning or from the position of an earlier read. Pages are fetched, and
//! their records made into lines, without the stream's writer; only the writing waits for it. Meanwhile a free worker
//! fetches the next page.

use std::sync::atomic::Ordering;
use std::thread;

use serde_json::Value;

use super::StreamRead;
use super::is_closed_pipe;
use super::prefetch::{FetchedPage, PagePrefetch};
use super::writer::{Flow, StreamWriter};
use crate::json;
use crate::protocol::{Failure, LogLevel, RecordLines};
use crate::streams::cursor::{is_newer, newer};
use crate::streams::paging::{Paging, WayBack};
use crate::streams::{
    CHANGED, Cursor, Fetcher, Mark, NextPart, Page, PageToken, PartEnd, Record, RequestContext, epoch_seconds,
    next_page_token, transform,
};
use crate::sync::state::progress::PendingSlice;

/// Bytes of records gathered before they are passed on: about a page. It bounds the memory for a page as large as a
/// disk.
const BATCH: usize = 256 * 1024;

/// The progress of a slice while it is read.
struct OpenSlice {
    /// The newest cursor value so far.
    newest: Option<Value>,
    /// Records between two states within the slice; none once the records turn out not to be in order.
    interval: Option<u64>,
    /// The lines of records that are not written yet, and their number.
    lines: Vec<u8>,
    records: u64,
    /// The next page.
    token: Option<PageToken>,
    way: WayBack<Option<Value>>,
    /// Records to remember once they have been written.
    marks: Vec<Mark>,
}

impl StreamRead<'_, '_> {
    /// Reads a slice to its end, or to the end of the stream.
    pub(in crate::sync) fn read_slice(&self, mut job: PendingSlice) -> anyhow::Result<()> {
        let token = job.next_page_token.take();
        let interval = self.stream.cursor().state_checkpoint_interval();
        let reading = OpenSlice {
            newest: job.newest.take(),
            interval,
            lines: Vec::new(),
            records: 0,
            marks: Vec::new(),
            token: token.clone(),
            way: WayBack::default(),
        };
        let fetch_page = |paging: &mut Paging| self.fetch_page(&job, paging);
        thread::scope(|scope| {
            let pages = PagePrefetch::new(scope, &fetch_page, self.workers(), token);
            self.read_pages(&job, reading, pages)
        })
    }

    fn read_pages(
        &self,
        job: &PendingSlice,
        mut reading: OpenSlice,
        mut pages: PagePrefetch<'_, '_>,
    ) -> anyhow::Result<()> {
        loop {
            if self.writer().is_none() {
                return Ok(());
            }
            let (token, page, next) = match pages.next() {
                Ok(FetchedPage { token, page: Some(page), next }) => (token, page, next),
                not_there => {
                    let error = not_there.err();
                    let Some(paging) = self.way_on(job, &mut reading, error)? else { return Ok(()) };
                    reading.token.clone_from(&paging.token);
                    pages.go_on_at(paging);
                    continue;
                }
            };
            reading.way.note(token.clone(), reading.newest.clone());
            if matches!(next, Ok(Some(_))) && self.limit.is_none() {
                pages.go_ahead();
            }
            // A page with an unusable token is still written.
            if self.write_page(&page, &job.context(token.as_ref()), job, &mut reading)?.is_break() {
                return Ok(());
            }
            reading.token = next?;
            let Some(next) = reading.token.clone() else { break };
            // Before waiting for the next page: finished slices have been written, and the state says so.
            if self.turn_page(job, next, &reading)?.is_break() {
                return Ok(());
            }
        }
        if let Some(mut writer) = self.writer() {
            writer.note_page()?;
            writer.close(job, reading.newest)?;
        }
        Ok(())
    }

    /// Where to continue a slice whose next page is missing: it was ignored, or failed with `error`. `None` if the
    /// slice, or the stream, ends here.
    fn way_on(
        &self,
        job: &PendingSlice,
        reading: &mut OpenSlice,
        error: Option<anyhow::Error>,
    ) -> anyhow::Result<Option<Paging>> {
        let is_at_start = reading.way.is_at_start();
        if let Some((token, newest)) = reading.way.back(self.stream, reading.token.as_ref(), error.as_ref()) {
            if let Some(error) = error {
                self.log.log(LogLevel::Warn, &error.to_string())?;
            }
            let text = match (is_at_start, &token) {
                (true, _) => "the page at which the last read stopped is gone; its slice is read again.",
                (false, None) => "the record before the next page is gone; the slice is read again.",
                (false, Some(_)) => "the record before the next page is gone; the page before it is read again.",
            };
            self.log.log(LogLevel::Warn, text)?;
            reading.newest = newest;
            return Ok(Some(Paging::back_at(token)));
        }
        let Some(error) = error else {
            if let Some(mut writer) = self.writer() {
                writer.close(job, reading.newest.take())?;
            }
            return Ok(None);
        };
        let next = self.leave_out(job, reading, Failure::of_slice(error)?)?;
        Ok(next.map(|next| Paging::at(Some(next))))
    }

    /// Skips what the API refuses by itself. Returns the page at which the slice continues, if it does.
    fn leave_out(
        &self,
        job: &PendingSlice,
        reading: &mut OpenSlice,
        failure: Failure,
    ) -> anyhow::Result<Option<PageToken>> {
        let NextPart { again, next } = self.stream.next_part(PartEnd::Refused, &job.context(reading.token.as_ref()));
        let Some(mut writer) = self.writer() else { return Ok(None) };
        self.log.tally.add_refused();
        writer.progress.refuse(&job.slice, again, failure);
        writer.tell_of_refusal()?;
        if next.is_none() {
            writer.close_refused(job, reading.newest.take())?;
            return Ok(None);
        }
        let flow = writer.turn_page(job.ticket, next.clone(), reading.newest.clone())?;
        Ok(next.filter(|_| flow.is_continue()))
    }

    /// The records of a page have been written. Breaks off at the end of the stream.
    fn turn_page(&self, job: &PendingSlice, next: PageToken, reading: &OpenSlice) -> anyhow::Result<Flow> {
        let Some(mut writer) = self.writer() else { return Ok(Flow::Break(())) };
        writer.note_page()?;
        Ok(writer.turn_page(job.ticket, Some(next), reading.newest.clone())?)
    }

    /// Fetches the page at a place, and moves on to the place after it.
    fn fetch_page(&self, job: &PendingSlice, paging: &mut Paging) -> anyhow::Result<FetchedPage> {
        let token = paging.token.clone();
        let cx = job.context(token.as_ref());
        let fetcher =
            Fetcher::new(self.client, self).sharing(self.sharing).workers(self.workers()).fresh(paging.is_fresh);
        let page = self.stream.fetch_page(&cx, &self.fetch_context(&fetcher))?;
        for warning in page.iter().flat_map(Page::warnings) {
            self.log.log(LogLevel::Warn, warning)?;
        }
        let next = match &page {
            Some(page) => {
                let next = next_page_token(self.stream, page, &cx, self.cursor_field);
                next.and_then(|next| paging.advance(self.stream, page, next))
            }
            None => Ok(false),
        };
        let next = next.map(|has_next| paging.token.clone().filter(|_| has_next));
        Ok(FetchedPage { token, page, next })
    }

    /// Writes the records of a page. Breaks off at the end of the stream.
    fn write_page(
        &self,
        page: &Page,
        cx: &RequestContext<'_>,
        job: &PendingSlice,
        reading: &mut OpenSlice,
    ) -> anyhow::Result<Flow> {
        let lines = self.records.at(self.log.output.now_ms());
        let walked = page.for_each(&mut |record| {
            for record in transform(self.stream, record, cx, self.cursor_field)? {
                if self.write_record(record, &lines, cx, job, reading)?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
            Ok(Flow::Continue(()))
        });
        let flow = match walked {
            // Records before a failing one are good.
            Err(error) if !is_closed_pipe(&error) => {
                let _ = self.write_lines(reading)?;
                return Err(error);
            }
            walked => walked?,
        };
        if flow.is_break() || reading.records == 0 && reading.marks.is_empty() {
            return Ok(flow);
        }
        self.write_lines(reading)
    }

    /// Gathers a record, and writes the gathered ones when due. Breaks off at the end of the stream.
    fn write_record(
        &self,
        record: Record<'_>,
        lines: &RecordLines<'_>,
        cx: &RequestContext<'_>,
        job: &PendingSlice,
        reading: &mut OpenSlice,
    ) -> anyhow::Result<Flow> {
        let seen = record.field_at(self.cursor_field);
        let seen: Option<Value> = seen.and_then(|text| serde_json::from_str(text).ok());
        let mark = self.mark(&record, seen.as_ref(), cx, reading.newest.as_ref());
        let cursor = self.stream.cursor();
        let noted = cursor.note(seen.as_ref());
        let (has_cursor, is_behind) = (seen.is_some(), reading.is_behind(cursor, seen.as_ref()));
        reading.newest = seen.into_iter().fold(reading.newest.take(), |known, seen| newer(cursor, known, seen));
        let is_known = mark.as_ref().zip(self.recent.as_ref()).is_some_and(|(mark, recent)| recent.covers(mark));
        reading.marks.extend(mark);
        if is_known {
            return Ok(Flow::Continue(()));
        }
        // The file of a record that is not written would stay behind.
        if self.files.is_some() && self.writer().is_none_or(|mut writer| writer.stops_at_limit()) {
            return Ok(Flow::Break(()));
        }
        let record = self.shaper.shape(record, &self.log)?;
        let reference = self.reference(&record, cx)?;
        lines.write_with(&mut reading.lines, reference.as_deref(), |out| record.write_one_line(out));
        reading.records += 1;
        if let Some(odd) = noted?
            && !self.odd_cursor_told.swap(true, Ordering::Relaxed)
        {
            self.log.log(LogLevel::Warn, &odd)?;
        }
        match reading.interval {
            Some(interval) if has_cursor => self.write_record_in_order(interval, is_behind, job, reading),
            None if self.limit.is_none() && reading.lines.len() < BATCH => Ok(Flow::Continue(())),
            _ => self.write_lines(reading),
        }
    }

    /// The reference to a record's file, which is stored, if the stream has files.
    fn reference(&self, record: &Record<'_>, cx: &RequestContext<'_>) -> anyhow::Result<Option<String>> {
        let Some((files, staged)) = &self.files else { return Ok(None) };
        let fetcher = Fetcher::new(self.client, self);
        let file = files.file(record, cx, &self.fetch_context(&fetcher))?;
        Ok(file.map(|file| staged.keep(&file)).transpose()?)
    }

    /// The entry to remember for a record, if the stream reads some time again and the record is of that time.
    fn mark(
        &self,
        record: &Record<'_>,
        seen: Option<&Value>,
        cx: &RequestContext<'_>,
        newest: Option<&Value>,
    ) -> Option<Mark> {
        let recent = self.recent.as_ref()?;
        // A child comes again when its parent has changed, however old the child is.
        let moment = seen.and_then(epoch_seconds).max(cx.slice.get(CHANGED).and_then(epoch_seconds))?;
        if !recent.reaches(moment, newest.and_then(epoch_seconds)) {
            return None;
        }
        let key = self.primary_key.iter().map(|path| record.field_at(path)).collect::<Option<Vec<_>>>()?;
        let mut content = record.borrowed();
        if let [cursor] = self.cursor_field {
            content.remove(cursor);
        }
        Some(Mark::new(&key, moment, json::compacted(&content.text())?.as_bytes(), record.version()))
    }

    /// Writes the gathered records.
    fn write_lines(&self, reading: &mut OpenSlice) -> anyhow::Result<Flow> {
        let Some(mut writer) = self.writer() else { return Ok(Flow::Break(())) };
        reading.write(&mut writer)
    }

    /// Writes a record of a slice whose records should be in the order of the cursor, and a state after each `interval`
    /// records.
    fn write_record_in_order(
        &self,
        interval: u64,
        is_behind: bool,
        job: &PendingSlice,
        reading: &mut OpenSlice,
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
            // Written states may be ahead of this record: the state of whole pages replaces them.
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

impl OpenSlice {
    /// Whether a cursor value is older than one before it.
    fn is_behind(&self, cursor: &dyn Cursor, seen: Option<&Value>) -> bool {
        // A stream that asks for no state within the slice does not need to know.
        self.interval.is_some()
            && matches!((seen, &self.newest), (Some(seen), Some(newest)) if is_newer(cursor, newest, seen))
    }

    fn write(&mut self, writer: &mut StreamWriter<'_, '_>) -> anyhow::Result<Flow> {
        let flow = writer.write(&self.lines, self.records)?;
        if flow.is_continue() {
            writer.note(&mut self.marks);
        }
        self.lines.clear();
        self.records = 0;
        Ok(flow)
    }
}
