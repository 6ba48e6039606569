//! The progress of one stream. Counters change once a page or once a request, never once a record; an observer reads
//! them without blocking anyone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::summary::{Numbers, StreamEnd, StreamSummary};
use crate::http::Activity;
use crate::locks;

/// Time without an answer after which it is worth showing.
const LONG_SILENCE: Duration = Duration::from_secs(3);

/// The counters of one stream, shared by workers and observers.
#[derive(Debug, Default)]
pub struct StreamTally {
    name: String,
    records: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
    waits: AtomicU64,
    waited_micros: AtomicU64,
    cache_hits: AtomicU64,
    bytes: AtomicU64,
    refused: AtomicU64,
    /// A reading of the clock.
    begun: OnceLock<Duration>,
    /// A reading of the clock, and how it ended.
    ended: OnceLock<(Duration, StreamEnd)>,
    /// Each thread is in one wait at a time.
    waiting: Mutex<HashMap<ThreadId, CurrentWait>>,
    /// Each thread requests from one host at a time.
    asking: Mutex<HashMap<ThreadId, Asked>>,
}

/// A host that a thread waits for.
#[derive(Debug, Clone)]
struct Asked {
    host: String,
    /// When it was asked, or last sent something: a reading of the clock.
    since: Duration,
}

/// A wait in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentWait {
    /// The reason, without secrets.
    pub reason: String,
    /// Its end: a reading of the clock.
    pub until: Duration,
}

impl StreamTally {
    /// For a stream of that name, or another sender of requests.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The stream's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Records written so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Bytes of responses so far, decompressed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether it has begun, and has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.begun.get().is_some() && !self.has_ended()
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    /// The wait that ends last, if any thread waits at this reading of the clock.
    #[must_use]
    pub fn waiting(&self, now: Duration) -> Option<CurrentWait> {
        let waits = self.waits();
        waits.values().filter(|wait| wait.until > now).max_by_key(|wait| wait.until).cloned()
    }

    /// The silent host and the length of its silence, if no host has sent anything for a while.
    #[must_use]
    pub fn unanswered(&self, now: Duration) -> Option<(String, Duration)> {
        let asking = self.asking();
        // While one host answers, the stream moves.
        let last = asking.values().max_by_key(|asked| asked.since)?;
        let silence = now.saturating_sub(last.since);
        let longest = asking.values().min_by_key(|asked| asked.since)?;
        (silence >= LONG_SILENCE).then(|| (longest.host.clone(), now.saturating_sub(longest.since)))
    }

    /// All numbers at this reading of the clock.
    #[must_use]
    pub fn summary(&self, now: Duration) -> StreamSummary {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (ended, end) = match (self.begun.get(), self.ended.get()) {
            (_, Some((at, end))) => (*at, end.clone()),
            (Some(_), None) => (now, StreamEnd::BrokenOff),
            (None, None) => (now, StreamEnd::NotBegun),
        };
        StreamSummary {
            stream: self.name.clone(),
            end,
            numbers: Numbers {
                records: count(&self.records),
                requests: count(&self.requests),
                retries: count(&self.retries),
                waits: count(&self.waits),
                waited: Duration::from_micros(count(&self.waited_micros)),
                cache_hits: count(&self.cache_hits),
                bytes: count(&self.bytes),
                refused: count(&self.refused),
                time: self.begun.get().map_or(Duration::ZERO, |begun| ended.saturating_sub(*begun)),
            },
        }
    }

    /// Records that it begins.
    pub(crate) fn begin(&self, now: Duration) {
        let _ = self.begun.set(now);
    }

    /// Records how it ended; the first call counts.
    pub(crate) fn end(&self, now: Duration, end: StreamEnd) {
        let _ = self.ended.set((now, end));
    }

    /// Adds written records.
    pub(crate) fn add_records(&self, records: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
    }

    /// Counts a slice that was refused by itself.
    pub(crate) fn add_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Records that this thread begins to wait. The reason holds no secret.
    pub(crate) fn wait(&self, reason: String, until: Duration) {
        self.waits().insert(thread::current().id(), CurrentWait { reason, until });
    }

