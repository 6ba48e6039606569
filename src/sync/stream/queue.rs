//! The slices of a stream as its workers take them: one at a time, in order.

use std::iter::{self, Fuse};
use std::sync::{Mutex, MutexGuard};

use super::writer::StreamWriter;
use crate::protocol::StreamState;
use crate::streams::Slices;
use crate::sync::state::progress::PendingSlice;

/// Slices, and the state they were made from. A worker that takes a slice may first have to fetch a page of a parent.
/// Workers without a slice wait for it; the others continue.
pub(in crate::sync) struct SliceQueue<'q> {
    slices: Mutex<Fuse<Slices<'q>>>,
    state: &'q StreamState,
}

/// One entry of the queue.
pub(in crate::sync) struct QueuedSlice {
    pub(in crate::sync) job: PendingSlice,
    /// Whether it may be the last one.
    pub(in crate::sync) is_last: bool,
}

impl<'q> SliceQueue<'q> {
    pub(in crate::sync) fn new(slices: Slices<'q>, state: &'q StreamState) -> Self {
        Self { slices: Mutex::new(slices.fuse()), state }
    }

    /// The next slice that needs a request, begun ones first. `None` after the last one, or if the stream has ended for
    /// another reason. `writer` locks the stream's writer, unless the stream has ended.
    pub(in crate::sync) fn take<'g, 'a: 'g, 'o: 'a>(
        &self,
        writer: impl Fn() -> Option<MutexGuard<'g, StreamWriter<'a, 'o>>>,
    ) -> anyhow::Result<Option<QueuedSlice>> {
        // The worker that panicked here reports it.
        let Ok(mut slices) = self.slices.lock() else { return Ok(None) };
        loop {
            let Some(mut held) = writer() else { return Ok(None) };
            let mut job = held.progress.next_begun(self.state);
            if job.is_none() {
                // Without the writer, which others need while a parent is read.
                drop(held);
                let next = slices.next();
                if matches!(next, Some(Err(_))) {
                    // There is no next one to continue with.
                    *slices = (Box::new(iter::empty()) as Slices<'q>).fuse();
                }
                let Some(slice) = next.transpose()? else { return Ok(None) };
                let Some(again) = writer() else { return Ok(None) };
                held = again;
                job = held.progress.open(slice, self.state);
            }
            match job {
                None => held.end_page()?,
                Some(_) if held.stops_at_limit() => return Ok(None),
                Some(job) => return Ok(Some(QueuedSlice { job, is_last: slices.size_hint().1 == Some(0) })),
            }
        }
    }
}
