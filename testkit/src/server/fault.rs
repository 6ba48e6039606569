//! The ways in which a reply can go wrong on the wire.

use std::time::Duration;

/// A fault that replaces the orderly sending of a [`Reply`](super::Reply).
///
/// "Payload" is what follows the head on the wire: the body, or its chunks with their framing if
/// the reply is chunked. Every fault but the two silences ends the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Closes the connection in an orderly way (FIN) without sending a byte.
    RefuseHead,
    /// Resets the connection (RST) without sending a byte.
    ResetBeforeHead,
    /// Sends the head and that many payload bytes, then resets the connection (RST).
    ResetInBody(usize),
    /// Sends the head, which announces the whole body, and that many payload bytes, then closes
    /// the connection in an orderly way (FIN).
    TruncateBody(usize),
    /// Sends the first half of the body as a good chunk, then a chunk size that is not a hexadecimal
    /// number, and closes.
    BadChunking,
    /// Sends nothing for that long, then continues normally.
    SilenceBeforeHead(Duration),
    /// Sends the head and `after` payload bytes, then nothing for `lasting`, then the rest.
    SilenceInBody {
        /// Payload bytes sent before the silence.
        after: usize,
        /// Length of the silence.
        lasting: Duration,
    },
    /// Sends the body as gzip with a damaged middle; the HTTP framing is right.
    CorruptGzip,
    /// Sends the first two thirds of the body's gzip stream; the HTTP framing is right, so only
    /// the decoder can tell that something is missing.
    TruncatedGzip,
    /// Sends exactly these bytes as the whole response, then closes.
    RawBytes(Vec<u8>),
    /// Sends exactly these bytes, then resets the connection (RST).
    RawThenReset(Vec<u8>),
    /// Sends exactly these bytes, then nothing for that long, and closes.
    RawThenSilence(Vec<u8>, Duration),
    /// Sends `start`, then `again` over and over until the client ends the connection: 16 GiB at most.
    Endless {
        /// The first bytes.
        start: Vec<u8>,
        /// The repeated bytes. If empty, nothing is repeated.
        again: Vec<u8>,
    },
    /// Sends the whole reply, then closes the connection without announcing it.
    CloseAfter,
    /// Sends the whole reply, then resets the connection (RST).
    ResetAfter,
}
