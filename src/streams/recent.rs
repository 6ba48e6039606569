//! Remembers the records that a stream wrote lately. An API shows some records later than their timestamps, so a stream
//! can read some time again with each read (see [`super::Cursor::overlap`]). The records of that time are remembered
//! here, and in the stream's state, so that they are not written again.
//!
//! In a state it is one text: base64 of 24 bytes a record: four of its moment, eight of a hash of its key, and six each
//! of hashes of its content and of its version. A forgotten record is only written again.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::is_future;

/// The most remembered records: 320 kB of state. With more, the newest are kept.
const MOST: usize = 10_000;
/// Bytes of a record in a state.
const ENTRY: usize = 24;

/// The records that a stream wrote lately.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    entries: HashMap<u64, Entry>,
    /// The newest moment of all records, in seconds since the epoch.
    newest: i64,
    /// How long records are remembered before the newest one, in seconds.
    overlap: i64,
}

/// The version of a record at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    moment: i64,
    content: u64,
    /// Zero without one.
    version: u64,
}

/// One version of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    key: u64,
    entry: Entry,
}

impl Mark {
    /// A version of a record: its key, its time (in seconds since the epoch), its text without the cursor, and the
    /// API's name of the version, if there is one.
    pub(crate) fn new(key: &[&str], moment: i64, content: &[u8], version: Option<&str>) -> Self {
        let version = version.map_or(0, |version| hash(version.as_bytes()) >> 16);
        Self { key: key_of(key), entry: Entry { moment, content: hash(content) >> 16, version } }
    }
}

impl Recent {
    /// None yet. Records are remembered for this many seconds before the newest one.
    pub(crate) fn new(overlap: i64) -> Self {
        Self { entries: HashMap::new(), newest: i64::MIN, overlap }
    }

    /// From a state, at a moment in seconds since the epoch. A damaged or future one counts as empty: those records are
    /// written again.
    pub(crate) fn parse(state: Option<&Value>, overlap: i64, now: i64) -> Self {
        let mut recent = Self::new(overlap);
        let (Some(since), Some(text)) =
            (state.and_then(|state| state["since"].as_i64()), state.and_then(|state| state["records"].as_str()))
        else {
            return recent;
        };
        for bytes in STANDARD_NO_PAD.decode(text).unwrap_or_default().chunks_exact(ENTRY) {
            let moment = since.saturating_add_unsigned(number(&bytes[..4]));
            if is_future(moment, now) {
                continue;
            }
            recent.newest = recent.newest.max(moment);
            let entry = Entry { moment, content: number(&bytes[12..18]), version: number(&bytes[18..]) };
            recent.entries.insert(number(&bytes[4..12]), entry);
        }
        recent
    }

    /// As a member of a state; `None` if there is nothing to remember.
    pub(crate) fn state(&self) -> Option<Value> {
        let mut kept: Vec<(&u64, &Entry)> =
            self.entries.iter().filter(|(_, entry)| entry.moment >= self.horizon()).collect();
        kept.sort_unstable_by_key(|(key, entry)| (std::cmp::Reverse(entry.moment), **key));
        kept.truncate(MOST);
        let since = kept.last()?.1.moment;
        let mut bytes = Vec::with_capacity(kept.len() * ENTRY);
        for (key, Entry { moment, content, version }) in kept {
            let after = u32::try_from(moment.abs_diff(since)).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&after.to_be_bytes());
            bytes.extend_from_slice(&key.to_be_bytes());
            bytes.extend_from_slice(&content.to_be_bytes()[2..]);
            bytes.extend_from_slice(&version.to_be_bytes()[2..]);
        }
        Some(json!({"since": since, "records": STANDARD_NO_PAD.encode(bytes)}))
    }

    /// Its approximate bytes in a state.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.len().min(MOST) * ENTRY * 4 / 3
    }

    /// Records before this moment are not remembered.
    fn horizon(&self) -> i64 {
        self.newest.saturating_sub(self.overlap)
    }

    /// Whether checking or recording a record of this moment is useful, when a record of `newest` was seen.
    pub(crate) fn reaches(&self, moment: i64, newest: Option<i64>) -> bool {
        !self.entries.is_empty() || newest.is_none_or(|newest| moment >= newest.saturating_sub(self.overlap))
    }

    /// Whether this version need not be written: the destination has it, or a newer one.
    pub(crate) fn covers(&self, mark: &Mark) -> bool {
        let Some(known) = self.entries.get(&mark.key) else { return false };
        let Entry { moment, content, version } = mark.entry;
        // A list has the current version: an object without a time of its own comes with each read. An event reports a
        // change, and much later the object may have changed back.
        let is_same_time = version == 0 || known.moment.abs_diff(moment) <= self.overlap.unsigned_abs();
        version != 0 && version == known.version || moment < known.moment || content == known.content && is_same_time
    }

    /// Whether this version of the record with that key was written, for callers to whom making the record would be
    /// expensive.
    #[must_use]
    pub fn has(&self, key: &[&str], version: &str) -> bool {
        let version = hash(version.as_bytes()) >> 16;
        self.entries.get(&key_of(key)).is_some_and(|known| known.version == version)
    }

    /// Remembers a version that has been written.
    pub(crate) fn note(&mut self, mark: Mark) {
        let Mark { key, mut entry } = mark;
        self.newest = self.newest.max(entry.moment);
        if entry.moment < self.horizon() {
            return;
        }
        if let Some(known) = self.entries.get(&key) {
            if known.moment > entry.moment {
                return;
            }
            // A list knows no versions: the name of the last one stays.
            entry.version = if entry.version == 0 { known.version } else { entry.version };
        }
        self.entries.insert(key, entry);
        if self.entries.len() > 2 * MOST {
            let horizon = self.horizon();
            self.entries.retain(|_, entry| entry.moment >= horizon);
            self.keep_newest();
        }
    }

    fn keep_newest(&mut self) {
        if self.entries.len() <= MOST {
            return;
        }
        let mut moments: Vec<i64> = self.entries.values().map(|entry| entry.moment).collect();
        moments.sort_unstable_by_key(|moment| std::cmp::Reverse(*moment));
        let (oldest, mut left) = (moments[MOST], MOST);
        self.entries.retain(|_, entry| {
            let stays = entry.moment >= oldest && left > 0;
            left -= usize::from(stays);
            stays
        });
    }
}

