//! The faults of a reply.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use source_http_testkit::{Fault, Reply};

use crate::chance::Chance;

const KINDS: [&str; 13] = [
    "503",
    "429",
    "connection closed",
    "reset before the head",
    "reset in the body",
    "cut body",
    "bad chunking",
    "corrupt gzip",
    "cut gzip",
    "slow body",
    "broken JSON",
    "empty body",
    "401",
];

/// Spoils some replies, and counts which way.
#[derive(Debug)]
pub(crate) struct Faults {
    chance: Arc<Chance>,
    /// Replies of a hundred that are spoiled.
    percent: AtomicU64,
    counts: [AtomicU64; KINDS.len()],
}

impl Faults {
    pub(crate) fn new(chance: Arc<Chance>) -> Self {
        Self { chance, percent: AtomicU64::new(0), counts: Default::default() }
    }

    /// From now on this many replies of a hundred are spoiled.
    pub(crate) fn set_percent(&self, percent: u64) {
        self.percent.store(percent, Ordering::Relaxed);
    }

    /// The reply as it goes out.
    pub(crate) fn spoil(&self, reply: Reply) -> Reply {
        if !self.chance.percent(self.percent.load(Ordering::Relaxed)) {
            return reply;
        }
        // The last one ends a stream: it must not be the most common one.
        let kinds = if self.chance.percent(20) { KINDS.len() } else { KINDS.len() - 1 };
        let kind = self.chance.below(kinds as u64) as usize;
        self.counts[kind].fetch_add(1, Ordering::Relaxed);
        let within = self.chance.below(reply.body().len().max(1) as u64) as usize;
        let error = |status| Reply::json_text(r#"{"error":{"message":"Not now."}}"#).status(status);
        match kind {
            0 => error(503),
            1 => error(429).header("Retry-After", (1 + self.chance.below(5)).to_string()),
            2 => reply.fault(Fault::RefuseHead),
            3 => reply.fault(Fault::ResetBeforeHead),
            4 => reply.fault(Fault::ResetInBody(within)),
            5 => reply.fault(Fault::TruncateBody(within)),
            6 => reply.fault(Fault::BadChunking),
            7 => reply.fault(Fault::CorruptGzip),
            8 => reply.fault(Fault::TruncatedGzip),
            9 => reply.fault(Fault::SilenceInBody { after: within, lasting: Duration::from_millis(20) }),
            10 => {
                let cut = String::from_utf8_lossy(&reply.body()[..within]).into_owned();
                Reply::json_text(cut)
            }
            11 => Reply::json_text(""),
            _ => error(401),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        write!(f, "{}", counts.clone().sum::<u64>())?;
        for (n, (kind, count)) in KINDS.iter().zip(counts).enumerate() {
            write!(f, "{}{kind} {count}", if n == 0 { " (" } else { ", " })?;
        }
        f.write_str(")")
    }
}