    /// Records that this thread asks a host, or got something from it; `None` after the whole answer.
    pub(crate) fn ask(&self, host: Option<&str>, now: Duration) {
        let (mut asking, thread) = (self.asking(), thread::current().id());
        match (host, asking.get_mut(&thread)) {
            (None, _) => {
                asking.remove(&thread);
            }
            (Some(host), Some(asked)) if asked.host == host => asked.since = now,
            (Some(host), _) => {
                asking.insert(thread, Asked { host: host.to_owned(), since: now });
            }
        }
    }

    /// Counts the activity of a request.
    pub(crate) fn note(&self, activity: Activity) {
        let add = |counter: &AtomicU64, more| counter.fetch_add(more, Ordering::Relaxed);
        match activity {
            Activity::Attempt { again } => {
                add(&self.requests, 1);
                add(&self.retries, again.into());
            }
            Activity::Received { bytes } => {
                add(&self.bytes, bytes);
            }
            Activity::CacheHit => {
                add(&self.cache_hits, 1);
            }
            Activity::Waited(took) => {
                add(&self.waits, 1);
                add(&self.waited_micros, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
                self.waits().remove(&thread::current().id());
            }
        }
    }

    fn asking(&self) -> MutexGuard<'_, HashMap<ThreadId, Asked>> {
        locks::lock(&self.asking)
    }

    fn waits(&self) -> MutexGuard<'_, HashMap<ThreadId, CurrentWait>> {
        locks::lock(&self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_happens_is_counted_once() {
        let tally = StreamTally::new("a");
        assert!(!tally.is_running());
        tally.begin(Duration::from_secs(2));
        assert!(tally.is_running());
        for again in [false, true, true] {
            tally.note(Activity::Attempt { again });
        }
        tally.note(Activity::Received { bytes: 10 });
        tally.note(Activity::Received { bytes: 5 });
        tally.note(Activity::CacheHit);
        tally.note(Activity::Waited(Duration::from_millis(1_500)));
        tally.add_records(7);
        tally.add_refused();
        tally.end(Duration::from_secs(9), StreamEnd::Complete);
        tally.end(Duration::from_secs(11), StreamEnd::NotBegun);
        assert!(tally.has_ended() && !tally.is_running());
        let numbers = Numbers {
            records: 7,
            requests: 3,
            retries: 2,
            waits: 1,
            waited: Duration::from_millis(1_500),
            cache_hits: 1,
            bytes: 15,
            refused: 1,
            time: Duration::from_secs(7),
        };
        let summary = StreamSummary { stream: "a".to_owned(), end: StreamEnd::Complete, numbers };
        assert_eq!(tally.summary(Duration::from_secs(60)), summary);
    }

    #[test]
    fn a_host_that_is_silent_for_three_seconds_is_named_until_anything_comes() {
        let tally = StreamTally::new("a");
        let told = |now| tally.unanswered(Duration::from_secs(now)).map(|(host, since)| (host, since.as_secs()));
        tally.ask(Some("a.com"), Duration::from_secs(1));
        assert_eq!((told(3), told(4)), (None, Some(("a.com".to_owned(), 3))));
        tally.ask(Some("a.com"), Duration::from_secs(5));
        assert_eq!((told(7), told(9)), (None, Some(("a.com".to_owned(), 4))), "a part of a body came");
        thread::scope(|scope| {
            scope.spawn(|| tally.ask(Some("b.com"), Duration::from_secs(8)));
        });
        assert_eq!((told(9), told(11)), (None, Some(("a.com".to_owned(), 6))), "another thread moves");
        tally.ask(None, Duration::from_secs(11));
        assert_eq!(told(20), Some(("b.com".to_owned(), 12)));
    }

    #[test]
    fn of_several_waits_the_longest_is_reported_until_it_is_over() {
        let tally = StreamTally::new("a");
        let told = |now| tally.waiting(Duration::from_secs(now)).map(|wait| (wait.reason, wait.until.as_secs()));
        thread::scope(|scope| {
            scope.spawn(|| tally.wait("long".to_owned(), Duration::from_secs(9)));
        });
        tally.wait("short".to_owned(), Duration::from_secs(5));
        assert_eq!(told(1), Some(("long".to_owned(), 9)));
        assert_eq!(told(9), None, "the clock says that it is over");
        tally.wait("longer".to_owned(), Duration::from_secs(20));
        assert_eq!(told(10), Some(("longer".to_owned(), 20)), "a thread is in one wait at a time");
        tally.note(Activity::Waited(Duration::from_secs(1)));
        assert_eq!(told(8), Some(("long".to_owned(), 9)));
    }
}
