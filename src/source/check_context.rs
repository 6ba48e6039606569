//! What a source checks a connection with: the first page of a stream tells whether it can be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::{Map, Value};

use crate::panics;
use crate::probes::Probes;
use crate::protocol::{Failure, Output, StreamState, SyncMode};
use crate::streams::{FetchContext, Fetcher, HttpStream, RequestContext, SliceContext};

/// The most slices that a probe requests, one after the other, while each is refused by itself.
const MAX_REFUSED: usize = 25;

/// The context for checking a connection.
#[derive(Clone, Copy)]
pub struct CheckContext<'a> {
    /// The config.
    pub config: &'a Map<String, Value>,
    /// Fetches pages.
    pub fetcher: &'a Fetcher<'a>,
    /// For log lines.
    pub output: &'a Output,
    /// Records each probe.
    pub probes: &'a Probes,
}

impl CheckContext<'_> {
    /// Reads the first page of a stream's first slice, and records the result. If that slice is refused by itself
    /// ([`crate::http::ResponseAction::SkipSlice`]), it tries the next one. False if there is no slice, so no request
    /// was sent and nothing is known.
    ///
    /// # Errors
    /// A failure to read the page; or the first refusal, if all slices are refused, as a read would then skip the
    /// stream.
    pub fn probe(&self, stream: &dyn HttpStream) -> anyhow::Result<bool> {
        let result = panics::caught(|| self.ask(stream));
        self.probes.note(stream.name(), &result);
        result
    }

    fn ask(&self, stream: &dyn HttpStream) -> anyhow::Result<bool> {
        if let Some(refusal) = stream.refusal() {
            return Err(refusal.failure.clone().into());
        }
        let state = StreamState::new();
        let cx = SliceContext {
            sync_mode: SyncMode::FullRefresh,
            state: &state,
            cursor_field: &[],
            fetcher: self.fetcher,
            output: self.output,
        };
        let (mut is_asked, mut refused) = (false, Vec::new());
        for slice in stream.stream_slices(&cx)? {
            let slice = slice?;
            is_asked = true;
            // A parent was read, and had no children so far.
            if slice.is_marker() {
                continue;
            }
            // Others may be readable. After this many refusals, the read has to find one.
            if refused.len() == MAX_REFUSED {
                return Ok(true);
            }
            let fetch = FetchContext::new(self.fetcher, self.output);
            match stream.fetch_page(&RequestContext::new(&state, &slice, None), &fetch) {
                Ok(_) => {
                    stream.clean_up(&fetch)?;
                    return Ok(true);
                }
                Err(error) => refused.push(Failure::of_slice(error)?),
            }
        }
        let count = refused.len() as u64;
        match refused.into_iter().next() {
            Some(first) => Err(first.of_every_slice(count).into()),
            None => Ok(is_asked),
        }
    }

    /// Probes streams, each like [`CheckContext::probe`], up to this many in parallel. The results are in the order of
    /// the streams.
    ///
    /// The first stream is probed alone: a fault of the credentials or the network costs only one request. After a
    /// failure of any stream, other than one that [skips](Failure::skips_stream) it, no further probe begins: those
    /// streams get `Ok(false)`.
    pub fn probe_all(&self, streams: &[Arc<dyn HttpStream>], workers: usize) -> Vec<anyhow::Result<bool>> {
        let (next, failed) = (AtomicUsize::new(1), AtomicBool::new(false));
        let probe = |stream: &Arc<dyn HttpStream>| {
            let result = self.probe(&**stream);
            let is_fault =
                |error: &anyhow::Error| !error.downcast_ref().is_some_and(|failure: &Failure| failure.skips_stream);
            if result.as_ref().is_err_and(is_fault) {
                failed.store(true, Ordering::Relaxed);
            }
            result
        };
        let work = || {
            let mut done = Vec::new();
            while !failed.load(Ordering::Relaxed) {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(stream) = streams.get(place) else { break };
                done.push((place, probe(stream)));
            }
            done
        };
        let mut results: Vec<anyhow::Result<bool>> = streams.iter().take(1).map(probe).collect();
        results.resize_with(streams.len(), || Ok(false));
        thread::scope(|scope| {
            let threads: Vec<_> = (1..streams.len()).take(workers.max(1)).map(|_| scope.spawn(work)).collect();
            // A thread does not panic: a panicking probe becomes an error.
            for (place, result) in threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()) {
                results[place] = result;
            }
        });
        results
    }
}
