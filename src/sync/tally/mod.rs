//! The progress of a read, stream by stream, for observers: a terminal while it runs, a summary at its end.

pub(in crate::sync) mod stream;
pub(in crate::sync) mod summary;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use self::stream::StreamTally;
use self::summary::{Numbers, StreamSummary};
use crate::locks;

/// The counters of a read. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    streams: Mutex<Arc<[StreamTally]>>,
    /// The time now.
    begun: OnceLock<Duration>,
}

impl Tally {
    /// The streams, in the order of the catalog; none before the read has begun.
    #[must_use]
    pub fn streams(&self) -> Arc<[StreamTally]> {
        locks::lock(&self.0.streams).clone()
    }

    /// Time since the read began. Zero before.
    #[must_use]
    pub fn elapsed(&self, now: Duration) -> Duration {
        self.0.begun.get().map_or(Duration::ZERO, |begun| now.saturating_sub(*begun))
    }

    /// Each stream, and all together, at a reading of the clock.
    #[must_use]
    pub fn summary(&self, now: Duration) -> (Vec<StreamSummary>, Numbers) {
        let streams: Vec<StreamSummary> = self.streams().iter().map(|stream| stream.summary(now)).collect();
        let mut total = Numbers { time: self.elapsed(now), ..Numbers::default() };
        for stream in &streams {
            total += stream.numbers;
        }
        (streams, total)
    }

    /// Begins a read of these streams.
    pub(crate) fn begin<'n>(&self, now: Duration, names: impl Iterator<Item = &'n str>) -> Arc<[StreamTally]> {
        let streams: Arc<[StreamTally]> = names.map(StreamTally::new).collect();
        *locks::lock(&self.0.streams) = streams.clone();
        let _ = self.0.begun.set(now);
        streams
    }
}
