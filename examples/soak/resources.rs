//! What the process holds: memory, threads, open files.

use std::fmt;
use std::fs;
use std::time::Duration;

use source_http::clock::Clock;
use source_http::stop::Stop;

/// Memory that may come and go with the allocator's mood, in KiB.
const SLACK_KIB: u64 = 24 * 1024;

/// What the process holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resources {
    resident_kib: u64,
    threads: u64,
    files: u64,
}

impl Resources {
    /// What is held when nothing is under way: connections and their threads end soon after a round. `None` where
    /// `/proc` does not tell.
    pub(crate) fn at_rest(clock: &dyn Clock) -> Option<Self> {
        let mut known = Self::now()?;
        for _ in 0..50 {
            clock.sleep(Duration::from_millis(100), &Stop::default());
            let next = Self::now()?;
            if (next.threads, next.files) == (known.threads, known.files) {
                return Some(next);
            }
            known = next;
        }
        Some(known)
    }

    fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let files = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        Some(Self { resident_kib: number("VmRSS:")?, threads: number("Threads:")?, files })
    }

    /// # Panics
    /// If there are more threads or files than before, or more memory than can be put down to chance.
    pub(crate) fn assert_no_leak_since(&self, early: &Self) {
        assert!(self.threads <= early.threads, "threads leak");
        assert!(self.files <= early.files, "files leak");
        assert!(self.resident_kib <= early.resident_kib + early.resident_kib / 4 + SLACK_KIB, "memory leaks");
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MiB, {} threads, {} files", self.resident_kib as f64 / 1024.0, self.threads, self.files)
    }
}