fn key_of(key: &[&str]) -> u64 {
    hash(key.join("\n").as_bytes())
}

/// The same number on every machine and in every build.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    number(&Sha256::digest(bytes)[..8])
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(key: &str, moment: i64, content: &str, version: Option<&str>) -> Mark {
        Mark::new(&[key], moment, content.as_bytes(), version)
    }

    fn recent(marks: &[Mark]) -> Recent {
        let mut recent = Recent::new(300);
        for mark in marks {
            recent.note(*mark);
        }
        let again = Recent::parse(recent.state().as_ref(), 300, 9_999);
        assert_eq!(again.entries, recent.entries);
        again
    }

    #[test]
    fn written_versions_are_covered_and_changed_ones_are_not() {
        let known = recent(&[mark("a", 1_000, "A", None), mark("b", 1_100, "B", Some("evt_1"))]);
        assert!(known.covers(&mark("a", 1_000, "A", None)));
        assert!(known.covers(&mark("a", 1_200, "A", Some("evt_9"))), "an event about what the list had");
        assert!(!known.covers(&mark("a", 1_000, "A2", None)));
        assert!(!known.covers(&mark("c", 1_000, "A", None)));
        assert!(known.covers(&mark("b", 1_100, "other words", Some("evt_1"))), "the same event");
        assert!(known.covers(&mark("b", 1_050, "older", Some("evt_0"))));
        assert!(known.has(&["b"], "evt_1") && !known.has(&["b"], "evt_2") && !known.has(&["a"], "evt_1"));
    }

    #[test]
    fn an_object_that_changed_back_is_written_again() {
        let known = recent(&[mark("a", 1_000, "A", None), mark("a", 1_010, "B", Some("evt_1"))]);
        assert!(!known.covers(&mark("a", 1_020, "A", Some("evt_2"))));
        let known = recent(&[mark("a", 1_000, "A", None)]);
        assert!(!known.covers(&mark("a", 1_301, "A", Some("evt_1"))), "long after");
        assert!(known.covers(&mark("a", 9_000, "A", None)), "it has no time of its own");
    }

    #[test]
    fn the_memory_is_bounded_in_time_and_in_number() {
        let old = mark("old", 1_000, "A", None);
        let known = recent(&[mark("new", 1_301, "A", None), old]);
        assert!(!known.covers(&old));
        let mut many = Recent::new(300);
        for n in 0..25_000 {
            many.note(mark(&n.to_string(), 1_000 + n / 100, "A", None));
        }
        let state = many.state().unwrap();
        assert!(state["records"].as_str().unwrap().len() <= MOST * ENTRY * 4 / 3);
        let again = Recent::parse(Some(&state), 300, 9_999);
        assert_eq!(again.entries.len(), MOST);
        assert!(again.covers(&mark("24999", 1_249, "A", None)) && !again.covers(&mark("0", 1_000, "A", None)));
    }

    #[test]
    fn a_damaged_memory_is_an_empty_one() {
        for damaged in [json!(7), json!({"since": 5, "records": "*"}), json!({"records": "AAAA"})] {
            assert!(Recent::parse(Some(&damaged), 300, 9_999).entries.is_empty(), "{damaged}");
        }
        let ahead = recent(&[mark("a", 5_000, "A", None)]).state();
        assert!(Recent::parse(ahead.as_ref(), 300, 1_000).entries.is_empty());
    }
}
