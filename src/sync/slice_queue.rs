//! The slices of a stream as its workers take them: one at a time, in their order.

use std::iter::Fuse;
use std::sync::Mutex;

use super::progress::Job;
use super::stream_read::StreamRead;
use crate::protocol::StreamState;
use crate::streams::Slices;

/// Slices, and the state they were made from. A worker that takes a slice may have to fetch a page of a parent first,
/// and the others wait for it; meanwhile those that have a slice go on.
pub(super) struct SliceQueue<'q> {
    slices: Mutex<Fuse<Slices<'q>>>,
    state: &'q StreamState,
}

/// What a worker takes from the queue.
pub(super) struct Taken {
    pub(super) job: Job,
    /// Whether it may be the last one.
    pub(super) is_last: bool,
}

impl<'q> SliceQueue<'q> {
    pub(super) fn new(slices: Slices<'q>, state: &'q StreamState) -> Self {
        Self { slices: Mutex::new(slices.fuse()), state }
    }

    /// The next slice that there is something to ask for; those that an earlier read has begun come first. `None` if
    /// that was all, or the stream is at its end for another reason.
    pub(super) fn take(&self, read: &StreamRead<'_, '_>) -> anyhow::Result<Option<Taken>> {
        // The worker that has panicked here tells of it.
        let Ok(mut slices) = self.slices.lock() else { return Ok(None) };
        loop {
            let Some(mut writer) = read.writer() else { return Ok(None) };
            let mut job = writer.progress.next_begun(self.state);
            if job.is_none() {
                // Without the writer, which others need while a parent is read.
                drop(writer);
                let Some(slice) = slices.next().transpose()? else { return Ok(None) };
                let Some(again) = read.writer() else { return Ok(None) };
                writer = again;
                job = writer.progress.open(slice, self.state);
            }
            match job {
                None => writer.end_page()?,
                Some(_) if writer.stops_at_limit() => return Ok(None),
                Some(job) => return Ok(Some(Taken { job, is_last: slices.size_hint().1 == Some(0) })),
            }
        }
    }
}
