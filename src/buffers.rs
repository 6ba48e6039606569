//! Reuses memory. A response is hundreds of kilobytes: returning it to the system and requesting it again each time
//! costs more than reading it.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use crate::locks;

/// The most bytes kept for later, over all buffers.
const MAX_SPARE: usize = 4 * 1024 * 1024;
/// The least bytes by which a buffer grows.
const STEP: usize = 64 * 1024;

/// Unused buffers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// An empty buffer, which returns here when it is dropped.
    pub(crate) fn take(&self) -> Buffer {
        let spare = locks::lock(&self.0).pop();
        Buffer { bytes: spare.unwrap_or_default(), end: 0, home: Some(self.clone()) }
    }

    fn put(&self, bytes: Vec<u8>) {
        let mut spare = locks::lock(&self.0);
        if spare.iter().map(Vec::capacity).sum::<usize>() + bytes.capacity() <= MAX_SPARE {
            spare.push(bytes);
        }
    }
}

/// Bytes, with room for more after them.
#[derive(Default)]
pub struct Buffer {
    /// The written bytes up to `end`, then old content.
    bytes: Vec<u8>,
    end: usize,
    home: Option<Buffers>,
}

impl Buffer {
    /// An empty buffer from the same store.
    pub(crate) fn another(&self) -> Self {
        self.home.as_ref().map(Buffers::take).unwrap_or_default()
    }

    /// Reserves room for this many more bytes, so that adding them does not move the others.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.bytes.reserve((self.end + more).saturating_sub(self.bytes.len()));
    }

    /// The room after the written bytes: at least this many bytes.
    #[inline]
    pub(crate) fn room(&mut self, at_least: usize) -> &mut [u8] {
        if self.bytes.len() - self.end < at_least {
            self.grow(at_least);
        }
        &mut self.bytes[self.end..]
    }

    /// Marks this many bytes of the room as written.
    #[inline]
    pub(crate) fn fill(&mut self, bytes: usize) {
        self.end = (self.end + bytes).min(self.bytes.len());
    }

    /// Drops the written bytes.
    pub(crate) fn clear(&mut self) {
        self.end = 0;
    }

    /// The written bytes, in memory of their own.
    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        self.home = None;
        self.bytes.truncate(self.end);
        std::mem::take(&mut self.bytes)
    }

    #[cold]
    fn grow(&mut self, at_least: usize) {
        self.bytes.resize(self.end + at_least.max(STEP), 0);
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.end]
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { end: bytes.len(), bytes, home: None }
    }
}

/// Shows its length: it may contain secrets.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.end)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.put(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_bytes_are_read_and_old_content_is_not() {
        let buffers = Buffers::default();
        let mut first = buffers.take();
        first.room(3)[..3].copy_from_slice(b"abc");
        first.fill(3);
        first.room(STEP)[..1].copy_from_slice(b"d");
        first.fill(1);
        assert_eq!(&*first, b"abcd");
        let place = first.as_ptr();
        drop(first);
        let mut again = buffers.take();
        assert!(again.is_empty());
        again.room(1)[0] = b'x';
        again.fill(1);
        assert_eq!((&*again, again.as_ptr()), (&b"x"[..], place), "the same memory");
        assert_eq!(again.another().into_vec(), b"");
        assert_eq!(again.into_vec(), b"x");
    }

    #[test]
    fn no_more_is_kept_than_a_few_megabytes() {
        let buffers = Buffers::default();
        let taken: Vec<Buffer> = (0..5)
            .map(|_| {
                let mut buffer = buffers.take();
                buffer.reserve(MAX_SPARE / 4);
                buffer
            })
            .collect();
        drop(taken);
        assert!((1..=4).contains(&buffers.0.lock().unwrap().len()));
        let mut huge = buffers.take();
        huge.reserve(2 * MAX_SPARE);
        drop(huge);
        let kept: usize = buffers.0.lock().unwrap().iter().map(Vec::capacity).sum();
        assert!(kept <= MAX_SPARE, "{kept}");
    }
}
