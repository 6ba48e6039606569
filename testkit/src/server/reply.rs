//! The server's responses.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::Fault;
use super::request::find_header;

/// One response, built by value: `Reply::json(page).header("Link", link).gzip()`.
///
/// The body is shared, so cloning a reply, or sending the same page many times, copies nothing.
/// `Content-Length` or `Transfer-Encoding` is added when the reply is sent.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Arc<[u8]>,
    /// Replaces `body`.
    pub(super) streamed: Option<Streamed>,
    pub(super) delay: Duration,
    pub(super) chunk: Option<usize>,
    pub(super) fault: Option<Fault>,
}

/// Writes a body.
type WriteBody = dyn Fn(&mut dyn Write) -> io::Result<()> + Send + Sync;

/// A body that is generated while it is sent.
#[derive(Clone)]
pub(super) struct Streamed {
    pub(super) length: u64,
    pub(super) write: Arc<WriteBody>,
}

impl fmt::Debug for Streamed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Streamed").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Reply {
    /// No body and no content type.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Arc::from([]),
            streamed: None,
            delay: Duration::ZERO,
            chunk: None,
            fault: None,
        }
    }

    /// Status 200 with the value as compact JSON.
    ///
    /// # Panics
    /// If the value cannot be written as JSON.
    pub fn json(value: impl Serialize) -> Self {
        match serde_json::to_vec(&value) {
            Ok(body) => Self::shared("application/json", body),
            Err(error) => panic!("a reply that is not JSON: {error}"),
        }
    }

    /// Status 200 with this JSON text unchanged, valid or not.
    pub fn json_text(text: impl Into<String>) -> Self {
        Self::shared("application/json", text.into().into_bytes())
    }

    /// Status 200 with plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::shared("text/plain; charset=utf-8", text.into().into_bytes())
    }

    /// Status 200 with bytes of no particular type.
    pub fn bytes(body: impl Into<Arc<[u8]>>) -> Self {
        Self::shared("application/octet-stream", body)
    }

    /// Status 200 with a body that may be shared with other replies.
    pub fn shared(content_type: &str, body: impl Into<Arc<[u8]>>) -> Self {
        let mut reply = Self::empty(200).header("Content-Type", content_type);
        reply.body = body.into();
        reply
    }

    /// Status 200 with a body that does not fit into memory: `write` generates it while it is sent, and must write
    /// exactly `length` bytes. Such a reply cannot be compressed or chunked, and has no fault in its body.
    pub fn streamed(
        content_type: &str,
        length: u64,
        write: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let mut reply = Self::empty(200).header("Content-Type", content_type);
        reply.streamed = Some(Streamed { length, write: Arc::new(write) });
        reply
    }

    /// Replaces the status. Default: 200.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header. A given `Content-Length` or `Transfer-Encoding` replaces the correct one; `Connection: close`
    /// ends the connection after the reply.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Waits that long before the first byte is sent. Default: none. Ends early when the server
    /// stops.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Compresses the body, once, here, and declares it, whether or not the client accepts gzip.
    pub fn gzip(mut self) -> Self {
        if !self.is_gzip() {
            self.body = gzip_bytes(&self.body).into();
            self = self.header("Content-Encoding", "gzip");
        }
        self
    }

    /// Sends the body in chunks of this many bytes, at least one. Default: not chunked.
    pub fn chunked(mut self, size: usize) -> Self {
        self.chunk = Some(size.max(1));
        self
    }

    /// Fails on the wire in that way.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// The body as it will be sent, compressed if [`Reply::gzip`] was called.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn has_header(&self, name: &str) -> bool {
        find_header(&self.headers, name).is_some()
    }

    pub(super) fn is_gzip(&self) -> bool {
        find_header(&self.headers, "Content-Encoding") == Some("gzip")
    }
}

/// The value as [`Reply::json`].
impl From<serde_json::Value> for Reply {
    fn from(value: serde_json::Value) -> Self {
        Self::json(value)
    }
}

/// The bytes as a gzip stream (RFC 1952), at a fast level.
pub fn gzip_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    match written {
        Ok(compressed) => compressed,
        Err(error) => panic!("writing to memory failed: {error}"),
    }
}
